# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx_standby import change_standby
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx import standby as engine
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost

PARAMS = {"domains": ["X.example"], "subdomains": [], "own": [], "name": None}


def test_check_mode_tells_the_change_and_makes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "UNITS", str(tmp_path))
    host = FakeMxHost(str(tmp_path))
    before = sorted(tmp_path.iterdir())
    outcome = change_standby(PARAMS, host.postfix(), True)
    assert (outcome.changed, outcome.results) == (True, {"standby": "present"})
    shown = {Path(diff.header).name: diff.after for diff in outcome.diffs}
    known = {"domains": ["x.example"], "subdomains": [], "own": ["mx.example"], "name": "mx.example"}
    assert json.loads(shown["mxrelay-standby.json"]) == known
    assert sorted(tmp_path.iterdir()) == before


def test_nothing_to_remove_is_no_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "UNITS", str(tmp_path))
    outcome = change_standby({**PARAMS, "domains": []}, FakeMxHost(str(tmp_path)).postfix(), False)
    assert (outcome.changed, outcome.diffs, outcome.results) == (False, [], {"standby": "absent"})
