# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.delimiters import (
    delimiters_after,
    recipient_keys,
    without_tag,
)


@pytest.mark.parametrize(
    ("delimiters", "local_part", "cut"),
    [
        ("", "u+tag", "u+tag"),
        ("+", "u", "u"),
        ("+", "u+tag", "u"),
        ("+", "u+a+b", "u"),
        ("+", "u+", "u"),
        ("+", "+tag", "+tag"),
        ("+", "u-tag", "u-tag"),
        ("+-", "u-tag", "u"),
        ("+-", "u-a+b", "u"),
        ("-+", "u+a-b", "u"),
        ("+-", "-u+tag", "-u+tag"),
        ("+-", "Owner-u", "Owner-u"),
        ("+", "owner-u+tag", "owner-u"),
        ("+-", "owner-u+tag", "owner-u+tag"),
        ("+-", "u-request", "u-request"),
        ("+-", "-request", "-request"),
        ("+", "postmaster", "postmaster"),
        ("s", "postmaster", "postmaster"),
        ("+-", "double-bounce", "double-bounce"),
        ("+-", "MAILER-DAEMON", "MAILER-DAEMON"),
        ("+", '"u+tag"', '"u+tag"'),
    ],
)
def test_local_part_is_cut_once_at_the_first_delimiter(delimiters: str, local_part: str, cut: str) -> None:
    assert without_tag(local_part, delimiters) == cut


def test_owners_and_requests_are_cut_where_nobody_wants_them_whole() -> None:
    assert without_tag("owner-u", "-", False) == "owner"
    assert without_tag("u-request", "-", False) == "u"


@pytest.mark.parametrize(
    ("wanted", "present", "after"), [("", "+", "+"), ("-", "+", "-"), ("none", "+", ""), ("", "", "")]
)
def test_setting_takes_the_place_of_what_is_there(wanted: str, present: str, after: str) -> None:
    assert delimiters_after(wanted, present) == after


def test_recipient_is_looked_for_whole_and_then_cut() -> None:
    assert recipient_keys("U+Tag@X.example", "+") == ["u+tag@x.example", "u@x.example"]
    assert recipient_keys("u@x.example", "+") == ["u@x.example"]
    assert recipient_keys("owner-u@x.example", "-", False) == ["owner-u@x.example", "owner@x.example"]
