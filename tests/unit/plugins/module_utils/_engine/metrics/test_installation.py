# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.metrics.collect import MetricsRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.metrics.installation import (
    apply_metrics,
    plan_metrics,
    plan_no_metrics,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import systemd
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.metrics_host import (
    MetricsTimerHost,
    metrics_timer_host,
)

TIMER, SERVICE = "mxrelay-metrics.timer", "mxrelay-metrics.service"
STARTED = [
    ["reset-failed", TIMER, SERVICE],
    ["--no-reload", "enable", TIMER],
    ["restart", TIMER],
    ["start", SERVICE],
]


@pytest.fixture(name="host")
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MetricsTimerHost:
    return metrics_timer_host(tmp_path, monkeypatch)


def make(host: MetricsTimerHost, interval: int = 300, **options: int) -> bool:
    change = plan_metrics(host.postfix(), MetricsRequest(**options), host.directory, interval, "/spool")
    apply_metrics(host.postfix(), change)
    return change.changed


def unmake(host: MetricsTimerHost) -> bool:
    change = plan_no_metrics(host.postfix(), host.directory)
    apply_metrics(host.postfix(), change)
    return change.changed


def files(host: MetricsTimerHost) -> dict[str, int]:
    places = [Path(host.config_directory), host.units, Path(host.directory)]
    return {
        path.name: path.stat().st_mode & 0o777 for place in places for path in place.iterdir() if "mxrelay" in path.name
    }


def test_program_is_installed_and_started_once(host: MetricsTimerHost) -> None:
    assert make(host) is True
    assert host.told == [["daemon-reload"], *STARTED]
    assert files(host) == {
        "mxrelay-metrics.pyz": 0o755,
        "mxrelay-metrics.json": 0o644,
        SERVICE: 0o644,
        TIMER: 0o644,
        "mxrelay.prom": host.metrics.stat().st_mode & 0o777,
    }
    assert Path(host.path("mxrelay-metrics.pyz")).read_text() == f"#!{sys.executable} program\n"
    said = json.loads(Path(host.path("mxrelay-metrics.json")).read_text())
    assert (said["path"], said["config_directory"]) == (str(host.metrics), host.config_directory)
    host.told.clear()
    assert make(host) is False
    assert host.told == []


def test_new_configuration_is_used_at_once_and_units_are_not_read_anew(host: MetricsTimerHost) -> None:
    make(host)
    host.told.clear()
    change = plan_metrics(host.postfix(), MetricsRequest(domains=5), host.directory, 300, "/spool")
    assert [os.path.basename(diff.header) for diff in change.diffs] == ["mxrelay-metrics.json"]
    assert '"domains": 5' in change.diffs[0].after
    apply_metrics(host.postfix(), change)
    assert host.told == STARTED


def test_new_interval_is_that_of_the_timer(host: MetricsTimerHost) -> None:
    make(host)
    host.told.clear()
    assert make(host, 60) is True
    assert host.told == [["daemon-reload"], *STARTED]
    assert "OnUnitActiveSec=60\n" in (host.units / TIMER).read_text()


@pytest.mark.parametrize("broken", ["timer", "metrics"])
def test_what_does_not_run_or_was_removed_is_put_right(host: MetricsTimerHost, broken: str) -> None:
    make(host)
    host.told.clear()
    if broken == "timer":
        host.active.clear()
    else:
        host.metrics.unlink()
    assert make(host) is True
    assert host.told == STARTED


def test_nothing_is_left_after_removal(host: MetricsTimerHost) -> None:
    make(host)
    host.told.clear()
    assert unmake(host) is True
    assert files(host) == {}
    stopped = [["--no-reload", "disable", TIMER], ["stop", TIMER, SERVICE]]
    assert host.told == [*stopped, ["daemon-reload"], ["reset-failed", TIMER, SERVICE]]
    host.told.clear()
    assert unmake(host) is False
    assert host.told == []


def test_diff_shows_program_and_metrics_by_their_digests(host: MetricsTimerHost) -> None:
    make(host)
    diffs = {os.path.basename(diff.header): diff for diff in plan_no_metrics(host.postfix(), host.directory).diffs}
    assert diffs["mxrelay-metrics.pyz"].before.startswith("a program with the SHA-256 ")
    assert diffs["mxrelay.prom"].before.startswith("metrics with the SHA-256 ")
    assert (diffs[TIMER].before, diffs[TIMER].after) == ((host.units / TIMER).read_text(), "")


def test_first_run_that_fails_is_told(host: MetricsTimerHost) -> None:
    host.broken = SERVICE
    with pytest.raises(HostError) as caught:
        make(host)
    assert caught.value.message == (
        f"systemctl start {SERVICE} failed: {SERVICE} is broken; see journalctl -u {SERVICE}"
    )


def test_host_without_systemd_or_collector_is_refused(host: MetricsTimerHost, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="/nowhere: is not a directory; install prometheus-node-exporter"):
        plan_metrics(host.postfix(), MetricsRequest(), "/nowhere", 300, "/spool")
    monkeypatch.setattr(systemd, "SYSTEMD", "/nowhere")
    with pytest.raises(Refused, match="systemd does not run this host"):
        plan_metrics(host.postfix(), MetricsRequest(), host.directory, 300, "/spool")
