# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what becomes of strangers' mail on this host before it is sent on: rules, filters, milters, policies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import WHOLE_HOST, Register
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    ERROR,
    INFO,
    LOCAL,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import services_for_strangers
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, Rules
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.reception import (
    CHECKS,
    FAMILIES,
    LOCAL_PART,
    Helper,
    RuleTable,
    canonical_tables,
    cleanup_values,
    helpers,
    receive_overrides,
    rule_tables,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts

_DIVERTING = {"DISCARD": "discards", "HOLD": "holds", "REDIRECT": "redirects"}
# What header_checks(5) and body_checks do to a message that goes on its way.
_CHANGING = ("REPLACE", "IGNORE", "STRIP")
_BCC = ("always_bcc", "sender_bcc_maps", "recipient_bcc_maps")
_SRS = re.compile(r"SRS[01][=+-]", re.IGNORECASE)
_WHAT_WAITS = "mail is accepted and then waits"

check = Register(WHOLE_HOST)


@check(
    "diverted",
    LOCAL,
    "a rule discards, holds or redirects all mail (error) or some (warning), or can't be listed (info)",
)
def diverted(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    domains = [name for name in state.relayed if not name.startswith(".")]
    for rules in rule_tables(state, domains):
        known = state.rules.get(rules.table)
        if known is not None and rules.table not in state.admission.unread:
            yield from _diversions(rules, known, domains)


def _diversions(rules: RuleTable, known: Rules, domains: list[str]) -> Iterator[Fault]:
    place = f"{rules.table} in {rules.where}"
    static = rules.table.startswith("static:")
    all_of_it = _action(known.listed[0]) if static and known.listed else _for_every_stranger(rules, known.answers)
    if all_of_it:
        yield Fault(
            f"{place} {_DIVERTING[all_of_it]} every message that a stranger sends",
            f"remove {rules.table} from {rules.where}, or the entry that matches everything",
        )
        return
    for name in domains if rules.recipients else ():
        found = [_action(known.answers.get(key, "")) for key in (name, f"{LOCAL_PART}@{name}")]
        for action in list(filter(None, found))[:1]:
            yield Fault(
                f"{place} {_DIVERTING[action]} its mail",
                f"remove its entry from {rules.table}",
                ERROR,
                name,
            )
    if known.listed is None:
        yield Fault(
            f"{place} can't be listed, so whether it discards, holds or redirects mail can't be told",
            "see that it does not",
            INFO,
        )
    for action in sorted({_action(result) for result in known.listed or ()} - {""}):
        yield Fault(
            f"{place} has entries that say {action}: it {_DIVERTING[action]} mail that was accepted",
            f"remove those entries from {rules.table} unless they are meant so; REJECT tells the sender",
            WARNING,
        )


def _for_every_stranger(rules: RuleTable, answers: Mapping[str, str]) -> str:
    """What the table does to each message whose sender this host has never heard of; "" if it can't be said to."""
    if rules.recipients or not rules.keys:
        return ""
    every = [address for family in FAMILIES for address in family]
    if rules.keys[0] in every:
        found = [{_action(answers.get(address, "")) for address in family} for family in FAMILIES]
        return next((actions.pop() for actions in found if len(actions) == 1 and "" not in actions), "")
    return next((action for action in (_action(answers.get(key, "")) for key in rules.keys) if action), "")


def _action(result: str) -> str:
    word = (result.split() or [""])[0].upper()
    return word if word in _DIVERTING else ""


@check("rewritten", LOCAL, "the sender of every message is rewritten (warning: by SRS)")
def rewritten(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for rules in canonical_tables(state):
        known = state.rules.get(rules.table)
        result = next(iter(known.answers.values()), "") if known else ""
        if _SRS.match(result):
            yield Fault(
                f"{rules.table} in {rules.where} rewrites the sender of every message that a stranger sends, by SRS: "
                "the mail host judges this host's name in place of the sender's",
                f"let mail for relay domains pass {rules.where} unchanged, and make their mail hosts trust this host",
                WARNING,
            )
        elif result:
            yield Fault(
                f"{rules.table} in {rules.where} makes {result} the sender of every message that a stranger sends",
                "let its entries match only addresses of this host, or rewrite on the way to the smarthost alone: "
                f"smtp_generic_maps in place of {rules.where}",
            )


@check(
    "altered",
    LOCAL,
    "mail that only passes through is changed, which breaks its DKIM signature",
)
def altered(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for rules in rule_tables(state, ()):
        known = state.rules.get(rules.table)
        words = {result.split()[0].upper() for result in known.listed or () if result.split()} if known else set()
        changing = sorted(words.intersection(_CHANGING)) if rules.where.partition(" of ")[0] in CHECKS else []
        if changing:
            yield Fault(
                f"{rules.table} in {rules.where} has entries that say {' and '.join(changing)}: they change mail that "
                "only passes through, which breaks its DKIM signature",
                f"remove those entries from {rules.table}, or keep {rules.where} from what strangers send: "
                "receive_override_options=no_header_body_checks",
                WARNING,
            )
    domain = state.value("remote_header_rewrite_domain")
    if domain:
        yield Fault(
            f"remote_header_rewrite_domain = {domain} rewrites the headers of mail that strangers send, which breaks "
            "its DKIM signature",
            "set remote_header_rewrite_domain to empty",
            WARNING,
        )


@check("copied", LOCAL, "a copy of mail that passes through goes to another address")
def copied(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for service in services_for_strangers(state):
        if "no_address_mappings" in receive_overrides(state, service):
            continue
        for name, value in cleanup_values(state, service, _BCC).items():
            if value:
                yield Fault(
                    f"{name} = {value} has a copy of mail for relay domains sent elsewhere: if the copy can't be "
                    "delivered, a bounce goes to the sender of the mail, who may be forged",
                    f"remove {name}, or be sure that its addresses always take mail",
                    WARNING,
                )


@check("filtered", LOCAL, "a content filter or milter is handed the mail, and may change it")
def filtered(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for helper in helpers(state):
        if not (helper.where.startswith("non_smtpd_milters") or helper.problem or _why_silent(helper, state)):
            yield Fault(
                f"{helper.what} in {helper.where} is handed mail for relay domains: whether it changes more than it "
                "adds, which would break DKIM signatures, can't be told",
                "see that it only adds headers; a canary shows what arrives",
                INFO,
            )


@check(
    "filter_silent",
    LOCAL,
    "a content filter or milter does not answer (warning: mail passes without it)",
)
def filter_silent(state: HostState, _facts: HostFacts) -> Iterator[Fault]:
    for helper in helpers(state):
        why = helper.problem or _why_silent(helper, state)
        if why:
            yield Fault(
                f"{helper.what} in {helper.where} does not answer ({why}): {_without(helper)}",
                f"start or correct it, or remove it from {helper.where}",
                WARNING if helper.action or helper.where.startswith("non_smtpd_milters") else ERROR,
            )


def _why_silent(helper: Helper, state: HostState) -> str:
    """Why none of its endpoints takes a connection; "" if one does, or none is known."""
    said = [state.answering.get(endpoint, "") for endpoint in helper.endpoints]
    return said[0] if said and all(said) else ""


def _without(helper: Helper) -> str:
    where = helper.where.partition(" of ")[0]
    if helper.action:
        return f"mail passes without it ({helper.action})"
    if where == "non_smtpd_milters":
        return "mail that is sent on this host itself is put off"
    if where.startswith("smtpd_"):
        return "mail is put off, refused or held"
    return _WHAT_WAITS
