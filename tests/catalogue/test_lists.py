"""Look-ups as of a date, over the shipped lists."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from strategies import any_text

from bhxh_sdk import catalogue, models
from bhxh_sdk.catalogue import Catalogue, ListUpdate
from bhxh_sdk.errors import UnknownCodeError, WrongTypeError
from bhxh_sdk.models import AgencyLevel, Certainty

OLD, NEW = date(2025, 6, 30), date(2025, 7, 1)


def test_an_agency_is_found_by_text_and_by_value():
    agency = catalogue.agency("07906")
    assert agency == catalogue.agency(models.AgencyCode("07906"))
    assert (agency.name, agency.level) == ("Bảo hiểm xã hội cơ sở Bình Thạnh", AgencyLevel.BASE)
    assert (agency.province_code, agency.parent_code, agency.internal_id) == ("79", "079", "4455")


def test_a_bare_year_becomes_its_last_day_and_is_marked_as_recalled():
    agency = catalogue.agency("00101")
    assert agency.valid_to == date(2025, 12, 31)
    assert (agency.certainty, agency.validity_certainty) == (Certainty.SEEN, Certainty.RECALLED)


def test_an_agency_without_dates_makes_no_claim_about_them():
    assert catalogue.agency("07906").validity_certainty is Certainty.UNKNOWN


def test_a_name_that_is_only_likely_says_so():
    assert catalogue.agency("08907").certainty is Certainty.LIKELY


def test_an_agency_that_may_have_ended_is_still_given():
    assert catalogue.agency("00101", on=date(2026, 5, 1)).code.value == "00101"


def dated(code, name, first, last, certainty=Certainty.SEEN):
    return models.Agency(code=code, name=name, valid_from=first, valid_to=last, validity_certainty=certainty)


def with_agencies(*agencies, complete=True):
    update = ListUpdate(
        list_name="agencies", rows=agencies, source="test", as_of=date(2026, 1, 1), complete=complete
    )
    return Catalogue().refreshed(update)


def test_a_code_given_twice_is_resolved_by_the_day():
    lists = with_agencies(dated("00101", "old", None, OLD), dated("00101", "new", NEW, None))
    assert lists.agency("00101", on=OLD).name == "old"
    assert lists.agency("00101", on=NEW).name == "new"
    assert lists.agency("00101").name == "new"


def test_an_agency_proven_to_have_ended_is_not_given_for_a_later_day():
    lists = with_agencies(dated("00101", "BHXH Ba Đình", None, OLD))
    with pytest.raises(UnknownCodeError):
        lists.agency("00101", on=NEW)
    assert lists.find_agencies("ba dinh", on=NEW) == ()
    assert lists.find_agencies("ba dinh", on=OLD) == lists.find_agencies("ba dinh") == lists.agencies()


def test_one_in_force_wins_over_one_that_may_be():
    lists = with_agencies(
        dated("00101", "in force", None, None), dated("00101", "perhaps", None, OLD, Certainty.RECALLED)
    )
    assert lists.agency("00101", on=NEW).name == "in force"


def test_an_unknown_code_names_field_value_and_what_was_meant():
    with pytest.raises(UnknownCodeError) as caught:
        catalogue.agency("07960")
    error = caught.value
    assert (error.field, error.parameters["value"]) == ("agency.code", "07960")
    assert "07906" in str(error.parameters["similar"])
    assert "07906" in error.hint("vi")
    assert "07906" in error.hint("en")


def test_an_unknown_code_with_nothing_like_it_gives_a_hint_all_the_same():
    with pytest.raises(UnknownCodeError) as caught:
        catalogue.agency("zz")
    assert caught.value.parameters["similar"] == ""
    assert "?" not in caught.value.hint("en")


@pytest.mark.parametrize(
    "call", [catalogue.agency, catalogue.ivan, catalogue.province, catalogue.ward, catalogue.merged_into]
)
def test_a_code_that_is_no_text_is_a_wrong_type(call):
    with pytest.raises(WrongTypeError):
        call(7906)


@pytest.mark.parametrize(
    "call",
    [
        catalogue.agency,
        catalogue.ivan,
        catalogue.province,
        catalogue.ward,
        catalogue.wards,
        catalogue.merged_into,
    ],
)
@given(any_text())
def test_any_text_is_found_or_refused_with_a_typed_error(call, text):
    with suppress(UnknownCodeError):
        call(text)


def test_ivans_are_the_fifteen_of_the_portal():
    assert len(catalogue.ivans()) == 15
    assert catalogue.ivan("00040") == models.Ivan("00040", "Công ty Thái Sơn")
    assert catalogue.find_ivans("thai son")[0].code == "00040"


def test_an_ivan_tells_how_sure_its_site_is():
    listed = catalogue.shipped().listed_ivan("00111")
    assert (listed.certainty, listed.site_certainty) == (Certainty.SEEN, Certainty.LIKELY)
    assert catalogue.shipped().listed_ivan("00070").site_certainty is Certainty.UNKNOWN


def test_a_province_code_means_what_it_meant_on_the_day():
    assert catalogue.province("24", on=OLD).name == "Tỉnh Bắc Giang"
    assert catalogue.province("24", on=NEW).name == "Tỉnh Bắc Ninh"
    assert catalogue.province("24").generation == 34
    assert catalogue.province("02").name == "Tỉnh Hà Giang"


@pytest.mark.parametrize("code", ["22", "24", "75"])
def test_an_upgrade_without_a_date_keeps_both_names(code):
    province = catalogue.province(code, on=date(2026, 11, 1))
    assert [name.split()[0] for name in province.names] == ["Tỉnh", "Thành"]
    assert "2026/QH16" in province.legal_note


def test_provinces_are_equal_by_code_and_generation():
    province = catalogue.province("22")
    renamed = catalogue.Province(code="22", generation=34, name="Thành phố Quảng Ninh")
    assert province == renamed
    assert catalogue.province("24", on=OLD) != catalogue.province("24", on=NEW)


def test_each_generation_is_whole():
    lists = catalogue.shipped()
    assert (len(lists.provinces(OLD)), len(lists.provinces(NEW)), len(lists.provinces())) == (63, 34, 97)


def test_a_merged_province_names_the_one_of_today():
    with pytest.raises(UnknownCodeError) as caught:
        catalogue.province("02", on=NEW)
    assert caught.value.code == "catalogue.merged"
    assert "08 Tỉnh Tuyên Quang" in caught.value.hint("vi")
    assert "01/07/2025" in caught.value.message("en")


def test_a_province_that_never_was_is_unknown_on_any_day():
    with pytest.raises(UnknownCodeError) as caught:
        catalogue.province("03", on=NEW)
    assert caught.value.code == "catalogue.unknown_code"
    with pytest.raises(UnknownCodeError):
        catalogue.province("07", on=OLD)


def test_every_old_province_went_into_one_of_today():
    today = {province.code for province in catalogue.shipped().provinces(NEW)}
    for province in catalogue.shipped().provinces(OLD):
        merge = catalogue.merged_into(province.code)
        assert merge.new_code == province.merged_into
        assert merge.new_code in today
        assert (merge.old_name, merge.effective) == (province.name, NEW)


def test_provinces_are_found_by_names_of_the_past_and_by_both_of_today():
    assert catalogue.find_provinces("ha giang")[0].code == "02"
    assert catalogue.find_provinces("thanh pho quang ninh", on=NEW)[0].code == "22"


def test_wards_are_found_by_code_and_name():
    assert catalogue.ward("00004").name == "Phường Ba Đình"
    assert catalogue.find_wards("ba dinh", province_code="01")[0].code == "00004"
    assert "00004" in {ward.code for ward in catalogue.find_wards("phuong ba dinh")}
    assert len(catalogue.wards("01")) == catalogue.province("01").ward_count


def test_the_left_over_ward_says_that_it_is_one():
    assert "absent from the national list" in catalogue.ward("21232").note


def test_wards_of_a_province_of_the_past_are_refused():
    with pytest.raises(UnknownCodeError):
        catalogue.wards("02")


def test_authorities_are_names_and_never_licences():
    authorities = catalogue.authorities()
    assert len(authorities) == 28
    assert all(authority.certainty is Certainty.SEEN for authority in authorities)
    assert not any("licen" in name for name in dir(authorities[0]))
    assert next(a for a in authorities if a.name == "VGCA").seen_at == ()


def test_sources_name_every_list():
    names = [source.name for source in catalogue.sources()]
    assert names == ["agencies", "ivans", "provinces", "province_merges", "wards", "authorities"]


def test_no_row_sends_the_reader_to_another_place():
    texts = [text for name in ("agencies", "wards") for text in map(str, getattr(Catalogue(), f"_{name}"))]
    assert not [text for text in texts if "../" in text or "next row" in text]
