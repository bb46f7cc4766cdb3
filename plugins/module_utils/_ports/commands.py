# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a command of the host."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import Protocol, Sequence

# Postfix's commands are in sbin directories, which are not on the PATH of every login.
SEARCH_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:/usr/pkg/sbin:/opt/local/sbin"
ENVIRONMENT = {"LC_ALL": "C", "LANG": "C"}


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
