# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the front door as they are given: `certificate`, `postscreen` and `load_balancers`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput

OFF = "off"
LOG = "log"
ENFORCE = "enforce"
MODES = (OFF, LOG, ENFORCE)
# As postscreen_dnsbl_sites takes it: domain=filter*weight.
_SITE = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+(=[0-9]+(\.([0-9]+|\[[0-9.;]+\])){3})?(\*-?[0-9]{1,5})?\Z")
_CERTIFICATE_PARTS = ("chain", "key")
_BALANCER_PARTS = ("addresses", "port")
_LAST_PORT = 65535


class CertificatePair(NamedTuple):
    """The files of the setting `certificate`: of the certificate and those that issued it, and of the key."""

    chain: str
    key: str


@dataclass(frozen=True)
class Screening:
    """The setting `postscreen`: no mode where it is not given."""

    mode: str = ""
    sites: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadBalancers:
    """The setting `load_balancers`: the balancers, none to take the service back, and the port of the service."""

    addresses: tuple[str, ...]
    port: int


def read_certificate_pair(given: Any) -> CertificatePair | None:
    """The setting `certificate`, None where it is not given. Raises InvalidInput."""
    if not given:
        return None
    if not isinstance(given, Mapping) or set(given) != set(_CERTIFICATE_PARTS):
        raise InvalidInput("certificate does not have the two options chain and key; give both, and no others")
    for part in _CERTIFICATE_PARTS:
        path = str(given[part] or "")
        # Postfix splits the list of files at blanks and commas.
        if not path.startswith("/") or split_items(path) != [path]:
            raise InvalidInput(
                f'certificate.{part} is "{path}"; give the path of a file on the host, which begins with / and has no '
                "blank and no comma"
            )
    return CertificatePair(str(given["chain"]), str(given["key"]))


def read_screening(given: Any) -> Screening:
    """The setting `postscreen`, as it was given. Raises InvalidInput."""
    if given in (None, "", {}):
        return Screening()
    if not isinstance(given, Mapping) or set(given) - {"mode", "dnsbl_sites"}:
        raise InvalidInput(
            "postscreen is not a mapping of mode and dnsbl_sites; give it as {mode: log, dnsbl_sites: []}"
        )
    # YAML takes a bare `off` for false.
    mode = OFF if given.get("mode") is False else given.get("mode")
    if mode not in MODES:
        raise InvalidInput(f'postscreen has the mode "{mode or ""}"; use one of {", ".join(MODES)}')
    sites = given.get("dnsbl_sites") or []
    sites = re.split(r"[,\s]+", sites.strip()) if isinstance(sites, str) else list(sites)
    for site in sites:
        if not isinstance(site, str) or not _SITE.match(site):
            raise InvalidInput(
                f'postscreen has the DNSBL site "{site}", which postscreen could not read: it would not start; give '
                "a domain such as bl.example, bl.example*2 or bl.example=127.0.0.[2..4]*2"
            )
    return Screening(str(mode), tuple(dict.fromkeys(sites)))


def read_load_balancers(given: Any) -> LoadBalancers | None:
    """The setting `load_balancers`, None where it was not given. Raises InvalidInput."""
    if not given:
        return None
    if not isinstance(given, Mapping) or not set(given) <= set(_BALANCER_PARTS):
        raise InvalidInput(
            "load_balancers is not a mapping of addresses and port; give it as {addresses: [...], port: 2525}"
        )
    port, addresses = str(given.get("port", "")), given.get("addresses")
    if not (port.isascii() and port.isdigit()) or not 0 < int(port) <= _LAST_PORT:
        raise InvalidInput(f'load_balancers.port is "{port}", which is not a port; give a number such as 2525')
    if not isinstance(addresses, list):
        raise InvalidInput(
            "load_balancers.addresses is not a list; list the balancers' addresses, none to remove the service"
        )
    for address in addresses:
        try:
            ipaddress.ip_network(str(address))
        except ValueError:
            raise InvalidInput(
                f'load_balancers.addresses has "{address}", which is no address and no network; give those from which '
                "the balancers connect"
            ) from None
    return LoadBalancers(tuple(map(str, addresses)), int(port))
