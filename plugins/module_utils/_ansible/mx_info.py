# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mx_info takes, and what it does."""

from __future__ import annotations

from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import CONFIG_DIRECTORY
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.info import MAX_AGE, inform
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.probe import as_stranger
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import (
    ABSENT,
    PRESENT,
    PRIMARY,
    SECONDARY,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import CERTIFICATE_DAYS, FAIL, WARN
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import names_in
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import SystemNetwork
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import SmtpProber

DECLARED_OPTIONS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "role": {"type": "str", "choices": [PRIMARY, SECONDARY], "required": True},
    "state": {"type": "str", "choices": [PRESENT, ABSENT], "default": PRESENT},
    "required": {"type": "bool", "default": True},
}

INFO_SPEC: dict[str, Any] = {
    "config_directory": CONFIG_DIRECTORY,
    "domains": {"type": "list", "elements": "str", "default": []},
    "declared": {"type": "list", "elements": "dict", "options": DECLARED_OPTIONS},
    "host_name": {"type": "str"},
    "resolver": {"type": "list", "elements": "str", "default": []},
    "outage": {"type": "str"},
    "outage_volume": {"type": "dict"},
    "list_max_age": {"type": "str", "default": MAX_AGE},
    "unproven": {"type": "str", "choices": [WARN, FAIL], "default": WARN},
    "certificate_days": {"type": "int", "default": CERTIFICATE_DAYS},
    "accepted": {"type": "list", "elements": "dict", "default": []},
    "canary": {"type": "bool", "default": False},
    "probe": {"type": "bool", "default": False},
    "probe_server": {"type": "str"},
    "probe_port": {"type": "int", "default": 25},
    "probe_ports": {"type": "list", "elements": "dict", "default": []},
    "probe_recipients": {"type": "dict", "default": {}},
    "show_recipients": {"type": "bool", "default": False},
    "probe_senders": {"type": "dict", "default": {}},
}


def nothing_secret(_params: dict[str, Any]) -> tuple[str, ...]:
    """mx_info has no argument that must not be shown, but some that name people, and so are not to be logged."""
    return ()


def info(params: dict[str, Any], postfix: Postfix, _check_mode: bool) -> Outcome:
    """The work of mx_info, which check mode does not change."""
    network = SystemNetwork(names_in(params["resolver"], "resolver"))
    if params["probe_server"]:
        return as_stranger(params, SmtpProber(), network)
    return inform(params, postfix, network, SmtpProber())
