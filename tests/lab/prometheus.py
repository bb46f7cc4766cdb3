# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have a real Prometheus read an MX host's metrics, in a container of its own, and say what it makes of them."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lab import hosts, images

CACHE = pathlib.Path(__file__).parents[2] / ".cache"
RULES = pathlib.Path(__file__).parents[2] / "extensions/prometheus/mxrelay.rules.yml"
DASHBOARD = pathlib.Path(__file__).parents[2] / "extensions/grafana/mxrelay.json"
# What promtool expects of them.
LIMITS = pathlib.Path(__file__).parent / "prometheus_rules.yml"
NAME = "prometheus"
FOLDER = "/etc/lab"
# Where node_exporter listens.
PORT = 9100
SECONDS_TO_START = 60
SECONDS_TO_READ = 180
ASK = "import sys, urllib.request as r; print(r.urlopen('http://127.0.0.1:9090' + sys.argv[1]).read().decode())"
CONFIGURATION = """\
global:
  scrape_interval: {interval}
  evaluation_interval: 1s
rule_files: [{folder}/rules.yml]
scrape_configs:
  - job_name: node
    static_configs:
      - targets: [{targets}]
"""


@contextmanager
def started(rules: str, *mx_hosts: str) -> Iterator[None]:
    """Have a Prometheus with these rules read these hosts until the end; its image is made where it is missing."""
    command, lab = os.environ["MXRELAY_LAB_ENGINE"], os.environ["MXRELAY_LAB"]
    tag = images.have_images(command, images.DEFAULT_SUITE, (NAME,), CACHE)
    name = hosts.container(NAME)
    options = ["--detach", "--init", "--network", lab, "--dns", f"{os.environ['MXRELAY_LAB_NET']}.2"]
    hosts.engine("run", *options, "--name", name, "--label", f"mxrelay-lab={lab}", f"mxrelay-lab/{NAME}:{tag}")
    try:
        put("rules.yml", rules)
        configure("1s", *mx_hosts)
        arguments = [f"--config.file={FOLDER}/prometheus.yml", "--storage.tsdb.path=/tmp/tsdb"]
        hosts.engine("exec", "--detach", name, "prometheus", *arguments)
        assert hosts.wait_for(ready, SECONDS_TO_START), "Prometheus does not answer"
        yield
    finally:
        hosts.engine("rm", "--force", "--volumes", name)


def put(name: str, text: str) -> None:
    """Put a file where Prometheus finds it."""
    hosts.on(NAME, "sh", "-ec", f"mkdir -p {FOLDER}; cat > {FOLDER}/{name}", given=text)


def configure(interval: str, *mx_hosts: str) -> None:
    """Have it read these hosts in this interval, which is also the longest time for one of them, up to 10 seconds."""
    targets = ", ".join(f'"{host}:{PORT}"' for host in mx_hosts)
    put("prometheus.yml", CONFIGURATION.format(folder=FOLDER, targets=targets, interval=interval))
    hosts.on(NAME, "sh", "-c", "pkill -HUP -x prometheus || true")


def ready() -> bool:
    """Return whether it answers."""
    try:
        return bool(hosts.on(NAME, "python3", "-c", ASK, "/-/ready"))
    except RuntimeError:
        return False


def promtool(*words: str, given: str | None = None) -> str:
    """Return what promtool says; raise where it finds something."""
    return hosts.on(NAME, "promtool", *words, given=given)


def query(expression: str, at: float | None = None) -> list[Mapping[str, Any]]:
    """Return the samples of an expression as they are now, or as they were at that time."""
    words = {"query": expression} if at is None else {"query": expression, "time": at}
    path = f"/api/v1/query?{urllib.parse.urlencode(words)}"
    found: list[Mapping[str, Any]] = json.loads(hosts.on(NAME, "python3", "-c", ASK, path))["data"]["result"]
    return found


def value(expression: str) -> float | None:
    """Return the value of an expression with one sample; None where it has none."""
    samples = query(expression)
    return float(samples[0]["value"][1]) if samples else None


@dataclasses.dataclass(frozen=True)
class Panel:
    """The samples that a panel of the dashboard has now, and the names of the labels that it shows."""

    samples: Sequence[Mapping[str, Any]]
    labels: frozenset[str]

    def value(self) -> float | None:
        """Return the value of a panel with one sample; None where it has none."""
        return float(self.samples[0]["value"][1]) if self.samples else None


def panels() -> Mapping[str, Panel]:
    """Return the dashboard's panels by their titles, of all hosts and domains, at a moment when all could be read."""
    shown = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]

    def look() -> Mapping[str, Panel]:
        now = time.time()
        found = {panel["title"]: _panel(panel, now) for panel in shown}
        return found if value("min(min_over_time(up[15s]))") == 1 else {}

    return hosts.wait_for(look, SECONDS_TO_READ)


def _panel(panel: Mapping[str, Any], now: float) -> Panel:
    (target,) = panel["targets"]
    expression = re.sub(r"\$(instance|domain)\b", ".*", target["expr"])
    named = re.findall(r"{{(\w+)}}", target.get("legendFormat", ""))
    columns = (name for change in panel.get("transformations", ()) for name in change["options"]["indexByName"])
    return Panel(query(expression, now), frozenset({*named, *columns} - {"Value"}))


def firing() -> set[str]:
    """Return the names of the alerts that fire now."""
    told = json.loads(hosts.on(NAME, "python3", "-c", ASK, "/api/v1/alerts"))["data"]["alerts"]
    return {alert["labels"]["alertname"] for alert in told if alert["state"] == "firing"}
