# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take tasks out of roles, one at a time, and know which claim about a host each of them is there for."""

from __future__ import annotations

import dataclasses
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

import yaml


@dataclasses.dataclass(frozen=True)
class Claim:
    """Tests of a scenario, as pytest's -k takes them.

    They are made on a host that the whole roles have converged, on one that the mutated roles converge (`new`), or on
    one that no role has seen (`bare`).
    """

    scenario: str
    tests: str
    host: str = "converged"


NEW_SECONDARY = Claim("secondary_mx", "takes_listed", "new")
NEW_PRIMARY = Claim("primary_mx", "takes_listed", "new")
ASKED = Claim("primary_mx", "mail_host_is_asked")
GONE = Claim("secondary_mx", "rows_of_an_absent")
REPAIRED = Claim("secondary_mx", "broken_index")
STARTED = Claim("secondary_mx", "stopped_and_disabled")
JUDGED = Claim("secondary_mx", "verify_phase_alone")
TAKEN_BACK = Claim("primary_mx", "fails_in_a_phase")

# By file and task. ./run mutate-roles refuses a task that is not here.
CLAIMS = {
    "mx/tasks/change.yml": {
        "Go no further where something speaks against it": Claim("secondary_mx", "refusal_names"),
        "Report what would be written once everything is installed": Claim("default", "check_mode", "bare"),
        "Install what is missing": NEW_SECONDARY,
        "Carry out the plan as a whole or not at all": STARTED,
        "Remember how the host is": TAKEN_BACK,
        "Bring the lookup tables to the plan": REPAIRED,
        "Bring main.cf and master.cf to the plan": Claim("secondary_mx", "undeclared_domain"),
        "Have the service follow": STARTED,
        "Remove the rows that nothing refers to any more": GONE,
        "Look at what has become of the host": JUDGED,
        "Forget how the host was": Claim("primary_mx", "others_changed_the_same"),
        "Take back what was carried out, and say what happened": TAKEN_BACK,
    },
    "mx/tasks/config.yml": {
        "Keep the fallback relay away from relay domains": Claim("primary_mx", "fallback_relay"),
        "Bring main.cf to the plan": Claim("secondary_mx", "undeclared_domain"),
    },
    "mx/tasks/install.yml": {
        "Install Postfix and what its tables and the checks need": NEW_SECONDARY,
        "Plan again, now that the host can be seen whole": NEW_SECONDARY,
    },
    "mx/tasks/main.yml": {"Run the phases for the declared domains": Claim("both", "mixed_list")},
    "mx/tasks/preflight.yml": {
        "Plan the whole change, and look for reasons against it": NEW_SECONDARY,
    },
    "mx/tasks/refusals.yml": {
        "Stop where something speaks against it": Claim("secondary_mx", "refusal_names"),
    },
    "mx/tasks/removal.yml": {
        "Remove the recipients of domains that are no longer relayed": GONE,
        "Remove the patterns of subdomains that are no longer relayed": Claim("secondary_mx", "rows_of_subdomains"),
        "Remove the transport rows that are no longer needed": Claim("primary_mx", "row_of_an_absent"),
        "Remove the domains whose mail host is no longer asked": ASKED,
    },
    "mx/tasks/run.yml": {
        "Refuse what can't be right before anything changes": NEW_SECONDARY,
        "Refuse, or carry out what is pending": NEW_SECONDARY,
        "Look at the result": Claim("primary_mx", "host_that_is_not_right"),
    },
    "mx/tasks/service.yml": {"Reload or restart Postfix as the change needs, and keep it running": STARTED},
    "mx/tasks/tables.yml": {
        "Bring the transport table to the plan": Claim("primary_mx", "another_mail_host"),
        "Bring the table of valid recipients to the plan": REPAIRED,
        "Bring the patterns for recipients at subdomains to the plan": Claim("secondary_mx", "subdomains_are_relayed"),
        "Bring the table of domains whose mail host is asked to the plan": ASKED,
    },
    "mx/tasks/undo.yml": {
        "Take back what was carried out of the plan": TAKEN_BACK,
        "Restart Postfix where it takes its old configuration only so": Claim("primary_mx", "listens_as_before"),
        "Fail with what happened": TAKEN_BACK,
    },
    "mx/tasks/verify.yml": {
        "Gather the evidence": Claim("secondary_mx", "postmaster"),
        "Show what is no reason to fail": Claim("secondary_mx", "is_a_warning"),
        "Stop where the host would lose, bounce or loop mail": JUDGED,
    },
    "primary_mx/tasks/main.yml": {"Run the phases for the declared domains": NEW_PRIMARY},
    "report/tasks/main.yml": {
        "Look at the host": Claim("mail_flow", "report_of_a_healthy"),
        "Gather the evidence for its domains": Claim("mail_flow", "report_of_a_healthy"),
        "Ask the host as a stranger does": Claim("mail_flow", "report_asks_as_a_stranger"),
        "Look into its queue": Claim("mail_flow", "report_of_a_healthy"),
        "Look at its Postfix": Claim("mail_flow", "report_of_a_healthy"),
        "Keep what it tells": Claim("mail_flow", "report_of_a_healthy"),
        "Keep why it can't be read": Claim("mail_flow", "cannot_be_read"),
        "Make one report of all hosts": Claim("mail_flow", "report_of_a_healthy"),
        "Write the page": Claim("mail_flow", "report_of_a_healthy"),
        "Write the Markdown": Claim("mail_flow", "report_says_the_same"),
        "Return the report": Claim("mail_flow", "report_is_returned"),
        "Say what it comes to": Claim("mail_flow", "report_of_a_healthy"),
    },
    "secondary_mx/tasks/main.yml": {"Run the phases for the declared domains": NEW_SECONDARY},
}


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One task of one file, which is to be missing, and the claim that is to fail then."""

    file: str
    place: tuple[int | str, ...]
    name: str
    claim: Claim

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"

    def take_out(self, roles: pathlib.Path, mutated: pathlib.Path) -> None:
        """Make `mutated` a copy of `roles` without this task."""
        restore(roles, mutated)
        tasks: Any = _tasks(roles / self.file)
        around = tasks
        for step in self.place[:-1]:
            around = around[step]
        del around[self.place[-1]]
        (mutated / self.file).write_text(yaml.safe_dump(tasks, sort_keys=False))


def restore(roles: pathlib.Path, mutated: pathlib.Path) -> None:
    """Make `mutated` a whole copy of `roles`."""
    shutil.rmtree(mutated, ignore_errors=True)
    shutil.copytree(roles, mutated)


def mutants(roles: pathlib.Path) -> list[Mutant]:
    """Every task of every role. Raises KeyError for a task without a claim."""
    return [
        Mutant(name, place, task["name"], CLAIMS[name][task["name"]])
        for file in sorted(roles.glob("*/tasks/*.yml"))
        for name in [str(file.relative_to(roles))]
        for place, task in _walk(_tasks(file))
    ]


def _walk(tasks: list[dict[str, Any]], above: tuple[int | str, ...] = ()) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Every task with its place, those of blocks after the block itself."""
    for index, task in enumerate(tasks):
        yield (*above, index), task
        for part in ("block", "rescue", "always"):
            yield from _walk(task.get(part, []), (*above, index, part))


def _tasks(file: pathlib.Path) -> list[dict[str, Any]]:
    return yaml.safe_load(file.read_text()) or []
