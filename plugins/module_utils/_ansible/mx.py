# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mx_plan and mx_info take, and what they do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Dict

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.info import inform
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.plan import plan_mx
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.probe import as_stranger
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.undo import Undone, forget, remember, undo
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MxPlan
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import SystemNetwork
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import SmtpProber

CONFIG_DIRECTORY: Dict[str, Any] = {"type": "path", "default": "/etc/postfix"}

DOMAIN_OPTIONS: Dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "role": {"type": "str", "choices": ["primary", "secondary"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "recipients": {"type": "list", "elements": "str"},
    "recipients_file": {"type": "list", "elements": "str"},
    "recipients_policy": {"type": "str", "choices": ["listed", "any", "verify", "external"]},
    "probe_recipient": {"type": "str"},
    "subdomains": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "mail_host": {"type": "str"},
    "port": {"type": "int"},
    "mx_lookup": {"type": "bool", "default": False},
    "has_list": {"type": "bool", "default": False},
    "recipients_count": {"type": "int", "default": 0},
    "recipients_digest": {"type": "str"},
    "lists_postmaster": {"type": "bool", "default": False},
}

# None stands for "not given", which the model fills, since a survey's blank answers arrive as null.
SETTINGS: Dict[str, Any] = {
    "recipient_check": {"type": "str", "choices": ["table", "none"]},
    "proxy_interfaces": {"type": "list", "elements": "str"},
    "inet_interfaces": {"type": "str"},
    "table_type": {"type": "str"},
    "table_directory": {"type": "path"},
    "queue_lifetime": {"type": "str"},
    "mail_host_tls": {"type": "str", "choices": ["none", "may", "dane", "secure"]},
    "mail_host_concurrency": {"type": "str"},
    "message_size_limit": {"type": "str"},
    "relay_restrictions": {"type": "list", "elements": "str"},
    "client_restrictions": {"type": "list", "elements": "str"},
    "etrn_restrictions": {"type": "list", "elements": "str"},
    "smtputf8": {"type": "bool"},
    "ipv6": {"type": "bool"},
    "postmaster": {"type": "bool"},
    "undeclared_domains": {"type": "str", "choices": ["refuse", "any"]},
    "remove_undeclared": {"type": "bool"},
    "manage_package": {"type": "bool"},
    "manage_service": {"type": "bool"},
}

PLAN_SPEC: Dict[str, Any] = {
    "role": {"type": "str", "choices": ["secondary_mx", "primary_mx", "mx"], "default": "mx"},
    "config_directory": CONFIG_DIRECTORY,
    "domains": {"type": "list", "elements": "dict", "default": [], "options": DOMAIN_OPTIONS},
    "peer": {
        "type": "dict",
        "options": {
            "role": {"type": "str"},
            "domains": {"type": "list", "elements": "str", "default": []},
            "settings": {"type": "dict", "default": {}},
        },
    },
    **SETTINGS,
    "run_tags": {"type": "list", "elements": "str", "default": ["all"]},
    "skip_tags": {"type": "list", "elements": "str", "default": []},
    "after_install": {"type": "bool", "default": False},
    "verify": {"type": "bool", "default": False},
    "verify_fail_on": {
        "type": "list",
        "elements": "str",
        "choices": ["local", "dns", "remote"],
        "default": ["local"],
    },
}

UNDO_SPEC: Dict[str, Any] = {
    "config_directory": CONFIG_DIRECTORY,
    "state": {"type": "str", "choices": ["remembered", "undone", "forgotten"], "required": True},
    "plan": {"type": "dict"},
}

INFO_SPEC: Dict[str, Any] = {
    "config_directory": CONFIG_DIRECTORY,
    "domains": {"type": "list", "elements": "str", "default": []},
    "resolver": {"type": "list", "elements": "str", "default": []},
    "outage": {"type": "str"},
    "probe": {"type": "bool", "default": False},
    "probe_server": {"type": "str"},
    "probe_port": {"type": "int", "default": 25},
    "probe_recipients": {"type": "dict", "default": {}},
}


def plan(params: Dict[str, Any], postfix: Postfix, _check_mode: bool) -> Outcome:
    """The work of mx_plan, which check mode does not change."""
    outcome = plan_mx(params, postfix, SystemNetwork())
    # The list of domains has been said once; a long one takes longer to travel back than all else.
    said = {name: value for name, value in params.items() if name not in ("domains", "peer")}
    outcome.results["invocation"] = {"module_args": said}
    return outcome


def keep_undo(params: Dict[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """The work of mx_undo, of which check mode does nothing."""
    if check_mode:
        return Outcome(results=asdict(Undone()))
    if params["state"] == "remembered":
        remember(postfix, MxPlan.from_result(params["plan"]))
        return Outcome(changed=True, results=asdict(Undone()))
    if params["state"] == "forgotten":
        return Outcome(changed=forget(postfix), results=asdict(Undone()))
    done = undo(postfix, MxPlan.from_result(params["plan"]))
    return Outcome(changed=bool(done.undone), results=asdict(done))


def info(params: Dict[str, Any], postfix: Postfix, _check_mode: bool) -> Outcome:
    """The work of mx_info, which check mode does not change."""
    if params["probe_server"]:
        return as_stranger(params, SmtpProber())
    return inform(params, postfix, SystemNetwork(params["resolver"]), SmtpProber())
