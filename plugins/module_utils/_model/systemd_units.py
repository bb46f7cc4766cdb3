# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the units of all our programs say. See systemd.exec(5)."""

from __future__ import annotations

import posixpath
import re

UNITS = "/etc/systemd/system"
# What none of our programs needs is taken from it.
HARDENED = """\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateTmp=yes
PrivateDevices=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""


def instance_suffix(config_directory: str) -> str:
    """What tells the names of an instance's units from those of the host's first one, which have none."""
    name = posixpath.basename(config_directory.rstrip("/"))
    return "" if name == "postfix" else "-" + re.sub(r"[^A-Za-z0-9_-]", "_", name)
