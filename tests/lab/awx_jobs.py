# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a playbook as AWX runs a job: ansible-runner hands a folder over to a worker, and takes its events back."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import pathlib
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from lab import playbooks

PLAYBOOKS = pathlib.Path(__file__).parents[2] / "playbooks"
# What AWX adds to the variables of each job.
OF_AWX = {"awx_job_id": 7, "awx_job_template_name": "a template", "awx_user_name": "helpdesk", "tower_job_id": 7}


@dataclasses.dataclass(frozen=True)
class Job:
    """One job: its code and its events, in their order; `text` is all that AWX would keep of them."""

    code: int
    events: Sequence[Mapping[str, Any]]
    text: str = dataclasses.field(repr=False)

    @property
    def started(self) -> list[str]:
        """The names of the tasks that were started."""
        return [event["event_data"]["task"] for event in self.events if event["event"] == "playbook_on_task_start"]

    @property
    def changed(self) -> Mapping[str, int]:
        """How many tasks changed something, by host, without hosts where none did."""
        changed: dict[str, int] = self._end["changed"]
        return changed

    @property
    def artifacts(self) -> Mapping[str, Any]:
        """What set_stats returned."""
        data: dict[str, Any] = self._end.get("artifact_data", {})
        return data

    @property
    def _end(self) -> Mapping[str, Any]:
        ends: list[Mapping[str, Any]]
        ends = [event["event_data"] for event in self.events if event["event"] == "playbook_on_stats"]
        (end,) = ends
        return end


def run(folder: pathlib.Path, scenario: str, playbook: str, answers: Mapping[str, Any], *, options: str = "") -> Job:
    """Run a shipped playbook as a job, its project being this repository, with the answers of a survey."""
    given, work, result = (folder / name for name in ("given", "work", "result"))
    for place in (given / "env", given / "inventory", work, result):
        place.mkdir(parents=True)
    shutil.copytree(PLAYBOOKS, given / "project/playbooks")
    lines = [f"{unsafe(name)}: {unsafe(value)}\n" for name, value in {**OF_AWX, **answers}.items()]
    (given / "env/extravars").write_text("".join(lines), encoding="utf-8")
    (given / "env/cmdline").write_text(options, encoding="utf-8")
    (given / "env/settings").write_text(json.dumps({"suppress_ansible_output": True}), encoding="utf-8")
    (given / "env/envvars").write_text(json.dumps(playbooks.SETTINGS), encoding="utf-8")
    script = given / "inventory/hosts"
    script.write_text(f"#!/bin/sh\ncat <<'end'\n{inventory(scenario)}\nend\n", encoding="utf-8")
    script.chmod(0o700)
    passed(["transmit", str(given), "--playbook", f"playbooks/{playbook}.yml"], os.devnull, folder / "sent")
    passed(["worker", "--private-data-dir", str(work)], folder / "sent", folder / "returned")
    passed(["process", str(result)], folder / "returned", folder / "shown")
    artifacts = result / "artifacts"
    events = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in (artifacts / "job_events").iterdir()
        if path.name[0].isdigit()
    ]
    events.sort(key=lambda event: event["counter"])
    text = json.dumps(events) + "".join(event["stdout"] for event in events)
    return Job(int((artifacts / "rc").read_text(encoding="utf-8")), events, text)


@functools.cache
def inventory(scenario: str) -> str:
    """Return the inventory as AWX's script prints it."""
    command = ["ansible-inventory", *playbooks.inventories(scenario), "--list"]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


def unsafe(value: Any) -> str:
    """Return a value in YAML, every text marked so that Ansible evaluates no template in it."""
    if isinstance(value, str):
        return f"!unsafe {json.dumps(value)}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{unsafe(name)}: {unsafe(member)}' for name, member in value.items())}}}"
    if isinstance(value, Sequence):
        return f"[{', '.join(map(unsafe, value))}]"
    return json.dumps(value)


def passed(words: Sequence[str], source: str | pathlib.Path, target: pathlib.Path) -> None:
    """Run ansible-runner between two files: it reads streams that are files as AWX's are."""
    with open(source, "rb") as read, open(target, "wb") as written:
        subprocess.run(["ansible-runner", *words], stdin=read, stdout=written, check=False)
