# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where master(8) listens for the inet services of master.cf. It ends if it can't have one of these addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    address_of,
    disabled_by,
    port_of,
)

# What main.cf says of it.
PARAMETERS = ("inet_interfaces", "inet_protocols", "master_service_disable")
IPV4 = "ipv4"
IPV6 = "ipv6"


@dataclass(frozen=True)
class Listener:
    """An inet service (`key` is smtp/inet), with the addresses or names where it listens, "" for all addresses."""

    key: str
    hosts: tuple[str, ...]
    port: str


def listeners(services: Sequence[Service], values: Mapping[str, str]) -> list[Listener]:
    """What these services listen at; `values` are those of PARAMETERS, expanded."""
    disabled = values.get("master_service_disable", "")
    return [
        Listener(service.key, (address_of(service),) if address_of(service) else _interfaces(values), port_of(service))
        for service in services
        if service.type == "inet" and not disabled_by(service.name, service.type, disabled)
    ]


def protocols(values: Mapping[str, str]) -> tuple[str, ...]:
    """Those that Postfix uses."""
    given = [item.lower() for item in split_items(values.get("inet_protocols", ""))]
    return (IPV4, IPV6) if "all" in given or not given else tuple(name for name in (IPV4, IPV6) if name in given)


def _interfaces(values: Mapping[str, str]) -> tuple[str, ...]:
    members = [item.strip("[]").lower() for item in split_items(values.get("inet_interfaces", ""))]
    if "all" in members or not members:
        return ("",)
    loopback = ("127.0.0.1", "::1")
    return tuple(dict.fromkeys(host for item in members for host in (loopback if item == "loopback-only" else (item,))))
