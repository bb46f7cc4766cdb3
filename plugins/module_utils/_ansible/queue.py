# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What queue_info and queue_flush take, and what they do."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Mapping

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import CONFIG_DIRECTORY
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import (
    flush,
    plan_flush,
    read_queue,
    waiting_after,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import domain_names
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import (
    Message,
    summary,
    with_subdomains,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import names_in
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.service import old_sessions

QUEUE_SPEC: dict[str, Any] = {
    "config_directory": CONFIG_DIRECTORY,
    "domains": {"type": "list", "elements": "str", "default": []},
}
INFO_SPEC: dict[str, Any] = {
    **QUEUE_SPEC,
    "subdomains": {"type": "bool", "default": False},
    "wait": {"type": "int", "default": 0},
}


def _domains(params: Mapping[str, Any]) -> list[str]:
    return domain_names(names_in(params["domains"], "domains"), "domains")


def queue_info(params: Mapping[str, Any], postfix: Postfix, _check_mode: bool) -> Outcome:
    """What the module queue_info does, in check mode as otherwise. Raises MxRelayError."""
    domains = _domains(params)

    def look() -> list[Message]:
        messages = read_queue(postfix)
        return with_subdomains(messages, domains) if params["subdomains"] else messages

    if params["wait"] <= 0:
        return Outcome(results=summary(look(), domains, time.time()))
    sessions = partial(old_sessions, postfix.config_directory, _queue_directory(postfix))
    messages, left = waiting_after(look, domains, params["wait"], sessions)
    return Outcome(results={**summary(messages, domains, time.time()), "old_sessions": left})


def _queue_directory(postfix: Postfix) -> str:
    return postfix.check("postconf", "-h", "queue_directory").strip()


def queue_flush(params: Mapping[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """What the module queue_flush does; changed if anything waits that is not on hold. Raises MxRelayError."""
    plan = plan_flush(postfix, _domains(params))
    if plan.waiting and not check_mode:
        flush(postfix, plan)
    return Outcome(
        changed=bool(plan.waiting),
        warnings=[
            f"{number} message(s) for {domain} stay on hold; release them with `postsuper -H` on the host"
            for domain, number in sorted(plan.held.items())
        ],
        results={
            "count": len(plan.queue_ids),
            "domains": {domain: len(messages) for domain, messages in sorted(plan.waiting.items())},
            "held": dict(sorted(plan.held.items())),
        },
    )
