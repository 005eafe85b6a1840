"""Commands with a key that a provider keeps: what waits for a phone is told, a lost answer needs a person."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from bhxh_sdk.cli.output import Output
from bhxh_sdk.cli.pending import Waiting
from bhxh_sdk.cli.sandbox_folder import SandboxFolder
from bhxh_sdk.sandbox import Fault, Sandbox, VirtualClock
from bhxh_sdk.sandbox.remote import Answer
from bhxh_sdk.sandbox.remote.world import NAMES
from bhxh_sdk.signers import SigningJob, SigningState, SigningTransaction

AUTHORIZE = "/csc/v1/credentials/authorize"


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A sandbox as `bhxh sandbox` serves it, with its variables set."""
    with Sandbox(clock=VirtualClock(flowing=True)) as sandbox:
        laid = SandboxFolder.laid(tmp_path / "play", sandbox)
        for name, value in laid.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("BHXH_CHANNEL", str(laid.path("portal.toml")))
        yield laid


@pytest.fixture
def form(served):
    return served.path("register-at-portal.toml")


@pytest.mark.parametrize("name", NAMES)
def test_the_certificates_of_each_provider_are_listed(bhxh, served, name):
    done = bhxh("certificates", "--signer", served.remote_signers[name], "--json")
    assert [item["tax_code"] for item in done.json] == ["0100109106"]
    assert not served.remote[name].desk.phone.rings


def test_a_registration_tells_what_to_confirm_on_standard_error_alone(bhxh, served, form):
    profile = served.path("signers/ca769-plain.toml")
    profile.write_text(f"{profile.read_text()}poll_seconds = 1\n")
    signer = served.remote_signers["ca769-plain"]
    done = bhxh("register", form, "--signer", signer, "--yes", "--json", "--lang", "en")
    assert (done.code, done.json["state"]) == (0, "submitted")
    (ring,) = served.remote["ca769-plain"].desk.phone.rings
    about, confirm, code = done.err.splitlines()[-3:]
    assert about.startswith("The signing service is about to be asked")
    assert confirm.startswith("Confirm on your phone, until ")
    assert ".xml" in confirm
    assert code.rpartition(" ")[2] in ring.shown


def test_documents_are_signed(bhxh, served, form, tmp_path):
    assert bhxh("build", form, "-o", "a.xml").code == 0
    done = bhxh("sign", "a.xml", "-o", "b.xml", "--signer", served.remote_signers["csc-v1"], "--lang", "en")
    assert done.code == 0, done.err
    assert "about to be asked" in done.err
    assert bhxh("verify", "b.xml", "--json").json["valid"]


def test_a_provider_without_a_phone_names_none(bhxh, served, form):
    signer = served.remote_signers["ca769-vnpt-th"]
    done = bhxh("register", form, "--signer", signer, "--yes", "--lang", "en")
    assert done.code == 0, done.err
    assert "The signing service is about to be asked: " in done.err
    assert "phone" not in done.err


def test_the_demonstration_takes_a_signer_of_a_served_sandbox(bhxh, served):
    done = bhxh("demo", "--signer", served.remote_signers["csc-v1"], "--json")
    assert (done.code, done.json["state"]) == (0, "active")
    assert len(served.remote["csc-v1"].desk.accepted) == 1


def test_after_a_lost_answer_only_a_persons_decision_signs_again(bhxh, served, form):
    provider, signer = served.remote["csc-v1"], served.remote_signers["csc-v1"]
    provider.faults.next(AUTHORIZE, Fault.LOSE_REPLY)
    first = bhxh("register", form, "--signer", signer, "--key", "k", "--yes", "--json", "--lang", "en")
    assert (first.code, first.error["code"]) == (5, "signing.ambiguous")
    assert "`bhxh resume k --sign-again`" in first.error["hint"]
    assert first.error["key"] == "k"
    assert first.error["reference"] not in {"", "k"}
    again = bhxh("resume", "k", "--signer", signer, "--json")
    assert (again.code, again.error["code"]) == (5, "signing.ambiguous")
    assert len(provider.desk.accepted) == 1
    decided = bhxh("resume", "k", "--signer", signer, "--sign-again", "--json", "--lang", "en")
    assert (decided.code, decided.json["state"]) == (0, "submitted")
    assert "Signing once more by your decision" in decided.err
    assert len(provider.desk.accepted) == 2
    assert served.sandbox.agency.submissions == 1


def test_the_key_that_was_drawn_stands_by_the_error_of_a_signature(bhxh, served, form):
    provider, signer = served.remote["csc-v1"], served.remote_signers["csc-v1"]
    provider.faults.next(AUTHORIZE, Fault.LOSE_REPLY)
    done = bhxh("register", form, "--signer", signer, "--yes", "--lang", "en")
    (registration,) = bhxh("status", "--json").json
    key = registration["key"]
    assert done.err.index(f"Key of the registration: {key}") < done.err.index("is about to be asked")
    assert f"\n  Key: {key}\n" in done.err
    assert f"`bhxh resume {key}`" in done.err


def test_a_lone_signature_names_no_registration(bhxh, served, form):
    provider, signer = served.remote["csc-v1"], served.remote_signers["csc-v1"]
    assert bhxh("build", form, "-o", "a.xml").code == 0
    provider.faults.next(AUTHORIZE, Fault.LOSE_REPLY)
    done = bhxh("sign", "a.xml", "-o", "b.xml", "--signer", signer, "--lang", "en")
    assert done.code == 5
    assert "run the command again" in done.err
    assert "resume" not in done.err
    assert "Key:" not in done.err
    provider.faults.next(AUTHORIZE, Fault.LOSE_REPLY)
    told = bhxh("sign", "a.xml", "-o", "b.xml", "--signer", signer, "--json").error
    assert told["key"] == ""
    assert told["reference"]


