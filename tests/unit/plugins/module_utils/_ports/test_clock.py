# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.clock import now, read_moment


def test_time_is_that_of_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    gmtime = time.gmtime
    monkeypatch.setattr(time, "gmtime", lambda: gmtime(1769850000))
    assert now() == "2026-01-31T09:00:00Z"


def test_a_time_is_read_as_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    gmtime = time.gmtime
    monkeypatch.setattr(time, "gmtime", lambda: gmtime(1795986309))
    assert read_moment(now()) == 1795986309
    with pytest.raises(ValueError, match="does not match format"):
        read_moment("2026-11-29 21:05")
