# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks import outage
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.admission import AdmissionEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import MailVolume, QueueSpace
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts

CODE = "unverified_recipient_defer_code"
LIST = "smtpd_recipient_restrictions"
ASKING = "permit_mynetworks, reject_unauth_destination, reject_unverified_recipient"
TABLE = "hash:/t"


def service(name: str = "smtp", **own: str) -> Service:
    return Service(name, "inet", "-", "-", "-", "-", "-", "smtpd", dict(own))


def findings(
    services: list[Service] | None = None,
    evidence: AdmissionEvidence | None = None,
    relayed: str = "x.example",
    **values: str,
) -> list[Finding]:
    every = {CODE: "450", **values}
    state = HostState(
        parameters=every,
        values=every,
        services=[service()] if services is None else services,
        admission=evidence or AdmissionEvidence(),
    )
    domain = DomainEvidence("x.example", relayed=relayed, recipients=2)
    return list(outage.verify_defers(domain, state))


def places(*arguments: Any, **values: str) -> list[str]:
    """Where smtpd is told to ask the mail host."""
    return [finding.message.partition(" has smtpd ask ")[0] for finding in findings(*arguments, **values)]


def test_restriction_that_asks_the_mail_host_is_an_error_with_its_remedy() -> None:
    (finding,) = findings(**{LIST: ASKING})
    assert finding.as_result()["text"] == (
        "x.example (verify_defers): reject_unverified_recipient in smtpd_recipient_restrictions has smtpd ask its mail "
        "host about each recipient: while that is down, mail for listed recipients is deferred as well (450); set "
        "unverified_recipient_defer_code to 250, or remove reject_unverified_recipient in smtpd_recipient_restrictions"
    )
    assert (finding.severity, finding.scope, finding.place) == ("error", "local", "recipients")


def test_what_can_not_be_verified_is_accepted_by_code_250() -> None:
    assert findings(**{LIST: ASKING, CODE: "250"}) == []
    assert findings(**{LIST: ASKING, CODE: "251"}) == []
    assert findings([service(**{CODE: "250"})], **{LIST: ASKING}) == []


def test_release_without_the_code_can_only_do_without_asking() -> None:
    state = HostState(values={LIST: ASKING}, services=[service()])
    (finding,) = outage.verify_defers(DomainEvidence("x.example", relayed="x.example"), state)
    assert finding.remedy == "remove reject_unverified_recipient in smtpd_recipient_restrictions"


@pytest.mark.parametrize(
    "values",
    [
        {"smtpd_relay_restrictions": ASKING},
        {"smtpd_client_restrictions": "reject_unverified_recipient"},
        {"smtpd_sender_restrictions": "Reject_Unverified_Recipient"},
        {"smtpd_data_restrictions": "reject_unverified_recipient"},
        {LIST: "asking", "smtpd_restriction_classes": "asking", "asking": "reject_unverified_recipient"},
    ],
)
def test_each_list_that_a_stranger_comes_to_counts(values: dict[str, str]) -> None:
    assert len(findings(**values)) == 1


@pytest.mark.parametrize(
    "values",
    [
        {LIST: "reject_unauth_destination, reject_unverified_sender"},
        {LIST: "warn_if_reject reject_unverified_recipient"},
        {LIST: "permit_auth_destination, reject_unverified_recipient"},
        {LIST: "reject, reject_unverified_recipient"},
        {"smtpd_client_restrictions": "reject", LIST: ASKING},
        {"smtpd_client_restrictions": "reject_unverified_recipient", "smtpd_delay_reject": "no"},
        {"asking": "reject_unverified_recipient"},
    ],
)
def test_mail_for_the_domain_does_not_come_to_it(values: dict[str, str]) -> None:
    assert findings(**values) == []


def test_domain_that_is_not_relayed_and_services_of_own_users_have_none() -> None:
    assert findings(relayed="", **{LIST: ASKING}) == []
    assert findings([service(), service("submission", **{LIST: ASKING})]) == []
    assert findings([service(), service("127.0.0.1:10025", **{LIST: ASKING})]) == []


def test_services_are_judged_with_their_own_overrides() -> None:
    own = [service(), service("192.0.2.1:25", **{LIST: ASKING})]
    assert places(own) == ["reject_unverified_recipient in smtpd_recipient_restrictions of 192.0.2.1:25/inet"]
    code = findings([service(**{CODE: "451"})], **{LIST: ASKING, CODE: "250"})
    assert code[0].remedy.startswith("set unverified_recipient_defer_code of smtp/inet to 250")


