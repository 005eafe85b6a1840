"""The examples of the transport's pages work."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from raw_server import certified

from bhxh_sdk.sandbox.clock import VirtualClock
from bhxh_sdk.transport import EndpointProfile, open_channel

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
HOW_TO = (DOCS / "how-to" / "connect-a-channel.md").read_text("utf-8")
EXPLANATION = (DOCS / "explanation" / "transport.md").read_text("utf-8")


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("text", blocks(HOW_TO, "toml"))
def test_a_channel_file_of_the_guide_opens(tmp_path, text):
    _, bundle = certified(tmp_path)
    shutil.copy(bundle, tmp_path / "authorities.pem")
    (tmp_path / "channel.toml").write_text(text, "utf-8")
    environment = {"BHXH_PASSPHRASE": "x", "BHXH_SANDBOX_PASSPHRASE": "x", "IVAN_PASSWORD": "y"}
    channel = open_channel(tmp_path / "channel.toml", clock=VirtualClock(), environment=environment)
    assert not channel.capabilities.proven


@pytest.mark.parametrize("text", blocks(HOW_TO, "python"))
def test_the_python_of_the_guide_runs(text, capsys):
    exec(compile(text, "connect-a-channel.md", "exec"), {})  # noqa: S102  # it is our own page
    assert "Traceback" not in capsys.readouterr().out


def test_the_endpoint_of_the_explanation_is_sound():
    (text,) = blocks(EXPLANATION, "toml")
    profile = EndpointProfile.from_toml(f'extends = "portal-vss"\nname = "example"\n{text}')
    assert profile.endpoint("notices").refusals.kinds == {"3020": "already_registered"}


@pytest.mark.parametrize("name", ["portal-vss", "portal-sandbox", "ivan-vbhxh", "ivan-sandbox"])
def test_the_profiles_of_the_explanation_are_shipped(name):
    assert f"`{name}`" in EXPLANATION
    assert EndpointProfile.shipped(name)
