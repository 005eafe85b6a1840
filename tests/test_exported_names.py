"""The front door offers what it says, and nothing by accident."""

from __future__ import annotations

import inspect
import types
from importlib.metadata import version

import pytest

import bhxh_sdk
from bhxh_sdk import errors

ROOMS_OF_THE_FRONT_DOOR = {"catalogue"}


def test_every_name_that_is_offered_exists_once_and_in_order():
    assert bhxh_sdk.__all__ == sorted(set(bhxh_sdk.__all__))
    for name in bhxh_sdk.__all__:
        assert getattr(bhxh_sdk, name) is not None


def test_nothing_else_is_in_the_doorway():
    rooms = {name for name, value in vars(bhxh_sdk).items() if isinstance(value, types.ModuleType)}
    means = {"Any", "TYPE_CHECKING", "import_module", "version"}  # what the lazy door itself is made of
    others = {name for name in vars(bhxh_sdk) if not name.startswith("_")} - rooms - means
    assert others <= set(bhxh_sdk.__all__)
    assert rooms & set(bhxh_sdk.__all__) == ROOMS_OF_THE_FRONT_DOOR


def test_the_version_is_that_of_the_package():
    assert bhxh_sdk.__version__ == version("bhxh-sdk")


def test_a_name_that_is_not_offered_is_refused():
    with pytest.raises(AttributeError, match="Registratoin"):
        bhxh_sdk.Registratoin  # noqa: B018  # the look-up is the test


def test_the_door_lists_its_names():
    assert set(bhxh_sdk.__all__) <= set(dir(bhxh_sdk))


def test_every_error_is_at_the_door():
    tree = {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.BhxhError) and kind.__module__ == errors.__name__
    }
    assert tree <= set(bhxh_sdk.__all__)


@pytest.mark.parametrize("name", sorted(set(bhxh_sdk.__all__) - ROOMS_OF_THE_FRONT_DOOR))
def test_every_name_is_documented(name):
    assert inspect.getdoc(getattr(bhxh_sdk, name))
