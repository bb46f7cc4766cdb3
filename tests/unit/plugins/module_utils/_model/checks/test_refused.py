# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks import refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.reports import ReportEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import HostFacts

COMMANDS = {
    "qmgr": "qmgr",
    "bounce": "bounce",
    "defer": "bounce",
    "trace": "bounce",
    "relay": "smtp",
    "cleanup": "cleanup",
}
VALUES = {
    "bounce_service_name": "bounce",
    "defer_service_name": "defer",
    "trace_service_name": "trace",
    "delay_warning_time": "0h",
}


def found(
    commands: Mapping[str, str] | None = None,
    overrides: Mapping[str, Mapping[str, str]] | None = None,
    version: tuple[int, ...] = (3, 10),
    **values: str,
) -> list[Finding]:
    services = [
        Service(name, "unix", "-", "-", "y", "-", "0", command, dict((overrides or {}).get(name, {})))
        for name, command in {**COMMANDS, **(commands or {})}.items()
        if command
    ]
    known = {**VALUES, **values}
    state = HostState(version=version, parameters=known, values=known, services=services)
    return [
        finding for check in (refused.bounce_service, refused.delay_warnings) for finding in check(state, HostFacts())
    ]


def test_services_as_postfix_ships_them() -> None:
    assert found() == []
    assert found({"bounce": "bounce -v", "qmgr": "/usr/lib/postfix/sbin/qmgr"}) == []


@pytest.mark.parametrize(("name", "severity"), [("bounce", "error"), ("defer", "error"), ("trace", "warning")])
def test_service_that_drops_the_record(name: str, severity: str) -> None:
    (finding,) = found({name: "discard"})
    assert (finding.check, finding.severity) == ("bounce_service", severity)
    assert finding.message.startswith(f"{name}/unix runs discard, but it is to keep the record of ")
    assert f"let {name}/unix run bounce" in finding.remedy


def test_service_that_is_missing() -> None:
    (finding,) = found({"trace": ""})
    assert finding.message.startswith("trace_service_name is trace, and master.cf has no service trace/unix: ")
    assert finding.remedy == "add it to master.cf as Postfix ships it: trace unix - - y - 0 bounce"
    assert (finding.severity, finding.message.partition("/unix: ")[2]) == (
        "warning",
        "mail whose sender asks to be told of its delivery is delivered, yet it stays in the queue until it expires, "
        "and its sender is told that it failed",
    )
    (finding,) = found({"trace": ""}, version=(3, 5, 25))
    assert (finding.severity, finding.message.partition("/unix: ")[2]) == (
        "error",
        "from the first mail whose sender asks to be told of its delivery on, nothing is delivered any more",
    )
    for version in ((3, 7), (3, 7, 11)):
        assert [finding.severity for finding in found({"trace": ""}, version=version)] == ["warning"]
    (finding,) = found({"trace": "", "cleanup": ""})
    assert finding.remedy == "add it to master.cf as Postfix ships it: trace unix - - - - 0 bounce"
    (finding,) = found(bounce_service_name="gone", overrides={"relay": {"bounce_service_name": "gone"}})
    assert "no service gone/unix" in finding.message


def test_record_that_the_queue_manager_does_not_read() -> None:
    (finding,) = found({"other": "bounce"}, {"relay": {"bounce_service_name": "other"}})
    assert finding.message.startswith(
        "relay/unix keeps its record of refused mail with other (bounce_service_name), the queue manager with bounce: "
    )
    assert finding.remedy == "remove the override bounce_service_name of the service relay/unix"
    assert finding.severity == "error"


def test_notices_that_the_queue_manager_does_not_send() -> None:
    (finding,) = found({"other": "bounce"}, {"relay": {"trace_service_name": "other"}})
    assert (finding.severity, finding.message.partition("with trace: ")[2]) == (
        "warning",
        "senders who ask to be told of the delivery of their mail are not",
    )


