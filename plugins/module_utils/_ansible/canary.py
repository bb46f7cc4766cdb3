# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mx_canary takes, and what it does."""

from __future__ import annotations

from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.canary import (
    finish,
    follow,
    plan_canaries,
    send,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.mail_log import LOG_PARAMETERS, HostMailLog
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.messenger import SmtpMessenger
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import PORT

PLANNED = "planned"
SENT = "sent"
FOLLOWED = "followed"
FINISHED = "finished"

CANARY_SPEC: dict[str, Any] = {
    "config_directory": {"type": "path", "default": "/etc/postfix"},
    "state": {"type": "str", "choices": [PLANNED, SENT, FOLLOWED, FINISHED], "required": True},
    "domains": {"type": "list", "elements": "str", "default": []},
    "recipients": {"type": "dict", "default": {}},
    "sender": {"type": "str", "default": ""},
    "plan": {"type": "dict"},
    "server": {"type": "str"},
    "port": {"type": "int", "default": PORT},
    "handed": {"type": "dict", "default": {}},
    "wait": {"type": "int", "default": 60},
    "outcomes": {"type": "dict", "default": {}},
    "left": {"type": "list", "elements": "str", "default": []},
    "message_ids": {"type": "list", "elements": "str", "default": []},
}


def run_canary(params: dict[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """The work of mx_canary. In check mode nothing is sent, and so there is nothing to follow."""
    if params["state"] == SENT:
        return Outcome(results={"handed": {}}) if check_mode else send(params, SmtpMessenger())
    if params["state"] == FINISHED:
        return finish(params, postfix, check_mode)
    if params["state"] == FOLLOWED:
        return follow(params, postfix, _log(postfix))
    return plan_canaries(params, postfix, _log(postfix))


def _log(postfix: Postfix) -> HostMailLog:
    values = postfix.parameters(list(LOG_PARAMETERS), ["-x"]) if postfix.installed() else {}
    return HostMailLog.of(postfix.commands, values)