def said(result: str, **classes: str) -> list[str]:
    """Where it is asked, as a table of recipients says so about the domain."""
    evidence = AdmissionEvidence(of_recipients={TABLE: {"x.example": result}})
    lists = {LIST: f"reject_unauth_destination, check_recipient_access {TABLE}, reject"}
    return places(None, evidence, smtpd_restriction_classes=" ".join(classes), **{**lists, **classes})


def test_result_of_a_table_counts_also_by_a_class() -> None:
    place = f"check_recipient_access {TABLE} in smtpd_recipient_restrictions"
    assert said("reject_unlisted_recipient, reject_unverified_recipient") == [place]
    assert said("asking", asking="reject_unverified_recipient") == [place]
    assert said("asking") == []
    assert said("OK") == []


def test_what_tables_say_of_other_domains_does_not_count() -> None:
    evidence = AdmissionEvidence(of_recipients={TABLE: {"other.example": "reject_unverified_recipient"}})
    values = {LIST: f"reject_unauth_destination, check_recipient_access {TABLE}, {ASKING}"}
    assert places(None, evidence, **values) == ["reject_unverified_recipient in smtpd_recipient_restrictions"]


def test_one_table_among_others_that_asks_is_enough() -> None:
    evidence = AdmissionEvidence(verifying={"hash:/other": [], TABLE: ["x.example"]})
    found = places(None, evidence, **{LIST: f"reject_unauth_destination, check_recipient_access {TABLE}"})
    assert found == [f"check_recipient_access {TABLE} in smtpd_recipient_restrictions"]


def test_table_that_permits_listed_recipients_keeps_them_from_being_asked_about() -> None:
    evidence = AdmissionEvidence(of_recipients={TABLE: {"x.example": "OK"}})
    values = {LIST: f"reject_unauth_destination, check_recipient_access {TABLE}, reject_unverified_recipient"}
    assert findings(None, evidence, **values) == []
    assert len(findings(None, AdmissionEvidence(), **values)) == 1


@pytest.mark.parametrize(
    ("action", "key", "expected"),
    [
        ("check_client_access", "198.51.100", 1),
        ("check_sender_access", "elsewhere.example", 1),
        ("check_recipient_access", "alice@x.example", 1),
        ("check_recipient_access", "x.example", 1),
        ("check_recipient_access", "alice@", 1),
        ("check_recipient_access", "alice@other.example", 0),
        ("check_recipient_access", "other.example", 0),
    ],
)
def test_row_for_some_counts_where_it_concerns_recipients_of_the_domain(action: str, key: str, expected: int) -> None:
    evidence = AdmissionEvidence(verifying={TABLE: [key]})
    found = places(None, evidence, **{LIST: f"reject_unauth_destination, {action} {TABLE}"})
    assert found == [f"{action} {TABLE} in smtpd_recipient_restrictions"] * expected


@pytest.mark.parametrize(
    ("left", "values", "message"),
    [
        pytest.param(None, {}, "", id="nothing waits"),
        pytest.param(108001, {}, "", id="in time"),
        pytest.param(108000, {}, "in 30 h", id="a quarter"),
        pytest.param(7200, {}, "in 2 h", id="soon"),
        pytest.param(7199, {}, "in 120 min", id="sooner"),
        pytest.param(0, {}, "in 0 min", id="due"),
        pytest.param(21601, {"bounce_queue_lifetime": "1d"}, "", id="reports live shorter"),
        pytest.param(21600, {"bounce_queue_lifetime": "1d"}, "in 6 h", id="a quarter of that"),
    ],
)
def test_mail_that_bounces_soon_is_a_warning(left: float | None, values: dict[str, str], message: str) -> None:
    domain = DomainEvidence("x.example", to_first_bounce=left)
    found = list(outage.mail_bounces_soon(domain, HostState(values=values)))
    assert [finding.message for finding in found] == [
        f"the first queued message bounces {message} unless it is delivered before"
    ] * bool(message)
    assert {(finding.severity, finding.domain, finding.scope, finding.place) for finding in found} <= {
        ("warning", "x.example", "remote", "mail_host")
    }


GIB = 1 << 30
ROOM = {"message_size_limit": "10240000", "queue_minfree": "0", "maximal_queue_lifetime": "5d"}
# 15,360,000 bytes are 1.5 times the limit.
LEAST = 15_360_000


def of_host(facts: HostFacts, **values: str) -> list[tuple[str, str, str]]:
    state = HostState(values={**ROOM, **values})
    checks = (outage.outage_minfree, outage.outage_space, outage.outage_inodes, outage.outage_volume)
    return [(finding.check, finding.severity, finding.message) for check in checks for finding in check(state, facts)]