def test_own_services_that_all_use_are_no_fault() -> None:
    own = {"relay": {"bounce_service_name": "other"}, "qmgr": {"bounce_service_name": "other"}}
    assert found({"other": "bounce"}, own) == []


def test_release_that_keeps_no_record_of_traces() -> None:
    known = {name: value for name, value in VALUES.items() if name != "trace_service_name"}
    services = [Service(name, "unix", "-", "-", "y", "-", "0", name, {}) for name in ("qmgr", "bounce", "defer")]
    services[2] = replace(services[2], command="bounce")
    state = HostState(parameters=known, values=known, services=services)
    assert list(refused.bounce_service(state, HostFacts())) == []


def test_host_whose_services_are_not_known() -> None:
    assert list(refused.bounce_service(HostState(), HostFacts())) == []


@pytest.mark.parametrize(("after", "warned"), [("4h", True), ("0", False), ("0h", False), ("", False)])
def test_senders_are_told_that_mail_waits(after: str, warned: bool) -> None:
    assert [(finding.check, finding.severity) for finding in found(delay_warning_time=after)] == (
        [("delay_warnings", "warning")] if warned else []
    )


KEEPING = {
    "bounce": {
        "cleanup_service_name": "bounce-cleanup",
        "bounce_size_limit": "2000000000",
        "notify_classes": "2bounce",
    },
    "smtp": {"smtpd_discard_ehlo_keywords": "dsn,silent-discard"},
    "bounce-cleanup": {"message_size_limit": "0"},
}
TARGET = "postmaster@localhost"


def told(*arguments: Any, **more: Any) -> list[tuple[str, str]]:
    return [(finding.check, finding.severity) for finding in findings(*arguments, **more)]


def findings(
    overrides: Mapping[str, Mapping[str, str]] | None = None,
    evidence: ReportEvidence | None = None,
    command: str = "cleanup",
    relayed: str = "x.example",
    **values: str,
) -> list[Finding]:
    """What is found of a host that keeps the reports about x.example."""
    set_ = {name: {**KEEPING.get(name, {}), **(overrides or {}).get(name, {})} for name in (*KEEPING, "relay")}
    every = [
        Service("smtp", "inet", "n", "-", "y", "-", "-", "smtpd", set_["smtp"]),
        Service("bounce", "unix", "-", "-", "y", "-", "0", "bounce", set_["bounce"]),
        *(
            [Service("bounce-cleanup", "unix", "n", "-", "y", "-", "0", command, set_["bounce-cleanup"])]
            * bool(command)
        ),
    ]
    services = [service for service in every if service.command]
    known = {
        "bounce_service_name": "bounce",
        "defer_service_name": "bounce",
        "message_size_limit": "10240000",
        "2bounce_notice_recipient": "postmaster",
        **values,
    }
    reports = evidence or ReportEvidence({"x.example": {"bounce/unix": f"REDIRECT {TARGET}"}}, {}, {TARGET: ""})
    state = HostState(parameters=known, values=known, services=services, reports=reports)
    domain = DomainEvidence("x.example", relayed)
    about_host = (refused.bounce_cleanup, refused.kept_reports, refused.report_address, refused.kept_mailbox)
    about_domain = (refused.lost_reports, refused.notify_never)
    return [
        *(finding for check in about_host for finding in check(state, HostFacts())),
        *(finding for check in about_domain for finding in check(domain, state)),
    ]


def test_host_that_keeps_all_of_it() -> None:
    assert told() == []
    assert told({"smtp": {"smtpd_discard_ehlo_keywords": "DSN, silent-discard"}}) == []
    assert told({"bounce": {"notify_classes": "2BOUNCE"}}) == []
    assert told({"bounce-cleanup": {"message_size_limit": "none"}}) == []
    assert told(message_size_limit="0") == []
    assert (
        told({"bounce": {"bounce_size_limit": "10240000"}, "bounce-cleanup": {"message_size_limit": "20480000"}}) == []
    )


