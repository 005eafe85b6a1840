"""`bhxh sandbox`: a portal, an I-VAN, a mailbox and signing providers to try everything on, until Ctrl-C."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bhxh_sdk.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bhxh_sdk.cli.output import Output
    from bhxh_sdk.cli.sandbox_folder import SandboxFolder

__all__ = ["sandbox"]

_USUAL_PORT = 8085
_LOOK_SECONDS = 0.2
_PHONE_TAKES = timedelta(seconds=3)
"""How long the phone's owner takes: long enough to read what a command says meanwhile."""

_LARGEST_PORT = 65525
"""The I-VAN and the signing providers take the ports above."""


def sandbox(
    ctx: typer.Context,
    port: Annotated[int, typer.Option("--port", min=0, max=_LARGEST_PORT)] = _USUAL_PORT,
    folder: Annotated[Path, typer.Option("--folder", metavar="DIR")] = Path("bhxh-sandbox"),
) -> ExitCode:
    """Serve the sandbox and lay ready what a client needs."""
    from bhxh_sdk.cli.sandbox_folder import SandboxFolder
    from bhxh_sdk.sandbox import Sandbox, VirtualClock

    output: Output = ctx.obj
    ivan, remote = port and port + 1, port and port + 2
    with Sandbox(port=port, ivan_port=ivan, remote_port=remote, clock=VirtualClock(flowing=True)) as served:
        laid = SandboxFolder.laid(folder, served)
        for provider in served.remote.values():
            provider.desk.phone.takes = _PHONE_TAKES
        output.answer(laid.as_dict(), _lines(laid, output))
        _serve_until_stopped(laid, output)
    return ExitCode.DONE


def _serve_until_stopped(laid: SandboxFolder, output: Output) -> None:
    try:
        while True:
            for path in laid.new_mails():
                output.note("cli.sandbox.mail", path=str(path))
            for name, shown in laid.new_rings():
                output.note("cli.sandbox.ring", name=name, shown=shown)
            time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        output.note("cli.sandbox.stopped")


def _lines(laid: SandboxFolder, output: Output) -> Iterable[str]:
    yield output.text("cli.sandbox.serving", portal=laid.portal_url, ivan=laid.ivan_url)
    yield output.text("cli.sandbox.remote", seconds=_PHONE_TAKES.seconds)
    width = max(map(len, laid.remote))
    for name, signer in laid.remote_signers.items():
        yield f"    {name:<{width}}  {laid.remote[name].url}  --signer {signer}"
    yield output.text("cli.sandbox.environment")
    for name, value in laid.environment.items():
        yield f"    export {name}={value}"
    yield output.text("cli.sandbox.try")
    portal, signer, form = laid.path("portal.toml"), laid.signer, laid.path("register-at-portal.toml")
    yield f"    bhxh register {form} --channel {portal} --signer {signer} --yes"
    yield f"    bhxh demo --signer {laid.remote_signers['ca769-vnpt']}"
    yield f"    bhxh activate KEY --channel {portal} --mail {laid.path('mails')}/01-activation.eml"
    yield f"    bhxh log-in KEY --channel {portal} --mail {laid.path('mails')}/02-credentials.eml"
    yield output.text("cli.sandbox.stop")
