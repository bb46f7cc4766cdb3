# Copyright: the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells the mail host which run this is, and whether another one that has left its record there is still alive."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.mxrelay.postfix.plugins.plugin_utils.runs import has_ended, this_run


class ActionModule(ActionBase):
    """The controller's half of mx_trust."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        variables = task_vars or {}
        run = this_run(variables)
        done = self._done(run, variables)
        other = done.get("other_run")
        if other and has_ended(other):
            done = self._done({**run, "ended": other["record"]}, variables)
        elif other and other["pid"] != run["pid"]:
            # A host that is in the inventory twice would wait for itself.
            done = self._done({**run, "await": other["record"]}, variables)
        result.update(done)
        return result

    def _done(self, run: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        done: dict[str, Any] = self._execute_module(
            module_name="mxrelay.postfix.mx_trust", module_args=dict(self._task.args, _run=run), task_vars=variables
        )
        return done