@pytest.mark.parametrize(("command", "what"), [("", "is not in master.cf"), ("discard", "runs discard")])
def test_cleanup_that_is_none(command: str, what: str) -> None:
    assert ("bounce_cleanup", "error") in told(command=command)
    services = [
        Service("bounce", "unix", "-", "-", "y", "-", "0", "bounce", {"cleanup_service_name": "other"}),
        *([Service("other", "unix", "n", "-", "y", "-", "0", command, {})] * bool(command)),
    ]
    state = HostState(values={"bounce_service_name": "bounce"}, services=services)
    (finding,) = refused.bounce_cleanup(state, HostFacts())
    assert finding.message.startswith(
        f"bounce/unix hands its reports to other/unix (cleanup_service_name), which {what}: no bounce of any domain "
    )


def test_table_that_cannot_be_read() -> None:
    evidence = ReportEvidence({}, {"regexp:/gone": "open /gone: No such file or directory"})
    assert told(evidence=evidence) == [("bounce_cleanup", "error")]


@pytest.mark.parametrize(
    ("overrides", "severity"),
    [
        ({"bounce": {"bounce_size_limit": "50000"}}, "error"),
        ({"bounce-cleanup": {"message_size_limit": "10240000"}}, "error"),
        ({"bounce": {"notify_classes": "resource, software"}}, "warning"),
        ({"bounce": {"bounce_size_limit": "none"}}, "error"),
        ({"smtp": {"smtpd_discard_ehlo_keywords": "chunking"}}, "error"),
        ({"smtp": {"smtpd_discard_ehlo_keyword_address_maps": "cidr:/c"}}, "warning"),
        ({"smtp": {"smtpd_discard_ehlo_keywords": "CHUNKING, dsn-like"}}, "error"),
    ],
)
def test_mail_that_is_kept_in_part_or_can_be_had_away(
    overrides: Mapping[str, Mapping[str, str]], severity: str
) -> None:
    assert told(overrides) == [("kept_reports", severity)]
    nothing = ReportEvidence({"x.example": {"bounce/unix": ""}})
    assert told(overrides, nothing) == []


@pytest.mark.parametrize(
    ("addressees", "expected"),
    [
        ({TARGET: "nobody"}, [("report_address", "error")]),
        ({TARGET: None}, [("report_address", "info")]),
        ({TARGET: "", "postmaster@mx.example": "nobody"}, [("report_address", "warning")]),
        ({TARGET: "", "old@mx.example": "nobody"}, []),
    ],
)
def test_address_that_gets_no_report(addressees: dict[str, str | None], expected: list[tuple[str, str]]) -> None:
    evidence = ReportEvidence({"x.example": {"bounce/unix": f"REDIRECT {TARGET}"}}, {}, addressees)
    assert told(evidence=evidence) == expected


def test_who_gets_no_report_is_told_with_the_remedy() -> None:
    addressees = {TARGET: "nobody has it", '"post@home"@mx.example': "it is full"}
    evidence = ReportEvidence({"x.example": {"bounce/unix": f"REDIRECT {TARGET}"}}, {}, addressees)
    reports, notices = findings(evidence=evidence, **{"2bounce_notice_recipient": '"post@home"'})
    assert reports.message == (
        "postmaster@localhost is to get the reports of refused mail, but nobody has it: refused mail is lost"
    )
    assert reports.remedy.startswith("let its alias lead to somebody, or ")
    assert (
        notices.message
        == '"post@home"@mx.example is to get what no sender can be told, but it is full: refused mail is lost'
    )
    assert notices.remedy == "let 2bounce_notice_recipient, or the alias of postmaster, lead to somebody"
    assert told(evidence=evidence, **{"2bounce_notice_recipient": '"poster"'}) == [("report_address", "error")]
    # Where nothing is kept, nobody gets it.
    assert told(evidence=ReportEvidence({"x.example": {"bounce/unix": ""}}, {}, {"postmaster@mx.example": "no"})) == []


