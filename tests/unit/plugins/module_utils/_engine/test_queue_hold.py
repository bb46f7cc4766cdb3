# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib
import stat

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine import queue_hold
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_hold import carry_out_hold, plan_hold
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue_hold import HELD, RELEASED, HoldRequest
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.held_host import HeldHost

HOLD_X = HoldRequest(HELD, ["x.example"])
RELEASE_X = HoldRequest(RELEASED, ["x.example"])
RELEASE_ALL = HoldRequest(RELEASED)


@pytest.fixture(name="host")
def _host(tmp_path: pathlib.Path) -> HeldHost:
    """Two reports, and mail of two domains, some of it on hold."""
    host = HeldHost(tmp_path, "rcpt", "several")
    host.add("A1", "deferred", "a@x.example")
    host.add("A2", "active", "b@x.example")
    host.add("A3", "hold", "c@x.example")
    host.add("A4", "deferred", "d@y.example")
    return host


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_hold, "POLL_SECONDS", 0)


def record(host: HeldHost) -> list[str]:
    path = host.directory / ".mxrelay-held"
    return list(json.loads(path.read_text())) if path.exists() else []


def test_mail_of_the_domain_is_put_on_hold_and_known(host: HeldHost) -> None:
    plan = carry_out_hold(host.postfix(), HOLD_X)
    assert [message.queue_id for message in plan.chosen] == ["A1", "A2"]
    assert [message.queue_id for message in plan.held] == ["A3"]
    assert host.queues() == {"A1": "hold", "A2": "hold", "A3": "hold", "A4": "deferred"}
    assert record(host) == ["A1", "A2"]
    assert stat.S_IMODE((host.directory / ".mxrelay-held").stat().st_mode) == 0o600
    assert carry_out_hold(host.postfix(), HOLD_X).chosen == []
    assert host.moves == [("-h incoming deferred", ["A1", "A2"])]


def test_plan_moves_nothing(host: HeldHost) -> None:
    assert [message.queue_id for message in plan_hold(host.postfix(), HOLD_X).chosen] == ["A1", "A2"]
    assert (host.moves, record(host)) == ([], [])


def test_all_of_the_domain_that_is_on_hold_is_released(host: HeldHost) -> None:
    carry_out_hold(host.postfix(), HOLD_X)
    plan = carry_out_hold(host.postfix(), RELEASE_X)
    assert ([message.queue_id for message in plan.chosen], plan.ours) == (["A1", "A2", "A3"], {"A1", "A2"})
    assert (host.moves[-1], record(host)) == (("-H", ["A1", "A2", "A3"]), [])
    assert not (host.directory / ".mxrelay-held").exists()


def test_what_is_released_is_retried_if_asked(host: HeldHost) -> None:
    carry_out_hold(host.postfix(), HoldRequest(HELD, ["x.example"], flush=True))
    carry_out_hold(host.postfix(), RELEASE_X)
    assert host.retried == []
    carry_out_hold(host.postfix(), HOLD_X)
    carry_out_hold(host.postfix(), HoldRequest(RELEASED, ["x.example"], flush=True))
    assert host.retried == ["A1", "A2", "A3"]
    carry_out_hold(host.postfix(), HOLD_X)
    host.down = True
    with pytest.raises(HostError) as caught:
        carry_out_hold(host.postfix(), HoldRequest(RELEASED, flush=True))
    assert caught.value.message == (
        "postqueue -i failed: mail system is down; the mail is released, and waits for the next queue run"
    )


def test_reports_of_refused_mail_stay_on_hold(host: HeldHost) -> None:
    plan = carry_out_hold(host.postfix(), RELEASE_ALL)
    assert [message.queue_id for message in plan.chosen] == ["A3"]
    assert host.left() == ["rcpt", "several"]


def test_what_was_delivered_meanwhile_is_not_told_as_held(host: HeldHost) -> None:
    host.gone = {"A2"}
    plan = carry_out_hold(host.postfix(), HOLD_X)
    assert ([message.queue_id for message in plan.chosen], record(host)) == (["A1"], ["A1"])


