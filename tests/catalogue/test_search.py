"""Search: exact code, exact name, prefixes, then what resembles."""

from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import any_text

from bhxh_sdk import catalogue
from bhxh_sdk.catalogue.search import ranked, similar

PLACES = (("00101", "BHXH Quận Ba Đình"), ("00103", "BHXH Quận Tây Hồ"), ("07906", "BHXH cơ sở Bình Thạnh"))


def keys(entry):
    return entry[0], (entry[1],)


def found(query, entries=PLACES, limit=10):
    return [entry[0] for entry in ranked(query, entries, keys, limit)]


def test_names_are_found_without_marks():
    assert catalogue.find_agencies("binh thanh")[0].code.value == "07906"


def test_names_are_found_with_a_typing_mistake():
    assert catalogue.find_agencies("bình thanhh")[0].code.value == "07906"


def test_names_are_found_in_any_unicode_form_and_case():
    assert found("BI\u0300NH THA\u0323NH") == ["07906"]


def test_codes_are_found_by_their_beginning_or_with_a_wrong_digit():
    assert found("0010") == ["00101", "00103"]
    assert found("07960") == ["07906"]


def test_an_exact_code_comes_before_all_that_begins_with_it():
    assert found("001", (("00101", "one"), ("001", "two"))) == ["001", "00101"]


def test_an_exact_name_comes_before_a_longer_one_and_before_what_resembles():
    entries = (("1", "Phường Tân Bình Đông"), ("2", "Tân Bình"), ("3", "Xã Tan Bihn"), ("4", "Tân Bình Tây"))
    assert found("tan binh", entries) == ["2", "4", "1", "3"]


def test_marks_that_were_typed_decide_between_equals():
    entries = (("1", "Xã Tân Bính"), ("2", "Xã Tân Bình"))
    assert found("Tân Bình", entries) == ["2", "1"]


def test_nothing_is_found_for_nothing_or_nonsense():
    assert found("") == found("  ") == found("qwxz") == found("999999") == []


def test_an_entry_without_a_name_is_found_by_code_only():
    assert found("001", (("001", ""),)) == ["001"]
    assert found("ha noi", (("001", ""),)) == []


def test_the_limit_holds():
    assert found("bhxh", limit=2) == ["00103", "00101"]
    assert found("bhxh", limit=0) == found("bhxh", limit=-1) == []


def test_suggestions_are_one_line():
    assert similar("ba dinh", PLACES, keys) == "00101 BHXH Quận Ba Đình"
    assert similar("001", (("001", ""),), keys) == "001"
    assert similar("qwxz", PLACES, keys) == ""


@settings(max_examples=200)
@given(any_text(), st.integers(0, 5))
def test_any_query_is_answered(query, limit):
    answer = ranked(query, PLACES, keys, limit)
    assert len(answer) <= limit
    assert set(answer) <= set(PLACES)
