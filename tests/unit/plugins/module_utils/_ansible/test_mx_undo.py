# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx_undo import keep_undo
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost


@pytest.mark.parametrize("state", ["remembered", "undone", "forgotten"])
def test_check_mode_does_nothing_of_it(tmp_path: Path, state: str) -> None:
    host = FakeMxHost(str(tmp_path))
    before = sorted(tmp_path.rglob("*"))
    outcome = keep_undo({"state": state, "plan": None, "record": None}, host.postfix(), True)
    assert (outcome.changed, outcome.results["undone"]) == (False, [])
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_to_forget_is_no_change(tmp_path: Path) -> None:
    assert (
        keep_undo(
            {"state": "forgotten", "plan": None, "record": None, "reloaded": False},
            FakeMxHost(str(tmp_path)).postfix(),
            False,
        ).changed
        is False
    )
