from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve
from signers.pkcs11.fakes import PIN, FakeModule, token_of
from tokens.processes import run_python

from bhxh_sdk.errors import InputError, SetupError, WrongTypeError
from bhxh_sdk.signers import open_signer
from bhxh_sdk.signers.pkcs11 import TokenAddress, TokenSigner, discovery, sources
from bhxh_sdk.signers.pkcs11.contract import ModuleInfo, TokenInfo
from bhxh_sdk.signers.pkcs11.discovery import Discovery, FoundToken, TriedModule
from bhxh_sdk.token_errors import DriverCrashedError, DriverError, TokenError, TokenNotFoundError

TOKEN = TokenInfo(
    slot=3, label="HR", manufacturer="Example", model="One", serial="0A1B", reader="Reader 1", flags=0x400
)


def parsed(uri):
    return TokenAddress.parse(uri)


@pytest.fixture
def loads(monkeypatch):
    """Load fake modules in place of drivers, and note how."""
    noted = []

    class Loaded:
        def __init__(self, kind):
            self.kind, self.modules = kind, {}

        def __call__(self, path, binding="", **more):
            noted.append((self.kind, path, binding, *filter(None, more.values())))
            return self.modules.get(path) or FakeModule(path=path)

    here, alone = Loaded("here"), Loaded("alone")
    monkeypatch.setattr("bhxh_sdk.signers.pkcs11.loading.load_module", here)
    monkeypatch.setattr("bhxh_sdk.signers.pkcs11.isolated.IsolatedModule", alone)
    here.noted = noted
    return here


@pytest.fixture
def found(monkeypatch):
    """Let a search find what the test says, and note how it was asked."""

    class Search:
        def __init__(self):
            self.answer, self.asked = Discovery(), []

        def __call__(self, **asked):
            self.asked.append(asked)
            return self.answer

    search = Search()
    monkeypatch.setattr(discovery, "discover", search)
    return search


def found_token(path="/opt/libx.so", token=TOKEN, **changes):
    return FoundToken(module_path=path, binding="python-pkcs11", token=token, certificates=(), **changes)


def source(uri, clock=None):
    return sources.source_of(parsed(uri), clock)


def test_a_named_file_is_loaded_at_once(loads, tmp_path):
    path = tmp_path / "x.so"
    path.touch()
    where = source(f"pkcs11:?module-path={path}&binding=pykcs11")
    (module,) = where.modules(anew=True)
    where.close()
    source(f"pkcs11:?module-path={path}&isolated=1")
    assert module.path == str(path)
    assert loads.noted == [("here", str(path), "pykcs11"), ("alone", str(path), "")]


def test_a_driver_of_another_architecture_gets_a_helper(loads, tmp_path):
    path = tmp_path / "x.so"
    path.write_bytes(b"\x7fELF\x01\x01\x01" + bytes(9) + b"\x03\x00\x08\x00" + bytes(40))  # MIPS, 32 bits
    source(f"pkcs11:?module-path={path}")
    assert loads.noted == [("alone", str(path), "")]


def test_the_environment_may_name_the_file(loads, tmp_path, monkeypatch):
    path = tmp_path / "x.so"
    path.touch()
    monkeypatch.setenv("BHXH_PKCS11_MODULE", str(path))
    source("pkcs11:")
    TokenSigner.from_module(Path("/opt/y.so"), binding="pykcs11")
    assert loads.noted == [("here", str(path), ""), ("here", "/opt/y.so", "pykcs11")]


@pytest.mark.parametrize("path", ["", Path(), "/", Path("/")])
@pytest.mark.parametrize("isolated", [False, True])
def test_a_path_that_names_no_file_is_told_by_its_field(loads, path, isolated):
    with pytest.raises(InputError) as caught:
        TokenSigner.from_module(path, isolated=isolated)
    assert (caught.value.code, caught.value.field) == ("token.driver_no_file", "path")
    assert str(Path.cwd()) not in f"{caught.value.message()}{caught.value.message('vi')}"
    assert loads.noted == []


@pytest.mark.parametrize("path", [None, b"/opt/x.so", 7, Path])
def test_a_path_of_another_type_is_told_by_its_field(loads, path):
    with pytest.raises(WrongTypeError) as caught:
        TokenSigner.from_module(path)
    assert caught.value.field == "path"
    assert loads.noted == []


