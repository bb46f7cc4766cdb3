# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that a table has which smtpd asks what to do. See access(5)."""

from __future__ import annotations

import re
from collections.abc import Collection

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restriction_names import problem

_ACTIONS = frozenset(
    {
        "BCC",
        "DEFER",
        "DEFER_IF_PERMIT",
        "DEFER_IF_REJECT",
        "DISCARD",
        "DUNNO",
        "FILTER",
        "HOLD",
        "INFO",
        "OK",
        "PREPEND",
        "REDIRECT",
        "REJECT",
        "RELAY",
        "WARN",
    }
)
_CODE = re.compile(r"[45]\d\d\b", re.ASCII)


def is_action(value: str, classes: Collection[str], version: str) -> bool:
    """Whether smtpd can act on it: by name or number, or as a list of restrictions. To others it answers 451.

    `classes` are the names in smtpd_restriction_classes, `version` the host's mail_version.
    """
    word = value.split(None, 1)[0] if value.split() else ""
    if word.upper() in _ACTIONS or value.strip().isdigit() or _CODE.match(value):
        return True
    return bool(word) and not problem(value, classes, version)
