# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.time_limit import within


def test_work_in_time_returns_what_it_returns() -> None:
    assert within(10, lambda: 7, "late") == 7


def test_error_of_the_work_is_raised() -> None:
    def fail() -> None:
        raise InvalidInput("wrong")

    with pytest.raises(InvalidInput, match="^wrong$"):
        within(10, fail, "late")


def test_work_that_takes_too_long_is_late() -> None:
    never = threading.Event()
    with pytest.raises(SourceError, match="^late$"):
        within(0.05, never.wait, "late")
    never.set()