def test_a_module_of_its_own_does_not_see_the_variable_that_holds_the_pin(loads):
    TokenSigner.from_module("/opt/x.so", isolated=True, pin_env="TOKEN_PIN")
    assert loads.noted == [("alone", "/opt/x.so", "", "TOKEN_PIN")]


def test_without_a_file_tokens_are_looked_for_when_they_are_needed(loads, found, clock):
    where = source("pkcs11:token=HR", clock)
    assert found.asked == []
    found.answer = Discovery(
        tokens=(
            found_token(),
            found_token(token=evolve(TOKEN, slot=4, serial="2")),
            found_token("/opt/other.so", evolve(TOKEN, label="other")),
            found_token("/opt/alone.so", evolve(TOKEN, serial="3"), isolated=True),
        )
    )
    modules = where.modules()
    assert found.asked == [{"module_path": "", "clock": clock, "pin_env": ""}]
    assert loads.noted == [
        ("here", "/opt/libx.so", "python-pkcs11"),
        ("alone", "/opt/alone.so", "python-pkcs11"),
    ]
    assert where.modules() == modules
    assert len(found.asked) == 1


def test_a_search_without_a_clock_ends_by_itself(found):
    with pytest.raises(DriverError):
        source("pkcs11:").modules()
    assert found.asked[0]["clock"].monotonic() == found.asked[0]["clock"].monotonic()


def test_a_module_may_be_named_as_the_standard_does(loads, found):
    found.answer = Discovery(tokens=(found_token("/opt/libx.so.1"), found_token(r"C:\Windows\y.dll")))
    assert [module.path for module in source("pkcs11:?module-name=x").modules()] == ["/opt/libx.so.1"]
    assert [module.path for module in source("pkcs11:?module-name=y").modules()] == [r"C:\Windows\y.dll"]


def test_a_module_may_be_named_by_what_it_says(loads, found):
    said = ModuleInfo(path="/opt/b.so", manufacturer="Maker", version="2.6")
    loads.modules = {"/opt/b.so": FakeModule(path="/opt/b.so", info=said)}
    found.answer = Discovery(tokens=(found_token("/opt/a.so"), found_token("/opt/b.so")))
    where = source("pkcs11:library-manufacturer=Maker;library-version=2.6")
    assert [module.path for module in where.modules()] == ["/opt/b.so"]
    with pytest.raises(TokenNotFoundError):
        source("pkcs11:library-manufacturer=Nobody").modules()
    loads.modules["/opt/b.so"].failures = {"C_GetInfo": [0x05]}
    with pytest.raises(TokenError):
        source("pkcs11:library-manufacturer=Maker").modules()


def test_a_named_module_may_be_refused_for_what_it_says(loads, found, tmp_path, clock):
    path = tmp_path / "x.so"
    path.touch()
    found.answer = Discovery(tokens=(found_token(str(path)),))
    with pytest.raises(TokenNotFoundError):
        source(f"pkcs11:library-manufacturer=Nobody?module-path={path}", clock).modules()
    assert found.asked == [{"module_path": str(path), "clock": clock, "pin_env": ""}]


def tried(**outcomes):
    return tuple(
        TriedModule(path=f"/opt/{name}.so", origin="table", outcome=outcome)
        for name, outcome in outcomes.items()
    )


@pytest.mark.parametrize(
    ("answer", "kind", "code", "named_in_text"),
    [
        (Discovery(), DriverError, "pkcs11.no_module", "PKCS#11"),
        (
            Discovery(tried=tried(a="crashed", b="not_pkcs11")),
            DriverError,
            "pkcs11.no_module",
            "/opt/a.so (crashed)",
        ),
        (
            Discovery(tried=tried(a="hung", b="no_token")),
            TokenNotFoundError,
            "pkcs11.no_token",
            "/opt/b.so (no_token)",
        ),
        (
            Discovery(tokens=(found_token(token=evolve(TOKEN, label="other")),)),
            TokenNotFoundError,
            "pkcs11.other_token",
            "other (0A1B)",
        ),
        (Discovery(tried=tried(a="crashed")), DriverCrashedError, "driver.crashed", "/opt/a.so"),
        (Discovery(tried=tried(a="hung")), DriverCrashedError, "driver.crashed", "/opt/a.so"),
    ],
)
def test_what_was_not_found_says_where_was_looked(loads, found, answer, kind, code, named_in_text):
    found.answer = answer
    with pytest.raises(kind) as caught:
        source("pkcs11:token=HR").modules()
    assert type(caught.value) is kind
    assert caught.value.code == code
    assert named_in_text in caught.value.message("vi")
    assert caught.value.hint("vi")


