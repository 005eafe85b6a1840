"""Real processes: a sandbox served until Ctrl-C, and a process that is killed after submission."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from bhxh_sdk.cli.sandbox_folder import SandboxFolder
from bhxh_sdk.sandbox import Sandbox, VirtualClock

BHXH = (sys.executable, "-c", "import sys; from bhxh_sdk.cli import main; sys.exit(main())")

# The process dies the moment the portal has answered, before anything about the answer is written down.
KILLED_AFTER_SUBMISSION = """
import os, signal, sys
from bhxh_sdk.cli import main
from bhxh_sdk.transport import PortalChannel
submit = PortalChannel.submit
async def submit_and_die(self, filing):
    await submit(self, filing)
    os.kill(os.getpid(), signal.SIGKILL)
PortalChannel.submit = submit_and_die
sys.exit(main())
"""


@pytest.fixture
def laid(tmp_path):
    with Sandbox(clock=VirtualClock(flowing=True)) as sandbox:
        yield SandboxFolder.laid(tmp_path / "sandbox", sandbox)


def run(laid, *arguments, program=BHXH):
    environment = os.environ | laid.environment | {"BHXH_CHANNEL": str(laid.path("portal.toml"))}
    return subprocess.run(
        [*program, *map(str, arguments)],
        cwd=laid.folder,
        env=environment | {"BHXH_SIGNER": laid.signer},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_process_killed_after_submission_is_resumed_without_a_second_one(laid):
    killer = (sys.executable, "-c", KILLED_AFTER_SUBMISSION)
    form = laid.path("register-at-portal.toml")
    killed = run(laid, "register", form, "--key", "mine", "--yes", program=killer)
    assert killed.returncode == -signal.SIGKILL
    assert "mine" in killed.stderr
    assert laid.sandbox.agency.submissions == 1
    assert json.loads(run(laid, "status", "mine", "--json").stdout)["state"] == "sending"

    resumed = run(laid, "resume", "mine", "--json")
    assert resumed.returncode == 0, resumed.stderr
    answer = json.loads(resumed.stdout)
    assert (answer["state"], answer["submissions"]) == ("submitted", 1)
    assert laid.sandbox.agency.submissions == 1

    (mail,) = laid.new_mails()
    activated = run(laid, "activate", "mine", "--mail", mail, "--json")
    assert json.loads(activated.stdout)["state"] == "activated"
    assert laid.sandbox.agency.submissions == 1


def test_the_answer_is_alone_on_standard_output(laid):
    done = run(laid, "register", laid.path("register-at-portal.toml"), "--yes", "--json")
    assert json.loads(done.stdout)["state"] == "submitted"
    assert done.stderr
    failed = run(laid, "register", "nowhere.toml", "--yes", "--json")
    assert failed.returncode == 2
    assert json.loads(failed.stdout)["error"]["code"] == "cli.file_missing"
    assert "Traceback" not in failed.stderr


def test_a_sandbox_is_served_until_ctrl_c(tmp_path):
    served = subprocess.Popen(
        [*BHXH, "sandbox", "--port", "0", "--folder", "play", "--json"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        lines = [served.stdout.readline()]
        while lines[-1] != "}\n":
            lines.append(served.stdout.readline())
            assert lines[-1], served.stderr.read()
        facts = json.loads("".join(lines))
        environment = os.environ | facts["environment"]
        form = tmp_path / "play" / "register-at-portal.toml"
        done = subprocess.run(
            [
                *BHXH,
                "register",
                form,
                "--channel",
                facts["channels"]["portal"],
                "--signer",
                facts["signer"],
                "--yes",
            ],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert wait_for(tmp_path / "play" / "mails" / "01-activation.eml")
    finally:
        served.send_signal(signal.SIGINT)
        rest, errors = served.communicate(timeout=20)
    assert (served.returncode, rest) == (0, "")
    assert "01-activation.eml" in errors
    assert "Traceback" not in errors


def wait_for(path):
    end = time.monotonic() + 10
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.05)
    return path.exists()


def test_a_port_that_is_taken_is_named(laid, tmp_path):
    port = laid.portal_url.rsplit(":", 1)[1]
    done = run(laid, "sandbox", "--port", port, "--folder", tmp_path / "other", "--json")
    assert done.returncode == 3
    assert port in json.loads(done.stdout)["error"]["message"]


def test_a_folder_that_cannot_be_made_is_named(laid, tmp_path):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    done = run(laid, "sandbox", "--port", "0", "--folder", tmp_path / "file" / "x", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "cli.cannot_write"
