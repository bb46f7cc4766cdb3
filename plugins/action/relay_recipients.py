# Copyright: the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads lists of recipients on the controller and hands them to the module.

A short list travels with the task; any other is a private file of the host, and a host that knows the request by its
name, since it has carried it out, is not sent it again.
"""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import MxRelayError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.task_name import (
    NAME_ONLY,
    SENT,
    WITH_LISTS,
    RequestName,
)
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.recipient_lists import reader, remembering, transfer
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.recipient_task import (
    passed_on,
    request_name,
    taken_apart,
    without_lists,
)

# Shorter lists are checked before the host is asked anything, longer ones once it turns out not to know them.
LONG_BYTES = 1 << 20
# To ask first takes longer than to send such a list, which is small beside the code of the module.
SHORT_BYTES = 1 << 16
ON_HOST = ", or give remote_src: true for a file of the host"


class ActionModule(ActionBase):
    """The controller's half of relay_recipients."""

    # No directory is made on the host before it is known that something has to be put there.
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            result.update(self._keep(dict(self._task.args), task_vars))
        except MxRelayError as error:
            raise AnsibleActionFail(f"relay_recipients: {error.message}") from None
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _keep(self, given: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """The module's result: asked by name alone if it may know the request, else with the lists."""
        lengths: dict[str, int] = {}
        read = remembering(reader(self, task_vars or {}, ON_HOST), lengths)
        name = request_name(given, read)
        is_long = sum(lengths.values()) > LONG_BYTES
        task = None if is_long else taken_apart(given, read)
        if task and task.content is not None and len(task.content) <= SHORT_BYTES:
            sent = dict(task.arguments(SENT), _lists=task.content.decode())
            return self._module(sent, name._replace(has=WITH_LISTS), task_vars)
        if name.has == NAME_ONLY:
            asked = self._module(without_lists(given), name, task_vars)
            if not asked.get("request_unknown"):
                return asked
        passed = passed_on(given, read) if is_long else None
        listed, task = passed or ("", task or taken_apart(given, read))
        path = "" if task.content is None else transfer(self, task.content)
        named = name._replace(has=WITH_LISTS) if path else name
        result = self._module(task.arguments(path), named, task_vars, path)
        if listed and result.get("failed"):
            # The module knows the list by its path on the host alone.
            result["msg"] = str(result.get("msg")).replace(path, listed)
        return result

    def _module(
        self, arguments: dict[str, Any], name: RequestName, task_vars: dict[str, Any] | None, path: str = ""
    ) -> dict[str, Any]:
        """The module's result; `path` is that of the list which was put on the host for it alone."""
        remote_tmp = str(self.get_shell_option("remote_tmp", default="~/.ansible/tmp"))
        result: dict[str, Any] = self._execute_module(
            module_name="mxrelay.postfix.relay_recipients",
            module_args=dict(arguments, _request={**name._asdict(), "list": path, "remote_tmp": remote_tmp}),
            task_vars=task_vars,
        )
        return result
