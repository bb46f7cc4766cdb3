# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx import canary as engine
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.canary import (
    finish,
    follow,
    plan_canaries,
    send,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.canary_record import read_outcomes
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.canary.message import Canary
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_canary_host import (
    FakeCanaryHost,
    FakeMailLog,
    FakeMessenger,
)

TAKEN = (250, "2.0.0 Ok: queued as C657F1CE2F4")
SENT = (
    "C657F1CE2F4: to=<postmaster@x.example>, relay=mail[192.0.2.1]:25, delay=0.2, delays=0/0/0/0, dsn=2.0.0, "
    "status=sent (250 ok)"
)
DEFERRED = SENT.replace("sent (250 ok)", "deferred (450 4.2.0 Greylisted)")


@pytest.fixture
def host(tmp_path: Path) -> FakeCanaryHost:
    return FakeCanaryHost(str(tmp_path))


def line(text: str) -> list[str]:
    return [f"Nov 28 22:50:31 mx postfix/relay/smtp[1]: {text}"]


class Clock:
    """Time that passes while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def planned(host: FakeCanaryHost, **params: Any) -> dict[str, Any]:
    plan: dict[str, Any] = plan_canaries(params, host.postfix(), FakeMailLog()).results["plan"]
    return plan


def followed(
    host: FakeCanaryHost,
    plan: dict[str, Any],
    answers: dict[str, tuple[int, str]],
    *additions: Sequence[str],
    wait: int = 10,
) -> tuple[dict[str, Any], float]:
    handed = send({"plan": plan, "server": "mx", "port": 25}, FakeMessenger(**answers)).results["handed"]
    clock = Clock()
    params = {"plan": plan, "handed": handed, "wait": wait}
    return follow(params, host.postfix(), FakeMailLog(*additions), clock.time, clock.sleep).results, clock.now


def test_each_relay_domain_has_a_canary_to_who_is_given_or_postmaster(host: FakeCanaryHost) -> None:
    plan = planned(host, recipients={"X.example": "me@x.example"}, sender="ops@own.example")
    canaries = [Canary.from_result(item) for item in plan["canaries"]]
    assert [(canary.domain, canary.recipient, canary.sender, canary.host, canary.assumed) for canary in canaries] == [
        ("x.example", "me@x.example", "ops@own.example", "mx.example", False),
        ("y.example", "postmaster@y.example", "ops@own.example", "mx.example", True),
    ]
    assert len({canary.token for canary in canaries}) == 2
    assert plan["logs"] == [{"log": "journal", "cursor": "1"}]


def test_recipient_of_a_domain_that_is_not_relayed_here_is_for_another_host(host: FakeCanaryHost) -> None:
    canaries = planned(host, recipients={"z.example": "a@z.example"})["canaries"]
    assert [item["domain"] for item in canaries] == ["x.example", "y.example"]


@pytest.mark.parametrize(
    ("main_cf", "meaning"),
    [
        ("smtp_tls_loglevel = 0\nsmtp_tls_security_level = may\n", "not logged"),
        ("smtp_tls_loglevel = 1\nsmtp_tls_security_level = may\n", "none"),
        ("smtp_tls_loglevel = 0\nsmtp_tls_security_level =\n", "none"),
    ],
)
def test_log_without_tls_means_what_its_level_says(tmp_path: Path, main_cf: str, meaning: str) -> None:
    host = FakeCanaryHost(str(tmp_path), "relay_domains = x.example\n" + main_cf)
    assert planned(host)["without_tls"] == meaning


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"domains": ["a b"]}, r"domains\[0\]"),
        ({"sender": "nobody"}, "sender"),
        ({"recipients": {"x.example": "nobody"}}, r"recipients\[x.example\]"),
    ],
)
def test_what_can_not_be_sent_is_refused(host: FakeCanaryHost, params: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        planned(host, **params)


def test_host_without_postfix_is_told(host: FakeCanaryHost) -> None:
    host.installed = False
    with pytest.raises(HostError, match="no Postfix"):
        planned(host)


def test_plan_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInput, match="state: planned"):
        send({"plan": {"canaries": [{}]}, "server": "mx", "port": 25}, FakeMessenger())


def test_stranger_hands_all_messages_in_at_once(host: FakeCanaryHost) -> None:
    messenger = FakeMessenger(x=TAKEN, y=(550, "5.1.1 unknown"))
    handed = send({"plan": planned(host), "server": "mx.example", "port": 26}, messenger).results["handed"]
    ((server, port, canaries),) = messenger.sent
    assert (server, port, [canary.domain for canary in canaries]) == ("mx.example", 26, ["x.example", "y.example"])
    assert handed["x.example"]["answers"][-1] == ["DATA", [250, "2.0.0 Ok: queued as C657F1CE2F4"]]
    assert handed["y.example"]["answers"][-1] == ["RCPT", [550, "5.1.1 unknown"]]


def test_message_is_followed_until_its_end_is_known(host: FakeCanaryHost) -> None:
    host.queue["C657F1CE2F4"] = "text"
    found, seconds = followed(host, planned(host, domains=["x.example"]), {"x": TAKEN}, [], line(SENT))
    assert found["outcomes"]["x.example"]["outcome"] == "delivered"
    assert [hop["to"] for hop in found["outcomes"]["x.example"]["hops"]] == ["mx.example", "mail[192.0.2.1]:25"]
    assert (seconds, found["findings"], found["without_recipient"]) == (0.5, [], {})


def test_message_that_waits_is_followed_for_no_longer_than_was_said(host: FakeCanaryHost) -> None:
    host.queue["C657F1CE2F4"] = "text"
    found, seconds = followed(host, planned(host, domains=["x.example"]), {"x": TAKEN}, line(DEFERRED), wait=7)
    assert (found["outcomes"]["x.example"]["outcome"], found["left"], seconds) == ("waiting", ["C657F1CE2F4"], 7.0)
    assert [(finding["check"], finding["severity"]) for finding in found["findings"]] == [("canary", "warning")]
    assert found["lines"] == [
        "x.example: waiting: 450 4.2.0 Greylisted [mx.example 0.1 s, mail[192.0.2.1]:25 0.2 s none]",
        "C657F1CE2F4 is still in the queue, and will be removed",
    ]


def test_domain_whose_assumed_recipient_is_unknown_is_skipped(host: FakeCanaryHost) -> None:
    found, seconds = followed(host, planned(host), {"x": (550, "5.1.1 unknown"), "y": (550, "5.1.1 unknown")})
    assert (found["outcomes"], seconds) == ({}, 0.0)
    assert (
        found["without_recipient"]["x.example"] == "postmaster@x.example is refused, and no recipient is given for it"
    )
    # Ansible would take the task for one that was skipped.
    assert "skipped" not in found
    assert found["lines"][1].startswith("y.example: skipped: postmaster@y.example")


def test_nothing_is_followed_if_nothing_was_sent(host: FakeCanaryHost) -> None:
    params = {"plan": planned(host, domains=["x.example"]), "handed": {}, "wait": 10}
    found = follow(params, host.postfix(), FakeMailLog()).results
    assert (found["outcomes"], found["lines"]) == ({}, ["x.example: nothing was sent"])


OUTCOMES = {"x.example": {"outcome": "waiting", "reason": "450 <a@x.example> Greylisted", "time": 100}}


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    path = str(tmp_path / "record.json")
    monkeypatch.setattr(engine, "outcomes_path", lambda _directory: path)
    return path


def test_only_what_is_ours_is_removed_from_the_queue(host: FakeCanaryHost, record: str) -> None:
    host.queue = {"A1": "Message-ID: <mxrelay-canary-1@mx>", "A2": "somebody's message", "A3": "<mxrelay-canary-1@mx>"}
    params = {"left": ["A1", "A2", "A9"], "message_ids": ["mxrelay-canary-1@mx"], "outcomes": OUTCOMES}
    outcome = finish(params, host.postfix(), check_mode=False)
    assert (outcome.results["removed"], host.deleted, outcome.changed) == (["A1"], ["A1"], True)
    assert read_outcomes(record)["x.example"].reason == "450 <...@x.example> Greylisted"


def test_check_mode_removes_and_remembers_nothing(host: FakeCanaryHost, record: str) -> None:
    host.queue = {"A1": "<mxrelay-canary-1@mx>"}
    params = {"left": ["A1"], "message_ids": ["mxrelay-canary-1@mx"], "outcomes": OUTCOMES}
    outcome = finish(params, host.postfix(), check_mode=True)
    assert (outcome.results["removed"], host.deleted, read_outcomes(record)) == (["A1"], [], {})
    nothing = finish({"left": [], "message_ids": [], "outcomes": {}}, host.postfix(), check_mode=False)
    assert nothing.changed is False
