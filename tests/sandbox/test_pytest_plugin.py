"""The fixtures work from the installed plugin, in a project that knows nothing of ours."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

TEST = """
import bhxh_sdk as bhxh

def drive(work):
    try:
        work.send(None)
    except StopIteration as done:
        return done.value

def test_portal(bhxh_portal):
    assert len(drive(bhxh_portal.ivans())) == 15

def test_ivan(bhxh_ivan):
    assert drive(bhxh_ivan.agencies("79"))

FORM = bhxh.Registration(
    agency=bhxh.catalogue.agency("07906"),
    organisation=bhxh.Organisation(name="CÔNG TY TNHH VÍ DỤ", unit_code="TZ0001Z", tax_code="0100109106"),
    contact=bhxh.Contact(name="Mẫu", address="Số 1", mobile="0912345678", email="hr@example.com"),
)

def test_mailbox(bhxh_mailbox, bhxh_sandbox, bhxh_portal):
    assert drive(bhxh_mailbox.mails()) == ()
    signer = bhxh_sandbox.signer(FORM.organisation)
    with bhxh.Client(bhxh_portal, signer=signer, ask=bhxh_sandbox.ask, clock=bhxh_sandbox.clock) as client:
        filing = client.register(FORM, confirmed=True)
        client.activate(filing.key, mail=bhxh_mailbox.latest())
        assert client.log_in(filing.key, mail=bhxh_mailbox.latest()).token
    assert len(drive(bhxh_mailbox.mails())) == 2
    assert bhxh_sandbox.agency.submissions == 1
"""


def test_the_plugin_is_announced():
    assert {found.value for found in entry_points(group="pytest11", name="bhxh_sdk")} == {
        "bhxh_sdk.sandbox.pytest_plugin"
    }


def test_the_fixtures_work_in_a_project_of_somebody_else(tmp_path):
    (tmp_path / "test_own.py").write_text(TEST, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:randomly", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_the_plugin_itself_loads_no_server():
    code = "import sys, bhxh_sdk.sandbox.pytest_plugin; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"starlette", "uvicorn", "bhxh_sdk.sandbox.serve"} & {*done.stdout.split()}
