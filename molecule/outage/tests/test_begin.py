# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail may wait longer while a mail host is away, whatever roles do meanwhile, and no longer once it is back."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lab import faults, hosts, playbooks

RECORD = "/etc/postfix/.mxrelay-outage"
LOG = "/var/log/lab-mail.log"
LIFETIME = "maximal_queue_lifetime"
HOSTS = ("mx1", "mx35")
BEGIN = {
    "outage_begin_domains": "outage.example",
    "outage_begin_length": "3d",
    "outage_begin_lifetime": "20d",
    "outage_begin_volume": "100M",
}
DECLARED = {"secondary_mx_queue_lifetime": "6d"}


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    yield
    for host in HOSTS:
        hosts.on(host, "rm", "-f", RECORD)
        if LIFETIME in hosts.on(host, "postconf", "-n"):
            faults.unset_parameters(host, LIFETIME)


def run(playbook: str, check: bool = False, **variables: Any) -> playbooks.Run:
    return playbooks.play("outage", f"mxrelay.postfix.{playbook}", variables=variables, check=check)


def begin(check: bool = False, **variables: Any) -> playbooks.Run:
    return run("outage_begin", check, **{**BEGIN, **variables})


def record_of(host: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(hosts.on(host, "cat", RECORD))
    return record


def records() -> list[str]:
    """Whose record there is."""
    return [host for host in HOSTS if hosts.on(host, "sh", "-c", f"ls {RECORD} 2>/dev/null || true")]


def expire() -> None:
    """The outages began longer ago than they were to last."""
    for host in HOSTS:
        record = record_of(host)
        outages = {name: {**outage, "began": 1} for name, outage in record["outages"].items()}
        hosts.on(host, "sh", "-c", f"cat > {RECORD}", given=json.dumps({**record, "outages": outages}))


def lifetimes() -> list[str]:
    return [faults.parameter(host, LIFETIME) for host in HOSTS]


def test_outage_begins_once_and_ends() -> None:
    foreseen = begin(check=True)
    assert foreseen.code == 0, foreseen.output
    assert (lifetimes(), records()) == (["5d", "5d"], [])
    assert set(foreseen.tasks) == {"Raise the queue lifetime"}
    begun = begin()
    assert (begun.code, begun.tasks) == (0, foreseen.tasks), begun.output
    assert lifetimes() == ["20d", "20d"]
    assert "outage.example: 3 recipient rows" in begun.said
    assert "expected in a day: 100 MiB, as given" in begun.said
    for host in HOSTS:
        assert hosts.on(host, "stat", "-c", "%U %a", RECORD) == "root 600\n"
        record = record_of(host)
        assert (record["before"], record["value"]) == (None, "20d")
        assert record["outages"]["outage.example"]["expiry"] == record["outages"]["outage.example"]["began"] + 259200
    again = begin()
    assert (again.code, again.tasks) == (0, ()), again.output
    ended = run("outage_end", outage_end_domains="outage.example")
    assert (ended.code, lifetimes(), records()) == (0, ["5d", "5d"], []), ended.output
    assert f"{LIFETIME} goes back to Postfix's default" in ended.said
    assert run("outage_end").tasks == ()


@pytest.mark.long
def test_longest_raise_holds_until_the_last_outage_ends() -> None:
    begin()
    begin(outage_begin_domains="other.example", outage_begin_lifetime="7d")
    run("outage_end", outage_end_domains="outage.example")
    assert (lifetimes(), list(record_of("mx1")["outages"])) == (["20d", "20d"], ["other.example"])
    run("outage_end", outage_end_domains="other.example")
    assert (lifetimes(), records()) == (["5d", "5d"], [])


def test_role_run_takes_the_raise_back() -> None:
    """Only once the outage is over: until then it changes nothing, though its own setting is shorter."""
    assert run("secondary_mx", **DECLARED).code == 0
    assert lifetimes() == ["6d", "6d"]
    begin()
    during = run("secondary_mx", check=True, **DECLARED, secondary_mx_fail_on_drift=True)
    assert (during.code, during.tasks, lifetimes()) == (0, (), ["20d", "20d"]), during.output
    expire()
    foreseen = run("secondary_mx", check=True, **DECLARED)
    assert f"main.cf: {LIFETIME}" in foreseen.output
    assert (lifetimes(), records()) == (["20d", "20d"], list(HOSTS))
    after = run("secondary_mx", **DECLARED)
    assert (after.code, lifetimes(), records()) == (0, ["6d", "6d"], []), after.output
    assert run("secondary_mx", **DECLARED).tasks == ()


@pytest.mark.long
def test_what_somebody_has_changed_stays() -> None:
    begin()
    faults.set_parameters("mx1", {LIFETIME: "8d"})
    ended = run("outage_end")
    assert (ended.code, lifetimes(), records()) == (0, ["8d", "5d"], []), ended.output
    assert f"{LIFETIME} is 8d, not 20d to which outage_begin raised it: somebody has changed it" in ended.said


@pytest.mark.long
def test_failed_role_run_leaves_the_raise() -> None:
    begin()
    expire()
    with faults.reloading_by("mx1", "exit 1"):
        failed = run("secondary_mx")
    assert failed.code != 0
    assert (faults.parameter("mx1", LIFETIME), "mx1" in records()) == ("20d", True), failed.output


def test_host_without_room_can_not_take_over() -> None:
    found = begin(outage_begin_volume="1000T", outage_begin_lifetime="")
    assert (found.code, dict(found.failed)) == (2, {"mx1.lab.example": 1, "mx35.lab.example": 1})
    assert "(outage_space): in 3d the queue is expected to need 4500 TiB (1000 TiB of mail a day)" in found.said
    assert (lifetimes(), records()) == (["5d", "5d"], [])


@pytest.mark.long
def test_expected_mail_is_what_the_log_tells() -> None:
    now = time.time()
    first, last = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - days * 86400)) for days in (3, 1))
    lines = [
        f"{first} mx postfix/qmgr[1]: ABCDE1: from=<a@stranger.example>, size=1048576, nrcpt=1 (queue active)",
        f"{first} mx postfix/relay/smtp[2]: ABCDE1: to=<amy@outage.example>, relay=none, delay=1, status=deferred (no)",
        f"{last} mx postfix/qmgr[1]: ABCDE2: from=<a@stranger.example>, size=1048576, nrcpt=1 (queue active)",
        f"{last} mx postfix/relay/smtp[2]: ABCDE2: to=<ben@outage.example>, relay=mail, delay=1, status=sent (250 ok)",
    ]
    for host in HOSTS:
        hosts.on(host, "sh", "-c", f"cat > {LOG}; postconf -e maillog_file={LOG}", given="\n".join(lines) + "\n")
    try:
        found = begin(outage_begin_volume="", outage_begin_lifetime="")
    finally:
        for host in HOSTS:
            hosts.on(host, "sh", "-c", f"rm {LOG}; postconf -X maillog_file")
    assert found.said.count("expected in a day: 1.0 MiB in 1 messages, as the last 2.0 days of the log tell") == 2


def test_domain_that_nobody_relays_is_refused_before_anything_changes() -> None:
    found = begin(outage_begin_domains="outage.example\ntypo.example")
    assert (found.code != 0, found.tasks) == (True, ())
    assert "No MX host of this run relays typo.example; correct outage_begin_domains" in found.said
    assert (lifetimes(), records()) == (["5d", "5d"], [])