def test_a_new_search_ends_processes_that_are_not_needed_any_more(loads, found):
    ended = []

    class Alone(FakeModule):
        def close(self):
            ended.append(self.path)

    loads.modules = {f"/opt/{name}.so": Alone(path=f"/opt/{name}.so") for name in "ab"}
    found.answer = Discovery(tokens=(found_token("/opt/a.so"),))
    where = source("pkcs11:token=HR")
    where.modules()
    found.answer = Discovery(tokens=(found_token("/opt/b.so"),))
    where.modules(anew=True)
    assert ended == ["/opt/a.so"]
    where.close()
    assert ended == ["/opt/a.so", "/opt/b.so"]


def test_an_address_opens_a_signer(loads, found, shelf, run, person, clock, job):
    loads.modules = {"/opt/libx.so": FakeModule(token_of(shelf.a1, shelf.a2))}
    found.answer = Discovery(tokens=(found_token(),))
    signer = open_signer("pkcs11:token=HR;id=%A2", clock=clock)
    assert (repr(signer), signer.capabilities.needs_secret) == ("TokenSigner(label=HR)", True)
    (certificate,) = run(signer.certificates())
    assert certificate.key_id == "pkcs11:token=HR;serial=0A1B;id=%A2"
    run(signer.start([job()], certificate, person(PIN), clock))
    assert found.asked == [{"module_path": "", "clock": clock, "pin_env": ""}]
    signer.close()


def test_a_variable_named_in_the_address_holds_the_pin(
    loads, found, shelf, run, person, clock, job, monkeypatch
):
    monkeypatch.setenv("TOKEN_PIN", PIN)
    loads.modules = {"/opt/libx.so": FakeModule(token_of(shelf.a1))}
    found.answer = Discovery(tokens=(found_token(),))
    signer = TokenSigner.from_address("pkcs11:?pin-env=TOKEN_PIN", clock=clock)
    assert not signer.capabilities.needs_secret
    (certificate,) = run(signer.certificates())
    run(signer.start([job()], certificate, person(), clock))
    signer.close()


def test_that_variable_is_kept_from_other_processes(loads, found, tmp_path, clock):
    path = tmp_path / "x.so"
    path.touch()
    source(f"pkcs11:?module-path={path}&isolated=1&pin-env=TOKEN_PIN")
    found.answer = Discovery(tokens=(found_token(isolated=True),))
    source("pkcs11:?pin-env=TOKEN_PIN", clock).modules()
    assert loads.noted[0] == ("alone", str(path), "", "TOKEN_PIN")
    assert loads.noted[1][-1] == "TOKEN_PIN"
    assert found.asked[0]["pin_env"] == "TOKEN_PIN"


def test_another_scheme_is_no_token():
    with pytest.raises(SetupError):
        open_signer("pkcs12:token=HR")


NO_BINDING = """
    import sys
    from bhxh_sdk.blocking import run_blocking
    from bhxh_sdk.errors import MissingExtraError
    from bhxh_sdk.signers import open_signer

    sys.modules["pkcs11"] = sys.modules["PyKCS11"] = None
    for address in ("pkcs11:", "pkcs11:?isolated=1", "pkcs11:?binding=pykcs11"):
        try:
            run_blocking(open_signer(address).certificates())
        except MissingExtraError as error:
            print(error.code, error.parameters["extra"])
"""


def test_where_no_binding_is_installed_its_extra_is_named(tmp_path):
    said = run_python(NO_BINDING, environment={"BHXH_PKCS11_MODULE": str(tmp_path / "none.so")})
    assert said.split() == ["setup.missing_extra", "token"] * 2 + ["setup.missing_extra", "pykcs11"]
