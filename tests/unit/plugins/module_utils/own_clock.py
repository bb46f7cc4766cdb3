# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clock that one module alone reads: a thread that another test has left behind may go by the real one."""

from __future__ import annotations

import time
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


def set_clock(monkeypatch: pytest.MonkeyPatch, module: ModuleType, **functions: Any) -> None:
    """Gives the module these functions in place of those of `time`; the others stay."""
    monkeypatch.setattr(module, "time", SimpleNamespace(**{**vars(time), **functions}))
