# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the host for one look at its queue after another, and tells each while the task runs, as no module can."""

from __future__ import annotations

import time
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.progress import Look, Progress

MODULE = "mxrelay.postfix.queue_watch"
FLUSH = "mxrelay.postfix.queue_flush"
_FLUSH_OPTIONS = ("domains", "config_directory")


class _Failed(Exception):
    """What a module said whose failure is that of the task."""


class ActionModule(ActionBase):
    """The controller's half of queue_watch."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        if self._task.async_val:
            result.update(failed=True, msg="queue_watch can't run in the background; remove async from the task")
            return result
        try:
            result.update(self._watched(variables))
        except _Failed as failure:
            result.update(failure.args[0])
        return result

    def _watched(self, variables: dict[str, Any]) -> dict[str, Any]:
        first = self._ask(MODULE, self._task.args, variables)
        progress = Progress(first["waiting"])
        progress.add(Look(0.0, first["waiting"], first["reasons"]))
        flushed = self._flush(variables) if first["flush"] else {}
        began = time.monotonic()
        last, over = first, bool(self._task.check_mode)
        while last["waiting"] and not over:
            left = first["wait"] - (time.monotonic() - began)
            look = {"since": first["since"], "seconds": max(0.0, min(first["interval"], left))}
            last = self._ask(MODULE, dict(self._task.args, _look=look), variables)
            over = left <= first["interval"]
            stalled = last["waiting"] >= progress.last.waiting
            progress.add(Look(time.monotonic() - began, last["waiting"], last["reasons"]))
            self._display.display(f"{variables.get('inventory_hostname', '')}: {progress.line()}")
            if first["flush"] and stalled and last["waiting"] and not over:
                # What was put off when the mail host did not answer is not tried by the same flush again.
                self._flush(variables)
        return {
            "changed": bool(flushed.get("changed")),
            "warnings": flushed.get("warnings", []),
            "start": progress.start,
            "gone": progress.gone,
            **{name: last[name] for name in ("waiting", "domains", "later", "held")},
            "reasons": list(progress.reasons) if last["waiting"] else [],
            "seconds": round(progress.last.seconds, 1),
            "rate": round(progress.rate, 2),
            "lines": progress.verdict(),
        }

    def _flush(self, variables: dict[str, Any]) -> dict[str, Any]:
        options = {name: value for name, value in self._task.args.items() if name in _FLUSH_OPTIONS}
        return self._ask(FLUSH, options, variables)

    def _ask(self, module: str, options: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """The result of a module on the host. Raises _Failed."""
        done: dict[str, Any] = self._execute_module(module_name=module, module_args=dict(options), task_vars=variables)
        if done.get("failed") or done.get("unreachable"):
            raise _Failed(done)
        return done
