# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a playbook as AWX runs a job: ansible-runner hands a folder over to a worker in the container of an execution
environment, and takes its events back.
"""

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

import ansible

from lab import playbooks

# The images of execution environments, by their names.
IMAGES: Mapping[str, str] = json.loads(os.environ["MXRELAY_LAB_EXECUTION_ENVIRONMENTS"])
# How a job in a container reaches the hosts of the lab, in place of SSH: by the engine's API.
CONNECTION = "community.docker.docker_api"
OF_CONNECTION = pathlib.Path(ansible.__file__).parents[1] / "ansible_collections/community"
COLLECTIONS_OF_IMAGE = "/usr/share/ansible/collections/ansible_collections"
SOCKET = "/var/run/docker.sock"
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


def run(
    image: str, folder: pathlib.Path, scenario: str, playbook: str, answers: Mapping[str, Any], options: str = ""
) -> Job:
    """Run a shipped playbook as a job in a new container, its project being this repository, with these answers."""
    given, result = folder / "given", folder / "result"
    for place in (given / "env", given / "inventory", result):
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
    runner = ["ansible-runner"]
    passed([*runner, "transmit", str(given), "--playbook", f"playbooks/{playbook}.yml"], os.devnull, folder / "sent")
    worker = [*container(image), *runner, "worker", "--private-data-dir", "/runner"]
    passed(worker, folder / "sent", folder / "returned")
    passed([*runner, "process", str(result)], folder / "returned", folder / "shown")
    artifacts = result / "artifacts"
    events = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in (artifacts / "job_events").iterdir()
        if path.name[0].isdigit()
    ]
    events.sort(key=lambda event: event["counter"])
    text = json.dumps(events) + "".join(event["stdout"] for event in events)
    return Job(int((artifacts / "rc").read_text(encoding="utf-8")), events, text)


def container(image: str) -> list[str]:
    """Return the command that runs another in a new container, from which the hosts of the lab can be reached."""
    socket = os.environ.get("DOCKER_HOST", SOCKET).removeprefix("unix://")
    connection = f"{OF_CONNECTION}:{COLLECTIONS_OF_IMAGE}/{OF_CONNECTION.name}:ro"
    options = ["--rm", "--interactive", "--user", "root", "--env", "MXRELAY_LAB"]
    mounted = ["--volume", f"{socket}:{SOCKET}", "--volume", connection]
    return [os.environ["MXRELAY_LAB_ENGINE"], "run", *options, *mounted, image]


@functools.cache
def inventory(scenario: str) -> str:
    """Return the inventory as AWX's script prints it."""
    command = ["ansible-inventory", *playbooks.inventories(scenario), "--list"]
    printed = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    for variables in printed["_meta"]["hostvars"].values():
        if variables["ansible_connection"] != "local":
            variables["ansible_connection"] = CONNECTION
    return json.dumps(printed)


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
    """Run a command between two files: ansible-runner reads streams that are files as AWX's are."""
    with open(source, "rb") as read, open(target, "wb") as written:
        subprocess.run(words, stdin=read, stdout=written, check=False)
