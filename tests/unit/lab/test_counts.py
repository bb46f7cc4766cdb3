# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

from lab.counts import FAILED, NOTHING, PASSED, Count, first_failure, reported

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites>
  <testsuite name="pytest" errors="1" failures="1" skipped="1" tests="5">
    <testcase name="test_right"/>
    <testcase name="test_skipped"><skipped message="no host"/></testcase>
    <testcase name="test_wrong"><failure message="assert 1 == 2"/></testcase>
    <testcase name="test_broken"><error message="no such fixture"/></testcase>
    <testcase name="test_right_too"/>
  </testsuite>
</testsuites>
"""


def test_whatever_did_not_pass_has_failed(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    assert reported(report) == Count(passed=2, failed=3)
    assert first_failure(report) == "test_wrong"


def test_run_without_report_counts_nothing(tmp_path: Path) -> None:
    assert reported(tmp_path / "report.xml") == NOTHING
    assert first_failure(tmp_path / "report.xml") == ""


def test_part_tells_the_whole_run_its_count(tmp_path: Path) -> None:
    told = tmp_path / "lint.json"
    (PASSED + FAILED + PASSED + Count(not_run=("a real AWX",))).write(told)
    assert Count.read(told) == Count(passed=2, failed=1, not_run=("a real AWX",))


def test_part_that_ended_without_a_count_has_failed(tmp_path: Path) -> None:
    assert Count.read(tmp_path / "lint.json") == FAILED
