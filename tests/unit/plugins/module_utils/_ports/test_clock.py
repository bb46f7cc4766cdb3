# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.clock import now


def test_time_is_that_of_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    gmtime = time.gmtime
    monkeypatch.setattr(time, "gmtime", lambda: gmtime(1769850000))
    assert now() == "2026-01-31T09:00:00Z"
