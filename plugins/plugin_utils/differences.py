# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In what the MX hosts of a domain differ: only the controller sees several of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.accepted import accept, read_accepted
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.every import every_check
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.recipients import LISTED
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.several_hosts import HostOfDomain
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.findings import disagreements


@dataclass(frozen=True)
class KnownInstance:
    """An instance of Postfix: how to name it, what mx_info returned of it, and what is accepted there."""

    name: str
    mx: Mapping[str, Any]
    accepted: Sequence[Mapping[str, Any]] = ()


def differences(instances: Sequence[KnownInstance], today: str) -> list[list[dict[str, Any]]]:
    """For each instance the findings of what it and the other MX hosts of a domain that it relays differ in.

    `today` is like 2026-12-31. Raises InvalidInput for what is accepted.
    """
    hosts: dict[str, list[HostOfDomain]] = {}
    for instance in instances:
        for domain in _relayed(instance):
            hosts.setdefault(domain, []).append(_host(instance, domain))
    checks = every_check()
    found = {domain: disagreements(domain, several) for domain, several in hosts.items() if len(several) > 1}
    return [
        [
            finding.as_result()
            for finding in accept(
                [finding for domain in _relayed(instance) for finding in found.get(domain, [])],
                read_accepted(instance.accepted, checks),
                today,
            )
        ]
        for instance in instances
    ]


def _relayed(instance: KnownInstance) -> list[str]:
    return [domain for domain, known in instance.mx["domains"].items() if known["relayed"]]


def _host(instance: KnownInstance, domain: str) -> HostOfDomain:
    known = instance.mx["domains"][domain]
    listed = known["recipients_policy"] == LISTED and not known["other_maps"]
    return HostOfDomain(
        instance.name,
        known["recipients_policy"],
        known["recipients"],
        known["recipients_digest"] if listed else None,
        instance.mx["message_size_limit"],
        instance.mx["smtputf8"],
    )
