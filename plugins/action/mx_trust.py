# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells the mail host which run this is, and whether another one that has left its record there is still alive."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.mxrelay.postfix.plugins.plugin_utils.runs import beside_others


class ActionModule(ActionBase):
    """The controller's half of mx_trust."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        variables = task_vars or {}
        result.update(beside_others(lambda run: self._done(run, variables), variables))
        return result

    def _done(self, run: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        done: dict[str, Any] = self._execute_module(
            module_name="mxrelay.postfix.mx_trust", module_args=dict(self._task.args, _run=run), task_vars=variables
        )
        return done
