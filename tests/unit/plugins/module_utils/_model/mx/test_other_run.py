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
        (OtherRun("x", "", 0, 3), "another run has been changing this host for 3 s"),
    ],
)
def test_refusal_says_who_is_at_it_and_what_to_do(other: OtherRun, cause: str) -> None:
    remedy = "run again when it has finished; if it was killed, remove /etc/postfix/.mxrelay-undo"
    assert other.refusal("/etc/postfix/.mxrelay-undo") == Refusal("", "other_run", cause, remedy)
