# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import (
    LifetimeRaise,
    RaiseEvidence,
)


def test_record_that_can_not_be_believed_is_a_record_as_well() -> None:
    assert RaiseEvidence(now=1, overdue=2).found is False
    assert RaiseEvidence(LifetimeRaise(None, None)).found is True
    assert RaiseEvidence(problem="no JSON").found is True
