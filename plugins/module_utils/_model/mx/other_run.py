# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another run that is changing the same host."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal


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
        where = f" (process {self.pid} on {self.controller.split()[0]})" if self.controller else ""
        return f"another run{where} has been changing this host for {self.age} s"

    def refusal(self, directory: str) -> Refusal:
        """Why nothing is planned beside it. `directory` is where its record is."""
        return Refusal(
            "", "other_run", self.told, f"run again when it has finished; if it was killed, remove {directory}"
        )
