# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import MainCfChange, RecipientsItem
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_digest import rows_digest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.undo import (
    Undo,
    undo_parameters,
    undo_recipients,
    undo_rows,
)


@pytest.mark.parametrize(
    ("before", "now", "undo"),
    [
        ({}, {"k": "new"}, Undo(remove=["k"])),
        ({"k": "old"}, {"k": "new"}, Undo(set={"k": "old"})),
        ({"k": "old"}, {"k": "old"}, Undo()),
        ({"k": "new"}, {"k": "new"}, Undo()),
        ({}, {}, Undo()),
        ({"k": "old"}, {"k": "theirs"}, Undo(touched=["k"])),
        ({"k": "old"}, {}, Undo(touched=["k"])),
        ({}, {"k": "new", "theirs": "x"}, Undo(remove=["k"])),
    ],
)
def test_planned_row_goes_back_unless_it_is_neither_old_nor_ours(
    before: dict[str, str], now: dict[str, str], undo: Undo
) -> None:
    assert undo_rows(before, now, {"k": "new"}) == undo


def test_removed_row_comes_back() -> None:
    assert undo_rows({"k": "old"}, {}, {"k": None}) == Undo(set={"k": "old"})
    assert undo_rows({"k": "old"}, {"k": "theirs"}, {"k": None}) == Undo(touched=["k"])


def listed(name: str = "x.example", *local_parts: str, **fields: Any) -> RecipientsItem:
    rows = {f"{local_part}@{name}": "x" for local_part in local_parts}
    item = RecipientsItem(name=name, policy="listed", postmaster=True, digest=rows_digest(rows))
    return replace(item, **fields)


BEFORE = {"a@x.example": "x", "b@x.example": "y", "postmaster@x.example": "x", "z@other.example": "x"}
AFTER = {"a@x.example": "x", "c@x.example": "x", "postmaster@x.example": "x", "z@other.example": "x"}


def test_domain_as_planned_goes_back_row_by_row() -> None:
    undo = undo_recipients(BEFORE, {**AFTER, "new@other.example": "x"}, [listed("x.example", "a", "c")])
    assert undo == Undo(set={"b@x.example": "y"}, remove=["c@x.example"])


def test_domain_that_was_not_reached_stays() -> None:
    assert undo_recipients(BEFORE, BEFORE, [listed("x.example", "a", "c")]) == Undo()


def test_domain_that_others_touched_is_told() -> None:
    now = {**AFTER, "theirs@x.example": "x"}
    assert undo_recipients(BEFORE, now, [listed("x.example", "a", "c")]) == Undo(touched=["x.example"])
    assert undo_recipients(BEFORE, {}, [listed("x.example", "a", "c")]) == Undo(touched=["x.example"])


def test_removed_domain_comes_back_and_a_new_one_goes() -> None:
    rows = {"a@x.example": "x"}
    assert undo_recipients(rows, {}, [listed(state="absent")]) == Undo(set=rows)
    wildcard = listed(policy="any", postmaster=False, digest="")
    assert undo_recipients({}, {"@x.example": "x"}, [wildcard]) == Undo(remove=["@x.example"])


def test_rows_of_subdomains_belong_to_the_domain_unless_planned_themselves() -> None:
    now = {"a@x.example": "x", "b@sub.x.example": "x", "postmaster@x.example": "x", "@own.x.example": "x"}
    rows = {"a@x.example": "x", "b@sub.x.example": "x"}
    own = listed("own.x.example", policy="any", postmaster=False, digest="")
    undo = undo_recipients({}, now, [listed("x.example", subdomains=True, digest=rows_digest(rows)), own])
    assert sorted(undo.remove) == sorted(now)


@pytest.mark.parametrize(
    ("planned", "before", "now", "undo"),
    [
        ({"parameters": {"p": "a, b"}}, {}, {"p": "a b"}, Undo(remove=["p"])),
        ({"parameters": {"p": ""}}, {}, {"p": ""}, Undo(remove=["p"])),
        ({"parameters": {"p": ""}}, {"p": "x"}, {"p": ""}, Undo(set={"p": "x"})),
        ({"parameters": {"p": "1"}}, {"p": "0"}, {"p": "2"}, Undo(touched=["p"])),
        ({"parameters": {"p": "1"}}, {"p": "0"}, {"p": "0"}, Undo()),
        ({"absent": ["p"]}, {"p": "0"}, {}, Undo(set={"p": "0"})),
        ({"absent": ["p"]}, {"p": "0"}, {"p": "2"}, Undo(touched=["p"])),
        ({"add_items": {"p": ["b"]}}, {"p": "a"}, {"p": "a, b"}, Undo(set={"p": "a"})),
        ({"add_items": {"p": ["b"]}}, {}, {"p": "b"}, Undo(remove=["p"])),
        ({"add_items": {"p": ["b"]}}, {"p": "a"}, {"p": "a, b, theirs"}, Undo(set={"p": "a, theirs"})),
        ({"add_items": {"p": ["b"]}}, {"p": "a, b"}, {"p": "a, b, theirs"}, Undo()),
        ({"add_items": {"p": ["b"]}}, {"p": "a"}, {"p": "a, theirs"}, Undo()),
        ({"add_items": {"p": ["b"]}}, {"p": "a"}, {}, Undo(touched=["p"])),
        ({"remove_items": {"p": ["a"]}}, {"p": "a b c"}, {"p": "b c"}, Undo(set={"p": "a b c"})),
        ({"remove_items": {"p": ["a"]}}, {"p": "a b"}, {"p": "b theirs"}, Undo(set={"p": "b, theirs, a"})),
        ({"remove_items": {"p": ["d1"]}}, {}, {"p": "d2"}, Undo(remove=["p"])),
    ],
)
def test_parameter_goes_back_without_what_others_did(
    planned: dict[str, Any], before: dict[str, str], now: dict[str, str], undo: Undo
) -> None:
    defaults = {"p": "d1, d2"} if "d1" in str(planned) else {}
    assert undo_parameters(before, now, MainCfChange(**planned), defaults) == undo
