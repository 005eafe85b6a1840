"""An independent verifier, xmlsec1, judges our documents."""

from __future__ import annotations

import subprocess
from datetime import date

import pytest
from attrs import evolve

from bhxh_sdk import xml
from bhxh_sdk.errors import VerificationError
from bhxh_sdk.models import Ivan, Stop, StopReason

pytestmark = pytest.mark.needs_tool("xmlsec1")

TODAY = date(2026, 1, 2)


def accepts(path) -> bool:
    """The first key found counts, and KeyValue stands first; the chain is not the question here."""
    return (
        subprocess.run(
            ["xmlsec1", "--verify", "--insecure", path], capture_output=True, check=False
        ).returncode
        == 0
    )


@pytest.fixture(scope="module")
def documents(form, envelope) -> list[tuple[bytes, str]]:
    ivan = Ivan("00099", "IVAN VÍ DỤ & CON")
    stop = Stop(from_date=TODAY, reason=StopReason.OTHER)
    made = []
    for number in range(10):
        named = evolve(form, organisation=evolve(form.organisation, name=f"CÔNG TY «{number}» <&> \"'"))
        first = evolve(named, organisation=evolve(named.organisation, unit_code=None))
        for action in ("register", "adjust", "stop"):
            changed = evolve(named, action=action, stop=stop if action == "stop" else None)
            made += [xml.build(changed), xml.build(evolve(changed, transact_at=ivan))]
        made.append(xml.build(evolve(first, transact_at=ivan)))
        made.append(xml.build(evolve(named, transact_at=ivan), "2015-register"))
        made.append(xml.build(evolve(named, transact_at=ivan, action="stop", stop=stop), "2015-stop"))
        made.append(xml.build_envelope(evolve(envelope, phone=str(number))))
    return [(document.content, xml.profile(document.profile).signature) for document in made]


def test_every_document_of_every_profile_verifies(documents, sign, tmp_path):
    assert len(documents) == 100
    for number, (content, at) in enumerate(documents):
        path = tmp_path / f"{number}.xml"
        path.write_bytes(sign(content, at))
        assert accepts(path), content
        assert xml.verify(path.read_bytes(), at=at).at == at


def test_the_certificate_alone_leads_to_the_same_answer(documents, sign, tmp_path):
    signed = sign(*documents[0])
    start, end = signed.index(b"<KeyValue>"), signed.index(b"</KeyValue>") + len(b"</KeyValue>")
    path = tmp_path / "signed.xml"
    path.write_bytes(signed[:start] + signed[end:])
    assert accepts(path)


def test_any_changed_byte_of_the_content_is_refused_by_both(documents, sign, tmp_path):
    signed = sign(*documents[1])
    start, end = signed.index(b"<Signature "), signed.index(b"</Signature>") + len(b"</Signature>")
    content = [*range(signed.index(b"<Hoso"), start), *range(end, len(signed))]
    path = tmp_path / "changed.xml"
    for position in content:
        changed = signed[:position] + bytes([signed[position] ^ 1]) + signed[position + 1 :]
        path.write_bytes(changed)
        assert not accepts(path), position
        with pytest.raises(VerificationError):
            xml.verify(changed)
