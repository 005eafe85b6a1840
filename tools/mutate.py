"""Mutation testing of the signature modules: change the code in a small way, and see that a test notices.

`python tools/mutate.py` runs the tests of signatures once, measured, and then forks a child for each mutant,
which runs the tests that reach the changed lines, the quickest first. The child of a mutant inside a function
exchanges the code of that function; that of a mutant among a module's own statements runs the module anew and
exchanges what came out; a mutant in a class body or a decorator needs an interpreter of its own. One that
no test notices is printed with what it changes; one JSON line for each mutant goes to `--out`.

The known tools skip decorated functions and the module's own statements, where the bounds and shapes stand.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import importlib.abc
import importlib.util
import inspect
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any

import coverage
import pytest
from mutants import PACKAGE, ROOT, Mutant, all_mutants, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MODULES = [
    *(
        "canonical_bytes",
        "countersigned",
        "forms",
        "keys",
        "limits",
        "places",
        "prepared",
        "quick_reading",
        "signature",
    ),
    *(
        "signature_parts",
        "signature_profile",
        "signature_shape",
        "signer_trust",
        "verification",
        "writer",
        "writing",
    ),
]
PYTEST = [
    "-qs",
    "--tb=no",
    "--timeout=0",
    *(f"-pno:{name}" for name in ("randomly", "cacheprovider", "xdist")),
]
TESTS = ["tests/xml", "--ignore=tests/xml/test_messages.py", "tests/attacks/test_attacks.py"]
NAMED_OTHERWISE = {
    "quick_reading": "roads",
    "signature_parts": "verification",
    "signature_shape": "signature",
}
MEMORY = 4 << 30
LINES = 400


def _function(module: str, qualified: str) -> Any:  # noqa: ANN401  # functions, whatever they are wrapped in
    """Return the plain function of that name, out of properties, class methods and caches."""
    found: Any = importlib.import_module(PACKAGE + module)
    for name in qualified.split("."):
        found = inspect.getattr_static(found, name)
    found = getattr(found, "fget", None) or getattr(found, "__func__", found)
    return inspect.unwrap(found)


def _codes(code: Any) -> dict[str, Any]:  # noqa: ANN401  # code objects
    inner = [one for one in code.co_consts if inspect.iscode(one)]
    return {name: found for one in inner for name, found in {**_codes(one), one.co_qualname: one}.items()}


def exchange(mutant: Mutant, tree: ast.Module) -> None:
    """Make this process run the mutant."""
    code = compile(tree, str(path_of(mutant.module)), "exec")
    if mutant.function:
        _function(mutant.module, mutant.function).__code__ = _codes(code)[mutant.function]
    else:
        _exchange_module(mutant.module, code)
    forget([mutant.module])


def _exchange_module(module: str, code: Any) -> None:  # noqa: ANN401  # a code object
    old = sys.modules[PACKAGE + module]
    new = {"__name__": old.__name__, "__file__": old.__file__, "__package__": old.__package__}
    exec(code, new)  # noqa: S102  # our own source, changed by us
    for name, value in list(vars(old).items()):
        if name.startswith("__") or name not in new or isinstance(value, type):
            continue
        if inspect.isfunction(value) and value.__module__ == old.__name__:
            value.__code__, value.__defaults__ = new[name].__code__, new[name].__defaults__
            value.__kwdefaults__ = new[name].__kwdefaults__
            continue
        for other in list(sys.modules.values()):
            if getattr(other, "__dict__", {}).get(name) is value:
                setattr(other, name, new[name])


def forget(modules: Iterable[str]) -> None:
    """Empty the caches of modules, which hold what the unchanged code gave."""
    for module in modules:
        for name, value in list(vars(sys.modules[PACKAGE + module]).items()):
            if hasattr(value, "cache_clear"):
                value.cache_clear()
            elif name == "_keys":  # a cache that is a plain dictionary
                value.clear()


class Quick:
    """Let hypothesis try few examples, and not look for the smallest that fails."""

    @staticmethod
    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests() -> None:
        """Prepare the settings that the tests' conftest loads, after pytest took hold of imports."""
        from hypothesis import Phase, settings  # noqa: PLC0415  # see above

        phases = [Phase.explicit, Phase.generate]
        settings.register_profile(
            "mutants", deadline=None, max_examples=10, derandomize=True, database=None, phases=phases
        )
        os.environ["HYPOTHESIS_PROFILE"] = "mutants"


