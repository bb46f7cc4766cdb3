# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place where a module starts, where errors become fail_json, and where its outcome is returned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import MxRelayError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome, printable
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import LocalCommands
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

# The option of every module that names the instance of Postfix.
CONFIG_DIRECTORY: dict[str, Any] = {"type": "path", "default": "/etc/postfix"}


class UnloggedModule(AnsibleModule):
    """A module that doesn't write its arguments to the log of the host.

    AnsibleModule's own no_log can't ask for it, since the controller always sends one that outweighs it.
    """

    def _log_invocation(self) -> None:
        return


Work = Callable[[dict[str, Any], Postfix, bool], Outcome]
Secrets = Callable[[dict[str, Any]], Iterable[str]]
Reading = Callable[[dict[str, Any]], dict[str, Any]]


def run_module(
    work: Work,
    argument_spec: dict[str, Any],
    secrets: Secrets | None = None,
    reading: Reading | None = None,
    **constraints: Any,
) -> None:
    """Runs `work(params, postfix, check_mode)` and ends the module.

    `reading` returns the params that the work gets, if they are not the module's own.
    `secrets` returns what must not be shown of the arguments, if the argument spec can't say so; the arguments of
    such a module are not logged. `constraints` are AnsibleModule's (mutually_exclusive, required_one_of and so on).
    """
    kind = AnsibleModule if secrets is None else UnloggedModule
    module = kind(argument_spec=argument_spec, supports_check_mode=True, **constraints)
    if secrets is not None:
        module.no_log_values.update(secrets(module.params))
    params = reading(module.params) if reading else module.params
    postfix = Postfix(LocalCommands(), params.get("config_directory") or CONFIG_DIRECTORY["default"])
    try:
        outcome = work(params, postfix, module.check_mode)
    except MxRelayError as error:
        module.fail_json(msg=printable(error.message), **printable(error.details))
    for warning in outcome.warnings:
        module.warn(printable(warning))
    module.exit_json(
        changed=outcome.changed,
        diff=[printable(diff.for_ansible()) for diff in outcome.diffs],
        **printable(outcome.results),
    )
