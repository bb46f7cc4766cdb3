# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have a real Prometheus read an MX host's metrics, in a container of its own, and say what it makes of them."""

from __future__ import annotations

import json
import os
import pathlib
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lab import hosts, images

CACHE = pathlib.Path(__file__).parents[2] / ".cache"
RULES = pathlib.Path(__file__).parents[2] / "extensions/prometheus/mxrelay.rules.yml"
# What promtool expects of them.
LIMITS = pathlib.Path(__file__).parent / "prometheus_rules.yml"
NAME = "prometheus"
FOLDER = "/etc/lab"
# Where node_exporter listens.
PORT = 9100
SECONDS_TO_START = 60
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


def query(expression: str) -> list[Mapping[str, Any]]:
    """Return the samples of an expression as they are now."""
    path = f"/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
    found: list[Mapping[str, Any]] = json.loads(hosts.on(NAME, "python3", "-c", ASK, path))["data"]["result"]
    return found


def value(expression: str) -> float | None:
    """Return the value of an expression with one sample; None where it has none."""
    samples = query(expression)
    return float(samples[0]["value"][1]) if samples else None


def firing() -> set[str]:
    """Return the names of the alerts that fire now."""
    told = json.loads(hosts.on(NAME, "python3", "-c", ASK, "/api/v1/alerts"))["data"]["alerts"]
    return {alert["labels"]["alertname"] for alert in told if alert["state"] == "firing"}
