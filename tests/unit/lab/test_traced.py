# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os

import pytest

from lab import traced


def test_session_that_is_not_measured_has_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(traced.SWITCH, raising=False)
    usual = {"PYTHONPATH": "/tests", "MXRELAY_LAB_VOLUMES": "[]"}
    assert traced.traced(usual) == usual


def test_measured_session_starts_coverage_here_and_on_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(traced.SWITCH, "/cache/labs")
    # What hosts compiled is of other paths, so it is not used.
    usual = {"PYTHONPATH": "/tests", "MXRELAY_LAB": "lab", "MXRELAY_LAB_VOLUMES": '["compiled:/var/cache"]'}
    environment = traced.traced(usual)
    volumes = json.loads(environment.pop("MXRELAY_LAB_VOLUMES"))
    assert environment == {
        "COVERAGE_PROCESS_START": "/cache/labs-start/coveragerc",
        "MXRELAY_LAB": "lab",
        "PYTHONPATH": f"/cache/labs-start{os.pathsep}/tests",
    }
    assert volumes == [
        "/cache/labs:/var/lib/mxrelay-coverage",
        f"{traced.LIBRARY}/library:/usr/lib/mxrelay-coverage:ro",
        f"{traced.LIBRARY}/start.pth:/usr/lib/python3/dist-packages/mxrelay-coverage.pth:ro",
        f"{traced.LIBRARY}/units:/usr/local/lib/systemd/system/mxrelay-.service.d:ro",
    ]


def test_start_on_a_host_is_one_line_as_site_wants_it() -> None:
    assert traced.START.count("\n") == 1
    assert traced.START.startswith("import ")
