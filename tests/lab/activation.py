# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rulebook of the collection, run by ansible-rulebook against what stands in for AWX."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from lab import controller
from lab.checkout import ROOT

TEMPLATES = yaml.safe_load((ROOT / "extensions/awx/job_templates.yml").read_text(encoding="utf-8"))["job_templates"]
# What AWX says of a template that was not told.
OF_AWX = {"ask_inventory_on_launch": False, "ask_labels_on_launch": False}
TOKEN = "known-to-the-monitoring"
SECONDS_TO_START = 60
SECONDS_TO_LAUNCH = 30
# The source ansible.eda.webhook is the one that ansible-rulebook has itself.
ROUTING = {"plugin_routing": {"event_source": {"webhook": {"redirect": "eda.builtin.webhook"}}}}
MANIFEST = {"collection_info": {"namespace": "ansible", "name": "eda", "version": "2.99.0", "dependencies": {}}}


class Activation:
    """A rulebook that runs: what it is sent, and what it starts."""

    def __init__(self, port: int, awx: controller.Controller) -> None:
        self.port = port
        self._url = f"http://127.0.0.1:{port}/"
        self._awx = awx

    def send(self, event: dict[str, Any], token: str = TOKEN) -> int:
        """Post an event as the monitoring does; return the status of the answer."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self._url, json.dumps(event).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code

    def fail(self, template: str) -> None:
        """Have the jobs of a template fail."""
        self._awx.failing.add(template)

    def started(self, count: int) -> list[tuple[str, str]]:
        """Return the templates whose jobs were started, each with the host of its event, once there are as many."""
        awaited(lambda: len(self._awx.launched) >= count, SECONDS_TO_LAUNCH)
        return [(template, host_of(body["extra_vars"]["ansible_eda"])) for template, body in self._awx.launched]

    def templates(self, count: int) -> list[str]:
        """Return the templates whose jobs were started, once there are as many."""
        awaited(lambda: len(self._awx.launched) >= count, SECONDS_TO_LAUNCH)
        return [template for template, _body in self._awx.launched]

    def answers(self, count: int) -> list[dict[str, Any]]:
        """Return the variables that jobs were started with, but for what started them, once there are as many."""
        awaited(lambda: len(self._awx.launched) >= count, SECONDS_TO_LAUNCH)
        variables = [body["extra_vars"] for _template, body in self._awx.launched]
        return [{name: value for name, value in given.items() if name != "ansible_eda"} for given in variables]


def host_of(cause: dict[str, Any]) -> str:
    """Return the host that an event names."""
    payload = cause["event"]["payload"] if "event" in cause else cause["events"]["m_0"]["payload"]
    return str(payload.get("mail_host") or payload.get("mx_host"))


def awaited(met: Callable[[], bool], seconds: float) -> bool:
    """Return whether a condition was met in time."""
    end = time.monotonic() + seconds
    while not met():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def answers(port: int) -> bool:
    """Return whether somebody listens on a port of this machine."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def free_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


@contextlib.contextmanager
def activation(folder: Path, rulebook: str, **variables: Any) -> Iterator[Activation]:
    """Run a rulebook of the installed collection while the context lasts; the variables are those of the rulebook."""
    port = free_port()
    there = folder / "collections/ansible_collections/ansible/eda"
    (there / "extensions/eda").mkdir(parents=True)
    (there / "extensions/eda/eda_runtime.yml").write_text(yaml.safe_dump(ROUTING), encoding="utf-8")
    (there / "MANIFEST.json").write_text(json.dumps({**MANIFEST, "format": 1}), encoding="utf-8")
    told = {"mxrelay_token": TOKEN, "mxrelay_port": port, "mxrelay_listen": "127.0.0.1", **variables}
    (folder / "variables.yml").write_text(yaml.safe_dump(told), encoding="utf-8")
    (folder / "hosts.yml").write_text("all: {hosts: {localhost: {}}}\n", encoding="utf-8")
    collections = f"{os.environ['ANSIBLE_COLLECTIONS_PATH']}:{folder}/collections"
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": collections,
        "EDA_JOB_TEMPLATE_REFRESH_DELAY": "0.1",
        "PATH": os.pathsep.join([os.environ["MXRELAY_LAB_EDA"], os.environ["PATH"]]),
    }
    awx = controller.Controller()
    project = awx.add("projects", {"name": "MX hosts", "organization": 1})
    for template in TEMPLATES:
        awx.add("job_templates", {**OF_AWX, **template, "project": project["id"]})
    with controller.serving(awx) as address, (folder / "log").open("wb") as log:
        command = ["ansible-rulebook", "--rulebook", f"mxrelay.postfix.{rulebook}", "--inventory", "hosts.yml"]
        options = ["--vars", "variables.yml", "--controller-url", address, "--controller-token", "a token"]
        process = subprocess.Popen([*command, *options], stdout=log, stderr=log, env=environment, cwd=folder)
        try:
            ready = awaited(lambda: answers(port) or process.poll() is not None, SECONDS_TO_START)
            if not ready or process.poll() is not None:
                raise RuntimeError((folder / "log").read_text(encoding="utf-8"))
            yield Activation(port, awx)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