def _is_near(item: pytest.Item, module: str) -> bool:
    """Tell whether a test is one of those that are written for a module."""
    own = (f"test_{module}.py", f"test_{NAMED_OTHERWISE.get(module)}.py", "test_mutants")
    return any(name in item.nodeid for name in own)


class Runner(Quick):
    """Run, as a plugin of pytest, the tests once for each mutant."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.failed = False
        self.survivors: set[tuple[str, int, str]] | None = None
        self.seconds: dict[str, float] = {}
        self.reach: dict[tuple[str, int], set[str]] = defaultdict(set)
        self.children: dict[int, tuple[Mutant, float]] = {}
        self.results: list[dict[str, Any]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notice a failure."""
        self.failed |= report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Measure, then mutate."""
        self._measure(session)
        for module in self.options.modules:
            for mutant, tree in all_mutants(module):
                if self._is_chosen(mutant):
                    self._start(session, mutant, tree)
        while self.children:
            self._collect()
        return True

    def _is_chosen(self, mutant: Mutant) -> bool:
        if self.options.again and self.survivors is None:
            lines = self.options.again.read_text(encoding="utf-8").splitlines()
            left = [one for one in map(json.loads, lines) if one["outcome"] == "survived"]
            self.survivors = {(one["module"], one["number"], one["change"]) for one in left}
        only = self.options.only is None or mutant.number in self.options.only
        key = (mutant.module, mutant.number, mutant.change)
        return only and (self.survivors is None or key in self.survivors)

    def _measure(self, session: pytest.Session) -> None:
        paths = {str(path_of(module)): module for module in self.options.modules}
        measured = coverage.Coverage(data_file=None, include=list(paths), config_file=False)
        measured.start()
        for item in session.items:
            forget(self.options.modules)
            measured.switch_context(item.nodeid)
            before = time.monotonic()
            self._run(session, item, session)
            self.seconds[item.nodeid] = time.monotonic() - before
            if self.failed:
                pytest.exit(f"{item.nodeid} fails without a mutant", 2)
        measured.stop()
        for path, module in paths.items():
            for line, tests in measured.get_data().contexts_by_lineno(path).items():
                self.reach[module, line] |= set(tests) - {""}

    @staticmethod
    def _run(session: pytest.Session, item: pytest.Item, following: pytest.Session | pytest.Item) -> None:
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)

    def _start(self, session: pytest.Session, mutant: Mutant, tree: ast.Module) -> None:
        while len(self.children) >= self.options.workers:
            self._collect()
        items = self._tests(session, mutant)
        child = os.fork()
        if child:
            self.children[child] = mutant, time.monotonic()
            return
        code = 1
        with contextlib.suppress(BaseException):
            code = self._judge(session, mutant, tree, items)
        os._exit(code)

    def _tests(self, session: pytest.Session, mutant: Mutant) -> list[pytest.Item]:
        """Return the tests that reach a mutant, the quickest first, until they would take too long."""
        everywhere = mutant.alone or not mutant.function
        lines = range(LINES) if everywhere else range(mutant.first, mutant.last + 1)
        names = set().union(*(self.reach.get((mutant.module, line), ()) for line in lines))
        spent, items = 0.0, []
        order = {
            item: (not _is_near(item, mutant.module), self.seconds[item.nodeid]) for item in session.items
        }
        for item in sorted(session.items, key=lambda item: order[item]):
            wanted = item.nodeid in names or (everywhere and not order[item][0])
            spent += self.seconds[item.nodeid] if wanted else 0
            if wanted and spent < self.options.budget:
                items.append(item)
        return items

    def _judge(
        self, session: pytest.Session, mutant: Mutant, tree: ast.Module, items: list[pytest.Item]
    ) -> int:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        silent = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(silent, stream)
        if mutant.alone or self.options.alone:
            return self._judge_alone(mutant, items)
        exchange(mutant, tree)
        self.failed = False
        for item in items:
            signal.setitimer(signal.ITIMER_REAL, 5 + 20 * self.seconds[item.nodeid])
            self._run(session, item, session)
            if self.failed:
                return 1
        return 0

    def _judge_alone(self, mutant: Mutant, items: Sequence[pytest.Item]) -> int:
        own = [sys.executable, __file__, "--alone-here", mutant.module, str(mutant.number)]
        names = dict.fromkeys(item.nodeid.partition("[")[0] for item in items)
        made = subprocess.run([*own, *names], check=False, timeout=300)  # noqa: S603  # this very file
        return min(1, abs(made.returncode))

    def _collect(self) -> None:
        child, status = os.wait()
        mutant, since = self.children.pop(child)
        code = os.waitstatus_to_exitcode(status)
        outcome = "survived" if code == 0 else "killed" if code == 1 else "stopped"
        found = {**mutant._asdict(), "outcome": outcome, "seconds": round(time.monotonic() - since, 2)}
        self.results.append(found)
        with self.options.out.open("a", encoding="utf-8") as file:
            print(json.dumps(found, ensure_ascii=False), file=file)
        if outcome == "survived":
            print(f"{mutant.module}:{mutant.first} #{mutant.number} {mutant.change}", flush=True)


class _Loader(SourceFileLoader):
    """Load a module as its mutant."""

    tree: ast.Module

    def get_code(self, fullname: str) -> Any:  # noqa: ANN401  # as importlib has it
        return compile(self.tree, self.get_filename(fullname), "exec")


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, module: str, number: int) -> None:
        self.name = PACKAGE + module
        self.loader = _Loader(self.name, str(path_of(module)))
        for mutant, tree in all_mutants(module):
            if mutant.number == number:
                self.loader.tree = ast.parse(ast.unparse(tree))

    def find_spec(self, fullname: str, *_: object) -> Any:  # noqa: ANN401  # as importlib has it
        return importlib.util.spec_from_loader(fullname, self.loader) if fullname == self.name else None


def summary(results: list[dict[str, Any]]) -> str:
    """Return a table of the outcomes, module by module."""
    counted = Counter((one["module"], one["outcome"] == "survived") for one in results)
    names = dict.fromkeys(one["module"] for one in results)
    rows = [(name, counted[name, False], counted[name, True]) for name in names]
    rows.append(("all", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    return "\n".join(
        f"| {name} | {killed + left} | {killed} | {left} | {killed / max(1, killed + left):.1%} |"
        for name, killed, left in rows
    )


def main(arguments: Sequence[str]) -> int:
    """Mutate what the command line names."""
    os.chdir(ROOT)
    if arguments[:1] == ["--alone-here"]:
        sys.meta_path.insert(0, _Finder(arguments[1], int(arguments[2])))
        importlib.import_module(PACKAGE + arguments[1])  # before pytest looks for assertions in it
        known = "-Wignore::pytest.PytestAssertRewriteWarning"
        return int(pytest.main([*PYTEST, known, "-x", *arguments[3:]], plugins=[Quick()]))
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("modules", nargs="*", default=MODULES)
    parser.add_argument("--only", type=int, nargs="+", help="numbers of mutants")
    parser.add_argument("--again", type=Path, help="an earlier --out: only what survived then")
    parser.add_argument("--alone", action="store_true", help="a new interpreter for each mutant")
    parser.add_argument("--budget", type=float, default=10.0, help="seconds of tests for each mutant")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "mutants.jsonl")
    options = parser.parse_args(arguments)
    options.out.parent.mkdir(exist_ok=True)
    runner = Runner(options)
    status = pytest.main([*PYTEST, *TESTS], plugins=[runner])
    print(summary(runner.results))
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
