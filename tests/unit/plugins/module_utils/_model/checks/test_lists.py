# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.lists import (
    list_age,
    list_drift,
    list_record,
    list_source,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lists import (
    DriftEvidence,
    ListEvidence,
    SourceEvidence,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import TableEvidence

EARLY, LATE = "2026-11-27T08:00:00Z", "2026-11-28T23:30:00Z"
STAFF = SourceEvidence("staff", "ldap", "localhost", LATE, 60, 12)
SHOP = SourceEvidence("shop", "sql", "db.example", LATE, 60, 3)


def evidence(*sources: SourceEvidence, **fields: Any) -> DomainEvidence:
    followed = ListEvidence(sources or (STAFF, SHOP), **{"listed_at": LATE, "age": 60, **fields})
    return DomainEvidence("x.example", followed=followed)


def finding(check: str, scope: str, message: str, remedy: str, subject: str = "") -> Finding:
    return Finding("x.example", check, "warning", scope, message, remedy, "recipients", subject)


def test_domain_that_follows_nothing_has_no_finding() -> None:
    domain = DomainEvidence("x.example")
    assert [*list_age(domain, HostState()), *list_source(domain, HostState()), *list_drift(domain, HostState())] == []


def test_list_that_is_what_its_sources_say_has_no_finding() -> None:
    assert [*list_age(evidence(), HostState()), *list_source(evidence(), HostState())] == []


@pytest.mark.parametrize(
    ("age", "max_age", "old"),
    [
        (86400, "1d", False),
        (86401, "1d", True),
        (3601, "1h", True),
        (3600, "1", False),
        (3601, "1", True),
        (None, "1d", False),
    ],
)
def test_list_may_be_as_old_as_is_said(age: int | None, max_age: str, old: bool) -> None:
    found = list(list_age(evidence(listed_at=EARLY, age=age, max_age=max_age), HostState()))
    message = (
        f"its list was last made of its sources (staff, shop) on 2026-11-27 08:00 UTC, longer ago than list_max_age "
        f"({max_age})"
    )
    remedy = "run the playbook sync_recipients, and let a schedule run it"
    assert found == ([finding("list_age", "local", message, remedy)] if old else [])


def test_each_source_that_failed_is_named_with_the_reason() -> None:
    failed = SourceEvidence("staff", "ldap", "localhost", EARLY, 90000, 12, LATE, "ldaps://dc: got no answer; start it")
    never = SourceEvidence("shop", "sql", "db.example", failed_at=LATE, problem="refused the login")
    found = list(list_source(evidence(failed, never, kept="the sources staff and shop failed"), HostState()))
    remedy = "correct what the reason names, then run the playbook sync_recipients"
    assert found == [
        finding(
            "list_source",
            "remote",
            "its source staff (ldap on localhost) has not been read since 2026-11-27 08:00 UTC, so its list stays as "
            "it was: ldaps://dc: got no answer; start it (on 2026-11-28 23:30 UTC)",
            remedy,
            "x.example staff",
        ),
        finding(
            "list_source",
            "remote",
            "its source shop (sql on db.example) has never been read, so its list stays as it was: refused the login "
            "(on 2026-11-28 23:30 UTC)",
            remedy,
            "x.example shop",
        ),
    ]


@pytest.mark.parametrize(
    ("listed_at", "made"),
    [(EARLY, "is that of 2026-11-27 08:00 UTC"), ("", "was never made of its sources")],
)
def test_list_that_was_left_as_it_was_is_told_with_the_reason(listed_at: str, made: str) -> None:
    found = list(list_source(evidence(listed_at=listed_at, kept="it would lose 7 of 20 addresses"), HostState()))
    assert found == [
        finding(
            "list_source",
            "remote",
            f"the last run left its list as it was, which {made} (staff, shop): it would lose 7 of 20 addresses",
            "correct what the reason names, then run the playbook sync_recipients; to let many removals through once, "
            "name the domain in sync_recipients_let_through",
        )
    ]


def test_addresses_in_which_list_and_mail_host_differ_are_counted_and_not_named() -> None:
    domain = evidence()
    domain.drift = DriftEvidence("mail.example", 5, 3, ("a@x.example", "b@x.example"), ("c@x.example",))
    found = list(list_drift(domain, HostState()))
    assert found == [
        finding(
            "list_drift",
            "remote",
            "its mail host mail.example does not know 2 of 5 addresses drawn from the list: mail for such is accepted, "
            "then bounces",
            "run the playbook sync_recipients; if that mends nothing, its sources (staff, shop) list who is unknown to "
            "the mail host",
        ),
        finding(
            "list_drift",
            "remote",
            "its mail host mail.example knows 1 of 3 addresses drawn from those that the list has lost: their mail is "
            "refused here",
            "run the playbook sync_recipients; if that mends nothing, its sources (staff, shop) lack who is known to "
            "the mail host",
        ),
    ]


def test_addresses_that_do_not_differ_are_no_finding() -> None:
    domain = evidence()
    domain.drift = DriftEvidence("mail.example", 5, 5)
    assert list(list_drift(domain, HostState())) == []


def test_record_that_can_not_be_believed_is_told_of_its_table() -> None:
    table = TableEvidence("relay_recipient_maps", "hash:/r", "current", 2)
    assert list(list_record(table)) == []
    table = TableEvidence("relay_recipient_maps", "hash:/r", "current", 2, record_problem="/.r.sources: has mode 0644")
    assert list(list_record(table)) == [
        Finding(
            "",
            "list_record",
            "warning",
            "local",
            "what is kept of the sources of hash:/r can't be believed (/.r.sources: has mode 0644): how old its "
            "lists are is not known",
            "remove that file, then run the playbook sync_recipients, which writes it again",
            "recipients",
        )
    ]
