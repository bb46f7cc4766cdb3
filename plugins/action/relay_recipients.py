# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads lists of recipients on the controller and hands them to the module.

A short list travels with the task. Of any other the host is told the name of the request and the parts of the list. If
it knows the request, since it has carried it out, nothing is sent; else what its table lacks, as a private file.
"""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import MxRelayError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.list_parts import ListParts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.task_name import SENT
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.recipient_lists import reader, remembering, transfer
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.recipient_task import (
    TakenApart,
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
        """The module's result: asked by name alone before a long list travels, then with what it lacks of that."""
        lengths: dict[str, int] = {}
        read = remembering(reader(self, task_vars or {}, ON_HOST), lengths)
        name = {"name": request_name(given, read)}
        is_long = sum(lengths.values()) > LONG_BYTES
        listed, task = (passed_on(given, read) if is_long else ("", taken_apart(given, read))) or ("", None)
        content = task.content if task else None
        if task and content is None:
            return self._module(task.arguments(""), name, task_vars)
        if task and content is not None and len(content) <= SHORT_BYTES:
            return self._module(dict(task.arguments(SENT), _lists=content.decode()), name, task_vars)
        parts = None if content is None else ListParts.of(content)
        asked = self._asked(given, name, task_vars, parts)
        if task is None and asked.get("request_unknown"):
            # A long list of several files.
            task = taken_apart(given, read)
            parts = ListParts.of(task.content or b"")
            asked = self._asked(given, name, task_vars, parts)
        if task is None or not asked.get("request_unknown"):
            return asked
        lacks = asked.get("list_lacks")
        if parts and lacks is not None and len(lacks) < len(parts.parts):
            result = self._sent(task, parts.only(task.content or b"", lacks), name, task_vars, listed, parts)
            if not result.get("list_incomplete"):
                return result
        return self._sent(task, task.content or b"", name, task_vars, listed)

    def _asked(
        self, given: dict[str, Any], name: dict[str, Any], task_vars: dict[str, Any] | None, parts: ListParts | None
    ) -> dict[str, Any]:
        """The module's result if the host knows the request by its name, else which of these parts its table lacks."""
        return self._module(dict(without_lists(given), **_told(parts)), {**name, "asks": True}, task_vars)

    def _sent(
        self,
        task: TakenApart,
        content: bytes,
        name: dict[str, Any],
        task_vars: dict[str, Any] | None,
        listed: str,
        parts: ListParts | None = None,
    ) -> dict[str, Any]:
        """The module's result for a list, which is `listed` here; this content is put on the host for it.

        That is the whole list, or of its `parts` those that the table lacks.
        """
        path = transfer(self, content)
        arguments = dict(task.arguments(path), **_told(parts))
        result = self._module(arguments, {**name, "list": path}, task_vars)
        if listed and result.get("failed"):
            # The module knows the list by its path on the host alone.
            result["msg"] = str(result.get("msg")).replace(path, listed)
        return result

    def _module(
        self, arguments: dict[str, Any], request: dict[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        """The module's result."""
        remote_tmp = str(self.get_shell_option("remote_tmp", default="~/.ansible/tmp"))
        result: dict[str, Any] = self._execute_module(
            module_name="mxrelay.postfix.relay_recipients",
            module_args=dict(arguments, _request={**request, "remote_tmp": remote_tmp}),
            task_vars=task_vars,
        )
        return result


def _told(parts: ListParts | None) -> dict[str, str]:
    """What the module is told of the parts of a list."""
    return {"_parts": parts.packed()} if parts else {}
