# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import getpass
import os
import pathlib
import socket

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.endpoints import answer_of, why_silent
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import SystemNetwork

USER = getpass.getuser()


def test_port_that_takes_connections_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert answer_of(f"inet:127.0.0.1:{port}", USER) == ""
    assert answer_of(f"inet:127.0.0.1:{port}", USER) == "Connection refused"


def test_socket_answers_whom_its_mode_lets_in(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        server.listen()
        os.chmod("s", 0o600)
        assert answer_of("unix:s", USER) == ""
        assert answer_of("unix:s", "nobody") == "nobody may not write to it"
        os.chmod("s", 0o666)
        assert answer_of("unix:s", "nobody") == ""
        assert answer_of("unix:s", "no such user") == ""
    assert answer_of("unix:s", USER) == "Connection refused"
    assert answer_of("unix:gone", USER) == "No such file or directory"


def test_program_has_to_be_there() -> None:
    assert answer_of("program:/bin/sh", USER) == ""
    assert answer_of("program:/bin/gone", USER) == "/bin/gone is not there, or is no program"


@pytest.mark.parametrize("endpoint", ["inet:127.0.0.1:no-such-port", "inet:127.0.0.1:99999", "inet:a..b:25", "unix:\0"])
def test_what_is_no_endpoint_does_not_answer(endpoint: str) -> None:
    assert answer_of(endpoint, USER)


def test_all_are_asked_at_once() -> None:
    assert SystemNetwork().answers(["program:/bin/sh", "program:/bin/gone"], USER) == {
        "program:/bin/sh": "",
        "program:/bin/gone": "/bin/gone is not there, or is no program",
    }


def test_unix_socket_below_the_directory(tmp_path: pathlib.Path) -> None:
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
