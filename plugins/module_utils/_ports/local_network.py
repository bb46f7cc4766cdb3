# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this host knows of the network without asking anybody else."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.addresses import is_address
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import TlsaRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import SystemNetwork

HOSTS = "/etc/hosts"


class LocalNetwork(SystemNetwork):
    """A Network that asks the kernel, hosts(5), and services at this host's own addresses: no DNS, no other host."""

    def addresses(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        known = _known_hosts()
        return {name: known[name.lower()] for name in names if name.lower() in known}

    def exchangers(self, domains: Iterable[str]) -> dict[str, tuple[MxRecord, ...]]:
        del domains
        return {}

    def policies(self, domains: Iterable[str]) -> dict[str, str]:
        del domains
        return {}

    def tlsa(self, servers: Iterable[str]) -> dict[str, tuple[TlsaRecord, ...]]:
        del servers
        return {}

    def answers(self, endpoints: Iterable[str], user: str) -> dict[str, str]:
        """As SystemNetwork tells; an endpoint on another host is taken to answer."""
        asked = list(endpoints)
        own = self.own_addresses()
        here = [endpoint for endpoint in asked if not endpoint.startswith("inet:") or self._is_here(endpoint, own)]
        return {**dict.fromkeys(asked, ""), **super().answers(here, user)}

    def _is_here(self, endpoint: str, own: Iterable[str]) -> bool:
        host = endpoint.partition(":")[2].rpartition(":")[0].strip("[]").lower()
        found = [host] if is_address(host) else [*self.addresses([host]).get(host, ())]
        return host in ("", "localhost") or (bool(found) and set(found) <= set(own))

    def lacks(self) -> str:
        """Nothing is missing for what is not done."""
        return ""


def _known_hosts() -> dict[str, tuple[str, ...]]:
    try:
        with open(HOSTS, encoding="utf-8", errors="replace") as stream:
            lines = [line.partition("#")[0].split() for line in stream]
    except OSError:
        return {}
    found: dict[str, list[str]] = {}
    for address, *names in filter(None, lines):
        for name in names:
            found.setdefault(name.lower(), []).append(address)
    return {name: tuple(several) for name, several in found.items()}
