"""The doctor: every trouble has a line of its own, with cause and fix in both languages; no PIN is asked."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from attrs import evolve

from bhxh_sdk import messages
from bhxh_sdk.doctor import CheckState, Machine, ServiceState, examine, examining, machine
from bhxh_sdk.doctor.apart import apart
from bhxh_sdk.errors import (
    CertificateUnusableError,
    InputError,
    KeyNotFoundError,
    MissingExtraError,
    SetupError,
    SigningError,
    WrongTypeError,
)
from bhxh_sdk.models import CertificateInfo, Organisation
from bhxh_sdk.sandbox.pki import SandboxPki
from bhxh_sdk.signers import SignerAddress, SigningCertificate
from bhxh_sdk.signers.pkcs11 import discovery
from bhxh_sdk.signers.pkcs11.contract import TokenFlag, TokenInfo
from bhxh_sdk.signers.pkcs11.discovery import Discovery, FoundToken, TriedModule
from bhxh_sdk.signers.pkcs11.pin_memory import PinMemory
from bhxh_sdk.token_errors import (
    DriverCrashedError,
    DriverError,
    PinLastTryError,
    PinLockedError,
    TokenNotFoundError,
    TokenRemovedError,
)

NOW = datetime(2026, 9, 1, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PKI = SandboxPki(NOW)
OWN = Organisation(name="CÔNG TY TNHH VÍ DỤ", tax_code="0100109106")
HERE = Machine(service=ServiceState.RUNNING, installed_at=NOW - 100 * DAY)
PATH = "/usr/lib/vendor/libvendor.so"
FLAGS = TokenFlag.LOGIN_REQUIRED | TokenFlag.USER_PIN_INITIALIZED | TokenFlag.TOKEN_INITIALIZED
TOKEN = TokenInfo(
    slot=1, label="HR", manufacturer="Vendor", model="T1", serial="0001", flags=FLAGS, reader="Vendor 00 00"
)


class Clock:
    """A clock that stands still."""

    def __init__(self, moment=NOW):
        self.moment = moment

    def now(self):
        return self.moment


def on_token(*issued, token=TOKEN, path=PATH):
    certificates = tuple(item if isinstance(item, bytes) else item.der for item in issued)
    return FoundToken(
        module_path=path, binding="python-pkcs11", token=token, certificates=certificates, isolated=False
    )


def tried(outcome, path=PATH, detail="", origin="table"):
    return TriedModule(path=path, origin=origin, outcome=outcome, detail=detail)


class Signer:
    """A signer that lists what it was given, and is closed behind it."""

    def __init__(self, listed):
        self.listed = listed
        self.closed = False

    async def certificates(self):
        if isinstance(self.listed, Exception):
            raise self.listed
        return self.listed

    def close(self):
        self.closed = True


def listing(*tokens, keys=None):
    return [
        SigningCertificate(
            certificate=CertificateInfo.from_der(der), key_id="a1", has_private_key=(keys or {}).get(der)
        )
        for token in tokens
        for der in token.certificates
    ]


def examined(
    *tokens,
    modules=None,
    listed=None,
    signer="pkcs11:",
    organisation=OWN,
    now=NOW,
    on=HERE,
    after=None,
):
    """Examine a machine where discovery finds these tokens."""
    if modules is None:
        modules = [tried("token", path) for path in dict.fromkeys(each.module_path for each in tokens)]
    opened = Signer(SigningError() if listed is None else listed)

    def discover(*, module_path, clock):
        return Discovery(tokens=tokens, tried=tuple(modules))

    found = examine(
        signer,
        organisation=organisation,
        clock=Clock(now),
        machine=on,
        discover=discover,
        opener=lambda uri, clock: opened,
        after=after,
    )
    for check in found:
        for language in messages.LANGUAGES:
            assert check.cause(language) not in {"", check.code}, check.code
            assert check.title(language) != f"doctor.name.{check.name}"
            assert "{" not in check.cause(language) + check.fix(language)
            if check.state in {CheckState.FAILED, CheckState.WARNING}:
                assert check.fix(language), f"{check.code} has no fix"
    return found


def one(found, name):
    """Return the only check of that name."""
    checks = [check for check in found if check.name == name]
    assert len(checks) == 1, checks
    return checks[0]


def states(found):
    return {check.code.removeprefix("doctor."): check.state.value for check in found}


def test_a_token_that_can_sign_passes_every_check():
    token = on_token(PKI.issue(), PKI.intermediates[0])
    found = examined(token, listed=listing(token))
    assert found.ok
    assert found.failed == found.warnings == ()
    assert states(found) == {
        "bindings.ok": "ok",
        "module.ok": "ok",
        "architecture.ok": "ok",
        "slots.ok": "ok",
        "token.ok": "ok",
        "signer.ok": "ok",
        "certificates.ok": "ok",
        "key.unknown": "skipped",
        "validity.ok": "ok",
        "owner.ok": "ok",
        "choice.ok": "ok",
        "pin.ok": "ok",
        "service.ok": "ok",
        "session.ok": "ok",
        "clock.ok": "ok",
    }
    assert one(found, "certificates").parameters["signing"] == 1


def test_the_examination_is_data():
    token = on_token(PKI.issue())
    data = examined(token, listed=listing(token)).as_dict("vi")
    assert data["ok"] is True
    assert data["looked"] == [{"path": PATH, "origin": "table", "outcome": "token", "detail": ""}]
    first = data["checks"][0]
    assert {"name", "state", "cause", "fix", "code", "subject", "causes", "fixes"} == set(first)
    assert first["name"] == "bindings"
    assert first["cause"] == first["causes"]["vi"] == "Đã cài: python-pkcs11."


def test_what_is_read_below_its_headings_names_them_no_more():
    token = on_token(PKI.issue(), PKI.of_another(), token=evolve(TOKEN, reader="HR (0001)"))
    for flags in (FLAGS, FLAGS | TokenFlag.USER_PIN_LOCKED, FLAGS | TokenFlag.PROTECTED_AUTHENTICATION_PATH):
        found = examined(evolve(token, token=evolve(token.token, flags=flags)), listed=listing(token))
        below = [check for check in found if check.headings]
        assert {check.name for check in below} >= {"slots", "token", "certificates", "owner", "pin"}
        for check in below:
            assert check.headings[0] == "HR (0001)"
            for language in messages.LANGUAGES:
                assert check.headings[-1] in check.cause(language)
                told = check.cause(language, below_headings=True)
                assert not [heading for heading in check.headings if heading in told]
                assert not [odd for odd in ("«", "()", "  ", " .", " ,") if odd in told]


def test_a_token_whose_reader_has_another_name_says_which():
    found = examined(on_token(PKI.issue()))
    assert "Vendor 00 00" in one(found, "slots").cause("en", below_headings=True)


# Drivers


def test_no_binding_is_installed():
    on = evolve(HERE, bindings=frozenset())
    assert one(examined(on=on, modules=[]), "bindings").code == "doctor.bindings.none"


def test_the_binding_of_the_address_is_not_installed():
    found = examined(on_token(PKI.issue()), signer="pkcs11:?binding=pykcs11")
    check = one(found, "bindings")
    assert check.code == "doctor.bindings.not_installed"
    assert 'pip install "bhxh-sdk[pykcs11]"' in check.fix("vi")


def test_no_module_is_found():
    found = examined(modules=[], on=evolve(HERE, folders=("/usr/lib", "/lib")))
    assert not found.ok
    assert one(found, "module").code == "doctor.module.none"
    assert "/usr/lib, /lib" in one(found, "module").cause("vi")
    assert one(found, "slots").state is CheckState.SKIPPED
    assert one(found, "token").state is CheckState.SKIPPED


def test_the_module_that_somebody_named_is_not_there():
    found = examined(signer=f"pkcs11:?module-path={PATH}", modules=[tried("not_there", origin="explicit")])
    assert one(found, "module").code == "doctor.module.not_there"
    assert PATH in one(found, "module").cause("en")


@pytest.mark.parametrize("outcome", ["crashed", "hung", "failed"])
def test_a_driver_that_fails_has_its_own_line(outcome):
    found = examined(modules=[tried(outcome, detail="signal 11")])
    assert one(found, "driver").code == f"doctor.driver.{outcome}"
    assert "signal 11" in one(found, "driver").cause("en")
    assert one(found, "driver").state is CheckState.FAILED
    assert one(found, "module").code == "doctor.module.none_usable"


@pytest.mark.parametrize("outcome", ["crashed", "hung", "failed"])
def test_a_driver_that_fails_beside_a_good_token_is_a_warning(outcome):
    token = on_token(PKI.issue())
    found = examined(token, modules=[tried("token"), tried(outcome, "/opt/x.so")], listed=listing(token))
    assert found.ok
    assert one(found, "driver").state is CheckState.WARNING


def test_a_file_of_the_address_that_is_no_module():
    found = examined(modules=[tried("not_pkcs11", origin="environment")])
    assert one(found, "driver").code == "doctor.driver.not_pkcs11"
    assert "driver" not in {check.name for check in examined(modules=[tried("not_pkcs11")])}


@pytest.mark.parametrize(
    ("detail", "text"),
    [
        ("no_time", "time ran out"),
        ("driver.crashed", "crashed or hung"),
        ("C_Initialize: 0x5", "C_Initialize: 0x5"),
    ],
)
def test_what_a_driver_failed_with_is_told(detail, text):
    found = examined(modules=[tried("failed", detail=detail)])
    assert text in one(found, "driver").cause("en")
    assert one(found, "driver").subject == PATH


@pytest.mark.parametrize(
    ("detail", "why"), [("not_started", ""), ("interpreter: No such file or directory", "No such file")]
)
def test_a_driver_that_could_not_be_tried_is_not_blamed(detail, why):
    check = one(examined(modules=[tried("failed", detail=detail)]), "driver")
    assert check.code == "doctor.driver.not_started"
    assert "not tried: the Python process" in check.cause("en")
    assert why in check.cause("en")
    assert "not_started" not in check.cause("en") + check.cause("vi")
    assert "()" not in check.cause("en")
    assert "BHXH_PKCS11_HELPER" in check.fix("vi")


def test_without_a_binding_no_driver_is_blamed():
    found = examined(modules=[tried("failed", detail="missing_extra")], on=evolve(HERE, bindings=frozenset()))
    assert "driver" not in {check.name for check in found}
    assert [check.name for check in found.failed] == ["bindings"]


@pytest.mark.parametrize("detail", ["C_GetTokenInfo: 0xe0", "C_OpenSession: 0x32", "open: DeviceRemoved"])
def test_a_token_that_is_pulled_out_while_it_is_looked_at(detail):
    found = examined(modules=[tried("failed", detail=detail)])
    assert one(found, "token").code == "doctor.token.removed"
    assert not {"driver", "slots"} & {check.name for check in found}


def test_a_module_of_another_architecture():
    found = examined(modules=[tried("wrong_architecture", detail="x86")])
    check = one(found, "architecture")
    assert (check.code, check.state) == ("doctor.architecture.wrong", CheckState.FAILED)
    assert "x86" in check.cause("vi")


def test_the_twin_of_a_usable_module_is_no_trouble():
    system32, wow = r"C:\Windows\System32\vendor.dll", r"C:\Windows\SysWOW64\vendor.dll"
    found = examined(modules=[tried("no_token", system32), tried("wrong_architecture", wow)])
    assert one(found, "architecture").code == "doctor.architecture.ok"


def test_another_module_of_another_architecture_may_be_the_right_one():
    found = examined(modules=[tried("no_token"), tried("wrong_architecture", "/usr/lib32/other.so")])
    wrong = next(check for check in found if check.code == "doctor.architecture.wrong")
    assert wrong.state is CheckState.WARNING


def test_what_discovery_raises_is_a_line():
    def discover(**_):
        raise MissingExtraError

    found = examine("pkcs11:", clock=Clock(), machine=HERE, discover=discover)
    assert [check.name for check in found] == ["bindings", "bindings", "service", "session", "clock"]
    assert found.failed[0].cause("en") == MissingExtraError().message("en")
    assert found.failed[0].fix("en") == MissingExtraError().hint("en")


def test_drivers_are_discovered_unless_told_otherwise(monkeypatch):
    asked = {}

    def discover(**options):
        asked.update(options)
        return Discovery()

    monkeypatch.setattr(discovery, "discover", discover)
    clock = Clock()
    assert not examine(f"pkcs11:?module-path={PATH}", clock=clock, machine=HERE).ok
    assert asked == {"module_path": PATH, "clock": clock}


# Tokens


def test_a_slot_without_a_token():
    found = examined(modules=[tried("no_token")])
    assert one(found, "slots").code == "doctor.slots.empty"
    assert one(found, "token").code == "doctor.token.none"
    assert not found.ok


def test_another_token_than_the_one_asked_for():
    found = examined(on_token(PKI.issue()), signer="pkcs11:token=Accounts")
    assert one(found, "token").code == "doctor.token.other"
    assert "HR (0001)" in one(found, "token").cause("en")


def test_a_token_without_a_label_has_a_name_too():
    token = on_token(token=evolve(TOKEN, label="", serial=""))
    assert one(examined(token), "token").subject == "T1"


def test_a_token_behind_a_helper_process():
    found = examined(evolve(on_token(PKI.issue()), isolated=True, binding="helper:pykcs11"))
    assert one(found, "token").code == "doctor.token.isolated"


@pytest.mark.parametrize(
    ("uri", "paths", "opened"),
    [
        ("pkcs11:token=A", ["/a b.so"], "pkcs11:token=A?isolated=1&module-path=%2Fa%20b.so"),
        ("pkcs11:?pin-env=P", ["/a.so", "/b.so"], "pkcs11:?pin-env=P&isolated=1"),
        ("pkcs11:?module-name=a", ["/a.so"], "pkcs11:?module-name=a&isolated=1"),
        ("pkcs11:?module-path=a.so", ["/a.so"], "pkcs11:?module-path=a.so&isolated=1"),
        ("pkcs11:token=A", [], "pkcs11:token=A?isolated=1"),
        ("pkcs11:?isolated=0", [], "pkcs11:?isolated=0"),
    ],
)
def test_the_signer_is_opened_with_its_driver_in_another_process(uri, paths, opened):
    assert apart(uri, SignerAddress.parse(uri), paths) == opened


def test_an_address_that_opens_no_signer_is_a_line():
    found = examined(on_token(PKI.issue()), listed=TokenNotFoundError())
    assert any(check.code == "token.not_found" for check in found.failed)


# Certificates


def test_a_token_without_certificates():
    assert one(examined(on_token()), "certificates").code == "doctor.certificates.none"


def test_a_token_with_an_authoritys_certificate_alone():
    found = examined(on_token(PKI.intermediates[0]))
    assert one(found, "certificates").code == "doctor.certificates.none_for_signing"


def test_a_certificate_that_cannot_be_read():
    found = examined(on_token(b"0\x03nonsense", PKI.issue()))
    assert {"certificates.unreadable": "warning", "certificates.ok": "ok"}.items() <= states(found).items()


def test_an_expired_certificate():
    found = examined(on_token(PKI.expired()))
    assert one(found, "validity").code == "doctor.validity.expired"
    assert one(found, "choice").code == "doctor.choice.none"


def test_an_expired_certificate_beside_its_successor_is_a_warning():
    token = on_token(PKI.expired(), PKI.issue())
    found = examined(token, listed=listing(token))
    assert found.ok
    assert states(found)["validity.expired"] == "warning"


def test_a_certificate_that_is_not_valid_yet_and_a_clock_that_may_be_wrong():
    found = examined(on_token(PKI.not_yet_valid()))
    assert one(found, "validity").code == "doctor.validity.not_yet"
    assert one(found, "clock").code == "doctor.clock.before_certificates"


@pytest.mark.parametrize(("days", "state"), [(60, "warning"), (61, "ok")])
def test_a_certificate_that_ends_soon(days, state):
    token = on_token(PKI.issue(not_after=NOW + days * DAY))
    assert one(examined(token), "validity").state.value == state


def test_a_certificate_of_another_organisation():
    found = examined(on_token(PKI.of_another()))
    assert (one(found, "owner").code, one(found, "owner").state) == ("doctor.owner.other", CheckState.FAILED)
    assert "0100109106" in one(found, "owner").cause("en")


def test_other_organisations_beside_the_own_are_left_alone():
    token = on_token(PKI.issue(), PKI.of_another())
    found = examined(token, listed=listing(token))
    assert found.ok
    assert states(found)["owner.other_beside"] == "skipped"
    assert one(found, "validity").code == "doctor.validity.ok"


def test_the_owner_is_not_compared_when_nobody_asks():
    token = on_token(PKI.of_another())
    found = examined(token, organisation=None, listed=listing(token))
    assert found.ok
    assert one(found, "owner").state is CheckState.SKIPPED
    assert "--organisation-tax-code" in one(found, "owner").fix("en")


def test_a_certificate_without_a_tax_code():
    alone = examined(on_token(PKI.without_tax_code()))
    assert one(alone, "owner").state is CheckState.WARNING
    assert one(alone, "choice").code == "doctor.choice.ok"
    beside = on_token(PKI.without_tax_code(), PKI.issue())
    assert one(examined(beside), "choice").code == "doctor.choice.ok"


def test_a_certificate_without_its_key():
    token = on_token(PKI.issue())
    found = examined(token, listed=listing(token, keys={token.certificates[0]: False}))
    assert (one(found, "key").code, one(found, "key").state) == ("doctor.key.missing", CheckState.FAILED)


def test_a_key_that_is_seen():
    token = on_token(PKI.issue())
    found = examined(token, listed=listing(token, keys={token.certificates[0]: True}))
    assert one(found, "key").code == "doctor.key.ok"


def test_two_certificates_that_fit():
    token = on_token(PKI.issue(), PKI.issue())
    found = examined(token, listed=listing(token))
    assert (one(found, "choice").code, one(found, "choice").state) == (
        "doctor.choice.several",
        CheckState.WARNING,
    )


def test_an_address_that_names_one_of_two_certificates_leaves_the_other_out():
    token = on_token(PKI.issue(), PKI.issue())
    found = examined(token, listed=listing(token)[:1])
    assert one(found, "choice").code == "doctor.choice.ok"


def test_the_same_certificate_on_two_tokens_is_one_choice():
    issued = PKI.issue()
    first, second = on_token(issued), on_token(issued, token=evolve(TOKEN, slot=2, serial="0002"))
    assert one(examined(first, second, listed=listing(first)), "choice").code == "doctor.choice.ok"


# PIN


@pytest.mark.parametrize(
    ("flags", "code", "state"),
    [
        (TokenFlag.USER_PIN_COUNT_LOW, "count_low", "warning"),
        (TokenFlag.USER_PIN_FINAL_TRY, "last_try", "failed"),
        (TokenFlag.USER_PIN_FINAL_TRY | TokenFlag.USER_PIN_COUNT_LOW, "last_try", "failed"),
        (TokenFlag.USER_PIN_LOCKED | TokenFlag.USER_PIN_FINAL_TRY, "locked", "failed"),
        (TokenFlag.USER_PIN_TO_BE_CHANGED, "to_be_changed", "failed"),
        (TokenFlag.PROTECTED_AUTHENTICATION_PATH, "pad", "ok"),
    ],
)
def test_the_pin_is_told_by_the_flags(flags, code, state):
    token = on_token(PKI.issue(), token=evolve(TOKEN, flags=FLAGS | flags))
    found = examined(token, listed=listing(token))
    assert (one(found, "pin").code, one(found, "pin").state.value) == (f"doctor.pin.{code}", state)
    assert found.ok is (state != "failed")


def test_a_token_without_a_pin():
    token = on_token(PKI.issue(), token=evolve(TOKEN, flags=TokenFlag.LOGIN_REQUIRED))
    assert one(examined(token), "pin").code == "doctor.pin.not_set"


def test_wrong_pins_of_this_process_are_told(monkeypatch):
    counted = PinMemory()
    counted.sent(TOKEN, None)
    counted.sent(TOKEN, None)
    monkeypatch.setattr(examining, "memory", counted)
    check = one(examined(on_token(PKI.issue())), "pin")
    assert (check.code, check.parameters["count"]) == ("doctor.pin.wrong_here", 2)


def test_a_locked_token_that_nobody_needs_is_a_warning():
    own = on_token(PKI.issue())
    other = on_token(
        PKI.of_another(),
        token=evolve(TOKEN, slot=2, label="B", serial="0002", flags=FLAGS | TokenFlag.USER_PIN_LOCKED),
    )
    found = examined(own, other, listed=listing(own, other))
    assert found.ok
    assert states(found)["pin.locked"] == "warning"


# Surroundings


@pytest.mark.parametrize(
    ("service", "system", "code"),
    [
        (ServiceState.STOPPED, "linux", "stopped"),
        (ServiceState.STOPPED, "windows", "stopped_windows"),
        (ServiceState.UNKNOWN, "freebsd", "unknown"),
    ],
)
def test_the_service_is_not_known_to_run(service, system, code):
    on = evolve(HERE, service=service, system=system)
    assert one(examined(modules=[tried("no_token")], on=on), "service").code == f"doctor.service.{code}"


def test_a_token_that_is_seen_needs_no_service():
    on = evolve(HERE, service=ServiceState.STOPPED)
    assert one(examined(on_token(PKI.issue()), on=on), "service").code == "doctor.service.not_needed"


@pytest.mark.parametrize("kind", ["rdp", "citrix", "ssh", "wsl", "container", "unknown"])
def test_somebody_works_from_elsewhere(kind):
    on = evolve(HERE, session=kind)
    away = one(examined(modules=[tried("no_token")], on=on), "session")
    assert away.code == f"doctor.session.{kind}"
    seen = one(examined(on_token(PKI.issue()), on=on), "session")
    assert (seen.code, seen.state) == ("doctor.session.seen_all_the_same", CheckState.OK)


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (NOW, "ok"),
        (NOW - 300 * DAY, "behind"),
        (NOW + 5000 * DAY, "ahead"),
    ],
)
def test_the_clock_is_compared_with_what_is_known(now, code):
    assert one(examined(on_token(PKI.issue()), now=now), "clock").code == f"doctor.clock.{code}"


def test_nothing_is_known_to_compare_the_clock_with():
    on = evolve(HERE, installed_at=None)
    assert one(examined(modules=[], on=on), "clock").code == "doctor.clock.ok"


# After an error


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (TokenRemovedError(), "token"),
        (DriverCrashedError(name="vendor"), "driver"),
        (DriverError(name="vendor"), "module"),
        (PinLockedError(name="HR"), "pin"),
        (PinLastTryError(name="HR"), "pin"),
        (KeyNotFoundError("signing.certificate_no_key", name="HR", serial="01"), "key"),
        (KeyNotFoundError("signing.several_fit", count=2, serials="01, 02"), "choice"),
        (
            CertificateUnusableError("signing.certificate_expired", name="HR"),
            "validity",
        ),
        (CertificateUnusableError("signing.certificate_not_for_signing", name="HR"), "certificates"),
        (SigningError(), "signer"),
    ],
    ids=lambda value: getattr(value, "code", value),
)
def test_what_signing_ended_with_is_the_first_line(error, name):
    token = on_token(PKI.issue())
    first, *_ = examined(token, listed=listing(token), after=error)
    assert (first.name, first.state) == (name, CheckState.FAILED)
    for language in messages.LANGUAGES:
        assert first.cause(language) == error.message(language)
        assert first.fix(language) == error.hint(language)


# Key files and addresses


def test_a_key_file_is_examined_too(tmp_path):
    issued = PKI.issue()
    path = tmp_path / "key.pem"
    path.write_bytes(issued.key_pem() + issued.certificates_pem())
    found = examine(f"softkey:{path}", organisation=OWN, clock=Clock(), machine=HERE)
    assert found.ok
    assert [check.name for check in found] == [
        "signer",
        "certificates",
        "key",
        "validity",
        "owner",
        "choice",
        "clock",
    ]


def test_a_key_file_that_wants_its_password_is_left_alone(tmp_path):
    path = tmp_path / "key.p12"
    path.write_bytes(PKI.issue().p12("mat-khau-thu"))
    found = examine(f"softkey:{path}", clock=Clock(), machine=HERE)
    assert one(found, "signer").state is CheckState.SKIPPED


def test_a_key_file_that_is_not_there_is_a_line(tmp_path):
    found = examine(f"softkey:{tmp_path}/key.p12", clock=Clock(), machine=HERE)
    assert not found.ok
    assert found.failed[0].name == "signer"


@pytest.mark.parametrize(
    ("uri", "kind"), [("nonsense", SetupError), ("pkcs11:token=A?pin-value=1234", InputError)]
)
def test_a_wrong_address_is_an_error(uri, kind):
    with pytest.raises(kind):
        examine(uri, clock=Clock(), machine=HERE)


# The machine


def test_this_machine_is_looked_at():
    here = Machine.here()
    assert here.bits in {32, 64}
    assert here.architecture
    assert here.installed_at < datetime.now(UTC)
    assert here.bindings <= {"python-pkcs11", "pykcs11"}


def test_the_bindings_are_not_imported_to_be_found(monkeypatch):
    monkeypatch.setattr(machine, "find_spec", lambda name: object() if name == "PyKCS11" else None)
    assert machine.installed_bindings() == {"pykcs11"}


def test_the_daemon_is_found_by_its_socket(tmp_path):
    (tmp_path / "run/pcscd").mkdir(parents=True)
    assert machine.service_state("linux", tmp_path) is ServiceState.STOPPED
    (tmp_path / "run/pcscd/pcscd.comm").touch()
    assert machine.service_state("linux", tmp_path) is ServiceState.RUNNING


def test_the_daemon_is_found_by_its_process(tmp_path):
    (tmp_path / "proc/1").mkdir(parents=True)
    (tmp_path / "proc/1/comm").write_text("init\n")
    (tmp_path / "proc/3/comm").mkdir(parents=True)  # a process that ends while it is read
    assert machine.service_state("linux", tmp_path) is ServiceState.STOPPED
    (tmp_path / "proc/2").mkdir()
    (tmp_path / "proc/2/comm").write_text("pcscd\n")
    assert machine.service_state("linux", tmp_path) is ServiceState.RUNNING


def test_other_systems_have_their_own_service():
    assert machine.service_state("macos") is ServiceState.RUNNING
    assert machine.service_state("freebsd") is ServiceState.UNKNOWN


@pytest.mark.parametrize(
    ("code", "text", "state"),
    [
        (0, "        TYPE  : 20  WIN32_SHARE_PROCESS\n        STATE  : 4  RUNNING\n", "running"),
        (0, "        TYPE  : 20  WIN32_SHARE_PROCESS\n        STATE  : 1  STOPPED\n", "stopped"),
        (1060, "[SC] EnumQueryServicesStatus:OpenService FAILED 1060:", "stopped"),
        (5, "Access is denied.", "unknown"),
    ],
)
def test_windows_is_asked_for_its_service(monkeypatch, code, text, state):
    asked = []

    def run(arguments, **_):
        asked.append(arguments)
        return SimpleNamespace(returncode=code, stdout=text)

    monkeypatch.setattr(subprocess, "run", run)
    assert machine.service_state("windows").value == state
    assert asked[0][1:] == ["query", "SCardSvr"]


@pytest.mark.parametrize("error", [OSError(), subprocess.TimeoutExpired("sc", 10)])
def test_windows_that_does_not_answer(monkeypatch, error):
    def run(*_, **__):
        raise error

    monkeypatch.setattr(subprocess, "run", run)
    assert machine.service_state("windows") is ServiceState.UNKNOWN


@pytest.mark.parametrize(
    ("system", "environment", "kind"),
    [
        ("windows", {"SESSIONNAME": "Console"}, ""),
        ("windows", {"SESSIONNAME": "RDP-Tcp#3"}, "rdp"),
        ("windows", {"SESSIONNAME": "ICA-tcp#1"}, "citrix"),
        ("windows", {}, "unknown"),
        ("linux", {}, ""),
        ("linux", {"SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"}, "ssh"),
        ("linux", {"XRDP_SESSION": "1", "SSH_CONNECTION": ""}, "rdp"),
        ("linux", {"WSL_DISTRO_NAME": "Debian"}, "wsl"),
        ("macos", {}, ""),
    ],
)
def test_the_kind_of_session(tmp_path, system, environment, kind):
    assert machine.session_kind(system, environment, tmp_path) == kind


def test_a_container_is_known_by_its_mark(tmp_path):
    (tmp_path / ".dockerenv").touch()
    assert machine.session_kind("linux", {}, tmp_path) == "container"


def test_the_doctor_imports_no_binding():
    code = "import sys, bhxh_sdk.doctor; print(*sorted({'pkcs11', 'PyKCS11'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_what_is_no_text_is_no_address():
    with pytest.raises(WrongTypeError) as caught:
        examine(None)
    assert caught.value.field == "signer"


def test_a_variable_that_holds_a_pin_is_kept_from_drivers_that_are_tried():
    asked = []

    def discover(**more):
        asked.append(more["pin_env"])
        return Discovery()

    examine("pkcs11:?pin-env=EXAMPLE_PIN", clock=Clock(), machine=HERE, discover=discover)
    assert asked == ["EXAMPLE_PIN"]
