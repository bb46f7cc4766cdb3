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
RACE = Claim("primary_mx", "two_runs_at_once")
ON_ITS_WAY = Claim("primary_mx", "loses_its_way")
MAIL_GOES_ALONG = Claim("outage", "takes_its_mail_along")
OVERTAKEN = Claim("primary_mx", "refused_after_all")
FOLLOWED = Claim("both", "follows_its_source")
DRIVEN = Claim("both", "library_of_a_source")
KEPT = Claim("both", "kept_list")
TRUSTED = Claim("trust", "arrives")
RELAYING = Claim("trust", "relays_trusts_nobody")

# By file and task. ./run mutate-roles refuses a task that is not here.
CLAIMS = {
    "mx/tasks/again.yml": {
        "Plan the change of the host as it is now": RACE,
        "Stop if the new plan was refused": OVERTAKEN,
        "Save the current state for the new plan": RACE,
    },
    "mx/tasks/change.yml": {
        "Stop if the plan was refused": Claim("secondary_mx", "refusal_names"),
        "Install missing packages": NEW_SECONDARY,
        "Apply the whole plan or none of it": STARTED,
        "Save the current state": TAKEN_BACK,
        "Plan again if another run came in between": RACE,
        "Update the lookup tables": REPAIRED,
        "Update main.cf and master.cf": Claim("secondary_mx", "undeclared_domain"),
        "Reload or restart Postfix": STARTED,
        "Retry the mail of domains that go": MAIL_GOES_ALONG,
        "Return the mail of domains that are gone": MAIL_GOES_ALONG,
        "Remove unused rows": GONE,
        "Verify the result": JUDGED,
        "Discard the saved state": Claim("primary_mx", "others_changed_the_same"),
        "Undo the changes and report the failure": TAKEN_BACK,
        "Report the changes": Claim("default", "check_mode", "bare"),
        "Return which host was changed": Claim("both", "hosts_that_were_changed"),
        "Fail on drift": Claim("both", "fails_on_drift"),
    },
    "mx/tasks/config.yml": {
        "Update the services in master.cf": Claim("primary_mx", "fallback_relay"),
        "Take limits of deliveries back that have expired": Claim("outage", "role_run_takes_expired_limits_back"),
        "Update main.cf": Claim("secondary_mx", "undeclared_domain"),
        "Forget a raise of the queue lifetime that is over": Claim("outage", "role_run_takes_the_raise_back"),
    },
    "mx/tasks/followed.yml": {
        "Note what was read of sources": KEPT,
        "Leave it to the other role to fail": KEPT,
        "Fail for lists that were kept": KEPT,
    },
    "mx/tasks/install.yml": {
        "Install packages for Postfix, its tables and the checks": NEW_SECONDARY,
        "Plan again with everything installed": NEW_SECONDARY,
    },
    "mx/tasks/main.yml": {"Run the phases for the declared domains": Claim("both", "mixed_list")},
    "mx/tasks/outcome.yml": {
        "Read the sources that domains follow": FOLLOWED,
        "Apply or refuse the plan": NEW_SECONDARY,
        "Verify the result": Claim("primary_mx", "host_that_is_not_right"),
        "Say what became of lists that follow sources": KEPT,
    },
    "mx/tasks/preflight.yml": {
        "Plan and check the change": NEW_SECONDARY,
    },
    "mx/tasks/refusals.yml": {
        "Fail if the plan was refused": Claim("secondary_mx", "refusal_names"),
    },
    "mx/tasks/removal.yml": {
        "Remove recipients of domains that are no longer relayed": GONE,
        "Wait for the mail that is on its way by these rows": ON_ITS_WAY,
        "Say which transport rows stay for now": ON_ITS_WAY,
        "Remove transport rows that are no longer needed": Claim("primary_mx", "row_of_an_absent"),
        "Remove rows of the other tables that are no longer needed": ASKED,
        "Remove the standby service": Claim("standby", "goes_with_the_last_domain"),
    },
    "mx/tasks/retried.yml": {
        "Retry the queued mail": MAIL_GOES_ALONG,
        "Say what became of the mail": MAIL_GOES_ALONG,
    },
    "mx/tasks/returned.yml": {
        "Return the queued mail to its senders": MAIL_GOES_ALONG,
        "Wait until the mail has left the queue": MAIL_GOES_ALONG,
        "Remove the transport rows that the mail has gone by": MAIL_GOES_ALONG,
        "Say what became of the mail": MAIL_GOES_ALONG,
    },
    "mx/tasks/run.yml": {
        "Run the preflight checks": NEW_SECONDARY,
        "Carry the plan out or say what is wrong": NEW_SECONDARY,
    },
    "mx/tasks/service.yml": {
        "Start, reload or restart Postfix": STARTED,
        "Start, reload or restart an instance without a unit": Claim("releases", "without_a_unit"),
    },
    "mx/tasks/drivers.yml": {
        "Install the libraries that sources need": DRIVEN,
        "Report the libraries that would be installed": Claim("both", "check_mode_tells_of_a_library"),
        "Read these sources": DRIVEN,
    },
    "mx/tasks/read.yml": {"Read the sources of recipients": FOLLOWED},
    "mx/tasks/sources.yml": {
        "Read all sources": FOLLOWED,
        "Have the libraries that sources need": DRIVEN,
        "Make lists of what the sources say": FOLLOWED,
        "Plan with what the sources say": FOLLOWED,
    },
    "mx/tasks/tables.yml": {
        "Update the transport table": Claim("primary_mx", "another_mail_host"),
        "Update the table of valid recipients": REPAIRED,
        "Install or update the standby service": Claim("standby", "strangers_are_put_off", "new"),
        "Update the other tables": ASKED,
    },
    "mx/tasks/undo.yml": {
        "Take the run back, and say what has become of the host": TAKEN_BACK,
        "Undo the changes": TAKEN_BACK,
        "Restart Postfix if a reload is not enough": Claim("primary_mx", "listens_as_before"),
        "Report the failure": TAKEN_BACK,
    },
    "mx/tasks/verify.yml": {
        "Gather the evidence": Claim("secondary_mx", "postmaster"),
        "Show warnings": Claim("secondary_mx", "is_a_warning"),
        "Fail on errors": JUDGED,
    },
    "primary_mx/tasks/main.yml": {"Run the phases for the declared domains": NEW_PRIMARY},
    "mx_metrics/tasks/main.yml": {
        "Install, update or remove the timer that writes metrics": Claim("metrics", "node_exporter_reads", "new"),
    },
    "report/tasks/examine.yml": {
        "Examine one instance of Postfix": Claim("mail_flow", "report_of_a_healthy"),
        "Gather the evidence for its domains": Claim("mail_flow", "report_of_a_healthy"),
        "Probe the host as a stranger": Claim("mail_flow", "report_asks_as_a_stranger"),
        "Read its queue": Claim("mail_flow", "report_of_a_healthy"),
        "Read its Postfix configuration": Claim("mail_flow", "report_of_a_healthy"),
        "Store the results": Claim("mail_flow", "report_of_a_healthy"),
        "Store the error": Claim("mail_flow", "cannot_be_read"),
    },
    "report/tasks/main.yml": {
        "Read what the inventory declares": Claim("mail_flow", "report_of_a_healthy"),
        "List the instances of Postfix": Claim("mail_flow", "report_of_a_healthy"),
        "Store why they can't be listed": Claim("mail_flow", "declared_wrongly"),
        "Examine each instance": Claim("mail_flow", "report_of_a_healthy"),
        "Combine all hosts into one report": Claim("mail_flow", "report_of_a_healthy"),
        "Write the page": Claim("mail_flow", "report_of_a_healthy"),
        "Write the Markdown": Claim("mail_flow", "report_says_the_same"),
        "Write the metrics": Claim("metrics", "report_writes"),
        "Return how much there is to report": Claim("mail_flow", "report_is_returned"),
        "Return the report": Claim("mail_flow", "report_is_returned"),
        "Summarise": Claim("mail_flow", "report_of_a_healthy"),
    },
    "trust_mx/tasks/main.yml": {
        "Ask the MX hosts for the addresses from which they connect": TRUSTED,
        "Change which MX hosts are trusted": TRUSTED,
        "Prove that the MX hosts cannot relay, or take the change back": RELAYING,
        "Report what is trusted and what is not": Claim("trust", "report_tells"),
        "Return what was changed": TRUSTED,
    },
    "trust_mx/tasks/prove.yml": {
        "Keep the change only if nothing relays": RELAYING,
        "Ask the mail host from each MX host": RELAYING,
        "Stop if the mail host relays for an MX host": RELAYING,
        "Remove the copies of the files from before": Claim("trust", "nothing_of_a_run_stays"),
        "Put the files from before back": RELAYING,
        "Report the failure": RELAYING,
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
