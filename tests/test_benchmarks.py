"""Every benchmark measures and prints what others read: tried at a size at which the figures mean nothing."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import FULL, TINY, Result
from benchmarks.__main__ import main, modules
from benchmarks.lab.turns import Cost, in_turns, timed

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="some peers and the count of memory are Linux's"),
    pytest.mark.timeout(300),
]

MEMBERS = ["name", "ours", "against", "ratio", "unit", "better", "bar"]
EXPECTED = {
    "import_time": {"import_ms", "cli_start_ms"},
    "sign_form": {
        "sign_form_2k_vs_rsa",
        "sign_form_2k_vs_signxml",
        "sign_form_2k_vs_python_xmlsec",
        "sign_form_2k_vs_java",
    },
    "prepare_form": {"prepare_form_2k_vs_rsa", "prepare_built_form_2k_vs_rsa"},
    "verify_form": {
        "verify_form_2k_vs_rsa",
        "verify_form_2k_new_certificate_vs_rsa",
        "verify_form_2k_vs_peers",
        "verify_form_2k_vs_bergshamra",
        "verify_form_2k_vs_java",
    },
    "sign_rows": {"sign_rows_50m_vs_floor", "sign_rows_50m_vs_floor_peak_mb", "sign_rows_50m_vs_java"},
    "verify_rows": {"verify_rows_50m_vs_java", "verify_foreign_rows_50m_vs_floor"},
    "build_rows": {"build_sign_rows_50k_vs_signxml", "build_sign_rows_50k_vs_signxml_peak_mb"},
    "attachment": {"attachment_50m_vs_floor", "attachment_50m_vs_floor_peak_mb"},
    "batch": {"batch_20k_two_cores_vs_one"},
    "remote": {"remote_batch_500_vs_httpx", "remote_one_vs_httpx"},
    "token": {"token_python_pkcs11_vs_floor", "token_pykcs11_vs_floor", "token_python_pkcs11_loop_held"},
    "growth": {
        f"growth_{work}_{size}_vs_{other}"
        for work in ("sign", "verify")
        for size in TINY.growth
        for other in ("floor", "bergshamra", "python_xmlsec", "signxml", "xmlsec1", "java")
    },
}
"""What each module has to give at least."""


@pytest.mark.needs_tool("java", "javac", "xmlsec1", "softhsm2-util", "cc")
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_benchmark_gives_well_formed_lines_and_all_of_its_names(name):
    lines = [
        json.loads(result.line()) for result in importlib.import_module(f"benchmarks.{name}").results(TINY)
    ]
    names = [line["name"] for line in lines]
    assert set(names) >= EXPECTED[name]
    assert len(names) == len(set(names))
    for line in lines:
        assert list(line) == MEMBERS
        assert line["better"] in {"lower", "higher"}
        assert line["unit"]
        assert line["bar"]
        if not line["name"].endswith(("_peak_mb", "_cpu")):
            assert line["ours"] > 0
            assert line["ratio"] > 0


def test_every_benchmark_is_tried():
    assert set(modules()) - EXPECTED.keys() == set()


def test_every_benchmark_stands_on_the_page_with_every_bar():
    page = (Path(__file__).parents[1] / "docs" / "reference" / "benchmarks.md").read_text(encoding="utf-8")
    assert [name for name in modules() if f"`{name}`" not in page] == []
    barred = {name for name in set().union(*EXPECTED.values()) if not name.startswith("growth_")}
    assert [name for name in barred if f"`{name}`" not in page] == []


def test_a_peer_that_is_missing_is_left_out_and_named(monkeypatch, tmp_path, capsys):
    from benchmarks.lab import libraries

    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setitem(sys.modules, "benchmarks.peers.bergshamra", None)
    assert libraries.java(tmp_path) is None
    assert "bergshamra" not in libraries.installed()
    said = capsys.readouterr().err
    assert "left out: java" in said
    assert "left out: bergshamra" in said


def test_without_a_compiler_tokens_are_left_out_and_that_is_said(monkeypatch, capsys):
    from benchmarks import token

    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert list(token.results(TINY)) == []
    assert "left out: token: no cc" in capsys.readouterr().err


def test_the_ratio_is_ours_by_the_other():
    result = Result(name="x", ours=1.23456, against=2, unit="ms", better="lower", bar="at most 1")
    assert json.loads(result.line()) == {
        "name": "x",
        "ours": 1.235,
        "against": 2,
        "ratio": 0.617,
        "unit": "ms",
        "better": "lower",
        "bar": "at most 1",
    }


def test_without_anything_to_compare_with_there_is_no_ratio():
    line = Result(name="x", ours=1, against=0, unit="MB", better="lower").line()
    assert json.loads(line)["ratio"] is None


def test_contenders_run_in_turns_and_the_first_round_only_warms_up():
    order = []

    def contender(name, costs):
        left = iter(costs)

        def run(runs):
            order.append((name, runs))
            return next(left)

        return run

    ours = contender("ours", [Cost(99, 99, 7), Cost(1, 1, 0), Cost(3, 3, 1)])
    other = contender("other", [Cost(50), Cost(5), Cost(5)])
    costs = in_turns({"ours": ours, "other": other}, rounds=2, block=4)
    assert costs == {"ours": Cost(2, 2, 7), "other": Cost(5)}
    assert order == [(name, 4) for name in ("ours", "other", "ours", "other", "other", "ours")]


def test_inputs_are_taken_in_their_order_again_and_again():
    seen = []
    run = timed(seen.append, [1, 2, 3])
    run(2)
    run(2)
    assert seen == [1, 2, 3, 1]


def test_an_unknown_benchmark_is_refused_with_those_that_exist():
    with pytest.raises(SystemExit, match="no such benchmark: nonsense; there are: attachment"):
        main(["nonsense"])


def test_the_command_prints_one_line_of_json_for_each_figure():
    command = [sys.executable, "-m", "benchmarks", "prepare_form"]
    run = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert [list(json.loads(line)) for line in run.stdout.splitlines()] == [MEMBERS, MEMBERS]


def test_the_full_scale_is_the_one_that_the_names_speak_of():
    assert FULL.rows == 50_000
    assert FULL.file_bytes * 4 / 3 == 50_000_000
