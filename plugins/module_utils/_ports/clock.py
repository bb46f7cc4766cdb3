# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time, as results and records have it."""

from __future__ import annotations

import time


def now() -> str:
    """The time in UTC, in seconds (ISO 8601)."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
