# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a command of the host."""

from __future__ import annotations

import os
import subprocess
import threading
from dataclasses import dataclass
from typing import IO, Callable, Protocol, Sequence

# Postfix's commands are in sbin directories, which are not on the PATH of every login.
SEARCH_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:/usr/pkg/sbin:/opt/local/sbin"
ENVIRONMENT = {"LC_ALL": "C", "LANG": "C"}
PIECE_BYTES = 1 << 20

# Is given the next bytes of a command's standard output.
Take = Callable[[bytes], None]


@dataclass(frozen=True)
class Result:
    """Exit status and output; the text holds undecodable bytes as surrogates."""

    rc: int
    out: str
    err: str


class Commands(Protocol):
    """The port: the Ansible layer has one over `AnsibleModule.run_command`."""

    def run(self, argv: Sequence[str], data: bytes | None = None) -> Result:
        """Runs `argv[0]`, searched on SEARCH_PATH, with `data` on standard input.

        Raises FileNotFoundError where there is no such command.
        """

    def stream(self, argv: Sequence[str], take: Take) -> Result:
        """Like run, but hands standard output over in pieces while the command runs; the result has none of it.

        AnsibleModule.run_command takes time that grows with the square of a long output.
        """


class LocalCommands:
    """Commands run by subprocess; what the engine's own tests use."""

    def run(self, argv: Sequence[str], data: bytes | None = None) -> Result:
        done = subprocess.run(
            list(argv),
            input=data if data is not None else b"",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(os.environ, PATH=SEARCH_PATH, **ENVIRONMENT),
            check=False,
        )
        return Result(
            done.returncode,
            done.stdout.decode("utf-8", "surrogateescape"),
            done.stderr.decode("utf-8", "surrogateescape"),
        )

    def stream(self, argv: Sequence[str], take: Take) -> Result:
        return stream(argv, take)


def stream(argv: Sequence[str], take: Take) -> Result:
    """Commands.stream by subprocess, which both implementations share."""
    with subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(os.environ, PATH=SEARCH_PATH, **ENVIRONMENT),
    ) as process:
        said: list[bytes] = []
        # A command that warns a lot would otherwise wait for ever with standard output still open.
        listener = threading.Thread(target=lambda: said.append(_pipe(process.stderr).read()))
        listener.start()
        for piece in iter(lambda: _pipe(process.stdout).read(PIECE_BYTES), b""):
            take(piece)
        listener.join()
    return Result(process.returncode, "", said[0].decode("utf-8", "surrogateescape"))


def _pipe(stream_: IO[bytes] | None) -> IO[bytes]:
    if stream_ is None:
        raise ValueError("the command was not started with a pipe")
    return stream_
