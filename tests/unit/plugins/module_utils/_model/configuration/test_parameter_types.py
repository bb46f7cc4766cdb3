# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import (
    BOOLEAN,
    INTEGER,
    TEXT,
    TIME,
    Kind,
    kind_of,
    same_list,
    same_value,
    seconds,
    without_comment,
)


@pytest.mark.parametrize(
    ("default", "kind"),
    [
        ("no", Kind(BOOLEAN)),
        ("yes", Kind(BOOLEAN)),
        ("${{$compatibility_level} <level {1} ? {no} : {yes}}", Kind(BOOLEAN)),
        ("${smtp_per_record_deadline?{$smtp_per_record_deadline}:{no}}", Kind(BOOLEAN)),
        ("${old?{$old}:{${stress?{yes}:{no}}}}", Kind(BOOLEAN)),
        ("50", Kind(INTEGER)),
        ("-1", Kind(INTEGER)),
        ("${stress?{1}:{20}}", Kind(INTEGER)),
        ("${stress?1}${stress:20}", Kind(INTEGER)),
        ("5d", Kind(TIME, "d")),
        ("0h", Kind(TIME, "h")),
        ("${stress?{10}:{300}}s", Kind(TIME, "s")),
        ("${stress?10}${stress:300}s", Kind(TIME, "s")),
        ("$other", Kind(TIME, "w")),
        ("${other}", Kind(TIME, "w")),
        ("$x", Kind(TEXT)),
        ("", Kind(TEXT)),
        ("hash", Kind(TEXT)),
        ("5 d", Kind(TEXT)),
    ],
)
def test_kind_is_that_of_the_default(default: str, kind: Kind) -> None:
    assert kind_of("x", {"x": default, "other": "1w"}) == kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mine_destination_rate_delay", Kind(TIME, "s")),
        ("mine_destination_concurrency_limit", Kind(INTEGER)),
        ("mine_initial_destination_concurrency", Kind(INTEGER)),
        ("mine_time_limit", Kind(TIME, "s")),
        ("compatibility_level", Kind(TEXT)),
        ("mine_destination_concurrency_negative_feedback", Kind(TEXT)),
        ("unheard_of", Kind(TEXT)),
    ],
)
def test_parameter_of_a_transport_is_what_the_general_one_is(name: str, kind: Kind) -> None:
    defaults = {
        "default_destination_rate_delay": "0s",
        "default_destination_concurrency_limit": "20",
        "default_destination_concurrency_negative_feedback": "1",
        "initial_destination_concurrency": "5",
        "command_time_limit": "1000s",
        "compatibility_level": "0",
    }
    assert kind_of(name, defaults) == kind


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("5", "d", 432000), ("5", "", 5), ("5s", "d", 5), ("2m", "s", 120), ("1h", "s", 3600), ("1w", "s", 604800),
        ("007d", "s", 604800), ("", "s", None), ("5D", "s", None), ("5 d", "s", None), ("1.5h", "s", None),
        ("-5s", "s", None), ("5ms", "s", None), ("d", "s", None), ("٥d", "s", None),
    ],
)  # fmt: skip
def test_time_in_seconds(value: str, unit: str, expected: int | None) -> None:
    assert seconds(value, unit) == expected


def test_time_without_any_unit_is_in_seconds() -> None:
    assert (seconds("90"), seconds("5d"), seconds("soon")) == (90, 432000, None)


@pytest.mark.parametrize(
    ("name", "given", "other", "same"),
    [
        ("anything", "a, b", ["a", "b"], True),
        ("anything", "a, b", ["b", "a"], False),
        ("smtpd_relay_restrictions", "permit reject", "reject permit", False),
        ("transport_maps", "hash:/a hash:/b", "hash:/b hash:/a", False),
        ("mynetworks", "10.0.0.0/8 127.0.0.0/8", "127.0.0.0/8,10.0.0.0/8", True),
        ("mynetworks", "10.0.0.0/8 !10.0.0.1", "!10.0.0.1 10.0.0.0/8", False),
        ("relay_domains", "X.example hash:/A", "hash:/A x.example", True),
        ("relay_domains", "X.example hash:/A", "hash:/a x.example", False),
        ("relay_domains", "a a b", "a b", True),
        ("notify_classes", "software resource", "resource, software", True),
        ("notify_classes", "Software", "software", False),
    ],
)
def test_order_matters_where_it_does_to_postfix(name: str, given: str, other: str | list[str], same: bool) -> None:
    assert same_list(name, given, other) is same


@pytest.mark.parametrize(
    ("kind", "given", "other", "same"),
    [
        (Kind(BOOLEAN), "Yes", "yes", True),
        (Kind(BOOLEAN), "no", "yes", False),
        (Kind(INTEGER), "010", "10", True),
        (Kind(INTEGER), "1k", "1k", True),
        (Kind(INTEGER), "1k", "1", False),
        (Kind(TIME, "d"), "5", "120h", True),
        (Kind(TIME, "s"), "5", "5d", False),
        (Kind(TIME, "s"), "x", "x", False),
        (Kind(TEXT), "05", "5", False),
        (Kind(TEXT), "a", "a", True),
    ],
)
def test_values_of_the_same_meaning(kind: Kind, given: str, other: str, same: bool) -> None:
    assert same_value(kind, given, other) is same


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("5 # few", ("5", "# few")),
        (" a, b\n #c # d", ("a, b", "#c # d")),
        ("5#", ("5#", "")),
        ("# all", ("# all", "")),
        ("", ("", "")),
    ],
)
def test_comment_begins_at_a_sign_behind_a_blank(value: str, parts: tuple[str, str]) -> None:
    assert without_comment(value) == parts
