# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tables decide on recipients, for which service, and what they said: facts, and what they mean.

smtpd(8) takes a recipient for a known one if recipient_canonical_maps, canonical_maps (whatever canonical_classes
says), virtual_alias_maps or relay_recipient_maps has its address or its @domain; then cleanup(8) rewrites it by the
first three of these.
"""

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import without_proxy
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restriction_names import (
    RESTRICTION_LISTS,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    RECIPIENT_RESTRICTIONS,
    RELAY_RESTRICTIONS,
    restriction_classes,
    values_for_strangers,
    values_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Capture, HostState

CANONICAL = "canonical_maps"
RECIPIENT_MAPS = "relay_recipient_maps"
VERIFY_CACHE = "address_verify_map"
# How a domain's recipients are told from unknown ones: by lists, by asking the mail host, or not at all.
LISTED = "listed"
VERIFIED = "verify"
UNTOLD = "any"
_ABOUT_ADDRESSES = frozenset({"check_recipient_access", "check_sender_access"})
# In the order in which they are applied.
REWRITING = ("recipient_canonical_maps", CANONICAL, "virtual_alias_maps")


def said(host: HostState, value: str, address: str) -> Capture | None:
    """What the tables of a parameter's value say of an address: all are asked for it, then all for its @domain."""
    answers = host.lookups.answers
    for key in (address, "@" + address.rpartition("@")[2]):
        for member in split_items(value):
            if key in answers.get(member, {}):
                return Capture(member, key, answers[member][key])
    return None


def is_verified(domain: DomainEvidence, host: HostState) -> bool:
    """Whether smtpd asks the mail host about the domain's recipients."""
    lists = [host.value(name) for name in (RELAY_RESTRICTIONS, RECIPIENT_RESTRICTIONS)]
    return domain.verified or any(restrictions.VERIFYING in restrictions.names(value) for value in lists)


def told_by(domain: DomainEvidence, host: HostState) -> str:
    """How this host tells the domain's recipients from unknown ones."""
    if split_items(host.value(RECIPIENT_MAPS)) and not domain.wildcard:
        return LISTED
    return VERIFIED if is_verified(domain, host) else UNTOLD


def values_of_cleanup(host: HostState, name: str) -> dict[str, str]:
    """Each value of a parameter by which cleanup(8) goes with strangers' mail, and how to name its place."""
    return host.once(("cleanup", name), lambda: values_of(_cleanups(host), host, name))


def _cleanups(host: HostState) -> list[Service]:
    names = values_for_strangers(host, "cleanup_service_name")
    return [service for service in host.services if service.type == "unix" and service.name in names]


def tables_asked(host: HostState) -> dict[str, str]:
    """Each table that is asked about strangers' recipients, and the parameter that names it first."""
    found: dict[str, str] = {}
    for name in (*REWRITING, RECIPIENT_MAPS):
        values = [*values_for_strangers(host, name), *(values_of_cleanup(host, name) if name in REWRITING else ())]
        for value in values:
            for member in split_items(value):
                found.setdefault(member, name)
    return found


def action_tables(host: HostState) -> dict[str, str]:
    """Each table that smtpd asks what to do about a whole address, `proxy:` stripped, and where that is written."""
    found: dict[str, str] = {}
    for name in sorted({*RESTRICTION_LISTS, *restriction_classes(host)}):
        for value, where in values_for_strangers(host, name).items():
            for action, table in restrictions.access_tables(value):
                if action in _ABOUT_ADDRESSES:
                    found.setdefault(without_proxy(table), f"{action} in {where}")
    return found
