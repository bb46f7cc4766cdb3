# Copyright: the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads lists of recipients on the controller and hands them to the module as a private file of the host."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, MxRelayError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.recipients import as_list, declare
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.recipient_lists import (
    reader,
    take_from_entries,
    take_from_items,
    transfer,
)


class ActionModule(ActionBase):
    """The controller's half of relay_recipients."""

    TRANSFERS_FILES = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        try:
            arguments = self._module_arguments(dict(self._task.args))
            result.update(
                self._execute_module(
                    module_name="mxrelay.postfix.relay_recipients", module_args=arguments, task_vars=task_vars
                )
            )
        except MxRelayError as error:
            raise AnsibleActionFail(f"relay_recipients: {error.message}") from None
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _module_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        """The task's arguments as the module takes them, the lists transferred."""
        if all(given.get(option) in (None, "") for option in ("recipients", "recipients_file", "domains")):
            raise InvalidInput("neither recipients nor recipients_file nor domains has a value; give one of them")
        remote_src = boolean(given.get("remote_src") or False, strict=False)
        read = reader(self)
        if given.get("domains") is not None:
            if given.get("recipients") is not None or given.get("recipients_file"):
                raise InvalidInput("domains can't be given with recipients or recipients_file; use one of the two forms")
            lists = take_from_items(given["domains"], read, remote_src)
            if not remote_src:
                declare(given["domains"], lists.addresses)
            given["domains"] = lists.items
            if lists.listing:
                given["domains"] = lists.for_module(transfer(self, lists.content))
                given["remote_src"] = True
        elif given.get("recipients") is not None or (given.get("recipients_file") and not remote_src):
            files = as_list(given.pop("recipients_file", None), "recipients_file")
            content = take_from_entries(given.pop("recipients", None), [] if remote_src else files, read)
            given["recipients_file"] = [*(files if remote_src else []), transfer(self, content)]
            given["remote_src"] = True
        return given
