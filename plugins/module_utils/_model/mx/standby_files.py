# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the standby service: its program, its configuration, and its units for systemd.

systemd listens at the socket, whose directory is root's, so that the service needs no rights there and starts when it
is asked. See systemd.socket(5), systemd.exec(5).
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.standby import SOCKET
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.systemd_units import (
    HARDENED,
    UNITS,
    instance_suffix,
)

CONFIGURATION_NAME = "mxrelay-standby.json"
PROGRAM_NAME = "mxrelay-standby.py"
_HEADER = "# Written by mxrelay.postfix, with standby; changes are lost.\n"


@dataclass(frozen=True)
class StandbyFiles:
    """Where the files of an instance's service are; `unit` is its name without a suffix."""

    config_directory: str
    units: str = UNITS

    @property
    def unit(self) -> str:
        return f"mxrelay-standby{instance_suffix(self.config_directory)}"

    @property
    def configuration(self) -> str:
        return posixpath.join(self.config_directory, CONFIGURATION_NAME)

    @property
    def program(self) -> str:
        return posixpath.join(self.config_directory, PROGRAM_NAME)

    @property
    def socket_unit(self) -> str:
        return posixpath.join(self.units, f"{self.unit}.socket")

    @property
    def service_unit(self) -> str:
        return posixpath.join(self.units, f"{self.unit}.service")

    @property
    def all(self) -> list[str]:
        return [self.configuration, self.program, self.socket_unit, self.service_unit]


@dataclass(frozen=True)
class StandbyRequest:
    """The domains to stand by for, those of them with all subdomains, and names and addresses of this host.

    `name` is the one by which it greets. Without domains there is to be no service.
    """

    domains: tuple[str, ...] = ()
    subdomains: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class StandbyPlace:
    """What the host makes of the files: the instance's directories, its mail owner, Python, and the program's text."""

    files: StandbyFiles
    queue_directory: str
    mail_owner: str
    interpreter: str
    program: str = field(repr=False)

    @property
    def socket(self) -> str:
        return posixpath.join(self.queue_directory, SOCKET)


def standby_texts(place: StandbyPlace, wanted: StandbyRequest) -> Mapping[str, str]:
    """The text of each file by its path; none if there is to be no service."""
    files = place.files
    if not wanted.domains:
        return {}
    known = {part: sorted(getattr(wanted, part)) for part in ("domains", "subdomains", "own")}
    return {
        files.configuration: json.dumps({**known, "name": wanted.name}, indent=1) + "\n",
        files.program: place.program,
        files.socket_unit: _HEADER + _SOCKET.format(place=place),
        files.service_unit: _HEADER + _SERVICE.format(place=place, files=files),
    }


_SOCKET = """\
[Unit]
Description=Where Postfix asks whether a better MX host answers

[Socket]
ListenStream={place.socket}
SocketUser={place.mail_owner}
SocketMode=0600
DirectoryMode=0755
RemoveOnStop=yes
TriggerLimitIntervalSec=0

[Install]
WantedBy=sockets.target
"""
# The filter takes away from that of HARDENED, so it comes after it.
_SERVICE = """\
[Unit]
Description=Whether a better MX host answers, for Postfix as a standby
Requires={files.unit}.socket
After={files.unit}.socket
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={place.interpreter} -IB {files.program} {files.configuration}
Restart=always
RestartSec=2
WatchdogSec=30
TimeoutStopSec=5
DynamicUser=yes
UMask=0077
TasksMax=64
MemoryMax=256M
CapabilityBoundingSet=
ProtectHome=yes
""" + HARDENED + "SystemCallFilter=~@privileged @resources\n"
