from __future__ import annotations

import pytest
from signers.pkcs11.fakes import PIN, FakeModule, FakeSource, token_of

from bhxh_sdk.errors import KeyNotFoundError
from bhxh_sdk.signers import sign
from bhxh_sdk.signers.pkcs11 import KeyCriteria, TokenCriteria, TokenSigner
from bhxh_sdk.signers.pkcs11.contract import TokenCertificate
from bhxh_sdk.signers.pkcs11.criteria import KeyCriteria as Keys
from bhxh_sdk.signers.pkcs11.inserted import Inserted
from bhxh_sdk.token_errors import DriverCrashedError, TokenError, TokenNotFoundError


def inserted(*modules, token=None, key=None):
    return Inserted(FakeSource(*modules), token or TokenCriteria(), key or Keys())


def ids(listed):
    return [item.key_id for item in listed]


@pytest.fixture
def two(shelf):
    """Two tokens of one module, with other certificates."""
    return FakeModule(
        token_of(shelf.a1, label="HR", serial="01"), token_of(shelf.a2, slot=1, label="CEO", serial="02")
    )


def test_all_tokens_are_listed_and_their_keys_told_apart(two):
    assert ids(inserted(two).certificates()) == [
        "pkcs11:token=HR;serial=01;id=%A1",
        "pkcs11:token=CEO;serial=02;id=%A2",
    ]


def test_criteria_choose_a_token_and_a_certificate(two, shelf):
    assert len(inserted(two, token=TokenCriteria(serial="02")).certificates()) == 1
    both = FakeModule(token_of(shelf.a1, shelf.a2))
    chosen = inserted(both, key=KeyCriteria(label="second")).certificates()
    assert [item.certificate.der for item in chosen] == [shelf.a2.certificate]


def test_one_token_that_two_modules_show_is_listed_once(shelf):
    modules = [FakeModule(token_of(shelf.a1)), FakeModule(token_of(shelf.a1), path="/other.so")]
    assert len(inserted(*modules).certificates()) == 1
    blank = [FakeModule(token_of(shelf.a1, serial="", slot=slot)) for slot in (0, 1)]
    assert len(inserted(*blank).certificates()) == 2


def test_the_same_certificate_on_two_tokens_signs_with_the_one_that_was_chosen(
    shelf, run, person, clock, job
):
    module = FakeModule(
        token_of(shelf.a1, serial="01"), token_of(shelf.a1, slot=1, serial="02", pin="22222222")
    )
    signer = TokenSigner(FakeSource(module))
    listed = run(signer.certificates())
    run(sign(signer, [job()], listed[1], person("22222222"), clock))
    signer.close()


def test_two_signers_use_two_tokens_of_one_module_at_once(two, run, person, clock, job):
    signers = [TokenSigner(FakeSource(two), token=TokenCriteria(serial=serial)) for serial in ("01", "02")]
    keys = [run(signer.local_key(run(signer.certificates())[0], person(PIN))) for signer in signers]
    for _ in range(3):
        for key, one in zip(keys, (job("a"), job("b")), strict=True):
            key(one.digest, one.hash_name, one.scheme)
    assert two.logins == [(PIN, 1)] * 2
    for signer in signers:
        signer.close()
    assert two.sessions == []


def test_no_token_and_another_token_are_told_apart(two):
    with pytest.raises(TokenNotFoundError) as caught:
        inserted(FakeModule()).tokens()
    assert caught.value.code == "token.not_found"
    with pytest.raises(TokenNotFoundError) as caught:
        inserted(two, token=TokenCriteria(label="IT")).tokens()
    assert caught.value.code == "pkcs11.other_token"
    assert "label=IT" in caught.value.message("vi")
    assert "HR (01), CEO (02)" in caught.value.message("en")


def test_a_search_is_made_anew_when_nothing_fits_any_more(two, shelf):
    source = FakeSource(two)
    tokens = Inserted(source, TokenCriteria(label="HR"), Keys())
    tokens.certificates()
    assert source.searched == 0
    two.slots[0].pull_out()
    with pytest.raises(TokenNotFoundError):
        tokens.certificates()
    assert source.searched == 1


def test_what_is_gone_is_closed_and_what_stays_keeps_its_session(two):
    tokens = inserted(two)
    kept = tokens.tokens()
    for token in kept:
        token.certificates()
    two.slots[0].pull_out()
    assert tokens.tokens() == (kept[1],)
    assert [kept[0].closed, kept[1].closed] == [True, False]
    tokens.close()
    assert two.sessions == []


