# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import listening
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.listening import (
    Hindrance,
    hindrances,
    port_number,
)


@pytest.fixture(name="listener")
def _listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def own_name() -> str:
    return Path("/proc/self/comm").read_text(encoding="utf-8").strip()


@pytest.mark.parametrize(("host", "place"), [("127.0.0.1", "127.0.0.1"), ("", "0.0.0.0")])
def test_port_where_a_program_listens_is_told_with_that_program(listener: socket.socket, host: str, place: str) -> None:
    port = str(listener.getsockname()[1])
    (found,) = hindrances(host, port, ["ipv4"])
    assert found == Hindrance(f"{place}:{port}", f"{own_name()} (process {os.getpid()}) listens there", (os.getpid(),))


def test_free_port_is_left_free(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    assert hindrances("127.0.0.2", str(port), ["ipv4"]) == []
    listener.close()
    assert hindrances("", str(port), ["ipv4"]) == []
    socket.create_server(("127.0.0.1", port)).close()


def test_port_of_a_connection_that_has_ended_is_free(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)):
        accepted, _peer = listener.accept()
        accepted.close()
        listener.close()
        assert hindrances("127.0.0.1", str(port), ["ipv4"]) == []


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        ("192.0.2.1", "2525", Hindrance("192.0.2.1:2525", "this host does not have that address")),
        ("gone.invalid", "2525", Hindrance("gone.invalid:2525", "that name has no address")),
        (
            "",
            "no-such-service",
            Hindrance("port no-such-service", "it is neither a number nor a name in /etc/services"),
        ),
    ],
)
def test_what_master_could_not_resolve_or_have_is_told(host: str, port: str, expected: Hindrance) -> None:
    assert hindrances(host, port, ["ipv4"]) == [expected]


@pytest.mark.parametrize(("code", "address"), [(errno.EACCES, "0.0.0.0"), (errno.EADDRNOTAVAIL, "::1")])
def test_what_can_not_be_told_is_no_hindrance(monkeypatch: pytest.MonkeyPatch, code: int, address: str) -> None:
    def refuse(_family: int, _address: str, _port: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(listening, "_bind", refuse)
    assert hindrances(address, "2525", ["ipv4", "ipv6"]) == []


def test_holder_that_can_not_be_seen_is_another_program(
    monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    monkeypatch.setattr(listening, "_processes", list)
    port = str(listener.getsockname()[1])
    assert hindrances("127.0.0.1", port, ["ipv4"]) == [Hindrance(f"127.0.0.1:{port}", "another program listens there")]


@pytest.mark.parametrize(("name", "number"), [("25", 25), ("smtp", 25), ("no-such-service", 0)])
def test_port_is_a_number_or_a_name_of_the_system(name: str, number: int) -> None:
    assert port_number(name) == number
