"""The token simulator, steered: SoftHSM2 that behaves like a USB token, one driver file for each test.

    simulator.set(pin_style="opencryptoki", slow_sign_ms=300, fail={"C_Login": 0xA4})
    simulator.pull_out()
    assert [call.result for call in simulator.calls("C_Login")] == [0xA4]

Settings hold from the next call of the driver on, in every process, whether it is already loaded or not.
Nothing has to stand in the environment.
"""

from __future__ import annotations

import fcntl
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokens.processes import need, run_tool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tokens.softhsm import SoftHsm

__all__ = ["Call", "Simulator", "build_simulator"]

_HERE = Path(__file__).parent
_FLAGS = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden", "-Wl,-Bsymbolic"]
_EVERY = "*"
_GROUPS = ("fail", "crash", "hang", "lie")
_STYLES = {
    "immediate": {"pin_flags": "plain", "last_wrong": 0xA4},
    "opencryptoki": {"pin_flags": "exclusive", "last_wrong": 0xA0},
    "no_flags": {"pin_flags": "none", "last_wrong": 0xA0},
}


def build_simulator(into: Path) -> Path:
    """Compile the driver.

    Raises:
        MissingError: there is no compiler.

    """
    need("cc")
    library = into / "libtoken-simulator.so"
    flags = [
        "-shared",
        "-fPIC",
        "-O1",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fvisibility=hidden",
        "-Wl,-Bsymbolic",
    ]
    run_tool(["cc", *flags, "-o", str(library), str(_HERE / "simulator.c"), "-ldl", "-lpthread"])
    return library


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of the driver.

    Args:
        name: the function, or `load`.
        arguments: those that matter, such as `{"session": "1", "user": "1", "pin": "given"}`; never a PIN.
        result: the CKR; None where it crashed, or began to hang.
        ended: `0x0` and the like, `abort`, `segv`, `exit`, or `hang`.
        process: the process's id.
        overlaps: whether another thread was inside the driver.

    """

    name: str
    arguments: Mapping[str, str]
    result: int | None
    ended: str
    process: int
    overlaps: bool

    @classmethod
    def from_line(cls, line: str) -> Call:
        """Read one line of the log."""
        name, arguments, ended, process, overlaps = line.split("\t")
        return cls(
            name=name,
            arguments=dict(word.split("=", 1) for word in arguments.split()),
            result=int(ended, 16) if ended.startswith("0x") else None,
            ended=ended,
            process=int(process),
            overlaps=overlaps == "1",
        )


class Simulator:
    """One driver file with its own SoftHSM2 behind it, its own steering, PIN counters and call log.

    Args:
        library: what `build_simulator` made; it is copied, so that each simulator is another driver.
        world: the tokens; copied too, unless `shares` says otherwise.
        folder: an empty folder.
        shares: whether it shows the very tokens of `world`, so that two drivers show the same token.

    """

    def __init__(self, library: Path, world: SoftHsm, folder: Path, *, shares: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.world = world if shares else world.copy(folder / "softhsm")
        backend = shutil.copy(world.module, folder / "backend.so")
        self.module = str(shutil.copy(library, folder / library.name))
        self.control = Path(f"{self.module}.control")
        self._fixed = {"backend": backend, "configuration": str(self.world.configuration)}
        self._out: dict[str, bool] = {}
        self._insertions: dict[str, int] = {}
        self._epoch = 0
        self.reset()

    def reset(self) -> None:
        """Forget all settings: a token in its slot, three tries, everything allowed."""
        self._settings: dict[str, Any] = {"pin_style": "immediate", "tries": 3}
        self._write()

    def set(self, **settings: Any) -> None:
        """Change settings; those that are not named stay. None takes one back.

        Args:
            **settings: any of

                - pin_style: `immediate` (the last wrong try answers CKR_PIN_LOCKED), `opencryptoki` (it
                  answers CKR_PIN_INCORRECT while the flag says LOCKED; FINAL_TRY comes without COUNT_LOW),
                  `no_flags` (as openCryptoki, but with no flag ever).
                - pin_flags, last_wrong: the parts of a style: `plain`, `exclusive`, `none`; a CKR.
                - tries: how many a fresh token has; 0 for any number.
                - pin_shortest, pin_longest: allowed lengths; others answer CKR_PIN_LEN_RANGE and cost a try.
                - pin_pad: the PIN that the person types on the device, for C_Login without a PIN.
                - always_authenticate: every private key wants the PIN for each signature.
                - slow_sign_ms: how long C_Sign with an output takes.
                - sessions: most sessions of a token in a process.
                - mechanisms: the only ones, such as `[0x1]`.
                - hidden: attribute types that cannot be read, such as `[0x120]` for the modulus.
                - flags_set, flags_cleared: bits of the token's flags.
                - stale: what a session answers that was opened before the token was pulled out; else 0xB3.
                - wrong_signature: signatures do not fit the key.
                - fail: `{"C_Login": 0x30}`; `{"C_Sign": (0xB3, 2)}` after two good calls, counted in each
                  process from this `set` on; `{"C_Sign": (0xB3, 2, 1)}` only once then. The call does
                  nothing else.
                - crash: `{"C_Sign": "segv"}`, `abort` or `exit`; also `load`; counted as in `fail`.
                - hang: `{"C_Sign": 5}`, seconds before it goes on as ever; also `load`; counted as in `fail`.
                - lie: `{"C_Sign": 2**62}`, the length that it tells in place of the true one; for C_Sign,
                  C_GetAttributeValue (the first attribute), C_FindObjects, and the lists of slots and
                  mechanisms; counted as in `fail`.

        """
        self._settings |= settings
        self._write()

    def pull_out(self, label: str = _EVERY) -> None:
        """Pull a token out, or all: its sessions and its login are gone, also after it is back."""
        self._out[label] = True
        self._insertions[label] = self._insertions.get(label, 0) + 1
        self._write()

    def insert(self, label: str = _EVERY) -> None:
        """Put a token, or all, back."""
        self._out.pop(label, None)
        self._write()

    def calls(self, *names: str) -> list[Call]:
        """Return the calls so far in their order, or only those of some functions."""
        log = Path(f"{self.control}.log")
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return [call for call in map(Call.from_line, lines) if not names or call.name in names]

    def forget_calls(self) -> None:
        """Begin a new call log."""
        Path(f"{self.control}.log").unlink(missing_ok=True)

    @property
    def overlaps(self) -> list[Call]:
        """The calls that came while another thread was inside the driver."""
        return [call for call in self.calls() if call.overlaps]

    def tries_left(self, label: str) -> int:
        """How many tries a token's PIN has left."""
        with self._pins() as pins:
            return pins.get(label, self._settings["tries"])

    def set_tries_left(self, label: str, tries: int) -> None:
        """Let a token's PIN have so many tries left."""
        with self._pins() as pins:
            pins[label] = tries

    @contextmanager
    def _pins(self) -> Iterator[dict[str, int]]:
        """Give the counters by label, and write them back."""
        with Path(f"{self.control}.pins").open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            pairs = (line.rstrip("\n").split(" ", 1) for line in file)
            pins = {label: int(tries) for tries, label in pairs}
            yield pins
            file.truncate(0)
            file.writelines(f"{tries} {label}\n" for label, tries in pins.items())

    def _write(self) -> None:
        self._epoch += 1
        lines = {**self._fixed, "epoch": self._epoch, **dict(_lines(self._settings))}
        lines |= {f"out.{label}": 1 for label in self._out}
        lines |= {f"insertions.{label}": count for label, count in self._insertions.items()}
        text = "".join(f"{name}={value}\n" for name, value in lines.items())
        fresh = self.control.with_suffix(".fresh")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.control)


def _lines(settings: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for name, value in settings.items():
        if value is None:
            continue
        if name == "pin_style":
            yield from _STYLES[value].items()
        elif name in _GROUPS:
            for function, what in value.items():
                yield f"{name}.{function}", _turns(name, what)
        elif isinstance(value, list | tuple):
            yield name, ",".join(map(hex, value))
        else:
            yield name, int(value) if isinstance(value, bool) else value


def _turns(group: str, what: Any) -> str:
    first, *turns = what if isinstance(what, tuple) else (what,)
    if group == "hang":
        first = round(first * 1000)
    return ",".join(map(str, (first, *turns)))