def test_services_that_lose_reports_are_named() -> None:
    actions = {"bounce/unix": "DISCARD", "defer/unix": "", "trace/unix": "DISCARD", "other/unix": "REJECT"}
    evidence = ReportEvidence({"x.example": actions})
    lost, waiting, open_ = findings(evidence=evidence)[-3:]
    assert lost.message == (
        "the reports of bounce/unix and trace/unix about it meet DISCARD in body checks: mail that its mail host "
        "refuses is lost"
    )
    assert waiting.message == (
        "the reports of other/unix about it meet REJECT in body checks: mail that its mail host refuses never leaves "
        "the queue"
    )
    assert open_.message == "defer/unix sends its reports to senders, other services keep them"
    assert [finding.check for finding in findings(evidence=evidence, relayed="")].count("refused_mail") == 0


@pytest.mark.parametrize(
    ("actions", "severity"),
    [
        ({"bounce/unix": "DISCARD"}, "error"),
        ({"bounce/unix": "REJECT"}, "error"),
        ({"bounce/unix": "HOLD", "defer/unix": ""}, "warning"),
        ({"bounce/unix": "HOLD", "defer/unix": "HOLD"}, ""),
        ({"bounce/unix": "", "defer/unix": ""}, ""),
    ],
)
def test_reports_about_a_domain(actions: dict[str, str], severity: str) -> None:
    expected = [("refused_mail", severity)] if severity else []
    assert [found for found in told(evidence=ReportEvidence({"x.example": actions})) if found[0] == "refused_mail"] == (
        expected
    )


def test_filter_that_asks_for_no_report() -> None:
    assert told(evidence=ReportEvidence(silenced={"x.example": "pcre:/never"})) == [("notify_never", "error")]


@pytest.mark.parametrize(
    ("lifetime", "warned"), [("5d", False), ("10d", True), ("0", True), ("100s", True), ("300s", False), ("", False)]
)
def test_lifetime_of_a_report(lifetime: str, warned: bool) -> None:
    known = {"bounce_queue_lifetime": lifetime, "maximal_queue_lifetime": "5d", "minimal_backoff_time": "300s"}
    state = HostState(parameters=known, values=known, explicit=known)
    assert [finding.severity for finding in refused.bounce_lifetime(state, HostFacts())] == ["warning"] * warned
    shortest = HostState(values={"bounce_queue_lifetime": "1s"})
    assert list(refused.bounce_lifetime(shortest, HostFacts())) == []
    by_default = HostState(parameters=known, values=known)
    capped = lifetime == "10d"
    assert bool(list(refused.bounce_lifetime(by_default, HostFacts()))) is (warned and not capped)


@pytest.mark.parametrize(
    ("values", "warned"),
    [
        ({"mailbox_size_limit": "51200000"}, True),
        ({"mailbox_size_limit": "0"}, False),
        ({"mailbox_size_limit": "51200000", "home_mailbox": "Maildir/"}, False),
        ({"mailbox_size_limit": "51200000", "mailbox_transport": "lmtp:unix:/l"}, False),
        ({"mailbox_size_limit": "51200000", "mydestination": "other.example"}, False),
    ],
)
def test_mailbox_that_fills_up(values: dict[str, str], warned: bool) -> None:
    assert told(**{"mydestination": "localhost", **values}) == [("kept_mailbox", "warning")] * warned


def test_mailboxes_that_fill_up_are_told_in_their_order() -> None:
    targets = ("b@LOCALHOST", '"a@home"@localhost', "c@localhost", "z@other.example")
    actions = {f"{target}/unix": f"REDIRECT {target}" for target in targets}
    evidence = ReportEvidence({"x.example": actions}, {}, dict.fromkeys(targets, ""))
    seen = findings(evidence=evidence, mydestination="LocalHost", mailbox_size_limit="1000")
    assert [finding.message.partition(" gets ")[0] for finding in seen] == [
        '"a@home"@localhost',
        "b@LOCALHOST",
        "c@localhost",
    ]
