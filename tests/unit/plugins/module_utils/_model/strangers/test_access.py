# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.access import (
    LIST,
    NOTHING,
    PERMITS,
    UNKNOWN,
    comes_to,
)


@pytest.mark.parametrize(
    ("result", "meaning"),
    [
        ("OK", PERMITS),
        ("ok", PERMITS),
        ("OK known client", PERMITS),
        ("12345", PERMITS),
        ("550", PERMITS),
        ("RELAY", PERMITS),
        ("DISCARD", PERMITS),
        ("REJECT", NOTHING),
        ("reject go away", NOTHING),
        ("550 5.7.1 no", NOTHING),
        ("450 later", NOTHING),
        ("DUNNO", NOTHING),
        ("DEFER_IF_PERMIT Service unavailable", NOTHING),
        ("FILTER smtp:[192.0.2.1]", NOTHING),
        ("REJECT $1", NOTHING),
        ("$1", UNKNOWN),
        ("OK$1", UNKNOWN),
        ("", UNKNOWN),
        ("reject_unlisted_recipient, permit", LIST),
        ("permit", LIST),
        ("static:OK", LIST),
    ],
)
def test_result_comes_to(result: str, meaning: str) -> None:
    assert comes_to(result) == meaning
