# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible import queue as work_of_queue
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.queue import queue_flush, queue_info
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import Work
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine import queue_summary
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_kept_mail import FakeKeptMail
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import (
    FakePostqueue,
    queue_entry,
)

LOOK = {"domains": [], "subdomains": False, "wait": 0, "log_megabytes": 0}


@pytest.mark.parametrize("work", [queue_info, queue_flush])
def test_domain_is_named_with_its_place(work: Work) -> None:
    with pytest.raises(InvalidInput) as caught:
        work({"domains": ["x.example", "bob@x.example"]}, FakePostqueue().postfix(), False)
    assert caught.value.message == (
        '"bob@x.example" (domains[1]) contains an @; give the domain alone, without the local part'
    )


def test_info_has_each_domain_once_and_changes_nothing() -> None:
    postqueue = FakePostqueue()
    outcome = queue_info({**LOOK, "domains": ["Slow.Example", "slow.example"]}, postqueue.postfix(), False)
    assert (outcome.changed, outcome.warnings, postqueue.asked) == (False, [], [])
    assert list(outcome.results) == ["total", "domains", "unread"]
    assert {name: (found["count"], found["held"]) for name, found in outcome.results["domains"].items()} == {
        "slow.example": (2, 1)
    }


@pytest.mark.parametrize(("subdomains", "count"), [(False, 0), (True, 2)])
def test_subdomains_count_if_wanted(subdomains: bool, count: int) -> None:
    outcome = queue_info({**LOOK, "domains": ["example"], "subdomains": subdomains}, FakePostqueue().postfix(), False)
    assert outcome.results["domains"]["example"]["count"] == count


def test_info_that_waits_tells_of_old_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def old_sessions(*directories: str) -> int:
        asked.append((directories[0], directories[1]))
        return 3 - len(asked)

    monkeypatch.setattr(work_of_queue, "old_sessions", old_sessions)
    outcome = queue_info({**LOOK, "domains": ["idle.example"], "wait": 9}, FakePostqueue().postfix(), False)
    assert (outcome.results["old_sessions"], asked) == (0, [("/etc/postfix", "/var/spool/postfix")] * 3)


@pytest.mark.parametrize(("check_mode", "asked"), [(True, []), (False, [["-f"]])])
def test_flush_tells_the_same_in_check_mode_and_asks_for_nothing(check_mode: bool, asked: list[list[str]]) -> None:
    postqueue = FakePostqueue()
    outcome = queue_flush({"domains": [], "wait": 0}, postqueue.postfix(), check_mode)
    assert outcome.changed is True
    assert outcome.results == {
        "count": 2,
        "domains": {"other.test": 2, "slow.example": 1},
        "held": {"slow.example": 1},
    }
    assert outcome.warnings == [
        "1 message(s) for slow.example stay on hold; release them with `postsuper -H` on the host"
    ]
    assert postqueue.asked == asked


@pytest.mark.parametrize("domains", [[], ["slow.example"], ["idle.example", "idle2.example"]])
def test_flush_asks_for_nothing_if_all_that_waits_is_on_hold(domains: list[str]) -> None:
    postqueue = FakePostqueue()
    postqueue.queue = queue_entry("A3", "hold", "d@slow.example")
    outcome = queue_flush({"domains": domains, "wait": 0}, postqueue.postfix(), False)
    assert (outcome.changed, outcome.results["count"], outcome.results["domains"]) == (False, 0, {})
    assert postqueue.asked == []


def test_flush_advises_no_release_of_what_is_kept_to_strangers(tmp_path: pathlib.Path) -> None:
    host = FakeKeptMail(tmp_path, "rcpt", "mixed", "forged_by_stranger")
    outcome = queue_flush({"domains": [], "wait": 0}, host.postfix(), False)
    assert (outcome.changed, outcome.results["held"]) == (False, {"stranger.example": 1})
    assert outcome.warnings == [
        "1 message(s) for stranger.example stay on hold; release them with `postsuper -H` on the host",
        "2 report(s) of refused mail stay on hold; mxrelay.postfix.queue_release shows them",
    ]


def test_info_counts_what_is_kept(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = FakeKeptMail(tmp_path, "rcpt", "several", "forged_by_user")
    found = queue_info({**LOOK, "domains": ["hold.example"], "subdomains": True}, host.postfix(), False).results
    kept = found["domains"]["hold.example"]["kept"]
    assert (kept["count"], kept["recipients"], found["unread"]) == (2, 4, 0)
    assert kept["causes"] == [{"cause": "refused: 550 5.7.1", "count": 2}, {"cause": "refused: 554 5.7.1", "count": 1}]
    monkeypatch.setattr(queue_summary, "READ_AT_MOST", 1)
    assert queue_info(LOOK, host.postfix(), False).results["unread"] == 2


@pytest.mark.parametrize("check_mode", [True, False])
def test_flush_that_waits_tells_what_is_left(check_mode: bool) -> None:
    postqueue = FakePostqueue()
    postqueue.queue = queue_entry("A1", "deferred", "a@slow.example")
    asked = postqueue.asked
    results = queue_flush({"domains": ["slow.example"], "wait": 1}, postqueue.postfix(), check_mode).results
    assert results.get("left") == (None if check_mode else 1)
    assert asked == ([] if check_mode else [["-s", "slow.example"]])
