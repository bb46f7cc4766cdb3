# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx_metrics import METRICS_SPEC, manage_metrics
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.metrics_host import (
    MetricsTimerHost,
    metrics_timer_host,
)


@pytest.fixture(name="host")
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MetricsTimerHost:
    return metrics_timer_host(tmp_path, monkeypatch)


def params(host: MetricsTimerHost, **others: Any) -> dict[str, Any]:
    defaults = {name: option.get("default") for name, option in METRICS_SPEC.items()}
    return {**defaults, "directory": host.directory, **others}


def test_check_mode_tells_the_change_and_makes_none(host: MetricsTimerHost) -> None:
    outcome = manage_metrics(params(host, dns=True, accepted=[]), host.postfix(), True)
    assert (outcome.changed, len(outcome.diffs), host.told) == (True, 4, [])
    assert list(host.units.iterdir()) == []
    shown = {Path(diff.header).name: diff.after for diff in outcome.diffs}
    assert json.loads(shown["mxrelay-metrics.json"])["dns"] is True
    assert outcome.results == {
        "path": str(host.metrics),
        "program": host.path("mxrelay-metrics.pyz"),
        "unit": "mxrelay-metrics",
    }


def test_metrics_come_and_go(host: MetricsTimerHost) -> None:
    assert manage_metrics(params(host), host.postfix(), False).changed is True
    assert manage_metrics(params(host), host.postfix(), False).changed is False
    assert manage_metrics(params(host, state="absent"), host.postfix(), False).changed is True
    assert manage_metrics(params(host, state="absent"), host.postfix(), False).changed is False


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("interval", 29, "interval is 29; give at least 30"),
        ("domains", -1, "domains is -1; give at least 0"),
        ("list_max_age", "1 day", r'"1 day" \(list_max_age\) is not a Postfix time value'),
        ("outage", "long", r'"long" \(outage\) is not a Postfix time value'),
        ("accepted", [{"check": "x"}], r"accepted\[0\]"),
        ("thresholds", {"age": [1, 2]}, "thresholds"),
    ],
)
def test_value_that_the_program_could_not_use_is_refused(
    host: MetricsTimerHost, option: str, value: Any, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        manage_metrics(params(host, **{option: value}), host.postfix(), False)
    assert host.told == []


def test_host_without_postfix_fails_but_in_check_mode(host: MetricsTimerHost) -> None:
    host.installed = False
    outcome = manage_metrics(params(host), host.postfix(), True)
    service = next(diff.after for diff in outcome.diffs if diff.header.endswith(".service"))
    assert f"ReadWritePaths={host.directory} -/var/spool/postfix/pid\n" in service
    with pytest.raises(HostError, match="Postfix is not installed"):
        manage_metrics(params(host), host.postfix(), False)
    assert (host.told, list(host.units.iterdir())) == ([], [])
