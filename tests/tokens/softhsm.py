"""SoftHSM2 as a world of its own for tests: own folder, own configuration, own tokens.

SoftHSM2 reads `SOFTHSM2_CONF` and its tokens once, at C_Initialize: tokens made later are not seen by a
process that has already loaded it. It never locks a PIN.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tokens.entries import PIN, SO_PIN
from tokens.processes import MissingError, need, run_tool, write_entries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokens.entries import Entry

__all__ = ["SoftHsm", "module_file"]

_FOLDERS = ("/usr/lib/softhsm", "/usr/lib/*/softhsm", "/usr/lib64/softhsm", "/usr/local/lib/softhsm")
_NAME = "libsofthsm2.so"


def module_file() -> Path:
    """Return the installed module.

    Raises:
        MissingError: there is none.

    """
    need("softhsm2-util")
    for folder in _FOLDERS:
        for found in sorted(Path("/").glob(f"{folder.lstrip('/')}/{_NAME}")):
            return found
    raise MissingError(f"not found: {_NAME}")


class SoftHsm:
    """Keep tokens in a folder.

    Args:
        folder: an empty folder, or one that another `SoftHsm` filled.
        module: the module's file; the installed one by default.

    """

    def __init__(self, folder: Path, module: Path | None = None) -> None:
        self.folder = folder
        self.module = str(module or module_file())
        self.configuration = folder / "softhsm2.conf"
        self.tokens = folder / "tokens"
        self.tokens.mkdir(parents=True, exist_ok=True)
        self.configuration.write_text(
            f"directories.tokendir = {self.tokens}\nobjectstore.backend = file\nlog.level = ERROR\n",
            encoding="utf-8",
        )

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment before it loads the module."""
        return {"SOFTHSM2_CONF": str(self.configuration)}

    def make_token(self, label: str, *entries: Entry, pin: str = PIN) -> None:
        """Make a token and put entries onto it; no process that has the module loaded sees it."""
        self.make_tokens({label: entries}, pin=pin)

    def make_tokens(self, tokens: Mapping[str, Sequence[Entry]], pin: str = PIN) -> None:
        """Make tokens, named by label."""
        for label in tokens:
            command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin]
            run_tool([*command, "--so-pin", SO_PIN], environment=self.environment)
        write_entries(self.module, pin, tokens, self.environment)

    def remove_token(self, label: str) -> None:
        """Delete a token's files, as if its storage were lost."""
        command = ["softhsm2-util", "--delete-token", "--token", label]
        run_tool(command, environment=self.environment)

    def copy(self, folder: Path) -> SoftHsm:
        """Make a world with the same tokens that knows nothing of this one.

        Its module is a copy of the file: a process takes it for another driver, so that a second binding, or
        a second configuration, has its place in the same process.
        """
        shutil.copytree(self.tokens, folder / "tokens")
        return SoftHsm(folder, Path(shutil.copy(self.module, folder / _NAME)))
