# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings what a source of recipients says to the controller, once in a run, for the collection's own tasks."""

from __future__ import annotations

import pathlib
import secrets
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import MxRelayError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_names
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import (
    POSTFIX,
    source_definition,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import names_in
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.collected import (
    Collected,
    collected_once,
    failed_read,
    source_key,
    taken_apart_by_domain,
)

MODULE = "mxrelay.postfix.recipients_info"


class ActionModule(ActionBase):
    """The controller's half of recipients_info."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        given, variables = dict(self._task.args), task_vars or {}
        if not boolean(given.pop("_collect", False), strict=False):
            result.update(self._execute_module(module_name=MODULE, module_args=given, task_vars=variables))
            return result
        try:
            result.update(self._collected(given, variables))
        except MxRelayError as error:
            raise AnsibleActionFail(f"recipients_info: {error.message}") from None
        return result

    def _collected(self, given: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """The result of the task, with the lists of the domains."""
        domains = domain_names(names_in(given.get("domains"), "domains"), "domains")
        source = source_definition(given.get("source"))
        arguments = {"source": source, "domains": domains, "tell_failure": True}
        found = self._once(arguments, source_key(source, self._host(variables)), variables)
        if not found.knows(domains):
            found = self._once(arguments, source_key(source, self._host(variables), domains), variables)
        if found.problem and not boolean(given.get("tell_failure", False), strict=False):
            return {"failed": True, "msg": found.problem}
        return found.result(domains)

    def _once(self, arguments: dict[str, Any], key: str, variables: dict[str, Any]) -> Collected:
        return collected_once(key, lambda folder: self._collect(arguments, folder, variables))

    def _host(self, variables: dict[str, Any]) -> str:
        """The host on which the task runs."""
        return str(self._task.delegate_to or variables.get("inventory_hostname", ""))

    def _collect(self, arguments: dict[str, Any], folder: pathlib.Path, variables: dict[str, Any]) -> Collected:
        """What the source says, its lists in the folder. A host where Ansible can't run is a read that has failed."""
        try:
            return self._read(arguments, folder, variables)
        except AnsibleError as error:
            return failed_read(f"Ansible can't run on {self._host(variables)} ({error}); make it reach the host")
        finally:
            with suppress(AnsibleError):
                self._remove_tmp_path(self._connection._shell.tmpdir)

    def _read(self, arguments: dict[str, Any], folder: pathlib.Path, variables: dict[str, Any]) -> Collected:
        shell = self._connection._shell
        directory = shell.tmpdir or self._make_tmp_path()
        path = str(shell.join_path(directory, f"recipients-{secrets.token_hex(32)}"))
        remote_tmp = str(self.get_shell_option("remote_tmp", default="~/.ansible/tmp"))
        told = self._execute_module(
            module_name=MODULE,
            module_args=dict(arguments, _collect={"path": path, "remote_tmp": remote_tmp}),
            task_vars=variables,
        )
        if told.get("failed") or told.get("problem"):
            return failed_read(str(told.get("problem") or told.get("msg")), str(told.get("lacks") or ""))
        fetched = folder / "fetched"
        self._connection.fetch_file(path, str(fetched))
        asked = arguments["domains"] if arguments["source"]["type"] == POSTFIX else None
        return replace(taken_apart_by_domain(fetched, folder), asked=asked)
