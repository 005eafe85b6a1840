"""Where the modules come from: one that is named, or those that a search for tokens finds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast, final

from bhxh_sdk.errors import InputError, MissingExtraError, WrongTypeError
from bhxh_sdk.signers.pkcs11 import outcomes
from bhxh_sdk.signers.pkcs11.contract import CkrError
from bhxh_sdk.signers.pkcs11.criteria import shown
from bhxh_sdk.signers.pkcs11.probe import header_answer
from bhxh_sdk.token_errors import DriverCrashedError, DriverError, TokenNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bhxh_sdk.errors import BhxhError
    from bhxh_sdk.ports import Clock
    from bhxh_sdk.signers.pkcs11.address import TokenAddress
    from bhxh_sdk.signers.pkcs11.contract import Module
    from bhxh_sdk.signers.pkcs11.discovery import Discovery, FoundToken
    from bhxh_sdk.signers.pkcs11.inserted import ModuleSource

__all__ = ["MODULE", "OneModule", "SearchedModules", "source_of"]

_BROKEN = frozenset({"crashed", "hung"})
MODULE = "BHXH_PKCS11_MODULE"
"""Environment variable that names the module."""


@final
class OneModule:
    """The module that was named.

    Args:
        path: its file.
        binding: `python-pkcs11` or `pykcs11`; empty for the one that is installed.
        isolated: whether it gets a process of its own.
        pin_env: name of an environment variable that holds the PIN, and is kept from such a process.

    Raises:
        WrongTypeError: the path is no path.
        InputError: the path is empty, or a folder's.
        DriverError: it cannot be used in this process.
        MissingExtraError: the binding is not installed.

    """

    def __init__(
        self, path: Path | str, binding: str = "", *, isolated: bool = False, pin_env: str = ""
    ) -> None:
        self._module = _loaded(_file_named(path), binding, isolated=isolated, pin_env=pin_env)

    def modules(self, *, anew: bool = False) -> Sequence[Module]:  # noqa: ARG002  # there is nothing to look for
        """Return it."""
        return (self._module,)

    def close(self) -> None:
        """End its process, where it has one of its own; a module in this process is never unloaded."""
        _ended((self._module,))


@final
class SearchedModules:
    """The modules through which a search found tokens that fit; searched again when none fits any more.

    Args:
        where: which tokens are meant.
        clock: time, to end a search that takes too long.

    """

    def __init__(self, where: TokenAddress, clock: Clock | None) -> None:
        self._where = where
        self._clock = clock or cast("Clock", _StoppedClock())  # a search uses nothing else of it
        self._modules: tuple[Module, ...] = ()

    def modules(self, *, anew: bool = False) -> Sequence[Module]:
        """Return the modules.

        Raises:
            TokenNotFoundError: no module shows a token that fits; the text tells where was looked.
            DriverError: no module was found.
            MissingExtraError: the binding is not installed.

        """
        if anew or not self._modules:
            modules = self._searched()
            _ended([module for module in self._modules if module not in modules])
            self._modules = modules
        return self._modules

    def close(self) -> None:
        """End the processes of those modules that have one of their own."""
        _ended(self._modules)

    def _searched(self) -> tuple[Module, ...]:
        from bhxh_sdk.signers.pkcs11.discovery import discover  # noqa: PLC0415  # not needed for a named module

        pin_env = self._where.pin_env
        found = discover(module_path=self._where.module_path, clock=self._clock, pin_env=pin_env)
        fitting = [each for each in found.tokens if self._fits(each)]
        if not fitting:
            raise self._none(found)
        wanted = dict.fromkeys((each.module_path, self._binding(each), each.isolated) for each in fitting)
        isolated = self._where.isolated
        modules = [
            _loaded(path, binding, isolated=isolated or alone, pin_env=pin_env)
            for path, binding, alone in wanted
        ]
        fitting_modules = tuple(module for module in modules if self._is_meant(module))
        if not fitting_modules:
            raise self._none(found)
        return fitting_modules

    def _binding(self, found: FoundToken) -> str:
        return self._where.binding or found.binding

    def _fits(self, found: FoundToken) -> bool:
        wanted = self._where.module_name
        return self._where.token.fit(found.token) and wanted in {"", _name(found.module_path)}

    def _is_meant(self, module: Module) -> bool:
        if not self._where.library:
            return True
        try:
            return self._where.library.fit(module.info())
        except CkrError as error:
            raise outcomes.token_error(error, module.path) from error

    def _none(self, found: Discovery) -> BhxhError:
        tried = ", ".join(f"{each.path} ({each.outcome})" for each in found.tried)
        if found.tokens:
            others = ", ".join(shown(each.token) for each in found.tokens)
            return TokenNotFoundError("pkcs11.other_token", wanted=str(self._where.token), found=others)
        outcomes_seen = {each.outcome for each in found.tried}
        if "no_token" in outcomes_seen:
            return TokenNotFoundError("pkcs11.no_token", tried=tried)
        if outcomes_seen and outcomes_seen <= _BROKEN:
            return DriverCrashedError(name=tried)
        from bhxh_sdk.signers.pkcs11.loading import demand_binding  # noqa: PLC0415  # it imports bindings

        try:
            demand_binding(self._where.binding)
        except MissingExtraError as error:
            return error
        return DriverError("pkcs11.no_module", tried=tried, name=self._where.module_path)


def source_of(where: TokenAddress, clock: Clock | None) -> ModuleSource:
    """Return where an address's modules come from.

    A file that the address or the environment names is loaded at once; everything else is looked for with the
    first certificate.

    Args:
        where: the address.
        clock: time; without one a search for tokens waits until modules that hang are ended by themselves.

    Raises:
        DriverError: the module that is named cannot be used in this process.
        MissingExtraError: the binding is not installed.

    """
    path = where.module_path or os.environ.get(MODULE, "")
    if Path(path).is_file() and not (where.library or where.module_name):
        return OneModule(path, where.binding, isolated=where.isolated, pin_env=where.pin_env)
    return SearchedModules(where, clock)


def _file_named(path: object) -> str:
    """Return a driver's path as text; nothing, a folder or another type is told before it is looked for."""
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(text, str):
        raise WrongTypeError(field="path", expected="str or Path", got=type(path).__name__)
    if not text or Path(text).is_dir():
        raise InputError("token.driver_no_file", field="path", got=text)
    return text


def _loaded(path: str, binding: str, *, isolated: bool, pin_env: str) -> Module:
    """Load a module; one of another architecture in a helper of that architecture, where there is one."""
    header = header_answer(path)
    if isolated or (header is not None and header.outcome == "wrong_architecture"):
        from bhxh_sdk.signers.pkcs11.isolated import IsolatedModule  # noqa: PLC0415  # seldom needed

        return IsolatedModule(path, binding=binding, pin_env=pin_env)
    from bhxh_sdk.signers.pkcs11.loading import load_module  # noqa: PLC0415  # it loads a driver

    return load_module(path, binding)


def _ended(modules: Sequence[Module]) -> None:
    for module in modules:
        if callable(end := getattr(module, "close", None)):
            end()


def _name(path: str) -> str:
    """Return a module's name as RFC 7512 has it: its file's, without `lib` in front and without endings."""
    return Path(path.replace("\\", "/")).name.removeprefix("lib").partition(".")[0]


@final
class _StoppedClock:
    """Stand in where nobody gave a clock; children of a search end themselves in the end."""

    def monotonic(self) -> float:
        return 0.0
