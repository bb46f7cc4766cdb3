# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
from pathlib import Path

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.endpoints import why_silent


def test_unix_socket_below_the_directory(tmp_path: Path) -> None:
    assert why_silent("unix:private", str(tmp_path)) == "No such file or directory"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "private"))
        assert why_silent("unix:private", str(tmp_path)) == "Connection refused"
        server.listen()
        assert why_silent("unix:private", str(tmp_path)) == ""
        assert why_silent(f"unix:{tmp_path}/private", "/nowhere") == ""


def test_host_and_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert why_silent(f"inet:127.0.0.1:{port}", "/") == ""
    assert why_silent(f"inet:127.0.0.1:{port}", "/") == "Connection refused"
    assert why_silent("inet:127.0.0.1:no-such-service", "/") != ""
