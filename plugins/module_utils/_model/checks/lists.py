# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that a list of recipients which follows sources is what they say, and what its mail host knows."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    DOMAIN,
    DOMAIN_ON_MAIL_HOST,
    TABLE,
    Register,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    LOCAL,
    RECIPIENTS,
    REMOTE,
    WARNING,
    Fault,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import seconds
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lists import ListEvidence, SourceEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import TableEvidence

_SYNC = "run the playbook sync_recipients"

check = Register(DOMAIN)
table_check = Register(TABLE)
mail_host_check = Register(DOMAIN_ON_MAIL_HOST)


@table_check("list_record", LOCAL, "what is kept of the sources of lists can't be believed", place=RECIPIENTS)
def list_record(table: TableEvidence) -> Iterator[Fault]:
    if table.record_problem:
        yield Fault(
            f"what is kept of the sources of {table.reference} can't be believed ({table.record_problem}): how old its "
            "lists are is not known",
            f"remove that file, then {_SYNC}, which writes it again",
            WARNING,
        )


@check("list_age", LOCAL, "the list has not been made of its sources for longer than list_max_age", place=RECIPIENTS)
def list_age(domain: DomainEvidence, _state: HostState) -> Iterator[Fault]:
    followed = domain.followed
    if followed is None or followed.oldest is None:
        return
    if followed.oldest > (seconds(followed.max_age, "h") or 0):
        yield Fault(
            f"its list was last made of its sources ({followed.names}) on {_moment(followed.since)}, longer ago than "
            f"list_max_age ({followed.max_age})",
            f"{_SYNC}, and let a schedule run it",
            WARNING,
            domain.name,
        )


@check(
    "list_source",
    REMOTE,
    "the last read of a source of the list failed, or the list was left as it was",
    place=RECIPIENTS,
)
def list_source(domain: DomainEvidence, _state: HostState) -> Iterator[Fault]:
    followed = domain.followed or ListEvidence()
    failed = [source for source in followed.sources if source.problem]
    for source in failed:
        yield Fault(
            f"its source {source.name} ({source.type} on {source.host}) {_since(source)}, so its list stays as it was: "
            f"{source.problem} (on {_moment(source.failed_at)})",
            f"correct what the reason names, then {_SYNC}",
            WARNING,
            domain.name,
            subject=f"{domain.name} {source.name}",
        )
    if followed.kept and not failed:
        made = f"is that of {_moment(followed.listed_at)}" if followed.listed_at else "was never made of its sources"
        yield Fault(
            f"the last run left its list as it was, which {made} ({followed.names}): {followed.kept}",
            f"correct what the reason names, then {_SYNC}; to let many removals through once, name the domain in "
            "sync_recipients_let_through",
            WARNING,
            domain.name,
        )


def _since(source: SourceEvidence) -> str:
    return f"has not been read since {_moment(source.read_at)}" if source.read_at else "has never been read"


def _moment(time: str) -> str:
    """A time in ISO 8601 as findings tell times: `2026-11-28 23:30 UTC`."""
    return f"{time[:16].replace('T', ' ')} UTC"


@mail_host_check("list_drift", REMOTE, "the list and the mail host differ in some addresses", place=RECIPIENTS)
def list_drift(domain: DomainEvidence, _state: HostState) -> Iterator[Fault]:
    """It tells counts: who is drawn differs from time to time, and people are not named without need."""
    drift, followed = domain.drift, domain.followed or ListEvidence()
    if drift is not None and drift.unknown:
        yield Fault(
            f"its mail host {drift.server} does not know {len(drift.unknown)} of {drift.listed} addresses drawn from "
            "the list: mail for such is accepted, then bounces",
            f"{_SYNC}; if that mends nothing, its sources ({followed.names}) list who is unknown to the mail host",
            WARNING,
            domain.name,
        )
    if drift is not None and drift.known:
        yield Fault(
            f"its mail host {drift.server} knows {len(drift.known)} of {drift.vanished} addresses drawn from those "
            "that the list has lost: their mail is refused here",
            f"{_SYNC}; if that mends nothing, its sources ({followed.names}) lack who is known to the mail host",
            WARNING,
            domain.name,
        )
