# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second instance of Postfix on a host, made as postmulti(1) says, that would listen on a port of its own."""

from __future__ import annotations

from lab import hosts

NAME = "postfix-second"
DIRECTORY = f"/etc/{NAME}"
PORT = 2525


def create(host: str) -> None:
    """Create and enable it; it is not started."""
    hosts.on(host, "postmulti", "-e", "init")
    hosts.on(host, "postmulti", "-I", NAME, "-e", "create")
    hosts.on(host, "postconf", "-c", DIRECTORY, "-e", "master_service_disable=", "inet_interfaces=all")
    hosts.on(host, "sed", "-i", f"s/^smtp  *inet/{PORT} inet/", f"{DIRECTORY}/master.cf")
    hosts.on(host, "postmulti", "-i", NAME, "-e", "enable")
    hosts.on(host, "systemctl", "daemon-reload")
