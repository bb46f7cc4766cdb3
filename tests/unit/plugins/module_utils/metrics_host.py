# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose systemd keeps what it is told, and writes metrics when the program is started."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine import own_files
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.metrics import installation
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import systemd
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost


class MetricsTimerHost(FakeMxHost):
    """`told` is what changes something that systemctl was told."""

    def __init__(self, root: Path) -> None:
        for name in ("postfix", "units", "textfiles"):
            (root / name).mkdir()
        super().__init__(str(root / "postfix"), f"queue_directory = {root}/spool\n")
        self.units, self.directory = root / "units", str(root / "textfiles")
        self.told: list[list[str]] = []
        self.active: set[str] = set()
        self.broken = ""

    @property
    def metrics(self) -> Path:
        return Path(self.directory) / "mxrelay.prom"

    def run(self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None) -> Result:
        if argv[0] != "systemctl":
            return super().run(argv, data, silence)
        words = [word for word in argv[1:] if not word.startswith("--")]
        if words[0].startswith("is-"):
            return Result(0 if words[1] in self.active else 1, "", "")
        self.told.append(list(argv[1:]))
        if self.broken in words and self.broken:
            return Result(1, "", f"{self.broken} is broken")
        if words[0] in ("start", "restart"):
            self.active.update(words[1:])
            if words[1].endswith(".service"):
                self.metrics.write_text("# EOF\n")
        elif words[0] in ("stop", "disable"):
            self.active.difference_update(words[1:])
        return Result(0, "", "")


def metrics_timer_host(root: Path, monkeypatch: pytest.MonkeyPatch) -> MetricsTimerHost:
    made = MetricsTimerHost(root)
    monkeypatch.setattr(installation, "UNITS", str(made.units))
    monkeypatch.setattr(systemd, "SYSTEMD", str(root))
    monkeypatch.setattr(installation, "program_archive", _archive)
    # Who writes to what is above a temporary directory is not asked about here.
    monkeypatch.setattr(own_files, "refuse_open_place", lambda _path: None)
    return made


def _archive(name: str, interpreter: str) -> bytes:
    return f"#!{interpreter} {name.rpartition('.')[2]}\n".encode()
