# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an SMTP server's answer says by its code."""

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.answers import accepts, defers, rejects


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (250, (True, False, False)),
        (354, (True, False, False)),
        (399, (True, False, False)),
        (400, (False, True, False)),
        (499, (False, True, False)),
        (500, (False, False, True)),
        (599, (False, False, True)),
    ],
)
def test_first_digit_says_what_becomes_of_the_message(code: int, expected: tuple[bool, bool, bool]) -> None:
    answer = (code, "")
    assert (accepts(answer), defers(answer), rejects(answer)) == expected
