"""The plain functions are the shipped catalogue's own."""

from datetime import date

from bhxh_sdk import catalogue

DAY = date(2026, 1, 1)


def test_the_shipped_catalogue_is_made_once_and_holds_no_update():
    assert catalogue.shipped() is catalogue.shipped()
    assert catalogue.shipped() == catalogue.Catalogue()


def test_every_function_answers_as_the_catalogue_does():
    shipped = catalogue.shipped()
    assert catalogue.agency("07906", DAY) == shipped.agency("07906", DAY)
    assert catalogue.find_agencies("ba", DAY, 1) == shipped.find_agencies("ba", DAY, 1)
    assert catalogue.find_ivans("misa", 1) == shipped.find_ivans("misa", 1)
    assert catalogue.find_provinces("ha", DAY, 2) == shipped.find_provinces("ha", DAY, 2)
    assert catalogue.find_wards("ba", "01", 2) == shipped.find_wards("ba", "01", 2)
    assert catalogue.wards("01") == shipped.wards("01")
    assert catalogue.sources() == shipped.sources()
