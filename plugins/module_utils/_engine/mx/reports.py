# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what becomes of the reports of refused mail: the tables that they come by, and who gets those that are kept."""

from __future__ import annotations

import pwd
import secrets
from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import values_for_strangers
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.refused_mail import (
    bounce_services,
    no_address_of,
    report_tables,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.reports import REDIRECT, ReportEvidence

_COMMAND_FILTER = "smtpd_command_filter"
# What an alias that leads to a program, a file or a list begins with; there the mail ends.
_ENDS = ("|", "/", ":")
# Aliases that lead to aliases that lead to aliases.
_DEEPEST = 10


def read_reports(domains: Sequence[str], state: HostState, reader: MapReader, targets: Sequence[str]) -> ReportEvidence:
    """What is known of the reports about these domains. `targets` are addresses that are to get some."""
    local_part = secrets.token_hex(8)
    lines = {domain: f"Final-Recipient: rfc822; {local_part}@{domain}" for domain in domains}
    actions: dict[str, dict[str, str]] = {domain: {} for domain in domains}
    tables: set[str] = set()
    for service in bounce_services(state):
        asked = report_tables(state, service)
        tables.update(asked)
        answers = [reader.ask(table, list(lines.values())) for table in asked]
        for domain, line in lines.items():
            said = [answer[line] for answer in answers if line in answer]
            actions[domain][service.key] = _action(said[0] if said else "")
    unread = {table: reader.problems[table] for table in sorted(tables) if table in reader.problems}
    found = ReportEvidence(actions, unread, silenced=_silenced(domains, local_part, state, reader))
    notice = _at_origin(state.value("2bounce_notice_recipient") or "postmaster", state)
    addresses = [*found.redirected, *targets, *([notice] if found.kept or targets else [])]
    return replace(found, addressees={address: _undelivered(address, state, reader) for address in addresses})


def _action(result: str) -> str:
    """What a result of body checks does with the whole report, "" if it is sent."""
    word, _blank, rest = result.partition(" ")
    if word.upper() == "REDIRECT":
        return REDIRECT + rest.strip()
    return word.upper() if word.upper() in ("DISCARD", "HOLD", "REJECT", "FILTER") else ""


def _at_origin(address: str, state: HostState) -> str:
    return address if "@" in address else f"{address}@{state.value('myorigin')}"


def _undelivered(address: str, state: HostState, reader: MapReader) -> str | None:
    """Why mail for an address does not arrive: of one whose mail is delivered elsewhere that is not known here."""
    local_part, _at, domain = address.rpartition("@")
    members = [member.lower() for member in split_items(state.value("mydestination"))]
    if domain.lower() not in members:
        return no_address_of(domain, state)
    transport = state.value("local_transport")
    if transport.startswith(("error", "discard")):
        return f"local_transport is {transport}"
    if state.value("mailbox_transport") or state.value("luser_relay"):
        return None
    return _unaliased(local_part, state, reader)


def _unaliased(name: str, state: HostState, reader: MapReader) -> str:
    """Why local(8) delivers mail for a user nowhere, "" if some alias leads to an account, a file or a program."""
    seen: set[str] = set()
    names = [name.lower()]
    for _depth in range(_DEEPEST):
        names = [each for each in names if each not in seen]
        if not names:
            return f"the aliases of {name} lead to nobody but themselves"
        seen.update(names)
        results: dict[str, str] = {}
        for table in split_items(state.value("alias_maps")):
            results = {**reader.ask(table, names), **results}
        if any(each not in results and _is_account(each) for each in names):
            return ""
        leads = [lead for result in results.values() for lead in split_items(result.replace('"', " "))]
        if not leads:
            return f"there is no alias or account {' or '.join(names)}"
        users = [lead for lead in leads if "@" not in lead and not lead.startswith(_ENDS)]
        refused = [_refused(lead, state) for lead in leads if lead not in users]
        if not all(refused) or any(lead.startswith("\\") and _is_account(lead[1:]) for lead in users):
            return ""
        if not users:
            return str(refused[0])
        names = [lead.lstrip("\\").lower() for lead in users]
    return f"the aliases of {name} lead on and on"


def _refused(lead: str, state: HostState) -> str | None:
    """Why what an alias leads to besides users may refuse the mail, None if it is not known to."""
    return None if lead.startswith(_ENDS) else no_address_of(lead.rpartition("@")[2], state)


def _is_account(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _silenced(domains: Sequence[str], local_part: str, state: HostState, reader: MapReader) -> dict[str, str]:
    """The domains whose recipients a filter of commands names with a wish for no report."""
    lines = {f"RCPT TO:<{local_part}@{domain}>": domain for domain in domains}
    found: dict[str, str] = {}
    for value in values_for_strangers(state, _COMMAND_FILTER):
        for table in split_items(value):
            answers = reader.ask(table, list(lines))
            found.update({lines[line]: table for line, said in answers.items() if "NOTIFY=NEVER" in said.upper()})
    return found
