# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import dns_records, local_network
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.local_network import LocalNetwork

OWN = frozenset({"127.0.0.1", "192.0.2.9"})


@pytest.fixture(name="network")
def _network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalNetwork:
    hosts = tmp_path / "hosts"
    hosts.write_text(
        "127.0.0.1 localhost\n# 192.0.2.1 away\n192.0.2.9 Mx.example mx # this\n198.51.100.1 away.example\n"
    )

    def resolver(*_arguments: object) -> None:
        raise AssertionError("somebody was asked")

    monkeypatch.setattr(local_network, "HOSTS", str(hosts))
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    monkeypatch.setattr(dns_records, "ask", resolver)
    monkeypatch.setattr(LocalNetwork, "own_addresses", lambda _self: OWN)
    return LocalNetwork()


def test_names_are_those_of_the_hosts_file(network: LocalNetwork) -> None:
    assert network.addresses(["mx.example", "MX", "unknown.example", "away"]) == {
        "mx.example": ("192.0.2.9",),
        "MX": ("192.0.2.9",),
    }


def test_dns_is_not_asked_and_not_missed(network: LocalNetwork) -> None:
    names = ["x.example"]
    assert (network.exchangers(names), network.policies(names), network.tlsa(names)) == ({}, {}, {})
    assert network.lacks() == ""


def test_host_without_a_hosts_file(network: LocalNetwork, tmp_path: Path) -> None:
    (tmp_path / "hosts").unlink()
    assert network.addresses(["mx"]) == {}


def test_only_what_is_on_this_host_is_connected_to(network: LocalNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        "ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network.answer_of",
        lambda endpoint, _user: asked.append(endpoint) or "silent",
    )
    here = ["inet:127.0.0.1:1", "inet:mx:2", "unix:/run/x", "program:/bin/x", "inet::3", "inet:localhost:4"]
    away = ["inet:198.51.100.1:5", "inet:away.example:6", "inet:unknown.example:7", "inet:[2001:db8::1]:8"]
    assert network.answers([*here, *away], "postfix") == {**dict.fromkeys(away, ""), **dict.fromkeys(here, "silent")}
    assert sorted(asked) == sorted(here)
