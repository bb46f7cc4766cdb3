# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take tasks out of roles, one at a time, to see whether the scenarios would notice."""
from __future__ import annotations

import dataclasses
import pathlib
import shutil

import yaml

# Where a task's absence shows first. A role's own scenario is asked before the others.
SCENARIOS = ("secondary_mx", "primary_mx", "both")


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One task of one file, which is to be missing."""

    file: pathlib.PurePath
    index: int
    name: str

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The scenarios to ask, the likeliest first."""
        role = self.file.parts[0]
        return tuple(sorted(SCENARIOS, key=lambda scenario: scenario != role))

    def take_out(self, roles: pathlib.Path, mutated: pathlib.Path) -> None:
        """Make `mutated` a copy of `roles` without this task."""
        shutil.rmtree(mutated, ignore_errors=True)
        shutil.copytree(roles, mutated)
        tasks = _tasks(roles / self.file)
        del tasks[self.index]
        (mutated / self.file).write_text(yaml.safe_dump(tasks, sort_keys=False))


def mutants(roles: pathlib.Path) -> list[Mutant]:
    """Every task of every role, in the order of the files."""
    return [
        Mutant(file.relative_to(roles), index, task["name"])
        for file in sorted(roles.glob("*/tasks/*.yml"))
        for index, task in enumerate(_tasks(file))
    ]


def _tasks(file: pathlib.Path) -> list[dict[str, object]]:
    return yaml.safe_load(file.read_text()) or []
