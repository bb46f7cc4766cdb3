# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.removals import read_limit


@pytest.mark.parametrize(
    ("text", "allowed"), [("0", 0), ("7", 7), ("0%", 0), ("10%", 3), ("34%", 13), ("100%", 39), ("250%", 97)]
)
def test_limit_is_a_number_or_a_part_of_what_there_is(text: str, allowed: int) -> None:
    assert read_limit(text).allowed(39) == allowed


@pytest.mark.parametrize(("text", "least"), [("0", 0), ("7", 7), ("0%", 0), ("1%", 1), ("100%", 1)])
def test_one_may_always_go_with_a_percentage(text: str, least: int) -> None:
    assert (read_limit(text).least, str(read_limit(text))) == (least, text)


@pytest.mark.parametrize(("text", "none"), [("99%", False), ("100%", True), ("101%", True), ("100", False)])
def test_all_may_go_if_the_percentage_says_so(text: str, none: bool) -> None:
    assert read_limit(text).none is none


@pytest.mark.parametrize("text", ["", "%", "-1", "1.5", "ten", "10 %", "10%%", "\u0663", "9" * 20])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_limit(text, "here")
    assert caught.value.message == f'"{text}" (here) is not a number or a percentage; write it as 10 or as "10%"'
