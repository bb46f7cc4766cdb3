# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that unknown recipients are refused, and that nothing rewrites the recipients of a relay domain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import DOMAIN, WHOLE_HOST, Register
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    ERROR,
    INFO,
    LOCAL,
    RECIPIENTS,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import (
    without_proxy,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    OWN_CLIENTS,
    UNTIL_RECIPIENT,
    effective,
    relayed_by,
    services_for_strangers,
    values_for_strangers,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    SUBDOMAINS_NAME,
    Capture,
    HostState,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.recipients import (
    CANONICAL,
    RECIPIENT_MAPS,
    REWRITING,
    VERIFY_CACHE,
    action_tables,
    is_verified,
    said,
    tables_asked,
    values_of_cleanup,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.types import INDEXED_TYPES

_SWITCH = "smtpd_reject_unlisted_recipient"
_OVERRIDE_OPTIONS = "receive_override_options"
_UNCHECKED = "no_unknown_recipient_checks"
_BOUNCES = "every recipient is accepted, so mail for those that do not exist bounces, often to forged senders"

check = Register(WHOLE_HOST)
domain_check = Register(DOMAIN)


@check("reject_unlisted", LOCAL, "unlisted recipients are accepted", place=RECIPIENTS)
def reject_unlisted(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for value, where in values_for_strangers(state, _SWITCH).items():
        severity = _unlisted_pass(state, value) if value.lower() == "no" else ""
        if severity:
            yield Fault(
                f"{where} is no: unlisted recipients are accepted, and their mail bounces",
                f"set {where} to yes",
                severity,
            )
    for value, where in values_for_strangers(state, _OVERRIDE_OPTIONS).items():
        if _UNCHECKED in split_items(value):
            yield Fault(
                f"{where} contains {_UNCHECKED}: unlisted recipients are accepted, and their mail bounces",
                f"remove {_UNCHECKED} from {where}",
            )


def _unlisted_pass(state: HostState, switch: str) -> str:
    """How bad a switch that is off is: not at all, "", where a restriction does its work before anything permits."""
    services = [service for service in services_for_strangers(state) if effective(state, service, _SWITCH) == switch]
    lists = [[effective(state, service, name) for name in UNTIL_RECIPIENT] for service in services]
    usual = [state.value(name) for name in UNTIL_RECIPIENT]
    return ("", WARNING, ERROR)[max(min(map(_unlisted_pass_list, values)) for values in lists or [usual])]


def _unlisted_pass_list(value: str) -> int:
    """0 where the list rejects every unlisted recipient, 1 where a table or service before that decides, else 2."""
    rank = 0
    for name in restrictions.names(value):
        if name == "reject_unlisted_recipient":
            return rank
        if name.startswith("check_"):
            rank = max(rank, 1)
        elif name not in OWN_CLIENTS and not name.startswith(("reject", "defer")):
            return 2
    return 2


@check(
    "action_table",
    LOCAL,
    "a table of valid recipients is also asked what to do with their mail: smtpd answers 451",
    place=RECIPIENTS,
)
def action_table(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for table, where in action_tables(state).items():
        row = state.lookups.no_actions.get(table)
        if row:
            yield Fault(
                f"{table} lists valid recipients, and {where} asks it what to do with their mail: a row of "
                f"{row.domain} with the value {row.value} is no action, so smtpd answers 451",
                f"copy its rows that have an action to a table of their own, and name that in {where}",
            )


@check(
    "recipients_unproven",
    LOCAL,
    "a table of recipients could not be asked: smtpd answers 451, and nobody knows whether it accepts unknown ones",
    place=RECIPIENTS,
)
def recipients_unproven(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for table, parameter in tables_asked(state).items():
        if table in state.lookups.silent and table not in state.admission.unread:
            yield Fault(
                f"{table} in {parameter} could not be asked ({state.lookups.silent[table]}): it is not proven that "
                "unknown recipients are refused, and while smtpd can't ask it, its answer is 451",
                f"repair it until postmap -q nobody@the.domain {table} ends without an error, or remove it from "
                f"{parameter}",
            )


@domain_check(
    "verify_cache",
    LOCAL,
    "what mail hosts say of recipients can't be remembered, so all of them are accepted, or none",
    place=RECIPIENTS,
)
def verify_cache(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    if not (domain.relayed and is_verified(domain, state) and state.verify_cache_problem):
        return
    accepts = state.value("unverified_recipient_defer_code").startswith("2")
    yield Fault(
        f"address_verify_map is {state.value(VERIFY_CACHE)}, and that type keeps nothing here "
        f"({state.verify_cache_problem}), so no answer of a mail host is remembered: "
        f"{'every recipient is accepted, also those that do not exist' if accepts else 'no recipient is accepted'}",
        _cache_that_works(state),
        ERROR,
        domain.name,
    )


def _cache_that_works(state: HostState) -> str:
    if not state.knows("data_directory"):
        return "remove address_verify_map from main.cf: what mail hosts say is then kept in memory"
    if not state.verify_cache_type:
        return "install the package for a type that can be written to (lmdb), or use another recipients_policy"
    return (
        f"set address_verify_map to {state.verify_cache_type}:$data_directory/verify_cache with mxrelay.postfix.main_cf"
    )


class _Hit(NamedTuple):
    """An answer of a table, and where the table is named."""

    parameter: str
    where: str
    answer: Capture


@domain_check(
    "unknown_accepted",
    LOCAL,
    "a recipient that nobody has is accepted: by a table, a pattern, a rewriting or an empty map of a service (warning "
    "if no recipient is listed, or if a domain above has its subdomains)",
    place=RECIPIENTS,
)
def unknown_accepted(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    if not (_is_told(domain, state) and split_items(state.value(RECIPIENT_MAPS))):
        return
    severity = ERROR if domain.recipients else WARNING
    for value, where in values_for_strangers(state, RECIPIENT_MAPS).items():
        if not split_items(value):
            yield Fault(
                f"{where} is empty: {_BOUNCES}",
                f"remove the override {RECIPIENT_MAPS}= from that service",
                severity,
                domain.name,
            )
    # Mail that is all taken elsewhere does not bounce: that is another fault.
    taken = [hit.answer for hit in _captures(domain, state) if _severity(hit, domain, state) == ERROR]
    for hit in _hits(domain, state):
        if _is_of_a_domain_above(hit):
            yield Fault(
                f"{hit.answer.member} ({hit.where}) accepts every recipient of all subdomains of a domain above it, "
                "also those that do not exist",
                "run the role that declares the domain above again, which leaves this one out of its patterns, or set "
                "recipients_policy to any here",
                WARNING,
                domain.name,
            )
        elif hit.parameter == RECIPIENT_MAPS or hit.answer not in taken:
            yield Fault(
                f"{hit.answer.member} ({hit.where}) {_knows(hit)}: "
                + (
                    _BOUNCES
                    if hit.parameter == RECIPIENT_MAPS
                    else "every recipient is accepted, also those that do not exist"
                ),
                f"{_taken_out(hit, domain)}, or set recipients_policy to any if that is meant",
                severity,
                domain.name,
            )


def _is_of_a_domain_above(hit: _Hit) -> bool:
    """Whether the patterns of a domain that has all its subdomains answer, which the roles keep in a table."""
    return hit.parameter == RECIPIENT_MAPS and hit.answer.member.rpartition("/")[2] == SUBDOMAINS_NAME


def _is_told(domain: DomainEvidence, state: HostState) -> bool:
    """Whether this host is to tell the domain's recipients from unknown ones by itself, and was asked."""
    asked = bool(domain.relayed and state.lookups.nobody)
    return asked and not domain.wildcard and not is_verified(domain, state)


def _hits(domain: DomainEvidence, state: HostState) -> list[_Hit]:
    """The answers by which smtpd knows a recipient that nobody has, one of each table."""
    address = _nobody(domain, state)
    found: dict[Capture, _Hit] = {}
    for name in (*REWRITING, RECIPIENT_MAPS):
        for value, where in values_for_strangers(state, name).items():
            answer = said(state, value, address)
            if answer:
                found.setdefault(answer, _Hit(name, where, answer))
    return list(found.values())


def _nobody(domain: DomainEvidence, state: HostState) -> str:
    return f"{state.lookups.nobody}@{domain.name}"


def _knows(hit: _Hit) -> str:
    return f"has the row {hit.answer.key}" if hit.answer.key.startswith("@") else "knows an address of random letters"


def _taken_out(hit: _Hit, domain: DomainEvidence) -> str:
    """What ends an answer that concerns every recipient of the domain."""
    if hit.answer.key.startswith("@"):
        return _without_row(hit.answer.key, hit.answer.member)
    return f"make {hit.answer.member} leave out {domain.name}, or remove it from {hit.where}"


def _without_row(key: str, member: str) -> str:
    reference = without_proxy(member)
    kind, _colon, path = reference.partition(":")
    if kind in INDEXED_TYPES:
        return f"remove the row {key} from {path} and run postmap {reference}"
    return f"remove the row {key} from {member}"


@domain_check(
    "rewrites",
    LOCAL,
    "mail for the domain goes to another address: all of it (error; warning if it stays in relayed domains), or that "
    "for some recipients (info)",
    place=RECIPIENTS,
)
def rewrites(domain: DomainEvidence, state: HostState) -> Iterator[Fault]:
    if not domain.relayed or not state.lookups.nobody:
        return
    all_of_it = _captures(domain, state)
    for hit in all_of_it:
        severity = _severity(hit, domain, state)
        yield Fault(
            f"{hit.answer.member} ({hit.where}) {_knows(hit)}: all its mail goes to "
            f"{_target(hit.answer.result, domain, state)}",
            _taken_out(hit, domain),
            severity,
            domain.name,
        )
    for where, member, rows in _single_rows(domain, state):
        if member not in [hit.answer.member for hit in all_of_it]:
            address, result = list(rows.items())[0]
            others = f", and that for {len(rows) - 1} more elsewhere" if len(rows) > 1 else ""
            yield Fault(
                f"{member} ({where}) sends mail for {address} to {result}{others}, before its mail host is asked",
                f"if that is not meant, {_without_row(address, member)}",
                INFO,
                domain.name,
            )


def _captures(domain: DomainEvidence, state: HostState) -> list[_Hit]:
    """The answers that rewrite every recipient of the domain to an address that is not his own."""
    return [
        hit
        for hit in _rewriting(_nobody(domain, state), state)
        if not _keeps(hit.answer.result, _nobody(domain, state))
    ]


def _rewriting(address: str, state: HostState) -> list[_Hit]:
    """What cleanup(8) is answered about an address."""
    found: dict[Capture, _Hit] = {}
    for name in REWRITING:
        for value, where in values_of_cleanup(state, name).items() if _applies(name, state) else ():
            answer = said(state, value, address)
            if answer:
                found.setdefault(answer, _Hit(name, where, answer))
    return list(found.values())


def _applies(name: str, state: HostState) -> bool:
    return name != CANONICAL or any(
        "envelope_recipient" in split_items(value) for value in values_of_cleanup(state, "canonical_classes")
    )


def _keeps(result: str, address: str) -> bool:
    """Whether a result of rewriting still has the address."""
    return bool({address, "@" + address.rpartition("@")[2]}.intersection(split_items(result.lower())))


def _severity(hit: _Hit, domain: DomainEvidence, state: HostState) -> str:
    """A warning where the mail stays in its domain, or keeps its local part in another domain that is relayed."""
    targets = split_items(hit.answer.result.lower())
    names = [target.rpartition("@")[2] if "@" in target else "" for target in targets]
    stays = [
        name == domain.name or (target.startswith("@") and relayed_by(name, state))
        for target, name in zip(targets, names)
    ]
    return WARNING if stays and all(stays) else ERROR


def _target(result: str, domain: DomainEvidence, state: HostState) -> str:
    """A result as it is told: without the letters that were asked about."""
    return result.replace(_nobody(domain, state), f"the same address of {domain.name}")


class _Single(NamedTuple):
    where: str
    member: str
    rows: dict[str, str]


def _single_rows(domain: DomainEvidence, state: HostState) -> list[_Single]:
    """By table, the recipients that it rewrites one by one: those that can be listed, and the one that was asked."""
    found: dict[str, _Single] = {}
    sample = state.lookups.listed.get(domain.name, "")
    for name in REWRITING:
        for value, where in values_of_cleanup(state, name).items() if _applies(name, state) else ():
            for member in split_items(value):
                rows = {
                    key: result
                    for key, result in state.lookups.rewritten.get(member, {}).items()
                    if key.rpartition("@")[2] == domain.name and not _keeps(result, key)
                }
                answer = state.lookups.answers.get(member, {}).get(sample, "")
                if answer and not _keeps(answer, sample):
                    rows = {sample: answer, **rows}
                if rows:
                    found.setdefault(member, _Single(where, member, rows))
    return list(found.values())
