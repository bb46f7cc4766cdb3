# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib
import stat

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine import delivery_limits, queue_limits
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.delivery_limits import standing_limits
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_limits import (
    LimitsRequest,
    differing_lines,
    set_limits,
    take_limits,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import systemd
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.limited_host import MAIN_CF, LimitedHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.own_clock import set_clock

CONCURRENCY = "relay_destination_concurrency_limit"
TWO = LimitsRequest(["x.example"], concurrency=2, seconds=60)
OURS = [".mxrelay-limits", ".mxrelay-limits.py"]


def at(monkeypatch: pytest.MonkeyPatch, moment: float) -> None:
    for module in (queue_limits, delivery_limits):
        set_clock(monkeypatch, module, time=lambda: moment)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 1000.0)


@pytest.fixture(name="host")
def _host(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> LimitedHost:
    (tmp_path / "systemd").mkdir()
    monkeypatch.setattr(systemd, "SYSTEMD", str(tmp_path / "systemd"))
    (tmp_path / "etc").mkdir()
    return LimitedHost(str(tmp_path / "etc"))


def ours(host: LimitedHost) -> list[str]:
    return sorted(name for name in os.listdir(host.config_directory) if name.startswith(".mxrelay"))


def test_limit_is_set_with_its_record_and_its_timer(host: LimitedHost) -> None:
    change = set_limits(host.postfix(), TWO, False)
    assert host.main_cf() == f"{MAIN_CF}{CONCURRENCY} = 2\n"
    assert (change.parameters, change.transports, change.timer) == ({CONCURRENCY: "2"}, ["relay"], True)
    assert change.diff is not None
    assert (change.diff.before, change.diff.after) == ("", f"{CONCURRENCY} = 2\n")
    assert (list(host.timers.values()), host.reloads(), ours(host)) == (["60s"], 1, OURS)
    assert [stat.S_IMODE(os.stat(host.path(name)).st_mode) for name in OURS] == [0o600, 0o600]


def test_check_mode_writes_nothing(host: LimitedHost) -> None:
    change = set_limits(host.postfix(), TWO, True)
    assert change.parameters == {CONCURRENCY: "2"}
    assert change.diff is not None
    assert (host.main_cf(), host.timers, host.reloads(), ours(host)) == (MAIN_CF, {}, 0, [])


def test_second_run_changes_only_when_they_expire(host: LimitedHost) -> None:
    set_limits(host.postfix(), TWO, False)
    inode = os.stat(host.path("main.cf")).st_ino
    change = set_limits(host.postfix(), LimitsRequest(["x.example"], concurrency=2, seconds=90), False)
    assert (change.diff, change.parameters) == (None, {CONCURRENCY: "2"})
    assert (os.stat(host.path("main.cf")).st_ino, host.reloads(), list(host.timers.values())) == (inode, 1, ["90s"])
    standing = standing_limits(host.postfix())
    assert standing is not None
    assert (standing.record["unit"], standing.record["expires"]) == (next(iter(host.timers)), change.expires)


def test_other_limits_replace_those_that_are_set(host: LimitedHost) -> None:
    set_limits(host.postfix(), TWO, False)
    change = set_limits(host.postfix(), LimitsRequest(["y.example"], rate_delay=3, seconds=90), False)
    assert host.main_cf() == f"{MAIN_CF}retrying_destination_rate_delay = 3s\n"
    assert change.diff is not None
    assert (change.diff.before, change.diff.after) == (
        f"{CONCURRENCY} = 2\n",
        "retrying_destination_rate_delay = 3s\n",
    )
    assert (list(host.timers.values()), host.reloads()) == (["90s"], 2)
    take_limits(host.postfix(), False)
    assert host.main_cf() == MAIN_CF


@pytest.mark.parametrize(
    ("main_cf", "request_", "wanted"),
    [
        (f"{CONCURRENCY} = 5\n", TWO, {CONCURRENCY: "2"}),
        (f"{CONCURRENCY} = 0\n", TWO, {CONCURRENCY: "2"}),
        (f"{CONCURRENCY} = 1\n", TWO, {}),
        ("default_destination_concurrency_limit = 2\n", TWO, {}),
        (
            "default_destination_rate_delay = 1s\n",
            LimitsRequest(rate_delay=2),
            {"relay_destination_rate_delay": "2s"},
        ),
        ("default_destination_rate_delay = 1m\n", LimitsRequest(rate_delay=2), {}),
    ],
)
def test_what_is_stricter_in_main_cf_stays(
    host: LimitedHost, main_cf: str, request_: LimitsRequest, wanted: dict[str, str]
) -> None:
    host.write("main.cf", MAIN_CF + main_cf)
    assert set_limits(host.postfix(), request_, False).parameters == wanted
    assert (ours(host) == OURS, bool(host.timers)) == (bool(wanted), bool(wanted))
    take_limits(host.postfix(), False)
    assert host.main_cf() == MAIN_CF + main_cf


def test_without_domains_that_of_queued_mail_is_limited(host: LimitedHost) -> None:
    assert set_limits(host.postfix(), LimitsRequest(concurrency=2), False).transports == ["relay"]
    host.queue = ""
    change = set_limits(host.postfix(), LimitsRequest(concurrency=2), False)
    assert (change.transports, change.parameters, change.taken_back) == ([], {}, [CONCURRENCY])
    assert (host.main_cf(), ours(host)) == (MAIN_CF, [])


def test_limits_are_taken_back_without_a_trace(host: LimitedHost) -> None:
    text = MAIN_CF + f"{CONCURRENCY} =\n   # the most\n   9\n# the end"
    host.write("main.cf", text)
    os.chmod(host.path("main.cf"), 0o640)
    set_limits(host.postfix(), LimitsRequest(["x.example"], 2, 3), False)
    assert take_limits(host.postfix(), True).taken_back == [CONCURRENCY, "relay_destination_rate_delay"]
    assert host.main_cf() != text
    change = take_limits(host.postfix(), False)
    assert (change.taken_back, change.changed_by_others) == ([CONCURRENCY, "relay_destination_rate_delay"], [])
    assert (host.main_cf(), stat.S_IMODE(os.stat(host.path("main.cf")).st_mode)) == (text, 0o640)
    assert (ours(host), host.timers, host.reloads()) == ([], {}, 2)
    assert take_limits(host.postfix(), False) == queue_limits.LimitsChange()


def test_what_somebody_changed_meanwhile_stays(host: LimitedHost) -> None:
    set_limits(host.postfix(), TWO, False)
    host.write("main.cf", f"{MAIN_CF}{CONCURRENCY} = 7\n")
    change = take_limits(host.postfix(), False)
    assert (change.diff, change.taken_back, change.changed_by_others) == (None, [], [CONCURRENCY])
    assert (host.main_cf(), ours(host), host.reloads()) == (f"{MAIN_CF}{CONCURRENCY} = 7\n", [], 1)


def test_only_what_has_expired_is_taken_back_if_asked(host: LimitedHost, monkeypatch: pytest.MonkeyPatch) -> None:
    change = set_limits(host.postfix(), TWO, False)
    assert take_limits(host.postfix(), False, expired=True) == queue_limits.LimitsChange()
    assert change.expires == 1060
    at(monkeypatch, 1060.0)
    assert take_limits(host.postfix(), False, expired=True).taken_back == [CONCURRENCY]


def test_host_without_systemd_is_refused_unless_that_is_accepted(
    host: LimitedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systemd, "SYSTEMD", host.path("nothing"))
    with pytest.raises(Refused) as caught:
        set_limits(host.postfix(), TWO, True)
    assert caught.value.message == (
        "systemd does not run this host, so no timer can take the limits back if the run is killed; set "
        "without_timer to have the next run take them back"
    )
    change = set_limits(host.postfix(), LimitsRequest(["x.example"], 2, without_timer=True), False)
    assert (change.timer, host.timers, ours(host)) == (False, {}, OURS)


def test_limit_is_not_set_without_its_timer(host: LimitedHost) -> None:
    host.refusal = "Failed to start transient timer unit"
    with pytest.raises(HostError) as caught:
        set_limits(host.postfix(), TWO, False)
    assert caught.value.message == (
        "systemd-run failed: Failed to start transient timer unit; set without_timer to do without a timer"
    )
    assert (host.main_cf(), ours(host), host.reloads()) == (MAIN_CF, [], 0)


def test_record_that_can_not_be_read_is_told(host: LimitedHost) -> None:
    host.write(".mxrelay-limits", "{}")
    with pytest.raises(HostError) as caught:
        take_limits(host.postfix(), False)
    assert caught.value.message == (
        f"{host.path('.mxrelay-limits')}: can't be understood (it is not a record of limits); see whether main.cf "
        "still limits deliveries, and remove the file"
    )


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("a\nb\n", "a\nb\nc\n", ("", "c\n")),
        ("a\nb", "a\nb\nc\n", ("b", "b\nc\n")),
        ("a\nb\nc\nd\n", "a\nB\nc\nD\n", ("b\nc\nd\n", "B\nc\nD\n")),
        ("a\na\n", "a\na\na\n", ("", "a\n")),
    ],
)
def test_lines_that_differ(before: str, after: str, lines: tuple[str, str]) -> None:
    assert differing_lines(before, after) == lines
