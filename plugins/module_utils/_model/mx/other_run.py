# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another run that is changing the same host."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal

# Before the number of AWX's job, at the end of the name of a controller.
JOB = " job="


@dataclass(frozen=True)
class OtherRun:
    """The name of its record, the process that it is on its controller, and for how many seconds it has been one."""

    record: str
    controller: str
    pid: int
    age: int

    @property
    def told(self) -> str:
        """Who is at it, as a sentence without its end."""
        machine, _mark, job = self.controller.partition(JOB)
        process = [f"process {self.pid} on {machine.split()[0]}"] if machine.split() else []
        who = ", ".join([*([f"AWX job {job}"] if job else []), *process])
        return f"another run{f' ({who})' if who else ''} has been changing this host for {self.age} s"

    def refusal(self, directory: str, variable: str = "") -> Refusal:
        """Why nothing is planned beside it. `directory` is where its record is; `variable` can say that it is over."""
        said = f"set {variable} to {self.record}, or " if variable else ""
        return Refusal(
            "", "other_run", self.told, f"run again when it has finished; if it was killed, {said}remove {directory}"
        )
