# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import calendar
import time
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.filter.mx_report import FilterModule
from ansible_collections.mxrelay.postfix.tests.unit.plugins.plugin_utils.report_evidence import (
    NOW,
)


def test_filter_names_what_it_wants() -> None:
    made = FilterModule().filters()["mx_report"]
    assert made({}, now=NOW)["counts"]["hosts"] == 0
    with pytest.raises(AnsibleFilterError, match="under the keys mx, queue and postfix"):
        made({"mx2": {"mx": {}}})


def test_time_of_the_report_is_now_unless_given() -> None:
    made = FilterModule().filters()["mx_report"]
    assert made({}, now=NOW)["time"] == "2026-11-22 14:57 UTC"
    before = time.time()
    shown = calendar.timegm(time.strptime(made({})["time"], "%Y-%m-%d %H:%M UTC"))
    assert before - 60 < shown <= time.time()


@pytest.mark.parametrize("wrong", [{"mx2": {"mx": {}}}, {"mx2": {"mx": None, "queue": {}, "postfix": {}}}, [1], None])
def test_anything_else_is_refused_with_what_is_wanted(wrong: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="^mx_report: .*under the keys mx, queue and postfix"):
        FilterModule().filters()["mx_report"](wrong)
