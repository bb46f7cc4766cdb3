# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.registry import (
    CHECKS,
    DEPARTURE,
    DOMAIN,
    TABLE,
    WHOLE_HOST,
    Register,
    registered,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import (
    LOCAL,
    NEXTHOP,
    WARNING,
    Fault,
    Finding,
)


@pytest.fixture(autouse=True)
def _empty_registry() -> Iterator[None]:
    kept = dict(CHECKS)
    CHECKS.clear()
    yield
    CHECKS.clear()
    CHECKS.update(kept)


def is_odd(number: int) -> Iterator[Fault]:
    if number % 2:
        yield Fault(f"{number} is odd", "double it")
    if number < 0:
        yield Fault(f"{number} is below zero", "square it", WARNING, "x.example", "mx")


def test_what_a_check_finds_has_its_name_scope_and_place() -> None:
    odd = Register(WHOLE_HOST)("odd", LOCAL, "a number is odd", place=NEXTHOP)(is_odd)
    assert list(odd(2)) == []
    assert list(odd(-3)) == [
        Finding("", "odd", "error", "local", "-3 is odd", "double it", "nexthop"),
        Finding("x.example", "odd", "warning", "local", "-3 is below zero", "square it", "mx"),
    ]


def test_name_can_be_registered_once() -> None:
    first = Register(WHOLE_HOST)("odd", LOCAL, "a number is odd")(is_odd)
    with pytest.raises(ValueError, match="^the check odd is registered twice$"):
        Register(TABLE)("odd", LOCAL, "a table is odd")(is_odd)
    assert list(CHECKS.values()) == [first]


def test_checks_are_listed_by_subject_and_then_as_they_were_registered() -> None:
    for name, subject in (("d", DOMAIN), ("b", WHOLE_HOST), ("a", WHOLE_HOST), ("c", TABLE)):
        Register(subject)(name, LOCAL, "a number is odd")(is_odd)
    assert [check.name for check in registered(WHOLE_HOST)] == ["b", "a"]
    assert [check.name for check in registered(TABLE, WHOLE_HOST, DOMAIN)] == ["c", "b", "a", "d"]
    assert registered() == []


def test_check_is_drawn_where_its_place_is_unless_it_says_otherwise() -> None:
    check = Register(WHOLE_HOST)
    assert check("a", LOCAL, "a number is odd")(is_odd).mark == "host"
    assert check("b", LOCAL, "a number is odd", place="recipients")(is_odd).mark == "host"
    assert check("c", LOCAL, "a number is odd", place="sender")(is_odd).mark == "lookup"
    assert check("d", LOCAL, "a number is odd", mark=DEPARTURE)(is_odd).mark == "departure"
