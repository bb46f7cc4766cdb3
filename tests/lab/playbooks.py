# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run playbooks on the lab's hosts as a user would, and say what happened."""

from __future__ import annotations

import atexit
import dataclasses
import json
import os
import pathlib
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

MOLECULE = pathlib.Path(__file__).parents[2] / "molecule"
ROLES = pathlib.Path(__file__).parents[2] / "roles"
SECONDARY = "mxrelay.postfix.secondary_mx"
PRIMARY = "mxrelay.postfix.primary_mx"
VERIFY = "mxrelay.postfix.verify"
# Linux takes no argument of 128 KiB or more.
LONGEST_ARGUMENT = 120_000
# How the lab runs Ansible.
SETTINGS = {
    "ANSIBLE_PIPELINING": "true",
    "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
    "ANSIBLE_SHOW_CUSTOM_STATS": "true",
}
IN_FULL = {"ANSIBLE_VERBOSITY": "4", "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "true"}


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of ansible-playbook: its code, and for each host how many tasks changed something, failed or were ok.

    `tasks` are the names of those that changed something; `artifacts` is what set_stats returned.
    """

    code: int
    changed: Mapping[str, int]
    failed: Mapping[str, int]
    ok: Mapping[str, int]
    tasks: tuple[str, ...]
    messages: tuple[str, ...] = dataclasses.field(repr=False)
    output: str = dataclasses.field(repr=False)
    artifacts: Mapping[str, Any] = dataclasses.field(repr=False, default_factory=dict)

    @property
    def said(self) -> str:
        """Everything that tasks said and warned of, one message a line."""
        return "\n".join(self.messages)


def inventories(scenario: str) -> list[str]:
    """Return the options that name the inventories of a scenario."""
    return [f"--inventory={MOLECULE}/shared/inventory", f"--inventory={MOLECULE}/{scenario}/inventory"]


def play(scenario: str, playbook: str, **options: Any) -> Run:
    """Run a playbook as `start` starts it, to its end."""
    return finished(start(scenario, playbook, **options))


def start(
    scenario: str,
    playbook: str,
    *,
    variables: Mapping[str, Any] | None = None,
    tags: Sequence[str] = (),
    check: bool = False,
    limit: str = "",
    in_full: bool = False,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[str]:
    """Start a playbook with a scenario's inventory; extra variables travel as JSON, like AWX's.

    `limit` is one of the scenario's hosts, where the others are to be left out. With `in_full` the run says as much as
    there is to see, as for somebody who debugs a job. `environment` is what Ansible is told besides.
    """
    command = [os.environ.get("MXRELAY_LAB_PLAYBOOK", "ansible-playbook"), *inventories(scenario), playbook]
    if variables is not None:
        command += ["--extra-vars", _as_argument(json.dumps(variables))]
    if tags:
        command += ["--tags", ",".join(tags)]
    if check:
        command += ["--check", "--diff"]
    if limit:
        command += ["--limit", f"{limit},localhost"]
    told = {**os.environ, **SETTINGS, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", **(environment or {})}
    told.update(IN_FULL if in_full else {})
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=told)


def _as_argument(variables: str) -> str:
    """The variables, or what names a file with them if they are too long for a command line."""
    if len(variables) < LONGEST_ARGUMENT:
        return variables
    with tempfile.NamedTemporaryFile("w", prefix="mxrelay-lab-", suffix=".json", delete=False) as file:
        file.write(variables)
    atexit.register(os.unlink, file.name)
    return f"@{file.name}"


def finished(process: subprocess.Popen[str]) -> Run:
    """Wait until the run has ended, and say what happened."""
    output, errors = process.communicate()
    try:
        # What a run says besides may have braces as well.
        told = json.loads(output[f"\n{output}".index("\n{\n") :])
    except ValueError as error:
        raise RuntimeError(f"{process.args!r}: code {process.returncode}\n{output}{errors}") from error
    stats = {host: numbers for host, numbers in told["stats"].items() if host != "localhost"}
    return Run(
        code=process.returncode,
        changed={host: numbers["changed"] for host, numbers in stats.items()},
        failed={host: numbers["failures"] + numbers["unreachable"] for host, numbers in stats.items()},
        ok={host: numbers["ok"] for host, numbers in stats.items()},
        tasks=tuple(_changing(told)),
        messages=tuple(_messages(told)),
        output=output + errors,
        artifacts=told.get("global_custom_stats", {}),
    )


def _changing(told: Mapping[str, Any]) -> list[str]:
    return [
        task["task"]["name"]
        for play in told["plays"]
        for task in play["tasks"]
        if any(result.get("changed") for result in task["hosts"].values())
    ]


def _messages(told: Mapping[str, Any]) -> list[str]:
    found = []
    for play in told["plays"]:
        for task in play["tasks"]:
            for result in task["hosts"].values():
                for part in [result, *result.get("results", [])]:
                    for message in [part.get("msg"), *part.get("warnings", [])]:
                        if message:
                            found.append(message if isinstance(message, str) else json.dumps(message))
    return found
