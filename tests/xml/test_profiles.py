from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from bhxh_sdk import xml
from bhxh_sdk.errors import InputError, UnreadableFileError
from bhxh_sdk.models import Certainty, Ivan

if TYPE_CHECKING:
    from pathlib import Path


def test_the_names_of_the_shipped_profiles():
    assert [profile.name for profile in xml.profiles()] == [
        "portal-register",
        "portal-adjust",
        "portal-stop",
        "first-register",
        "ivan-register",
        "ivan-adjust",
        "ivan-stop",
        "2015-register",
        "2015-stop",
        "envelope",
    ]


@pytest.mark.parametrize(
    ("name", "file_name", "codes"),
    [
        ("ivan-register", "04_DK-IVAN.xml", ("04_DK-IVAN", "04_ĐK-IVAN")),
        ("first-register", "04_DK-IVAN.xml", ("04_DK-IVAN", "04_ĐK-IVAN")),
        ("ivan-adjust", "05_SD-IVAN.xml", ("05_SD-IVAN", "05_SĐ-IVAN")),
        ("ivan-stop", "06_NG-IVAN.xml", ("06_NG-IVAN", "06_NG-IVAN")),
        ("envelope", "BHXHDienTu.xml", ("", "")),
    ],
)
def test_file_names_and_both_spellings_of_the_procedure(name, file_name, codes):
    profile = xml.profile(name)
    assert profile.file_name == file_name
    assert (profile.procedure_code, profile.procedure_code_vietnamese) == codes


def test_an_unknown_profile_is_refused(refused):
    with refused(InputError, "xml.unknown_profile", field="profile"):
        xml.profile("nothing")


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "portal-register"),
        ({"action": "adjust"}, "portal-adjust"),
        ({"action": "stop"}, "portal-stop"),
        ({"transact_at": Ivan("00099")}, "ivan-register"),
        ({"transact_at": Ivan("00099"), "action": "adjust"}, "ivan-adjust"),
        ({"transact_at": Ivan("00099"), "action": "stop"}, "ivan-stop"),
    ],
)
def test_the_profile_of_a_form_follows_from_action_and_place(form, changes, name):
    assert xml.profile_for(evolve(form, **changes)).name == name


def test_a_unit_without_a_code_registers_with_the_first_registration(form):
    first = evolve(form, transact_at=Ivan("00099"), organisation=evolve(form.organisation, unit_code=None))
    assert xml.profile_for(first).name == "first-register"
    assert not any(rule.element == "MaSoBHXH" for rule in xml.profile("first-register").fields)


def test_every_element_has_a_proof():
    proofs = xml.proofs()
    known = {(proof.profile, proof.element): proof.certainty for proof in proofs}
    assert len(known) == len(proofs)
    assert known["first-register", "MaIVan"] is Certainty.SEEN
    assert known["ivan-register", "MaSoBHXH"] is Certainty.UNKNOWN
    assert known["portal-register", ""] is Certainty.UNKNOWN
    assert known["envelope", "ThongTinHoSo/ToKhais/FileToKhai/DoDaiFile"] is Certainty.SEEN
    stop = [proof for proof in proofs if proof.profile == "portal-stop" and "FileToKhai" not in proof.element]
    assert {proof.certainty for proof in stop} == {Certainty.UNKNOWN}


def test_a_profile_is_loaded_from_text_with_a_base(form):
    changed = xml.load_profile(
        'base = "portal-register"\nname = "ours"\n[fields.MaSoBHXH]\nelement = "MaDonVi"'
    )
    content = xml.build(form, changed).content
    assert b"<MaDonVi>TZ0001Z</MaDonVi>" in content
    assert xml.read(content, changed) == form


def test_a_whole_profile_is_loaded_from_a_file(form, tmp_path: Path):
    file = tmp_path / "profile.toml"
    file.write_text(
        'name = "ours"\naction = "register"\ntransact_at = "portal"\n'
        'root = "R"\ncontent = "C"\nsignature = "R/S"\n'
        '[[fields]]\nelement = "T"\nsource = "organisation.tax_code"\n',
        encoding="utf-8",
    )
    assert xml.build(form, xml.load_profile(file)).content.endswith(
        b"?><R><C><T>0100109106</T></C><S></S></R>"
    )


def test_a_missing_file_and_a_broken_one_are_refused(refused, tmp_path: Path):
    with refused(UnreadableFileError, "xml.profile.no_file"):
        xml.load_profile(tmp_path / "missing.toml")
    with refused(UnreadableFileError, "xml.profile.not_toml"):
        xml.load_profile("a = ")
    (tmp_path / "bad.toml").write_bytes(b"a = '\xff'")
    with refused(UnreadableFileError, "xml.profile.not_toml"):
        xml.load_profile(tmp_path / "bad.toml")
