# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What queue_info, queue_flush and queue_release take, and what they do."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import CONFIG_DIRECTORY
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import (
    flush,
    left_after,
    plan_flush,
    read_queue,
    waiting_after,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_release import (
    handing_in,
    plan_release,
    release_kept,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_summary import summarised_queue
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.kept_choice import (
    ACTIONS,
    BOUNCE,
    SHOW,
    Choice,
    release_result,
    table,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff, Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import (
    Message,
    with_subdomains,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import domains_option
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.sendmail import LocalSendmail
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.service import old_sessions

QUEUE_SPEC: dict[str, Any] = {
    "config_directory": CONFIG_DIRECTORY,
    "domains": {"type": "list", "elements": "str", "default": []},
}
FLUSH_SPEC: dict[str, Any] = {**QUEUE_SPEC, "wait": {"type": "int", "default": 0}}
INFO_SPEC: dict[str, Any] = {
    **QUEUE_SPEC,
    "subdomains": {"type": "bool", "default": False},
    "wait": {"type": "int", "default": 0},
    "log_megabytes": {"type": "int", "default": 0},
}
RELEASE_SPEC: dict[str, Any] = {
    **QUEUE_SPEC,
    "all": {"type": "bool", "default": False},
    "subdomains": {"type": "bool", "default": False},
    "causes": {"type": "list", "elements": "str", "default": []},
    "action": {"type": "str", "choices": list(ACTIONS), "default": SHOW},
}


def queue_info(params: Mapping[str, Any], postfix: Postfix, _check_mode: bool) -> Outcome:
    """What the module queue_info does, in check mode as otherwise. Raises MxRelayError."""
    domains = domains_option(params)

    def look() -> list[Message]:
        messages = read_queue(postfix)
        return with_subdomains(messages, domains) if params["subdomains"] else messages

    left: dict[str, Any] = {}
    if params["wait"] <= 0:
        messages = look()
    else:
        sessions = partial(old_sessions, postfix.config_directory, _queue_directory(postfix))
        messages, left["old_sessions"] = waiting_after(look, domains, params["wait"], sessions)
    parents = domains if params["subdomains"] else ()
    found = summarised_queue(postfix, messages, domains, parents, max(0, params["log_megabytes"]) << 20)
    return Outcome(results={**found, **left})


def _queue_directory(postfix: Postfix) -> str:
    return postfix.check("postconf", "-h", "queue_directory").strip()


def queue_flush(params: Mapping[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """What the module queue_flush does; changed if anything waits that is not on hold. Raises MxRelayError."""
    plan = plan_flush(postfix, domains_option(params))
    left: dict[str, Any] = {}
    if plan.waiting and not check_mode:
        flush(postfix, plan)
        if params["wait"] > 0:
            left["left"] = left_after(partial(read_queue, postfix), plan, params["wait"])
    return Outcome(
        changed=bool(plan.waiting),
        warnings=[
            f"{number} message(s) for {domain} stay on hold; release them with `postsuper -H` on the host"
            for domain, number in sorted(plan.held.items())
        ]
        + [f"{plan.kept} report(s) of refused mail stay on hold; mxrelay.postfix.queue_release shows them"]
        * bool(plan.kept),
        results={**plan.as_result(), **left},
    )


def queue_release(params: Mapping[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """What the module queue_release does; in check mode, and to show what is kept, nothing. Raises MxRelayError."""
    choice = Choice.from_params(params)
    if check_mode or choice.action == SHOW:
        found = plan_release(postfix, choice)
    else:
        with handing_in(postfix) as directory:
            found = release_kept(postfix, choice, LocalSendmail(_sendmail_path(postfix), directory))
    changed = bool(found.done) and choice.action != SHOW
    done = {message.queue_id for message, _report in found.done}
    after = [kept for kept in found.kept if kept[0].queue_id not in done]
    everything = Choice()
    return Outcome(
        changed=changed,
        diffs=[Diff("kept mail", table(everything, found.kept), table(everything, after))] if changed else [],
        warnings=[_STRANGERS] if changed and choice.action == BOUNCE else [],
        results=release_result(choice, found.done, found.left, time.time()),
    )


_STRANGERS = (
    "the reports go to the senders that the messages name; if such a sender is forged, a stranger is told of mail that "
    "the stranger never sent"
)


def _sendmail_path(postfix: Postfix) -> str:
    return postfix.parameters(["sendmail_path"], ["-x"])["sendmail_path"]
