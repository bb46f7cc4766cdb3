# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time, as results and records have it."""

from __future__ import annotations

import calendar
import time

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def now() -> str:
    """The time in UTC, in seconds (ISO 8601)."""
    return time.strftime(_FORMAT, time.gmtime())


def read_moment(text: str) -> int:
    """The time, in seconds since 1970, that `now` wrote so. Raises ValueError."""
    return calendar.timegm(time.strptime(text, _FORMAT))
