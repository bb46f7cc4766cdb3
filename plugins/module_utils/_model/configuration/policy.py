# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where smtpd finds a policy service, and what it does while that does not answer. See SMTPD_POLICY_README."""

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items


def endpoint_of(argument: str) -> str:
    """`unix:private/policy` or `inet:host:port`, of an argument that may have attributes of its own in braces."""
    return next(iter(split_items(_inner(argument))), "")


def default_action(argument: str, usual: str) -> str:
    """What smtpd does while the service does not answer; `usual` is smtpd_policy_service_default_action."""
    words = _inner(argument)
    _before, found, after = words.partition("default_action")
    value = after.partition("=")[2].strip() if found else ""
    return value.strip("{}").partition(",")[0].strip() or usual


def _inner(argument: str) -> str:
    return argument[1:-1].strip() if argument.startswith("{") and argument.endswith("}") else argument
