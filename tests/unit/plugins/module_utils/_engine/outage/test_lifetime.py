# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx import record as run_record
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.raise_record import (
    raise_path,
    read_raise_evidence,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.record import RunRecord, begin
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.outage import lifetime as module
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.outage.lifetime import (
    RaisePlan,
    await_other_runs,
    carry_out_raise,
    plan_begin,
    plan_end,
    plan_forget,
    rehearse_raise,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import LifetimeRaise, Outage
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import contents
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import queue_entry

NOW = 1795359466
DAY = 86400
MAIN_CF = "# head\nmaximal_queue_lifetime = 5d\nmyhostname = mx.example\n"
RAISED_CF = MAIN_CF.replace("5d", "10d")


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> FakeMxHost:
    return FakeMxHost(str(tmp_path), MAIN_CF)


def main_cf(host: FakeMxHost) -> str:
    return Path(host.path("main.cf")).read_text(encoding="utf-8")


def start(host: FakeMxHost, domain: str = "x.example", lifetime: str = "10d", now: int = NOW) -> RaisePlan:
    plan = plan_begin(host.postfix(), [domain], Outage(now, "3d", lifetime))
    carry_out_raise(host.postfix(), plan)
    return plan


def stop(host: FakeMxHost, *domains: str, force: bool = False, now: int = NOW) -> RaisePlan:
    plan = plan_end(host.postfix(), domains, force, now)
    carry_out_raise(host.postfix(), plan)
    return plan


def record(host: FakeMxHost, now: int = NOW) -> LifetimeRaise | None:
    return read_raise_evidence(host.postfix(), now).record


def test_raise_is_made_once_and_taken_back(host: FakeMxHost) -> None:
    plan = start(host)
    assert (plan.changed, main_cf(host), plan.notes) == (True, RAISED_CF, [])
    assert record(host) == LifetimeRaise("5d", "10d", {"x.example": Outage(NOW, "3d", "10d")})
    assert [diff.header for diff in plan.diffs] == [host.path("main.cf"), host.path(".mxrelay-outage")]
    assert (plan.diffs[0].before, plan.diffs[0].after) == (
        "maximal_queue_lifetime = 5d\n",
        "maximal_queue_lifetime = 10d\n",
    )
    again = start(host, now=NOW + 60)
    assert (again.changed, again.diffs) == (False, [])
    over = stop(host, "x.example")
    assert (over.changed, over.notes, main_cf(host)) == (True, ["maximal_queue_lifetime goes back to 5d"], MAIN_CF)
    assert not os.path.lexists(raise_path(host.postfix()))
    assert stop(host, "x.example").changed is False


def test_parameter_that_was_not_set_is_removed_again(host: FakeMxHost) -> None:
    host.write("main.cf", "myhostname = mx.example\n")
    start(host)
    assert main_cf(host) == "myhostname = mx.example\nmaximal_queue_lifetime = 10d\n"
    assert stop(host).notes == ["maximal_queue_lifetime goes back to Postfix's default"]
    assert main_cf(host) == "myhostname = mx.example\n"


def test_planned_change_changes_nothing(host: FakeMxHost) -> None:
    before = contents(host.config_directory)
    rehearse_raise(host.postfix(), plan_begin(host.postfix(), ["x.example"], Outage(NOW, "3d", "10d")))
    assert contents(host.config_directory) == before


def test_longest_raise_holds_until_the_last_outage_ends(host: FakeMxHost) -> None:
    start(host)
    assert start(host, "y.example", "7d").notes == ["maximal_queue_lifetime is 10d: mail waits 7d or longer already"]
    stop(host, "x.example")
    assert main_cf(host) == RAISED_CF
    assert record(host) == LifetimeRaise("5d", "10d", {"y.example": Outage(NOW, "3d", "7d")})
    stop(host, "y.example")
    assert (main_cf(host), record(host)) == (MAIN_CF, None)


def test_long_lifetime_stays_and_is_recorded(host: FakeMxHost) -> None:
    plan = start(host, lifetime="2d")
    assert (plan.changed, main_cf(host)) == (True, MAIN_CF)
    assert record(host) == LifetimeRaise("5d", "5d", {"x.example": Outage(NOW, "3d", "2d")})
    assert (stop(host).changed, main_cf(host)) == (True, MAIN_CF)


def test_value_that_somebody_has_changed_stays_and_is_told(host: FakeMxHost) -> None:
    start(host)
    host.write("main.cf", MAIN_CF.replace("5d", "8d"))
    note = (
        "maximal_queue_lifetime is 8d, not 10d to which outage_begin raised it: somebody has changed it, so it does "
        "not go back to 5d"
    )
    begun = plan_begin(host.postfix(), ["y.example"], Outage(NOW, "3d", "10d"))
    assert (begun.notes, begun.after) == ([note], LifetimeRaise("8d", "10d", {"y.example": Outage(NOW, "3d", "10d")}))
    assert stop(host, "x.example").notes == [note]
    assert (main_cf(host), record(host)) == (MAIN_CF.replace("5d", "8d"), None)


def test_raise_does_not_end_while_mail_would_be_returned(host: FakeMxHost) -> None:
    start(host)
    host.queue = queue_entry("A1", "deferred", "a@x.example")
    before = contents(host.config_directory)
    with pytest.raises(Refused) as caught:
        stop(host, "x.example", now=NOW + 2 * DAY + 4 * DAY)
    assert caught.value.message.startswith("the outages are over, but 1 message(s) have waited longer than 5d")
    assert caught.value.message.endswith("run queue_flush, or set force; nothing was changed")
    assert contents(host.config_directory) == before
    stop(host, "x.example", force=True, now=NOW + 6 * DAY)
    assert (main_cf(host), record(host)) == (MAIN_CF, None)


def test_change_that_fails_leaves_all_as_it_was(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_postfix: Postfix) -> bool:
        raise HostError("no reload")

    start(host)
    before = record(host)
    monkeypatch.setattr(Postfix, "reload", fails)
    for attempt in (lambda: start(host, "y.example", "20d"), lambda: stop(host)):
        with pytest.raises(HostError):
            attempt()
        assert (main_cf(host), record(host)) == (RAISED_CF, before)


def test_run_that_was_cut_off_before_main_cf_had_the_raise_leaves_nothing_to_take_back(host: FakeMxHost) -> None:
    start(host)
    host.write("main.cf", MAIN_CF)
    assert (stop(host).notes, main_cf(host), record(host)) == ([], MAIN_CF, None)


@pytest.mark.parametrize(("written", "days", "changed"), [("10d", 2, False), ("10d", 3, True), ("5d", 2, True)])
def test_role_forgets_what_is_over_alone(host: FakeMxHost, written: str, days: int, changed: bool) -> None:
    start(host)
    host.write("main.cf", MAIN_CF.replace("5d", written))
    plan = plan_forget(host.postfix(), NOW + days * DAY)
    carry_out_raise(host.postfix(), plan)
    assert (plan.changed, plan.main_cf.changed, os.path.lexists(raise_path(host.postfix()))) == (
        changed,
        False,
        not changed,
    )


def test_run_of_a_role_is_waited_for(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    await_other_runs(host.postfix())
    begin(host.postfix(), RunRecord("", "elsewhere", 7), [])
    awaited: list[str] = []
    monkeypatch.setattr(module, "await_end", lambda _postfix, other: awaited.append(other.record))
    with pytest.raises(HostError) as caught:
        await_other_runs(host.postfix())
    assert len(awaited) == 1
    assert caught.value.message.endswith("; nothing was changed")
    assert run_record.standing(host.postfix()).other is not None
