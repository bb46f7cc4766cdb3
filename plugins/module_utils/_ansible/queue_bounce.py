# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What queue_bounce takes, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import CONFIG_DIRECTORY
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_bounce import bounce, plan_bounce
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import domains_option
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

BOUNCE_SPEC: dict[str, Any] = {
    "config_directory": CONFIG_DIRECTORY,
    "domains": {"type": "list", "elements": "str", "required": True},
}


def queue_bounce(params: Mapping[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """What the module queue_bounce does; changed if there is mail to return. Raises MxRelayError."""
    domains = domains_option(params)
    if not domains:
        raise InvalidInput("domains is empty; name the domains whose mail is to be returned")
    plan = plan_bounce(postfix, domains)
    if plan.mail.waiting and not check_mode:
        bounce(postfix, plan)
    return Outcome(
        changed=bool(plan.mail.waiting),
        results={**plan.mail.as_result(), "shared": dict(sorted(plan.shared.items()))},
    )
