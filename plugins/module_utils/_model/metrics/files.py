# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the program that writes metrics: itself, its configuration, and its units for systemd.

The program runs as root, since Postfix lets nobody else read tables and messages, but can write nowhere but where its
file goes. See systemd.exec(5), systemd.timer(5).
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.systemd_units import (
    HARDENED,
    UNITS,
    instance_suffix,
)

_NAME = "mxrelay-metrics"
_HEADER = "# Written by mxrelay.postfix, with mx_metrics; changes are lost.\n"
# Of one run, after which systemd kills it.
RUN_SECONDS = 240


@dataclass(frozen=True)
class MetricsFiles:
    """Where the files of an instance are; `unit` is the name of its units without a suffix."""

    config_directory: str
    units: str = UNITS

    @property
    def unit(self) -> str:
        return f"{_NAME}{instance_suffix(self.config_directory)}"

    @property
    def program(self) -> str:
        return posixpath.join(self.config_directory, f"{_NAME}.pyz")

    @property
    def configuration(self) -> str:
        return posixpath.join(self.config_directory, f"{_NAME}.json")

    @property
    def service(self) -> str:
        return posixpath.join(self.units, f"{self.unit}.service")

    @property
    def timer(self) -> str:
        return posixpath.join(self.units, f"{self.unit}.timer")

    @property
    def all(self) -> list[str]:
        return [self.program, self.configuration, self.service, self.timer]

    def metrics(self, directory: str) -> str:
        """The file of metrics in this directory."""
        return posixpath.join(directory, f"mxrelay{instance_suffix(self.config_directory)}.prom")


@dataclass(frozen=True)
class MetricsPlace:
    """What the host makes of the files: where the metrics go, the pid directory of the queue, Python, the program."""

    files: MetricsFiles
    path: str
    pid_directory: str
    interpreter: str
    program: bytes = field(repr=False)


def metrics_texts(place: MetricsPlace, settings: Mapping[str, Any], interval: int) -> Mapping[str, bytes]:
    """The content of each file by its path. `interval` is in seconds."""
    files = place.files
    return {
        files.program: place.program,
        files.configuration: (json.dumps(dict(settings), indent=1, sort_keys=True) + "\n").encode(),
        files.service: (_HEADER + _SERVICE.format(place=place, files=files, **_written(place))).encode(),
        files.timer: (_HEADER + _TIMER.format(files=files, interval=interval)).encode(),
    }


def _written(place: MetricsPlace) -> dict[str, Any]:
    # Postfix tells whether it runs by a lock on the file of its process, which it opens for writing.
    writable = [posixpath.dirname(place.path), f"-{place.pid_directory}"]
    return {"writable": " ".join(writable), "seconds": RUN_SECONDS}


_TIMER = """\
[Unit]
Description=When the metrics of Postfix as an MX host are written

[Timer]
OnBootSec=30
OnUnitActiveSec={interval}
AccuracySec=5

[Install]
WantedBy=timers.target
"""
_SERVICE = """\
[Unit]
Description=Metrics of Postfix as an MX host
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart={place.interpreter} -IB {files.program} write {files.configuration}
TimeoutStartSec={seconds}
Nice=10
UMask=0022
TasksMax=64
CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_SETUID CAP_SETGID CAP_SYS_PTRACE
ReadWritePaths={writable}
ProtectHome=read-only
""" + HARDENED
