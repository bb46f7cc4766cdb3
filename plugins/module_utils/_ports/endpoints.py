# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether somebody takes connections where Postfix sends its questions: a UNIX socket, or a host and port."""

from __future__ import annotations

import os
import socket

SECONDS_TO_CONNECT = 3.0


def why_silent(endpoint: str, directory: str) -> str:
    """Why nobody takes a connection at `unix:path` or `inet:host:port`, "" if somebody does.

    A path that does not start with / is one below `directory`. Nothing is said on the connection.
    """
    kind, _colon, place = endpoint.partition(":")
    try:
        if kind == "unix":
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
                link.settimeout(SECONDS_TO_CONNECT)
                link.connect(os.path.join(directory, place))
        else:
            host, _colon, port = place.rpartition(":")
            number = int(port) if port.isdigit() else socket.getservbyname(port, "tcp")
            socket.create_connection((host.strip("[]") or "localhost", number), SECONDS_TO_CONNECT).close()
    except OSError as error:
        return error.strerror or str(error) or "no answer"
    return ""
