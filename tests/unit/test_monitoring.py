# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds rules, dashboard and guide to the metrics that are written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.deferral_causes import CAUSES
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.collected import MetricsFound
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.plugin_line import THRESHOLDS
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.metrics_evidence import (
    NOW,
    counts,
    mx_result,
    queue_result,
)

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "extensions/prometheus/mxrelay.rules.yml"
DASHBOARD = ROOT / "extensions/grafana/mxrelay.json"
GUIDE = ROOT / "docs/metrics.md"
METRIC = re.compile(r"\bmxrelay_[a-z_]+")
NAMES = {
    f"mxrelay_{family.name}"
    for family in MetricsFound(NOW, mx_result("x.example"), queue_result(x=counts(1, 1, 1, 1))).families()
}


# The values of the dashboard for which the plugin for Nagios has limits.
LIMITED = {"Oldest message": "oldest_age", "First bounce in": "first_bounce", "Least free space": "free_bytes"}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _panels(kind: str) -> dict[str, dict[str, Any]]:
    panels = json.loads(_text(DASHBOARD))["panels"]
    return {panel["title"]: panel for panel in panels if panel["type"] == kind}


def _steps(panel: dict[str, Any]) -> list[tuple[int | None, str]]:
    return [(step["value"], step["color"]) for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]


@pytest.mark.parametrize("path", [RULES, DASHBOARD], ids=lambda path: path.name)
def test_only_metrics_that_are_written_are_asked_for(path: Path) -> None:
    asked = set(METRIC.findall(_text(path)))
    assert asked != set()
    assert asked - NAMES == set()


def test_guide_lists_every_metric_and_cause_and_alert() -> None:
    rows = [line for line in _text(GUIDE).splitlines() if line.startswith("| `mxrelay_")]
    assert {name for row in rows for name in METRIC.findall(row.split("|")[1])} == NAMES
    assert [cause for cause in CAUSES if f"`{cause}`" not in _text(GUIDE)] == []
    alerts = {rule["alert"] for group in yaml.safe_load(_text(RULES))["groups"] for rule in group["rules"]}
    assert set(re.findall(r"^\| `(Mxrelay\w+)` \|", _text(GUIDE), re.MULTILINE)) == alerts


def test_panels_of_the_dashboard_are_told_apart_and_none_lies_on_another() -> None:
    panels = json.loads(_text(DASHBOARD))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [
        (x, y)
        for panel in panels
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _y in places) < 24


def test_single_values_of_the_dashboard_are_those_of_now() -> None:
    # Of a range, the last value would be shown for as long as the range is after there is none any more.
    targets = [target for panel in _panels("stat").values() for target in panel["targets"]]
    assert {(target.get("instant"), target.get("range")) for target in targets} == {(True, False)}


def test_no_value_is_not_red_on_the_dashboard() -> None:
    # Grafana colours a missing value as the lowest one.
    nothing = {"match": "null+nan", "result": {"text": "–", "color": "#808080"}}
    red = [panel for panel in _panels("stat").values() if _steps(panel)[0] == (None, "red")]
    assert [panel["title"] for panel in red] == ["First bounce in", "Least free space"]
    mappings = [panel["fieldConfig"]["defaults"].get("mappings") for panel in red]
    assert mappings == [[{"type": "special", "options": nothing}]] * 2


@pytest.mark.parametrize("title", LIMITED)
def test_colours_of_the_dashboard_change_where_the_plugin_changes_its_status(title: str) -> None:
    warn, critical = THRESHOLDS[LIMITED[title]]
    rising = [(None, "green"), (warn, "orange"), (critical, "red")]
    falling = [(None, "red"), (critical, "orange"), (warn, "green")]
    assert _steps(_panels("stat")[title]) == (rising if warn < critical else falling)
