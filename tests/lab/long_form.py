# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a scenario's tests only `./run molecule SCENARIO --long` runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def in_long_form(values: Iterable[Any], short: int = 0) -> list[Any]:
    """Return the values as parameters of a test, of which the short form has the first few."""
    return [
        value if number < short else pytest.param(value, marks=pytest.mark.long) for number, value in enumerate(values)
    ]
