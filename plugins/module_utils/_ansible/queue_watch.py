# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What queue_watch takes, and what it does on the host: a look. The controller asks for one look after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.queue import QUEUE_SPEC
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_watch import look_at_queue
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import domains_option
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

WATCH_SPEC: dict[str, Any] = {
    **QUEUE_SPEC,
    "flush": {"type": "bool", "default": False},
    "wait": {"type": "int", "default": 600},
    "interval": {"type": "int", "default": 10},
    # When the watch began, and for how long to look: see plugins/action/queue_watch.py.
    "_look": {"type": "dict"},
}


def queue_watch(params: Mapping[str, Any], postfix: Postfix, _check_mode: bool) -> Outcome:
    """One look, in check mode as otherwise. Raises MxRelayError."""
    domains = domains_option(params)
    for name, least in (("wait", 0), ("interval", 1)):
        if params[name] < least:
            raise InvalidInput(f"{name} is {params[name]}; give at least {least}")
    look = params["_look"] or {}
    found = look_at_queue(postfix, domains, look.get("since"), float(look.get("seconds", 0.0)))
    return Outcome(results={**found.as_result(), **{name: params[name] for name in ("flush", "wait", "interval")}})
