# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a policy service at a socket of this host, as smtpd does. See SMTPD_POLICY_README."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import reason

POLICY_SECONDS_TO_ANSWER = 4.0
_MOST_BYTES = 65536


def ask_policy_service(path: str, request: Mapping[str, str]) -> dict[str, str]:
    """The attributes of its answer. Raises HostError if there is none in time."""
    text = "".join(f"{name}={value}\n" for name, value in request.items())
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(POLICY_SECONDS_TO_ANSWER)
            link.connect(path)
            link.sendall(f"{text}\n".encode())
            answer = b""
            while b"\n\n" not in answer and len(answer) < _MOST_BYTES:
                piece = link.recv(4096)
                if not piece:
                    break
                answer += piece
    except socket.timeout as error:
        raise HostError(f"{path}: no answer within {POLICY_SECONDS_TO_ANSWER:g} s") from error
    except OSError as error:
        raise HostError(f"{path}: {reason(error)}") from error
    lines = answer.decode("utf-8", "replace").partition("\n\n")[0].split("\n")
    return {name: value for name, equals, value in (line.partition("=") for line in lines) if equals}


def socket_owner(path: str) -> int:
    """The user id of who owns the socket. Raises HostError."""
    try:
        return os.stat(path).st_uid
    except OSError as error:
        raise HostError(f"{path}: {reason(error)}") from error
