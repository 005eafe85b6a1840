"""The doctor before real providers: each trouble is a line, no phone rings, no code or PIN is sent."""

from __future__ import annotations

import socket
import ssl
from datetime import timedelta

import pytest
from raw_server import certified, raw_server, read_request

from bhxh_sdk import messages
from bhxh_sdk.cli.sandbox_folder import SandboxFolder
from bhxh_sdk.doctor import Machine, ServiceState, examine
from bhxh_sdk.models import Organisation
from bhxh_sdk.opening import blocking_sender
from bhxh_sdk.ports import Reply
from bhxh_sdk.sandbox import Fault, Sandbox, VirtualClock
from bhxh_sdk.sandbox.remote import Mischief
from bhxh_sdk.sandbox.remote.world import NAMES
from bhxh_sdk.system import SystemClock

OWN = Organisation(name="CÔNG TY TNHH VÍ DỤ", tax_code="0100109106")
HERE = Machine(service=ServiceState.RUNNING)


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A sandbox with providers and profiles, its variables set."""
    with Sandbox(clock=VirtualClock(flowing=True)) as sandbox:
        laid = SandboxFolder.laid(tmp_path / "play", sandbox)
        for name, value in laid.environment.items():
            monkeypatch.setenv(name, value)
        yield laid


@pytest.fixture
def vnpt(served):
    """The provider that most tests ask."""
    return served.remote["ca769-vnpt"]


class Asked:
    """Examine, and remember every request that leaves."""

    def __init__(self, **options):
        self.options = options
        self.requests = []

    def __call__(self, uri, organisation=OWN, clock=None):
        found = examine(
            uri, organisation=organisation, clock=clock or SystemClock(), machine=HERE, senders=self.senders
        )
        self.found = {check.code.removeprefix("doctor."): check for check in found}
        return {code: check.state.value for code, check in self.found.items()}

    def senders(self, *arguments, **options):
        sender, requests = blocking_sender(*arguments, **options), self.requests

        class Listening:
            async def send(self, request):
                requests.append(request)
                return await sender.send(request)

        return Listening()


@pytest.fixture
def examined():
    return Asked()


@pytest.mark.parametrize("name", NAMES)
def test_a_provider_that_works_passes_and_no_phone_rings(served, examined, name):
    found = examined(served.remote_signers[name])
    passed = {"profile.ok", "secret.environment", "network.plain", "signer.listed", "choice.ok", "owner.ok"}
    assert passed <= set(found)
    assert "server_clock.ok" in found
    assert set(found.values()) == {"ok"}
    assert not served.remote[name].desk.phone.rings
    assert not served.remote[name].desk.accepted


def test_no_password_or_one_time_code_of_a_person_is_used(served, examined):
    examined(served.remote_signers["ca769-vnpt-th"])
    assert served.remote["ca769-vnpt-th"].provider.used_codes == []
    sent = b"".join(request.body for request in examined.requests)
    assert served.environment["BHXH_SANDBOX_CA769_SP_PASSWORD"].encode() in sent
    assert served.environment["BHXH_SANDBOX_CA769_TOTP_SECRET"].encode() not in sent


def test_no_text_holds_a_secret(served, examined):
    for uri in served.remote_signers.values():
        examined(uri)
        texts = str([check.as_dict() for check in examined.found.values()])
        assert not [value for value in served.environment.values() if value in texts]


def test_a_missing_variable_is_named_and_nobody_is_asked(served, examined, monkeypatch):
    monkeypatch.delenv("BHXH_SANDBOX_CA769_SP_PASSWORD")
    found = examined(served.remote_signers["ca769-vnpt"])
    assert found["channel.secret_missing"] == "failed"
    assert found["signer.not_asked"] == "skipped"
    assert {request.method for request in examined.requests} == {"GET"}
    assert "BHXH_SANDBOX_CA769_SP_PASSWORD" in examined.found["channel.secret_missing"].cause("vi")


def test_a_code_that_is_missing_hides_no_certificate(served, examined, monkeypatch):
    monkeypatch.delenv("BHXH_SANDBOX_CA769_TOTP_SECRET")
    found = examined(served.remote_signers["ca769-vnpt-th"])
    assert found["channel.secret_missing"] == "failed"
    assert found["signer.listed"] == "ok"


def test_a_wrong_password_is_told_and_sent_once(served, examined, monkeypatch):
    monkeypatch.setenv("BHXH_SANDBOX_CA769_SP_PASSWORD", "another one")
    assert examined(served.remote_signers["ca769-vnpt"])["remote.login"] == "failed"
    assert [request.method for request in examined.requests] == ["GET", "POST"]


def test_a_secret_of_the_keyring_is_looked_for(served, examined, monkeypatch):
    keyring = pytest.importorskip("keyring")
    monkeypatch.setattr(keyring, "get_password", lambda service, user: f"{service} {user}"[:0])
    found = examined(
        "ca769:"
        + str(
            changed(
                served,
                'sp_password_env = "BHXH_SANDBOX_CA769_SP_PASSWORD"',
                'sp_password_keyring = "bhxh/sp"',
            )
        )
    )
    assert found["remote.keyring_empty"] == "failed"
    right = served.environment["BHXH_SANDBOX_CA769_SP_PASSWORD"]
    monkeypatch.setattr(keyring, "get_password", lambda *_: right)
    found = examined("ca769:" + str(served.path("signers/changed.toml")))
    assert (found["secret.keyring"], found["signer.listed"]) == ("ok", "ok")


def changed(served, old, new):
    text = served.path("signers/ca769-vnpt.toml").read_text(encoding="utf-8")
    assert old in text
    path = served.path("signers/changed.toml")
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_a_secret_that_only_a_person_has_leaves_the_list_unknown(served, examined):
    path = changed(served, 'sp_password_env = "BHXH_SANDBOX_CA769_SP_PASSWORD"', "")
    found = examined(f"ca769:{path}")
    assert (found["secret.asked"], found["signer.needs_person"]) == ("skipped", "skipped")
    assert "sp_password" in examined.found["signer.needs_person"].cause("en")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('dialect = "vnpt"', 'dialect = "fax"', "remote.dialect"),
        ('user_id = "0100109106"', "", "remote.setting_missing"),
        ('user_id = "0100109106"', 'user_id = "1"\nfax = 1', "remote.unknown_setting"),
        ('kind = "ca769"', "kind = ", "input.unreadable_file"),
        ('kind = "ca769"', 'kind = "csc"', "remote.other_kind"),
    ],
)
def test_a_wrong_profile_is_the_only_line_about_the_signer(served, examined, old, new, code):
    found = examined(f"ca769:{changed(served, old, new)}")
    assert [name for name, state in found.items() if state == "failed"] == [code]
    assert examined.found[code].name == "profile"
    assert examined.requests == []


def test_a_file_of_the_profile_that_is_missing_is_told(served, examined):
    path = changed(served, 'kind = "ca769"', 'kind = "ca769"\nca_bundle = "none.pem"')
    found = examined(f"ca769:{path}")
    (failed,) = [code for code, state in found.items() if state == "failed"]
    assert examined.found[failed].name == "profile"


def test_a_host_that_does_not_answer_is_told_and_not_asked_for_certificates(served, examined):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = served.remote["ca769-vnpt"].url
    found = examined(f"ca769:{changed(served, url, f'http://127.0.0.1:{port}')}")
    assert (found["not_sent.connection"], found["signer.not_asked"]) == ("failed", "skipped")


def test_https_to_a_port_without_tls_is_told_as_that(served, examined):
    url = served.remote["ca769-vnpt"].url
    found = examined(f"ca769:{changed(served, url, url.replace('http:', 'https:'))}")
    assert (found["network.no_tls"], found["signer.not_asked"]) == ("failed", "skipped")


def test_each_host_is_told_once(served, examined):
    url = served.remote["csc-v1"].url
    checks = examine(f"csc:{url}/csc/v1", organisation=OWN, machine=HERE, senders=examined.senders)
    assert [check.name for check in checks].count("network") == 1


@pytest.mark.parametrize(("dialect", "version"), [("v2", "v1"), ("v1", "v2"), ("adss", "v2")])
def test_a_dialect_of_another_version_than_the_address_is_told(served, examined, dialect, version):
    url = served.remote[f"csc-{version}"].url
    found = examined(f"csc:{url}/csc/{version}?dialect={dialect}")
    assert found["profile.other_version"] == "warning"
    assert version.removeprefix("v") in examined.found["profile.other_version"].cause()


def test_a_list_that_was_refused_makes_one_look_at_the_dialect(served, examined, vnpt):
    vnpt.faults.next("/v1/credentials/get_certificate", Fault.HTML_PAGE)
    assert examined(served.remote_signers["ca769-vnpt"])["profile.perhaps_another"] == "warning"
    assert "ca2, plain" in examined.found["profile.perhaps_another"].fix()


def over_tls(context):
    """Answer every request with a page that is not there."""

    def behave(connection):
        with context.wrap_socket(connection, server_side=True) as sealed:
            read_request(sealed)
            sealed.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    return behave


def test_a_server_over_tls_is_trusted_by_the_authorities_of_the_profile_alone(served, examined, tmp_path):
    context, bundle = certified(tmp_path)
    url = served.remote["ca769-vnpt"].url
    with raw_server(over_tls(context)) as raw:
        there = f"https://127.0.0.1:{raw.port}"
        assert examined(f"ca769:{changed(served, url, there)}")["not_sent.certificate"] == "failed"
        path = changed(served, f'"{url}"', f'"{there}"\nca_bundle = "{bundle}"')
        assert examined(f"ca769:{path}")["network.ok"] == "ok"


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_demands_a_client_certificate_is_told(served, examined, tmp_path, newest):
    context, bundle = certified(tmp_path)
    context.verify_mode, context.maximum_version = ssl.CERT_REQUIRED, newest
    context.load_verify_locations(bundle)
    url = served.remote["ca769-vnpt"].url
    with raw_server(over_tls(context)) as raw:
        path = changed(served, f'"{url}"', f'"https://127.0.0.1:{raw.port}"\nca_bundle = "{bundle}"')
        found = examined(f"ca769:{path}")
    failed = {code for code, state in found.items() if state == "failed"}
    # Some servers say why, others break off.
    assert failed <= {"not_sent.client_certificate", "not_sent.connection", "network.no_answer"}
    assert len(failed) == 1
    assert found["signer.not_asked"] == "skipped"


def test_a_server_that_breaks_off_is_told(served, examined, vnpt):
    vnpt.faults.next("/", Fault.LOSE_REPLY)
    assert examined(served.remote_signers["ca769-vnpt"])["network.no_answer"] == "failed"


def test_a_list_whose_answer_is_lost_changed_nothing(served, examined, vnpt):
    vnpt.faults.next("/v1/credentials/get_certificate", Fault.LOSE_REPLY)
    found = examined(served.remote_signers["ca769-vnpt"])
    assert (found["network.plain"], found["signer.no_answer"]) == ("ok", "failed")


def test_a_page_in_place_of_a_list_is_told(served, examined, vnpt):
    vnpt.faults.next("/v1/credentials/get_certificate", Fault.HTML_PAGE)
    assert examined(served.remote_signers["ca769-vnpt"])["remote.unexpected_reply"] == "failed"


def test_a_user_without_certificates_is_told(served, examined, vnpt):
    vnpt.desk.credentials.clear()
    assert examined(served.remote_signers["ca769-vnpt"])["certificates.none_remote"] == "failed"


def test_a_certificate_that_comes_with_the_signature_is_no_trouble(served, examined):
    profile = served.path("signers/late.toml")
    text = served.path("signers/mss.toml").read_text(encoding="utf-8")
    profile.write_text(f"{text}\n[dialect_changes]\nregisters_first = false\n", encoding="utf-8")
    found = examined(f"mss:{profile}")
    assert found["certificates.with_signature"] == "skipped"
    assert "failed" not in found.values()


def test_a_certificate_of_another_organisation(served, examined):
    other = Organisation(name="CÔNG TY TNHH KHÁC", tax_code="0305149765")
    assert examined(served.remote_signers["csc-v2"], other)["owner.other"] == "failed"


def test_clocks_that_are_apart(served, examined):
    late = VirtualClock(flowing=True)
    late.advance(timedelta(minutes=5))
    assert examined(served.remote_signers["mss"], clock=late)["server_clock.apart"] == "warning"


def test_without_a_date_no_clock_is_compared(served, examined, monkeypatch):
    for text in ("", "yesterday", "Mon, 01 Sep 2026 03:00:00 -0000"):
        monkeypatch.setattr(Reply, "header", lambda *_, text=text: text)
        found = examined(served.remote_signers["csc-v1"])
        assert ("server_clock.apart" in found) == text.startswith("Mon")


def test_an_address_with_its_options_needs_no_file(served, examined):
    url = served.remote["csc-v1"].url
    found = examined(
        f"csc:{url}/csc/v1?dialect=v1&login=client_credentials&client-id=sandbox-client"
        "&client-secret-env=BHXH_SANDBOX_CSC_CLIENT_SECRET"
    )
    assert found["signer.listed"] == "ok"


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_cause_and_fix_is_there(served, examined, vnpt, language):
    vnpt.desk.misbehave(Mischief.INTERNAL)
    examined(served.remote_signers["ca769-vnpt"])
    for check in examined.found.values():
        assert check.cause(language)
        assert "{" not in check.cause(language) + check.fix(language)
        assert check.fix(language) or check.state.value == "ok"
