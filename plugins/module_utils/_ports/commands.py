# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a command of the host."""

from __future__ import annotations

import fcntl
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Callable, Protocol

# Postfix's commands are in sbin directories, which are not on the PATH of every login.
SEARCH_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:/usr/pkg/sbin:/opt/local/sbin"
ENVIRONMENT = {"LC_ALL": "C", "LANG": "C"}
PIECE_BYTES = 1 << 20
# So often it is looked whether a command has ended with its output still open; once more what it wrote is read.
SECONDS_OF_PATIENCE = 0.5

# Is given the next bytes of a command's standard output.
Take = Callable[[bytes], None]


@dataclass(frozen=True)
class Result:
    """Exit status and output; the text holds undecodable bytes as surrogates."""

    rc: int
    out: str
    err: str


class Commands(Protocol):
    """The port: how the engine has commands run."""

    def run(self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None) -> Result:
        """Runs `argv[0]`, searched on SEARCH_PATH, with `data` on standard input.

        Raises FileNotFoundError if there is no such command, and TimeoutError, the command killed, if it prints
        nothing for `silence` seconds.
        """

    def stream(self, argv: Sequence[str], take: Take, seconds: float | None = None) -> Result:
        """Like run, but hands standard output over in pieces while the command runs; the result has none of it.

        A command that has not ended after `seconds`, if they are given, is killed, of which its exit status tells.
        """


class LocalCommands:
    """Commands run by subprocess.

    AnsibleModule.run_command waits a whole second for a command that ends between its two looks at it, which befalls
    one role run in five, and takes time that grows with the square of a long output.
    """

    def run(self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None) -> Result:
        with _fed(data or b"") as given, _started(argv, stdin=given) as process:
            given.close()
            ended = False
            heard, since = 0, time.monotonic()
            while True:
                out: bytes | None
                err: bytes | None
                try:
                    out, err = process.communicate(timeout=SECONDS_OF_PATIENCE)
                except subprocess.TimeoutExpired as so_far:
                    out, err = so_far.output, so_far.stderr
                    if not ended:
                        ended = process.poll() is not None
                        now, printed = time.monotonic(), len(out or b"") + len(err or b"")
                        if printed > heard:
                            heard, since = printed, now
                        if not ended and silence is not None and now - since > silence:
                            process.kill()
                            raise TimeoutError(f"{argv[0]} printed nothing for {silence:g} s") from None
                        continue
                    # What it left in the background, as `postfix reload` leaves postsuper, holds its output open.
                return Result(process.returncode, _decoded(out), _decoded(err))

    def stream(self, argv: Sequence[str], take: Take, seconds: float | None = None) -> Result:
        with _started(argv, stdin=subprocess.DEVNULL) as process, _killed_after(seconds, process):
            said: list[bytes] = []
            # A command that warns a lot would otherwise wait for ever with standard output still open.
            listener = threading.Thread(target=lambda: said.append(_pipe(process.stderr).read()))
            listener.start()
            _widen(process.stdout)
            for piece in iter(lambda: _pipe(process.stdout).read(PIECE_BYTES), b""):
                take(piece)
            listener.join()
        return Result(process.returncode, "", _decoded(said[0]))


def _fed(data: bytes) -> IO[bytes]:
    """The end of a pipe at which a command reads the data.

    What a pipe of Popen's own does not take at once, communicate() forgets when it is called again after a timeout.
    """
    reading, writing = os.pipe()

    def feed() -> None:
        # A command that has read enough closes its end.
        with suppress(BrokenPipeError), open(writing, "wb", buffering=0) as end:
            left = memoryview(data)
            while left:
                left = left[end.write(left) :]

    threading.Thread(target=feed, daemon=True).start()
    return open(reading, "rb", buffering=0)


def _started(argv: Sequence[str], stdin: int | IO[bytes]) -> subprocess.Popen[bytes]:
    environment = dict(os.environ, PATH=SEARCH_PATH, **ENVIRONMENT)
    return subprocess.Popen(list(argv), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)


@contextmanager
def _killed_after(seconds: float | None, process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kills the process if the block takes longer."""
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _decoded(output: bytes | None) -> str:
    return (output or b"").decode("utf-8", "surrogateescape")


def _widen(stream_: IO[bytes] | None) -> None:
    """Lets the command write the next piece while one is looked at. Where the kernel can't, the two take turns."""
    resize = getattr(fcntl, "F_SETPIPE_SZ", None)
    if resize is not None:
        with suppress(OSError):
            fcntl.fcntl(_pipe(stream_), resize, PIECE_BYTES)


def _pipe(stream_: IO[bytes] | None) -> IO[bytes]:
    if stream_ is None:
        raise ValueError("the command was not started with a pipe")
    return stream_