def test_another_token_in_the_same_slot_is_another_token(two, shelf):
    tokens = inserted(two)
    before = tokens.tokens()
    two.slots[0] = token_of(shelf.a1, label="HR", serial="03")
    assert tokens.tokens()[0] is not before[0]


def test_a_token_that_fails_does_not_hide_the_others(two):
    two.failures["C_FindObjects"] = [0x05]
    assert ids(inserted(two).certificates()) == ["pkcs11:token=CEO;serial=02;id=%A2"]
    two.failures["C_FindObjects"] = [0x05, 0x06]
    with pytest.raises(TokenError) as caught:
        inserted(two).certificates()
    assert caught.value.ckr == 0x05


def test_a_driver_that_fails_is_told(two):
    two.failures["C_GetTokenInfo"] = [0x05]
    with pytest.raises(TokenError):
        inserted(two).tokens()


def test_a_driver_that_crashes_is_told_and_its_session_dropped(two):
    tokens = inserted(two, token=TokenCriteria(label="HR"))
    tokens.certificates()
    two.failures["C_FindObjects"] = [DriverCrashedError(name="x")]
    with pytest.raises(DriverCrashedError):
        tokens.certificates()
    assert two.sessions == []
    assert len(tokens.certificates()) == 1


def test_junk_on_a_token_does_not_hide_the_rest(shelf):
    token = token_of(shelf.a1)
    token.certificates.insert(0, TokenCertificate(der=b"junk", key_id=b"\x01"))
    assert len(inserted(FakeModule(token)).certificates()) == 1


def test_a_certificate_that_no_token_holds_is_told(two, shelf, run):
    other = inserted(FakeModule(token_of(shelf.f6))).certificates()[0]
    with pytest.raises(KeyNotFoundError) as caught:
        inserted(two).holder(other)
    assert "HR (01), CEO (02)" in caught.value.message("vi")


def test_closing_releases_what_the_source_holds(two):
    source = FakeSource(two)
    Inserted(source, TokenCriteria(), Keys()).close()
    assert source.closed


@pytest.mark.parametrize(
    ("meant", "wanted"),
    [
        ({"key_id": b"\xff"}, "id=%FF"),
        ({"label": "no such"}, "object=no%20such"),
        ({"key_id": b"\xff", "kind": "cert"}, "id=%FF"),
    ],
)
def test_an_id_or_a_label_that_nothing_has_is_refused_with_those_that_there_are(two, meant, wanted):
    with pytest.raises(KeyNotFoundError) as caught:
        inserted(two, key=KeyCriteria(**meant)).certificates()
    assert caught.value.code == "pkcs11.other_key"
    assert caught.value.parameters["wanted"] == wanted
    assert caught.value.parameters["found"] == "id=%A1, id=%A2"
    assert "HR (01), CEO (02)" in caught.value.message("vi")


def test_it_is_refused_before_the_pin_whoever_listed_the_certificate(two, run, person, clock, job):
    listed = inserted(two).certificates()
    signer = TokenSigner(FakeSource(two), key=KeyCriteria(key_id=b"\xff"))
    with pytest.raises(KeyNotFoundError) as caught:
        run(signer.start([job()], listed[0], person(PIN), clock))
    assert caught.value.code == "pkcs11.other_key"
    assert two.logins == []
    signer.close()


def test_one_of_two_tokens_that_has_what_is_meant_is_listed_alone(two):
    assert ids(inserted(two, key=KeyCriteria(key_id=b"\xa2")).certificates()) == [
        "pkcs11:token=CEO;serial=02;id=%A2"
    ]


def test_a_key_that_is_meant_may_be_hidden_until_the_login(two):
    hidden = KeyCriteria(key_id=b"\xff", kind="private")
    assert len(inserted(two, key=hidden).certificates()) == 2
    for token in two.slots:
        token.login_required = False
    with pytest.raises(KeyNotFoundError):
        inserted(two, key=hidden).certificates()


def test_a_key_that_is_shown_may_be_named_by_an_id_of_its_own(shelf):
    token = token_of(shelf.a1, login_required=False)
    token.keys = [(b"\xbb", "key", key) for _, _, key in token.keys]
    listed = inserted(FakeModule(token), key=KeyCriteria(key_id=b"\xbb")).certificates()
    assert [item.has_private_key for item in listed] == [True]


def test_a_token_with_nothing_on_it_has_nothing_that_is_meant():
    with pytest.raises(KeyNotFoundError) as caught:
        inserted(FakeModule(token_of()), key=KeyCriteria(key_id=b"\xff")).certificates()
    assert caught.value.parameters["found"] == "0"
