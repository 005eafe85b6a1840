"""Java's own `javax.xml.crypto.dsig`, by `DsigPeer.java`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Self

from benchmarks.peers import answers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from benchmarks.peers import Answer, SigningKey

__all__ = ["Java", "JavaBench"]

_SOURCE = Path(__file__).with_name("DsigPeer.java")
_QUICK_START = "-XX:TieredStopAtLevel=1"  # half the time for folders; what is measured is compiled fully
_ONE_LINE = "-Dcom.sun.org.apache.xml.internal.security.ignoreLineBreaks=true"


class Java:
    """Compile the program into a folder, and run it.

    Args:
        folder: where the compiled classes go.
        heap: the most memory for Java's objects, such as `512m`.

    """

    def __init__(self, folder: Path, heap: str = "512m") -> None:
        if not (folder / "DsigPeer.class").exists():
            subprocess.run(["javac", "-Xlint:all", "-d", folder, _SOURCE], check=True)  # noqa: S607  # wherever the system keeps it
        self._start = ["java", f"-Xmx{heap}", "-XX:+UseSerialGC", "-Xshare:auto", "-cp", str(folder)]

    def verify(self, folder: Path, *, secure: bool, at: str | None = None) -> Mapping[str, Answer]:
        """Verify every file of a folder, with Java's secure validation or without it.

        Args:
            folder: the files, nothing else.
            secure: whether DTDs, weak algorithms, short keys and more than one id of a name are refused.
            at: where the signature stands; None for every signature of a file.

        """
        mode = "--secure" if secure else "--plain"
        return answers(self._run("verify", mode, folder, *([at] if at else [])))

    def sign(
        self, key: SigningKey, folder: Path, into: Path, at: Sequence[str], moment: str, *, one_line: bool
    ) -> None:
        """Sign every file of a folder.

        Args:
            key: who signs.
            folder: the files, nothing else.
            into: the folder for the signed files.
            at: paths; the first that a document has takes the signature.
            moment: the signing time, `yyyy-MM-ddTHH:mm:ssZ`.
            one_line: whether base64 stands on one line; Java's own way is lines that end with `&#13;`.

        """
        options = [_ONE_LINE] if one_line else []
        self._run("sign", key.pkcs12, key.password, folder, into, ",".join(at), moment, options=options)

    def bench_verify(self, file: Path) -> JavaBench:
        """Measure verifying: reading from bytes and validating, secure."""
        return JavaBench([*self._start, "DsigPeer", "bench", "verify", str(file)])

    def bench_sign(self, key: SigningKey, file: Path, at: str, moment: str) -> JavaBench:
        """Measure signing: reading from bytes, signing, writing to bytes."""
        words = ["sign", str(key.pkcs12), key.password, str(file), at, moment]
        return JavaBench([*self._start, _ONE_LINE, "DsigPeer", "bench", *words])

    def _run(self, *words: str | Path, options: Sequence[str] = ()) -> str:
        command = [*self._start, _QUICK_START, *options, "DsigPeer", *words]
        return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


class JavaBench:
    """Measure inside one warm Java process: `with java.bench_verify(file) as bench: bench.median(100)`."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command

    def __enter__(self) -> Self:
        """Start Java."""
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="ascii"
        )
        return self

    def median(self, runs: int) -> float:
        """Run so many times and return the median in milliseconds; call it first to warm Java up."""
        print(runs, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    @property
    def pid(self) -> int:
        """The number of Java's process."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether nothing of Java is left running."""
        return self._process.poll() is not None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End Java, whatever it is at."""
        self._process.kill()
        self._process.communicate()
