"""The house has walls: who may import whom, read from the source with `ast`.

The first tests run the checker over the package; the rest show on small generated trees that it fails on
every kind of violation. An import counts wherever it stands: in a function, under TYPE_CHECKING, or as the
text given to `import_module`.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGE = "bhxh_sdk"
SOURCE = Path(__file__).resolve().parent.parent / "src" / PACKAGE

# From the ground up. A room may import rooms of a lower rank.
RANKS = {
    0: ("secret", "messages", "findings", "errors", "token_errors", "remote_errors", "ports"),
    1: ("models", "catalogue", "trust"),
    2: ("rules", "xml", "signers"),
    3: ("transport",),
    4: ("workflow",),
    5: (
        *("blocking", "system", "offloading", "channels"),
        *("client", "async_client", "document_signer", "async_document_signer", "opening"),
    ),
    6: ("printing", "notebook", "doctor", "bulk", "cli", "__main__"),
    7: ("sandbox",),
}
FRONT_DOOR = "__init__"  # may import every room up to the clients
RANK_OF = {room: float(rank) for rank, rooms in RANKS.items() for room in rooms} | {FRONT_DOOR: 5.5}

# Rooms of one rank are siblings that do not know each other, but for these.
SAME_RANK = {
    "messages": {"secret"},
    "findings": {"secret", "messages"},
    "errors": {"secret", "messages", "findings"},
    "token_errors": {"errors"},
    "remote_errors": {"errors"},
    "ports": {"secret", "messages", "findings", "errors"},
    "catalogue": {"models"},
    "trust": {"models"},
    # The clients are made of the driver, the real world's ports and the worker threads.
    "offloading": {"blocking"},
    "channels": {"system"},
    "opening": {"system"},
    "document_signer": {"blocking", "system"},
    "async_document_signer": {"document_signer", "offloading", "system"},
    "client": {"blocking", "system", "channels"},
    "async_client": {"system", "offloading", "client"},
    "cli": {"printing", "notebook", "doctor", "bulk"},  # the command line offers the other faces
    "__main__": {"cli"},
}
# Lower in rank, and closed all the same: transport carries finished bytes.
CLOSED = {"transport": {"rules", "xml", "signers"}}
# Higher in rank, and open inside functions only: `bhxh demo` starts the sandbox when it runs, not on import.
LAZY = {"cli": {"sandbox"}}

# Outside package -> the modules (or, ending in a slash, the rooms) that may import it.
BINDINGS = ("pkcs11", "PyKCS11")  # each in one module of its room
OUTSIDE = {
    "httpx": {"transport/http.py"},
    "httpcore": {"transport/http.py"},
    "lxml": {"xml/", "signers/remote/soap.py"},  # SIM services speak SOAP; no document is read there
    "signxml": {"xml/"},
    "pyhanko_certvalidator": {"trust/"},
    "asn1crypto": {"trust/"},
    "sqlite3": {"workflow/journal.py"},
    "pkcs11": {"signers/pkcs11/"},
    "keyring": {"signers/remote/secrets.py"},
    "PyKCS11": {"signers/pkcs11/"},
    # transport signs nothing; the portal wants its client id encrypted
    "cryptography": {
        *(f"{room}/" for rank in (1, 2, 7) for room in RANKS[rank]),
        "transport/client_header.py",
    },
    "typer": {"cli/"},
    "rich": {f"{room}/" for room in RANKS[6]} | {f"{room}.py" for room in RANKS[6]},
    "starlette": {"sandbox/"},
    "uvicorn": {"sandbox/"},
    "python_multipart": {"sandbox/"},
    "pytest": {"sandbox/"},
}
EXTRAS = (
    "typer",
    "rich",
    "starlette",
    "uvicorn",
    "python_multipart",
    "pytest",
    "pkcs11",
    "PyKCS11",
    "imap_tools",
    "keyring",
    "pyhanko_certvalidator",
)

# Time, chance and waiting reach the core (ranks 0-4) through the Clock port.
CORE_RANK = 4
NOT_IN_CORE = {"asyncio", "threading", "time", "random", "secrets", "uuid"}
# Threads that a caller has must not be in a driver at once, and what is said to a helper process must not be
# guessed there: no port could see to either.
WORLDLY = {
    "signers/pkcs11/locks.py": {"threading"},
    "signers/pkcs11/isolated.py": {"secrets"},
    "signers/pkcs11/pin_memory.py": {"secrets"},
}
NOT_USED_IN_CORE = {
    "os.urandom",
    "os.getrandom",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
}

MODULE_LINES = 400
FUNCTION_LINES = 50


@dataclass(frozen=True)
class Import:
    """One imported name: its dotted origin, and what the name bound here means (`import a.b` binds a)."""

    origin: str
    alias: str
    meaning: str
    line: int
    in_function: bool


class Module:
    """One parsed source file."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path.relative_to(root).as_posix()
        self.room = self.path.split("/", maxsplit=1)[0].removesuffix(".py")
        self.rank = RANK_OF.get(self.room)
        self.text = path.read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)
        self.parent = [PACKAGE, *self.path.split("/")[:-1]]  # what one dot means here
        self.imports = list(self._imports(self.tree, in_function=False))

    @property
    def in_core(self) -> bool:
        return self.rank is not None and self.rank <= CORE_RANK

    def _imports(self, node: ast.AST, *, in_function: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for name in node.names:
                meaning = name.name if name.asname else name.name.split(".")[0]
                yield Import(name.name, name.asname or meaning, meaning, node.lineno, in_function)
        elif isinstance(node, ast.ImportFrom):
            base = self._base(node)
            for name in node.names:
                origin = f"{base}.{name.name}"
                yield Import(origin, name.asname or name.name, origin, node.lineno, in_function)
        elif isinstance(node, ast.Call) and (text := _dynamic_import(node)):
            yield Import(text, "", text, node.lineno, in_function)
        inner = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from self._imports(child, in_function=inner)

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        start = self.parent[: len(self.parent) - node.level + 1]
        return ".".join([*start, *([node.module] if node.module else [])])

    def used_names(self) -> Iterator[tuple[str, int]]:
        """Every dotted name in the text with its imports resolved: `datetime.datetime.now`."""
        aliases = {found.alias: found.meaning for found in self.imports}
        for found in self.imports:
            yield found.origin, found.line
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute):
                parts, value = [node.attr], node.value
                while isinstance(value, ast.Attribute):
                    parts, value = [value.attr, *parts], value.value
                if isinstance(value, ast.Name) and value.id in aliases:
                    yield ".".join([aliases[value.id], *parts]), node.lineno


