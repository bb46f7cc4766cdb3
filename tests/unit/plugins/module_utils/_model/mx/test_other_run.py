# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.other_run import OtherRun


@pytest.mark.parametrize(
    ("other", "cause"),
    [
        (
            OtherRun("x", "awx.example boot pid", 12, 34),
            "another run (process 12 on awx.example) has been changing this host for 34 s",
        ),
        (
            OtherRun("x", "3f2a boot pid job=7", 21, 34),
            "another run (AWX job 7, process 21 on 3f2a) has been changing this host for 34 s",
        ),
        (OtherRun("x", "", 0, 3), "another run has been changing this host for 3 s"),
    ],
)
def test_refusal_says_who_is_at_it_and_what_to_do(other: OtherRun, cause: str) -> None:
    remedy = "run again when it has finished; if it was killed, remove /etc/postfix/.mxrelay-undo"
    assert other.refusal("/etc/postfix/.mxrelay-undo") == Refusal("", "other_run", cause, remedy)


def test_refusal_says_what_to_set_for_a_run_that_was_killed() -> None:
    refusal = OtherRun("1f9c", "", 0, 3).refusal("/etc/postfix/.mxrelay-undo", "mx_ended_run")
    assert refusal.remedy == (
        "run again when it has finished; if it was killed, set mx_ended_run to 1f9c, or remove "
        "/etc/postfix/.mxrelay-undo"
    )
