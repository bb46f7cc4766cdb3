# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check that the MX hosts of a domain do the same with its mail: which of them a sender comes to is chance."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import SEVERAL_HOSTS, Register
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    HOST,
    LOCAL,
    RECIPIENTS,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.several_hosts import HostOfDomain
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.words import some_of

check = Register(SEVERAL_HOSTS)


@check("mx_disagree", LOCAL, "the MX hosts of the domain differ in recipients, policy, message_size_limit or SMTPUTF8")
def mx_disagree(domain: str, hosts: Sequence[HostOfDomain]) -> Iterator[Fault]:
    policies = _by({host.name: host.policy for host in hosts})
    if len(policies) > 1:
        yield _fault(
            domain,
            "policy",
            f"its MX hosts tell recipients from unknown ones in different ways ({_told(policies)}): what one refuses "
            "another takes",
            "give it the same recipients_policy on all of them",
            RECIPIENTS,
        )
    lists = _by({host.name: host.digest for host in hosts if host.digest is not None})
    if len(lists) > 1:
        counts = {host.name: host.recipients for host in hosts}
        listed = "; ".join(f"{counts[names[0]]} on {some_of(names)}" for names in lists.values())
        yield _fault(
            domain,
            "recipients",
            f"its MX hosts list different recipients ({listed}): what one takes another refuses",
            "run the playbook sync_recipients, or the role, for all of them",
            RECIPIENTS,
        )
    limits = _by({host.name: host.size_limit or "none" for host in hosts if host.size_limit is not None})
    if len(limits) > 1:
        yield _fault(
            domain,
            "message_size_limit",
            f"its MX hosts differ in message_size_limit ({_told(limits)}): what one takes another refuses",
            "set message_size_limit to that of the mail host on all of them",
        )
    offers = _by({host.name: "yes" if host.smtputf8 else "no" for host in hosts})
    if len(offers) > 1:
        yield _fault(
            domain,
            "smtputf8_enable",
            f"its MX hosts differ in smtputf8_enable ({_told(offers)}): what one takes another refuses",
            "set smtputf8_enable to the same value on all of them, yes if the mail host offers SMTPUTF8",
        )


def _fault(domain: str, what: str, message: str, remedy: str, place: str = HOST) -> Fault:
    return Fault(message, remedy, WARNING, domain, place, f"{domain} {what}")


def _by(values: Mapping[str, Hashable]) -> dict[Hashable, list[str]]:
    """The names of the hosts by what they have."""
    found: dict[Hashable, list[str]] = {}
    for name, value in values.items():
        found.setdefault(value, []).append(name)
    return found


def _told(found: Mapping[Hashable, Sequence[str]]) -> str:
    return "; ".join(f"{value} on {some_of(names)}" for value, names in found.items())