def space(free: int = 100 * GIB, inodes: int | None = None, **volume: int) -> HostFacts:
    return HostFacts(outage="10d", space=QueueSpace("/queue", free, inodes), volume=MailVolume(**volume))


@pytest.mark.parametrize(
    ("free", "minfree", "found"),
    [(LEAST + 1, "0", False), (LEAST, "0", True), (2 * LEAST, str(2 * LEAST), True), (2 * LEAST, "1", False)],
)
def test_postfix_takes_no_mail_without_room(free: int, minfree: str, found: bool) -> None:
    facts = HostFacts(space=QueueSpace("/queue", free))
    seen = of_host(facts, queue_minfree=minfree)
    assert [(check, severity) for check, severity, _message in seen] == [("outage_minfree", "error")] * found


def test_room_that_is_missing_is_told_with_what_asks_for_it() -> None:
    ((_check, _severity, message),) = of_host(HostFacts(space=QueueSpace("/queue", 1 << 20)))
    assert message == (
        "the file system of /queue has 1.0 MiB free, and Postfix takes no mail below 14.6 MiB (1.5 times "
        "message_size_limit): clients are told to try again"
    )


@pytest.mark.parametrize("limit", ["0", "none"])
def test_disk_that_mail_may_fill_is_a_warning_only_in_an_outage(limit: str) -> None:
    unlimited = {"message_size_limit": limit}
    assert of_host(HostFacts(space=QueueSpace("/queue", GIB)), **unlimited) == []
    (found,) = of_host(space(size=0, messages=0), **unlimited)
    said = "neither message_size_limit nor queue_minfree is set, so Postfix takes mail until the disk is full"
    assert found == ("outage_minfree", "warning", said)


@pytest.mark.parametrize(
    ("lifetime", "free", "found"),
    # Of ten days' outage mail of five days gathers, with a lifetime of five.
    [("5d", 5 * GIB + LEAST, False), ("5d", 5 * GIB + LEAST - 1, True), ("20d", 5 * GIB + LEAST, True)],
)
def test_mail_of_the_outage_must_find_room(lifetime: str, free: int, found: bool) -> None:
    seen = of_host(space(free, size=GIB, messages=0), maximal_queue_lifetime=lifetime)
    assert [(check, severity) for check, severity, _message in seen] == [("outage_space", "error")] * found


def test_small_mail_takes_whole_blocks() -> None:
    ((check, _severity, message),) = of_host(space(LEAST + 8192 * 5, size=0, messages=2))
    assert (check, message.partition(" (")[0]) == (
        "outage_space",
        "in 10d the queue is expected to need 80.0 KiB",
    )


def test_disk_that_is_full_has_no_room() -> None:
    _minfree, (check, _severity, message) = of_host(space(0, size=1, messages=0))
    assert check == "outage_space"
    assert message.endswith(" and the file system of /queue has 0 bytes before Postfix takes no more")


@pytest.mark.parametrize("free", [LEAST, LEAST + 40960])
def test_volume_of_nothing_needs_no_room(free: int) -> None:
    assert [check for check, _severity, _message in of_host(space(free, size=0))] == ["outage_minfree"] * (
        free == LEAST
    )


def test_outage_of_no_length_needs_no_room() -> None:
    facts = replace(space(LEAST + 1, 0, size=GIB, messages=2), outage="")
    assert of_host(facts) == []


def test_room_that_is_not_limited_by_words_is_that_of_the_disk() -> None:
    facts = space(8192 * 5, size=0, messages=1)
    seen = of_host(facts, message_size_limit="0", queue_minfree="none")
    assert [check for check, _severity, _message in seen] == ["outage_minfree"]


@pytest.mark.parametrize(("inodes", "found"), [(20, False), (19, True), (None, False)])
def test_each_message_needs_two_inodes(inodes: int | None, found: bool) -> None:
    seen = of_host(space(inodes=inodes, size=1, messages=2))
    assert [(check, severity) for check, severity, _message in seen] == [("outage_inodes", "error")] * found


def test_messages_of_a_given_volume_are_of_usual_size() -> None:
    assert of_host(space(inodes=655360, size=GIB)) == []
    assert [check for check, _severity, _message in of_host(space(inodes=655359, size=GIB))] == ["outage_inodes"]


def test_volume_that_nobody_knows_is_told() -> None:
    (found,) = of_host(HostFacts(outage="10d", space=QueueSpace("/queue", GIB, 0), volume=MailVolume()))
    assert found[:2] == ("outage_volume", "warning")