def test_what_changes_its_queue_meanwhile_is_put_on_hold_as_well(host: HeldHost) -> None:
    host.moving = {"A2"}
    plan = carry_out_hold(host.postfix(), HOLD_X)
    assert ([message.queue_id for message in plan.chosen], record(host)) == (["A1", "A2"], ["A1", "A2"])
    assert host.moves == [("-h incoming deferred", ["A1", "A2"]), ("-h incoming deferred", ["A2"])]


def test_delivery_that_is_under_way_ends_first(host: HeldHost) -> None:
    host.tried = 4
    plan = carry_out_hold(host.postfix(), HOLD_X)
    assert ([message.queue_id for message in plan.chosen], plan.interrupted) == (["A1", "A2"], 0)
    assert host.moves == [
        ("-h incoming deferred", ["A1", "A2"]),
        ("-h incoming deferred", ["A2"]),
        ("-h incoming deferred", ["A2"]),
        ("-h incoming deferred", ["A2"]),
    ]


def test_delivery_that_does_not_end_is_not_waited_for(host: HeldHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_hold, "SECONDS_TO_TRY", 0)
    host.tried = 100
    plan = carry_out_hold(host.postfix(), HOLD_X)
    assert ([message.queue_id for message in plan.chosen], plan.interrupted) == (["A1", "A2"], 1)
    assert (host.moves, record(host)) == ([("-h", ["A1", "A2"])], ["A1", "A2"])


def test_what_is_in_neither_queue_at_one_look_is_put_on_hold_as_well(host: HeldHost) -> None:
    host.unseen = {"A2": 2}
    plan = carry_out_hold(host.postfix(), HOLD_X)
    assert [message.queue_id for message in plan.chosen] == ["A1", "A2"]
    assert host.moves == [("-h incoming deferred", ["A1"]), ("-h incoming deferred", ["A2"])]


def test_what_is_never_seen_on_hold_is_not_told_as_held(host: HeldHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_hold, "SECONDS_IN_ALL", 0.2)
    host.stuck = {"A2"}
    plan = carry_out_hold(host.postfix(), HOLD_X)
    assert ([message.queue_id for message in plan.chosen], record(host)) == (["A1"], ["A1"])


def test_what_arrives_meanwhile_is_not_put_on_hold(host: HeldHost) -> None:
    host.arriving = [("A5", "deferred", "e@x.example")]
    assert [message.queue_id for message in carry_out_hold(host.postfix(), HOLD_X).chosen] == ["A1", "A2"]
    assert host.queues()["A5"] == "deferred"


def test_what_was_delivered_while_it_was_put_on_hold_goes_with_the_release(host: HeldHost) -> None:
    host.add("A6", "hold")
    host.add("A7", "hold")
    (host.directory / ".mxrelay-held").write_text('["A6"]')
    plan = carry_out_hold(host.postfix(), HoldRequest(RELEASED, ["y.example"]))
    assert ([message.queue_id for message in plan.chosen], plan.arrived) == ([], ["A6"])
    assert (host.moves, record(host)) == ([("-H", ["A6"])], [])


def test_failure_is_told_with_its_remedy(host: HeldHost) -> None:
    host.refusal = "postsuper: fatal: use of this command is reserved for the superuser\n"
    with pytest.raises(HostError) as caught:
        carry_out_hold(host.postfix(), HOLD_X)
    assert caught.value.message == (
        "postsuper -h failed: postsuper: fatal: use of this command is reserved for the superuser; run as root "
        "(become: true)"
    )


@pytest.mark.parametrize("text", ["[", "{}", "[1]"])
def test_record_that_can_not_be_read_decides_nothing(host: HeldHost, text: str) -> None:
    (host.directory / ".mxrelay-held").write_text(text)
    plan = carry_out_hold(host.postfix(), RELEASE_X)
    assert ([message.queue_id for message in plan.chosen], plan.ours) == (["A3"], frozenset())