def _dynamic_import(node: ast.Call) -> str | None:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    first = node.args[0] if node.args else None
    if (
        name in {"import_module", "__import__"}
        and isinstance(first, ast.Constant)
        and isinstance(first.value, str)
    ):
        return first.value
    return None


def modules_of(root: Path) -> list[Module]:
    return [Module(path, root) for path in sorted(root.rglob("*.py"))]


def wrong_arrows(modules: list[Module]) -> Iterator[str]:
    """Imports that go up, or into a sibling, or through a closed door."""
    for module in modules:
        if module.rank is None:
            yield f"{module.path}: room {module.room!r} has no rank; give it one in RANKS"
            continue
        for found in module.imports:
            top, *rest = found.origin.split(".")
            if top != PACKAGE:
                continue
            target = rest[0] if rest and rest[0] in RANK_OF else FRONT_DOOR
            if target != module.room and (why := _why_not(module.room, target, lazy=found.in_function)):
                yield f"{module.path}:{found.line}: {module.room} imports {found.origin}: {why}"


def _why_not(room: str, target: str, *, lazy: bool) -> str | None:
    if RANK_OF[target] == RANK_OF[room]:
        return None if target in SAME_RANK.get(room, ()) else "siblings do not import each other"
    if target in CLOSED.get(room, ()):
        return "this door is closed"
    if RANK_OF[target] < RANK_OF[room]:
        return None
    if target in LAZY.get(room, ()):
        return None if lazy else "only inside a function"
    return "no import goes up"


def wrong_outsiders(modules: list[Module]) -> Iterator[str]:
    """Outside packages where they have no business."""
    binding_modules: dict[str, set[str]] = {binding: set() for binding in BINDINGS}
    for module in modules:
        for found in module.imports:
            top = found.origin.split(".")[0]
            allowed = OUTSIDE.get(top)
            if allowed and not any(_stands_in(module.path, place) for place in allowed):
                yield f"{module.path}:{found.line}: only {', '.join(sorted(allowed))} may import {top}"
            elif top in binding_modules:
                binding_modules[top].add(module.path)
    for binding, paths in binding_modules.items():
        if len(paths) > 1:
            yield f"{binding} is imported by {len(paths)} modules, one may: {', '.join(sorted(paths))}"


def _stands_in(path: str, place: str) -> bool:
    return path.startswith(place) if place.endswith("/") else path == place


def wrong_world(modules: list[Module]) -> Iterator[str]:
    """Clocks, dice and threads in the core."""
    for module in modules:
        if not module.in_core:
            continue
        for found in module.imports:
            top = found.origin.split(".")[0]
            if top in NOT_IN_CORE - WORLDLY.get(module.path, set()):
                yield f"{module.path}:{found.line}: the core never imports {top}; ask the Clock port"
        for name, line in module.used_names():
            if name in NOT_USED_IN_CORE:
                yield f"{module.path}:{line}: the core never uses {name}; ask the Clock port"


