"""The guards of conftest.py hold."""

import os
import socket
import time
from types import SimpleNamespace

import pytest


@pytest.mark.parametrize("name", ["connect", "connect_ex"])
def test_another_machine_is_out_of_reach(name):
    with socket.socket() as outside, pytest.raises(pytest.fail.Exception, match=r"192\.0\.2\.1"):
        getattr(outside, name)(("192.0.2.1", 80))  # an address reserved for documentation


def test_a_host_name_is_out_of_reach():
    with socket.socket() as outside, pytest.raises(pytest.fail.Exception, match="only this machine"):
        outside.connect(("example.invalid", 80))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_within_reach(host):
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect((host, server.getsockname()[1]))


def test_the_surroundings_are_neutral():
    assert os.environ["LANG"] == "C.UTF-8"
    assert time.timezone == 0


@pytest.fixture
def start(request):
    """Start a test marked with a tool, as pytest would."""
    conftest = next(
        plugin
        for plugin in request.config.pluginmanager.get_plugins()
        if hasattr(plugin, "only_this_machine")
    )

    def start_with(tool):
        marker = SimpleNamespace(args=(tool,))
        conftest.pytest_runtest_setup(SimpleNamespace(iter_markers=lambda _name: [marker]))

    return start_with


def test_a_missing_tool_skips_a_test(start, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-tool"):
        start("no-such-tool")


def test_a_missing_tool_fails_in_ci(start, monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-tool"):
        start("no-such-tool")


def test_an_installed_tool_is_no_obstacle(start):
    start("sh")
