# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail host comes back: its mail is delivered on demand, within limits that are gone afterwards.

The MX hosts take part in turn in the short form, and each in all with MXRELAY_LAB_LONG.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from lab import hosts, outages, playbooks
from lab.load import Load, drained

LONG = bool(os.environ.get("MXRELAY_LAB_LONG"))
MX = ("mx1", "mx35")
COUNT = 40 if LONG else 12
FLUSH = "mxrelay.postfix.queue_flush"
DELAY = "relay_destination_rate_delay"
LIMIT = "relay_destination_concurrency_limit"
RECORD = "/etc/postfix/.mxrelay-limits"


def variables(**given: Any) -> dict[str, Any]:
    return {
        "queue_flush_domains": "outage.example",
        "queue_flush_interval": 2,
        **{f"queue_flush_{name}": value for name, value in given.items()},
    }


def flush(host: str, **given: Any) -> playbooks.Run:
    return playbooks.play("outage", FLUSH, variables=variables(**given), limit=f"{host}.lab.example")


def told(run: playbooks.Run, host: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = run.artifacts["mx_queue_flush"][f"{host}.lab.example"]
    return found


def main_cf(host: str) -> str:
    return hosts.on(host, "cat", "/etc/postfix/main.cf")


def deliveries_at_once(host: str) -> int:
    """Return how many connections to the mail host there are."""
    return hosts.on(host, "sh", "-c", "ss -Htn state established '( dport = :25 )' || true").count("\n")


def put_off(host: str, count: int) -> Load:
    """Hand messages in at the host while the mail host is down; return the load once each has been tried."""
    load = Load(host, count, ["amy@outage.example"]).finish()
    assert hosts.wait_for(lambda: {entry["queue_name"] for entry in hosts.queued(host)} == {"deferred"}, 120)
    return load


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """A test that fails leaves the others neither mail nor limits."""
    yield
    for host in MX:
        hosts.on(host, "postsuper", "-d", "ALL")
        if "mxrelay-limits" in hosts.on(host, "ls", "-A", "/etc/postfix"):
            flush(host, wait=0)


@pytest.fixture(name="load")
def _load(request: pytest.FixtureRequest) -> Iterator[Load]:
    """Messages that the host has queued, since the mail host is down; it is up again."""
    host = request.param
    hosts.stop("mail")
    try:
        load = put_off(host, COUNT)
    finally:
        hosts.start("mail")
    yield load
    drained(load, host)


@pytest.mark.parametrize("host", MX if LONG else MX[1:])
def test_what_stays_is_told_with_its_reasons_and_no_address(host: str) -> None:
    hosts.stop("mail")
    try:
        load = put_off(host, 5)
        run = flush(host, wait=4)
    finally:
        hosts.start("mail")
    assert run.code == 2
    assert re.search(r"5 of 5 messages are still queued after \d+ s", run.said)
    assert re.search(r"5 recipients: connect to mail\.lab\.example\[", run.said)
    assert re.search(rf"(?m)^{host}\.lab\.example: 5 of 5 messages still wait, 0 gone after", run.output)
    assert "amy@" not in run.output
    assert told(run, host)["domains"] == {"outage.example": 5}
    assert len(drained(load, host).delivered) == 5


@pytest.mark.parametrize("load", MX if LONG else MX[:1], indirect=True)
def test_mail_goes_within_the_limit_and_main_cf_is_as_before(load: Load, request: pytest.FixtureRequest) -> None:
    host = request.node.callspec.params["load"]
    before = main_cf(host)
    process = playbooks.start("outage", FLUSH, variables=variables(wait=120, rate_delay=1), limit=f"{host}.lab.example")
    assert hosts.wait_for(lambda: f"{DELAY} = 1s\n" in main_cf(host), 60)
    at_once = []
    while process.poll() is None and len(at_once) < 20:
        at_once.append(deliveries_at_once(host))
    run = playbooks.finished(process)
    assert (run.code, told(run, host)["waiting"], told(run, host)["limits"]) == (0, 0, {DELAY: "1s"})
    assert max(at_once) <= 1
    assert 0.5 < told(run, host)["rate"] <= 1.1
    assert re.search(r"messages still wait, \d+ gone after \d+ s; [01]\.\d a second, about \d+ s to go", run.output)
    assert (main_cf(host), hosts.on(host, "ls", "-A", "/etc/postfix").count("mxrelay-limits")) == (before, 0)
    assert "mxrelay-limits" not in hosts.on(host, "systemctl", "list-timers", "--all")
    assert len(load.having("accepted")) == COUNT


@pytest.mark.long
@pytest.mark.parametrize("load", MX, indirect=True)
def test_no_more_deliveries_at_once_than_the_limit(load: Load, request: pytest.FixtureRequest) -> None:
    host = request.node.callspec.params["load"]
    before = main_cf(host)
    with outages.slow_to_confirm(2):
        assert most_at_once(host, put_off_again(host)) > 2
        assert most_at_once(host, put_off_again(host), concurrency=2) == 2
    assert (main_cf(host), hosts.on(host, "ls", "-A", "/etc/postfix").count("mxrelay-limits")) == (before, 0)
    assert len(drained(load, host).delivered) == COUNT


def put_off_again(host: str) -> Load:
    """Have more mail wait for the mail host, which is up again afterwards."""
    with outages.closed():
        return put_off(host, 12)


def most_at_once(host: str, load: Load, **limit: int) -> int:
    """Deliver the load by a flush; return the most connections to the mail host that were seen meanwhile."""
    process = playbooks.start("outage", FLUSH, variables=variables(wait=180, **limit), limit=f"{host}.lab.example")
    seen = 0
    while process.poll() is None:
        seen = max(seen, deliveries_at_once(host))
    run = playbooks.finished(process)
    assert (run.code, told(run, host)["waiting"]) == (0, 0), run.output
    found = drained(load, host)
    assert (len(found.delivered), found.duplicated, found.lost) == (12, set(), set())
    return seen


def killed(host: str, spare: int) -> None:
    """Start a run that limits deliveries, and kill it on the controller and on the host."""
    given = {**variables(wait=3, concurrency=1), "__mx_spare_seconds": spare}
    process = playbooks.start("outage", FLUSH, variables=given, limit=f"{host}.lab.example")
    assert hosts.wait_for(lambda: f"{LIMIT} = 1\n" in main_cf(host), 60)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    pids = hosts.on(host, "sh", "-c", "pgrep -x python3 || true").split()
    if pids:
        hosts.on(host, "sh", "-c", f"kill -9 {' '.join(pids)} || true")


@pytest.mark.parametrize("load", MX if LONG else MX[1:], indirect=True)
def test_timer_takes_the_limit_of_a_killed_run_back(load: Load, request: pytest.FixtureRequest) -> None:
    host = request.node.callspec.params["load"]
    before = main_cf(host)
    killed(host, 10)
    assert f"{LIMIT} = 1\n" in main_cf(host)
    assert hosts.wait_for(lambda: main_cf(host) == before, 60)
    assert hosts.wait_for(lambda: "mxrelay-limits" not in hosts.on(host, "ls", "-A", "/etc/postfix"), 30)
    assert len(load.having("accepted")) == COUNT


@pytest.mark.long
def test_next_flush_takes_the_limit_of_a_killed_run_back() -> None:
    before = main_cf("mx1")
    killed("mx1", 3600)
    assert flush("mx1", wait=0).code == 0
    assert main_cf("mx1") == before
    assert "mxrelay-limits" not in hosts.on("mx1", "systemctl", "list-timers", "--all")


def test_role_run_takes_expired_limits_back() -> None:
    before = main_cf("mx1")
    killed("mx1", 3600)
    # The run may have been killed before it did this.
    hosts.on("mx1", "postfix", "reload")
    options = {"check": True, "variables": {"secondary_mx_fail_on_drift": True}, "limit": "mx1.lab.example"}
    assert playbooks.play("outage", playbooks.SECONDARY, **options).code == 0
    record = json.loads(hosts.on("mx1", "cat", RECORD))
    hosts.on("mx1", "systemctl", "stop", f"{record['unit']}.timer")
    hosts.on("mx1", "sh", "-c", f"cat >{RECORD}", given=json.dumps({**record, "expires": 1}))
    run = playbooks.play("outage", playbooks.SECONDARY, limit="mx1.lab.example")
    assert (run.code, run.tasks) == (0, ("mxrelay.postfix.mx : Take limits of deliveries back that have expired",))
    assert f"main.cf: {LIMIT}, whose limit has expired" in run.said
    assert main_cf("mx1") == before
    assert playbooks.play("outage", playbooks.SECONDARY, **options).code == 0


@pytest.mark.long
@pytest.mark.parametrize("taken_back_by", [FLUSH, playbooks.SECONDARY])
def test_limit_that_stands_at_a_reboot_goes_with_the_next_run(taken_back_by: str) -> None:
    """No timer is there any more: it goes with a queue_flush, or with a run of a role once it has expired."""
    before = main_cf("mx1")
    killed("mx1", 3600)
    outages.rebooted("mx1")
    assert f"{LIMIT} = 1\n" in main_cf("mx1")
    assert "mxrelay-limits" not in hosts.on("mx1", "systemctl", "list-timers", "--all")
    role = {"limit": "mx1.lab.example"}
    assert playbooks.play("outage", playbooks.SECONDARY, **role).code == 0
    assert f"{LIMIT} = 1\n" in main_cf("mx1")
    if taken_back_by == FLUSH:
        assert flush("mx1", wait=0).code == 0
    else:
        record = json.loads(hosts.on("mx1", "cat", RECORD))
        hosts.on("mx1", "sh", "-c", f"cat >{RECORD}", given=json.dumps({**record, "expires": 1}))
        assert playbooks.play("outage", playbooks.SECONDARY, **role).code == 0
    assert (main_cf("mx1"), hosts.on("mx1", "ls", "-A", "/etc/postfix").count("mxrelay-limits")) == (before, 0)


@pytest.mark.long
def test_host_without_systemd_is_refused_before_anything_changes() -> None:
    before = main_cf("mx1")
    hosts.on("mx1", "mv", "/run/systemd/system", "/run/systemd/hidden")
    try:
        run = flush("mx1", wait=5, concurrency=1)
        assert run.code == 2
        assert "systemd does not run this host, so no timer can take the limits back" in run.said
        assert main_cf("mx1") == before
        run = flush("mx1", wait=5, concurrency=1, without_timer=True)
    finally:
        hosts.on("mx1", "mv", "/run/systemd/hidden", "/run/systemd/system")
    assert run.code == 0
    assert main_cf("mx1") == before
