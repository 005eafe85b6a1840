"""Newer lists are laid over the shipped ones, seen to be so, and never silently."""

from datetime import date

import pytest

from bhxh_sdk import catalogue, models
from bhxh_sdk.catalogue import Authority, Catalogue, ListedIvan, ListUpdate, Province, Renamed
from bhxh_sdk.errors import InputError, UnknownCodeError, WrongTypeError

DAY = date(2026, 11, 1)


def update(name, *rows, complete=False):
    return ListUpdate(list_name=name, rows=rows, source="portal", as_of=DAY, complete=complete)


RENAMED = update(
    "agencies",
    models.Agency(code="07906", name="BHXH cơ sở Mới"),
    models.Agency(code="07999", name="BHXH cơ sở Ví Dụ"),
)


def test_a_refreshed_catalogue_is_another_one():
    shipped = catalogue.shipped()
    newer = shipped.refreshed(RENAMED)
    assert newer.agency("07906").name == "BHXH cơ sở Mới"
    assert newer.agency("00101") == shipped.agency("00101")
    assert shipped.agency("07906").name == "Bảo hiểm xã hội cơ sở Bình Thạnh"
    with pytest.raises(UnknownCodeError):
        shipped.agency("07999")


def test_an_update_is_told_before_and_after_it_is_used():
    difference = Catalogue().difference(RENAMED)
    assert difference.added == ("07999",)
    assert difference.removed == ()
    assert difference.renamed == (Renamed("07906", "Bảo hiểm xã hội cơ sở Bình Thạnh", "BHXH cơ sở Mới"),)
    assert Catalogue().refreshed(RENAMED).differences() == (difference,)
    assert Catalogue().differences() == ()


def test_an_update_without_news_changes_nothing():
    same = update("ivans", catalogue.shipped().listed_ivan("00040"))
    assert not Catalogue().difference(same)
    assert Catalogue().difference(RENAMED)


def test_a_complete_update_removes_what_it_does_not_hold():
    whole = update("ivans", ListedIvan(code="00116", name="Ví Dụ"), complete=True)
    newer = Catalogue().refreshed(whole)
    assert newer.ivans() == (models.Ivan("00116", "Ví Dụ"),)
    assert len(newer.differences()[0].removed) == 15


def test_updates_add_up_until_a_complete_one():
    first = update("ivans", ListedIvan(code="00116", name="A"))
    second = update("ivans", ListedIvan(code="00117", name="B"))
    both = Catalogue().refreshed(first).refreshed(second)
    assert len(both.ivans()) == 17
    assert both.agency("07906") == catalogue.agency("07906")
    whole = update("ivans", ListedIvan(code="00118", name="C"), complete=True)
    assert both.refreshed(RENAMED).refreshed(whole).updates == (RENAMED, whole)


def test_sources_mark_an_update():
    *shipped, last = Catalogue().refreshed(RENAMED).sources()
    assert not any(source.refreshed for source in shipped)
    assert (last.name, last.rows, last.as_of, last.source) == ("agencies", 2, "2026-11-01", "portal")
    assert last.refreshed


def test_provinces_of_two_generations_are_kept_apart():
    newer = Catalogue().refreshed(update("provinces", Province(code="24", generation=34, name="Mới")))
    assert newer.province("24", on=date(2020, 1, 1)).name == "Tỉnh Bắc Giang"
    assert newer.province("24").name == "Mới"


def test_an_authority_is_known_by_its_name():
    newer = Catalogue().refreshed(
        update("authorities", Authority(name="VGCA", note="x"), Authority(name="Y"))
    )
    assert newer.differences()[0].added == ("Y",)


def test_a_list_that_does_not_exist_is_refused():
    with pytest.raises(InputError) as caught:
        update("province_merges")
    assert (caught.value.code, caught.value.field) == ("catalogue.no_such_list", "list_name")
    assert "province_merges" in caught.value.message("vi")


def test_a_row_of_another_list_is_refused():
    with pytest.raises(WrongTypeError) as caught:
        update("ivans", models.Ivan("00040"))
    assert caught.value.field == "rows[0]"
