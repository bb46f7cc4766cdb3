# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance that answers about itself, and a host without one."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.whole_output import WholeOutput


class FakeInstance(WholeOutput):
    """A Postfix whose only working type is texthash, and whose main.cf was read already."""

    def __init__(self, directory: Path, version: str = "3.10.13") -> None:
        self.version = version
        self.asked: list[list[str]] = []
        self.probe_ages: list[float] = []
        self.postmulti: Result | None = Result(
            0, "-               -               y         /etc/postfix\nout  mta  n   /etc/postfix-out\n", ""
        )
        self.values = {
            "config_directory": str(directory),
            "queue_directory": "/var/spool/postfix",
            "default_database_type": "hash",
            "mail_version": version,
            "alias_maps": "hash:/etc/aliases",
            "smtp_tls_session_cache_database": f"btree:{directory}/cache",
            "relay_domains": f"x.example, proxy:texthash:{directory}/domains",
            "relay_recipient_maps": f"texthash:{directory}/recipients",
            "transport_maps": f"hash:{directory}/transport, texthash:{directory}/domains",
            "virtual_alias_maps": f"texthash:{directory}/default",
        }

    def run(self, argv: Sequence[str], *_input: object) -> Result:
        self.asked.append(list(argv))
        if list(argv) == ["postconf", "-d", "-h", "mail_version"]:
            return Result(0, self.version + "\n", "") if self.version else Result(1, "", "postconf: fatal: broken\n")
        if list(argv) == ["postmulti", "-l"]:
            if self.postmulti is None:
                raise FileNotFoundError(argv[0])
            return self.postmulti
        if argv[0] == "postconf" and argv[3:] == ["-m"]:
            return Result(0, "hash\ntexthash\nstatic\n", "")
        if argv[0] == "postconf":
            names = [name for name in argv[3:] if name != "-x"]
            shown = {name: value for name, value in self.values.items() if not names or name in names}
            return Result(0, "".join(f"{name} = {value}\n" for name, value in shown.items()), "")
        if argv[-1].startswith("texthash:"):
            self.probe_ages.append(time.time() - os.stat(argv[-1].partition(":")[2]).st_mtime)
            return Result(0, "found\n", "")
        return Result(1, "", "postmap: fatal: unsupported dictionary type: hash\n")


class NoPostfix(WholeOutput):
    """A host without Postfix."""

    def run(self, argv: Sequence[str], *_input: object) -> Result:
        raise FileNotFoundError(argv[0])