def wrong_sizes(modules: list[Module]) -> Iterator[str]:
    """Modules and functions that do more than one job."""
    for module in modules:
        if (lines := len(module.text.splitlines())) > MODULE_LINES:
            yield f"{module.path}: {lines} lines; over {MODULE_LINES} it is two modules: split it by job"
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    yield f"{module.path}:{node.lineno}: {node.name} has {lines} lines, over {FUNCTION_LINES}"


RULES = (wrong_arrows, wrong_outsiders, wrong_world, wrong_sizes)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_its_walls(rule: Callable[[list[Module]], Iterator[str]]):
    modules = modules_of(SOURCE)
    assert modules, f"no source found in {SOURCE}"
    found = list(rule(modules))
    assert not found, "\n" + "\n".join(found)


def test_importing_the_package_imports_no_extra():
    # httpx itself loads rich for its own command line where it is installed: that is not ours to count.
    code = f"""
import sys
import attrs, cattrs, cryptography, email_validator, httpx, lxml, phonenumbers, rapidfuzz, signxml, stdnum
before = set(sys.modules)
import {PACKAGE}
for name in getattr({PACKAGE}, "__all__", ()):
    getattr({PACKAGE}, name)
print(*sorted(set({EXTRAS!r}) & (sys.modules.keys() - before)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


# The checker itself, on small trees.


def findings_in(root: Path, files: dict[str, str]) -> list[str]:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    modules = modules_of(root)
    return [finding for rule in RULES for finding in rule(modules)]


VIOLATIONS = {
    "up": ("models/agency.py", "from bhxh_sdk.rules import check", "no import goes up"),
    "up inside a function": ("xml/a.py", "def f():\n    import bhxh_sdk.workflow.state", "no import goes up"),
    "up in an async method": (
        "xml/a.py",
        "class A:\n    async def f(self):\n        from bhxh_sdk.transport import http",
        "no import goes up",
    ),
    "up for types only": (
        "errors.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from bhxh_sdk.models import Agency",
        "no import goes up",
    ),
    "up by a room's name": ("rules/a.py", "from bhxh_sdk import transport", "no import goes up"),
    "up by dots": ("models/a.py", "from ..rules import check", "no import goes up"),
    "up by dots alone": ("models/a.py", "from .. import rules", "no import goes up"),
    "up by text": (
        "models/a.py",
        "import importlib\nimportlib.import_module('bhxh_sdk.rules')",
        "no import goes up",
    ),
    "the front door from within": ("workflow/a.py", "from bhxh_sdk import Registration", "no import goes up"),
    "the whole house from within": ("workflow/a.py", "import bhxh_sdk", "no import goes up"),
    "the front door to a face": ("__init__.py", "from bhxh_sdk.cli import main", "no import goes up"),
    "siblings of rank 2": ("xml/a.py", "from bhxh_sdk.signers import Signer", "siblings"),
    "siblings the other way": ("signers/a.py", "from bhxh_sdk.xml import writer", "siblings"),
    "rules reading xml": ("rules/a.py", "from bhxh_sdk.xml import reader", "siblings"),
    "the wrong order on the ground floor": ("findings.py", "from bhxh_sdk import errors", "siblings"),
    "certificates read by another library": ("xml/a.py", "import asn1crypto.x509", "may import asn1crypto"),
    "trust knowing lists": ("trust/a.py", "from bhxh_sdk.catalogue import lists", "siblings"),
    "models reading lists": ("models/a.py", "from bhxh_sdk.catalogue import lists", "siblings"),
    "a driver that knows its client": ("blocking.py", "from bhxh_sdk.client import Client", "siblings"),
    "transport knowing xml": ("transport/portal.py", "from bhxh_sdk.xml import writer", "closed"),
    "transport knowing signers": ("transport/portal.py", "from bhxh_sdk.signers import Signer", "closed"),
    "transport knowing rules": ("transport/portal.py", "from bhxh_sdk.rules import check", "closed"),
    "an eager sandbox": ("cli/demo.py", "from bhxh_sdk.sandbox import serve", "only inside a function"),
    "a room without a rank": ("utils.py", "", "has no rank"),
    "httpx elsewhere": ("transport/portal.py", "import httpx", "may import httpx"),
    "httpcore elsewhere": ("client.py", "import httpcore", "may import httpcore"),
    "lxml elsewhere": ("signers/a.py", "from lxml import etree", "may import lxml"),
    "signxml elsewhere": ("workflow/a.py", "import signxml.verifier", "may import signxml"),
    "sqlite3 elsewhere": ("workflow/state.py", "import sqlite3", "may import sqlite3"),
    "a binding elsewhere": ("signers/uri.py", "import pkcs11", "may import pkcs11"),
    "a lazy binding elsewhere": ("doctor.py", "def f():\n    import PyKCS11", "may import PyKCS11"),
    "cryptography too high": (
        "transport/http.py",
        "from cryptography import x509",
        "may import cryptography",
    ),
    "an extra in the core": ("workflow/a.py", "import rich.table", "may import rich"),
    "asyncio in the core": ("workflow/a.py", "import asyncio", "never imports asyncio"),
    "threading in the core": ("signers/a.py", "from threading import Lock", "never imports threading"),
    "more than a lock in the locks": ("signers/pkcs11/locks.py", "import time", "never imports time"),
    "time in the core": ("transport/a.py", "from time import monotonic", "never imports time"),
    "random in the core": ("rules/a.py", "def f():\n    import random", "never imports random"),
    "secrets in the core": ("secret.py", "import secrets", "never imports secrets"),
    "uuid in the core": ("ports.py", "import uuid", "never imports uuid"),
    "now": (
        "models/a.py",
        "from datetime import UTC, datetime\ndatetime.now(UTC)",
        "never uses datetime.datetime.now",
    ),
    "now, long": (
        "models/a.py",
        "import datetime\ndatetime.datetime.now()",
        "never uses datetime.datetime.now",
    ),
    "now, not called": (
        "models/a.py",
        "import datetime as dt\nf = dt.datetime.utcnow",
        "never uses datetime.datetime.utcnow",
    ),
    "today": (
        "models/a.py",
        "from datetime import date as day\nday.today()",
        "never uses datetime.date.today",
    ),
    "urandom": ("models/a.py", "import os\nos.urandom(8)", "never uses os.urandom"),
    "urandom by name": ("models/a.py", "from os import urandom", "never uses os.urandom"),
    "a long module": ("models/a.py", "x = 1\n" * 401, "401 lines"),
    "a long function": ("models/a.py", "def f():\n" + "    x = 1\n" * 50, "f has 51 lines"),
    "a long method": (
        "models/a.py",
        "class A:\n    async def g(self):\n" + "        x = 1\n" * 50,
        "g has 51 lines",
    ),
}


@pytest.mark.parametrize(("path", "text", "complaint"), VIOLATIONS.values(), ids=VIOLATIONS)
def test_a_broken_wall_is_found(tmp_path: Path, path: str, text: str, complaint: str):
    found = findings_in(tmp_path, {path: text})
    assert len(found) == 1, found
    assert complaint in found[0]
    assert found[0].startswith(path)


def test_one_binding_in_two_modules_is_found(tmp_path: Path):
    found = findings_in(
        tmp_path, {"signers/pkcs11/a.py": "import pkcs11", "signers/pkcs11/b.py": "import pkcs11"}
    )
    assert found == ["pkcs11 is imported by 2 modules, one may: signers/pkcs11/a.py, signers/pkcs11/b.py"]


def test_an_upright_house_passes(tmp_path: Path):
    files = {
        "__init__.py": "from bhxh_sdk import catalogue\nfrom bhxh_sdk.client import Client",
        "secret.py": "import hmac",
        "messages/__init__.py": "import gettext",
        "findings.py": "from bhxh_sdk import messages",
        "errors.py": "from bhxh_sdk.findings import Report\nfrom bhxh_sdk.secret import Secret",
        "ports.py": "from bhxh_sdk.errors import BhxhError",
        "models/agency.py": "from datetime import UTC, datetime, time\nimport os\nos.fspath('a')\ntime(1)",
        "catalogue/lists.py": "from bhxh_sdk.models.agency import Agency",
        "rules/check.py": "def f(clock):\n    return clock.now()",
        "trust/engine.py": "from bhxh_sdk.models import a\n\ndef f():\n    import pyhanko_certvalidator",
        "xml/writer.py": "from lxml import etree\nfrom . import reader\nfrom ..models import agency",
        "xml/reader.py": "import signxml",
        "signers/soft_key.py": "from cryptography import x509",
        "signers/pkcs11/pykcs11.py": "def f():\n    import PyKCS11",
        "signers/pkcs11/python_pkcs11.py": "import pkcs11",
        "signers/pkcs11/locks.py": "from threading import Lock",
        "transport/http.py": "import httpx",
        "workflow/journal.py": "import sqlite3\nfrom bhxh_sdk import xml, signers, transport, rules",
        "blocking.py": "",
        "system.py": "import time, asyncio, uuid",
        "client.py": "from bhxh_sdk.blocking import run\nfrom bhxh_sdk.system import SystemClock",
        "doctor.py": "from bhxh_sdk.signers import uri",
        "cli/__init__.py": (
            "import typer\nfrom bhxh_sdk import doctor\n\ndef demo():\n    from bhxh_sdk.sandbox import serve"
        ),
        "__main__.py": "from bhxh_sdk.cli import main",
        "sandbox/serve.py": "import uvicorn\nimport bhxh_sdk\nfrom bhxh_sdk.client import Client",
    }
    assert findings_in(tmp_path, files) == []