def test_who_declines_is_not_asked_again_until_somebody_resumes(bhxh, served, form):
    provider, signer = served.remote["csc-v1"], served.remote_signers["csc-v1"]
    provider.desk.phone.next(Answer.DECLINES)
    done = bhxh("register", form, "--signer", signer, "--key", "k", "--yes", "--json")
    assert done.code == 4
    assert len(provider.desk.phone.rings) == 1
    assert bhxh("resume", "k", "--signer", signer, "--json").json["state"] == "submitted"


def test_a_sim_that_shows_its_certificate_with_the_signature_registers_and_signs_no_lone_document(
    bhxh, served, form
):
    profile = served.path("signers/late.toml")
    text = served.path("signers/mss.toml").read_text(encoding="utf-8")
    profile.write_text(f"{text}\n[dialect_changes]\nregisters_first = false\n", encoding="utf-8")
    signer = f"mss:{profile}"
    shown = bhxh("certificates", "--signer", signer, "--lang", "en")
    assert shown.out == "This signer shows its certificate only with the signature.\n"
    assert bhxh("check", form, "--signer", signer).code == 0
    assert bhxh("build", form, "-o", "a.xml").code == 0
    done = bhxh("sign", "a.xml", "-o", "b.xml", "--signer", signer, "--json")
    assert (done.code, done.error["code"]) == (4, "signing.certificate_comes_later")
    assert not served.remote["mss"].desk.phone.rings
    assert bhxh("register", form, "--signer", signer, "--yes", "--json").json["state"] == "submitted"


def test_a_variable_that_is_not_set_is_named(bhxh, served, monkeypatch):
    monkeypatch.delenv("BHXH_SANDBOX_CSC_CLIENT_SECRET")
    done = bhxh("certificates", "--signer", served.remote_signers["csc-v2"], "--json", "--lang", "en")
    assert (done.code, done.error["code"]) == (3, "channel.secret_missing")
    assert "BHXH_SANDBOX_CSC_CLIENT_SECRET" in done.error["message"]


def test_a_secret_that_nobody_is_there_to_enter_is_named_as_in_the_profile(bhxh, served):
    profile = served.path("signers/asked.toml")
    text = served.path("signers/ca769-vnpt.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("sp_password_env")]
    profile.write_text("\n".join(lines), encoding="utf-8")
    done = bhxh("certificates", "--signer", f"ca769:{profile}", "--json", "--lang", "en")
    assert (done.code, done.error["code"]) == (6, "person_needed.nobody_to_ask")
    assert "“sp_password”" in done.error["message"]
    assert "sp_password_env" in done.error["hint"]
    assert "sp_password_keyring" in done.error["hint"]


def test_the_folder_names_providers_and_signers_and_tells_rings(served):
    facts = served.as_dict()
    assert json.loads(json.dumps(facts)) == facts
    assert list(facts["remote"]) == list(facts["remote_signers"]) == list(NAMES)
    assert list(served.new_rings()) == []
    served.remote["mss"].desk.phone.ring("t", ("a.xml", "", "1234"))
    assert list(served.new_rings()) == [("mss", "a.xml · 1234")]
    assert list(served.new_rings()) == []


def transaction(state, names=("a.xml",), **facts):
    jobs = tuple(SigningJob(document_id=name, digest=bytes(32), document_name=name) for name in names)
    return SigningTransaction(transaction_id="t", backend="csc", state=state, jobs=jobs, **facts)


@pytest.fixture
def told(capsys):
    """Tell transactions one after the other, and return the lines."""

    def tell(*transactions, elsewhere=True):
        waiting = Waiting(Output("en"), elsewhere)
        for each in transactions:
            waiting(each)
        return capsys.readouterr().err.splitlines()

    return tell


def test_each_thing_is_told_once(told):
    intended, pending = transaction(SigningState.INTENDED), transaction(SigningState.PENDING, show="42")
    confirmed = transaction(SigningState.CONFIRMED)
    lines = told(intended, pending, pending, intended, confirmed)
    assert len(lines) == 4
    assert lines[2] == "Confirm only if the phone shows this code: 42"
    assert lines[3] == "Confirmed; the signing service is signing."


def test_names_of_documents_are_no_code_to_compare(told):
    names = ("a.xml", "b.xml")
    lines = told(transaction(SigningState.PENDING, names, show="a.xml, b.xml"))
    assert lines[1] == "The phone shows: a.xml, b.xml"


def test_many_documents_are_counted(told):
    names = [f"{number}.xml" for number in range(5)]
    (line,) = told(transaction(SigningState.PENDING, names))
    assert line.endswith("0.xml, 1.xml, 2.xml and 2 more")


def test_the_end_of_the_time_to_confirm_is_that_of_the_clock_on_the_wall(told):
    deadline = datetime(2026, 9, 1, 3, 0, tzinfo=UTC) + timedelta(seconds=5)
    (line,) = told(transaction(SigningState.PENDING, deadline=deadline), elsewhere=False)
    assert line == f"Waiting for the signing service, until {deadline.astimezone():%H:%M:%S}: a.xml"


def test_what_a_provider_says_cannot_steer_the_terminal(told):
    assert "\x1b" not in "".join(told(transaction(SigningState.PENDING, show="\x1b[2J")))
