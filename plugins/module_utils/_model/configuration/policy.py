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
    attributes = [_inner(item).partition("=") for item in split_items(_inner(argument))]
    values = {name.strip(): value.strip() for name, _equal, value in attributes}
    return values.get("default_action") or usual


def _inner(text: str) -> str:
    return text[1:-1] if text.startswith("{") and text.endswith("}") else text
