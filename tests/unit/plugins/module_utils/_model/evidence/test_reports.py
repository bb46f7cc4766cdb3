# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.reports import ReportEvidence


def test_reports_that_are_kept_and_who_gets_them() -> None:
    to_ops = "REDIRECT ops@x.example"
    evidence = ReportEvidence(
        {
            "a.example": {"bounce/unix": to_ops, "defer/unix": to_ops},
            "b.example": {"bounce/unix": "HOLD", "defer/unix": ""},
            "c.example": {"bounce/unix": "DISCARD"},
        }
    )
    assert evidence.kept == [to_ops, to_ops, "HOLD", "DISCARD"]
    assert evidence.redirected == ["ops@x.example"]


def test_reports_that_are_sent_are_not_kept() -> None:
    evidence = ReportEvidence({"a.example": {"bounce/unix": "", "defer/unix": ""}})
    assert (evidence.kept, evidence.redirected) == ([], [])
