"""The shipped files: complete, unchanged, and refused when they are not."""

import csv
import hashlib
import shutil
import subprocess
import sys
import tomllib

import pytest

from bhxh_sdk.catalogue.files import DATA, read_rows, read_sources
from bhxh_sdk.errors import SetupError

ENTRIES = tomllib.loads((DATA / "sources.toml").read_text(encoding="utf-8"))


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(DATA, tmp_path / "data")


@pytest.mark.parametrize("name", ENTRIES)
def test_checksum_and_row_count_are_those_of_the_file(name):
    content = (DATA / ENTRIES[name]["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == ENTRIES[name]["sha256"]
    rows = list(csv.reader(content.decode().splitlines()))
    assert len(rows) - 1 == ENTRIES[name]["rows"] == len(read_rows(name))


def test_every_file_is_listed():
    assert {path.name for path in DATA.glob("*.csv")} == {entry["file"] for entry in ENTRIES.values()}


@pytest.mark.parametrize("source", read_sources(), ids=lambda source: source.name)
def test_every_list_says_where_it_comes_from(source):
    assert all((source.as_of, source.source, source.certainty, source.gaps, source.sha256))
    assert not source.refreshed


@pytest.mark.parametrize("name", ENTRIES)
def test_a_changed_file_is_refused(copy, name):
    path = copy / ENTRIES[name]["file"]
    path.write_bytes(path.read_bytes().replace(b"0", b"1", 1))
    with pytest.raises(SetupError) as caught:
        read_rows(name, copy)
    assert caught.value.code == "catalogue.checksum"
    assert path.name in caught.value.message("vi")
    assert caught.value.hint("vi")


def test_a_missing_file_is_named(copy):
    (copy / "wards.csv").unlink()
    with pytest.raises(SetupError) as caught:
        read_rows("wards", copy)
    assert caught.value.code == "catalogue.unreadable"
    assert "wards.csv" in str(caught.value)


@pytest.mark.parametrize("content", [b"[agencies", b"\xff"])
def test_a_broken_table_of_sources_is_named(copy, content):
    (copy / "sources.toml").write_bytes(content)
    with pytest.raises(SetupError, match=r"sources\.toml"):
        read_sources(copy)


def test_importing_the_package_reads_no_list():
    code = """
import sys
opened = []
sys.addaudithook(lambda event, arguments: event == "open" and opened.append(str(arguments[0])))
import bhxh_sdk.catalogue, bhxh_sdk.rules
bhxh_sdk.catalogue.shipped()
bhxh_sdk.catalogue.agency("07906")
print(*(path for path in opened if path.endswith(".csv")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("agencies.csv")
    assert len(done.stdout.split()) == 1
