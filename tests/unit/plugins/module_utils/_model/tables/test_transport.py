# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.transport import transport_rows


def test_rows_of_entries() -> None:
    assert transport_rows(
        [
            {"pattern": "X.example", "nexthop": "mail.x.example", "subdomains": True},
            {"pattern": "y.example", "transport": "smtp", "nexthop": "192.0.2.7", "port": 2525, "mx_lookup": False},
            {"pattern": "bob@z.example"},
            {"pattern": ".w.example", "nexthop": "w.example", "mx_lookup": True},
            {"pattern": "*", "result": "smtp:[relay.example]:587"},
            {"pattern": "v.example", "result": "error:5.1.2 gone for good"},
            {"pattern": "u.example", "result": ":"},
            {"pattern": "w.example", "result": "relay:[a.example]:26,[b.example]"},
        ]
    ) == {
        "x.example": "relay:[mail.x.example]",
        ".x.example": "relay:[mail.x.example]",
        "y.example": "smtp:[192.0.2.7]:2525",
        "bob@z.example": "relay:",
        ".w.example": "relay:w.example",
        "*": "smtp:[relay.example]:587",
        "v.example": "error:5.1.2 gone for good",
        "u.example": ":",
        "w.example": "relay:[a.example]:26,[b.example]",
    }


def test_equal_rows_are_merged() -> None:
    entry = {"pattern": "x.example", "nexthop": "m.example"}
    assert transport_rows([entry, dict(entry, pattern="X.Example")]) == {"x.example": "relay:[m.example]"}


def test_row_that_would_not_be_taken_now_can_be_removed() -> None:
    assert transport_rows([{"pattern": "*@x.example"}], with_results=False) == {"*@x.example": ""}


def test_rows_to_remove_need_no_result() -> None:
    entries = [{"pattern": "x.example", "subdomains": True, "nexthop": "not a host"}, {"pattern": "y.example"}]
    assert transport_rows(entries, with_results=False) == {"x.example": "", ".x.example": "", "y.example": ""}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, "entries[1].pattern is null; give a domain, .domain, address or *"),
        (
            {"pattern": "x.example."},
            '"x.example." (entries[1].pattern) ends with a dot, which Postfix never matches; write "x.example"',
        ),
        (
            {"pattern": "*@x.example", "nexthop": "m.example"},
            '"*@x.example" (entries[1].pattern) is no address; write "x.example" for every address of the domain',
        ),
        ({"pattern": "a b"}, '"a b" (entries[1].pattern) contains white space; write one domain name, without spaces'),
        (
            {"pattern": ".x.example", "subdomains": True},
            '".x.example" (entries[1].pattern) has no subdomains; give a domain, or remove subdomains',
        ),
        (
            {"pattern": "x.example", "nexthop": "host:25"},
            '"host:25" (entries[1].nexthop) is not a host name, an IP address or [host]:port; '
            "give the host alone and its port in the option port",
        ),
        (
            {"pattern": "x.example", "result": "relay:[h]", "nexthop": "h", "port": 25},
            "entries[1] gives result and nexthop and port; give result alone, or the fields alone",
        ),
        (
            {"pattern": "x.example", "result": "[h]"},
            '"[h]" (entries[1].result) has no colon; write transport:nexthop, such as smtp:[mail.x.example]',
        ),
        (
            {"pattern": "x.example", "result": "relay:[h] now"},
            '"relay:[h] now" (entries[1].result) contains white space; write transport:nexthop without spaces',
        ),
        (
            {"pattern": "x.example", "result": "relay:[a]:25,relay:[b]:25"},
            '"relay:[a]:25,relay:[b]:25" (entries[1].result) has relay:[b]:25, at which smtp would stop, and with it '
            "the mail of all domains; write each host as [host] or [host]:port, with commas between them",
        ),
        (
            {"pattern": "x.example", "result": ""},
            '"" (entries[1].result) is empty; give a value of at least one character',
        ),
        (
            {"pattern": "x.example", "result": "relay:\n"},
            '"relay:\\n" (entries[1].result) contains a newline; remove it',
        ),
        (
            {"pattern": "first.example", "nexthop": "other.example"},
            '"first.example" (entries[1].pattern) is given twice with different values; give it once',
        ),
    ],
)
def test_bad_entry_is_refused_with_its_place(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        transport_rows([{"pattern": "first.example", "nexthop": "m.example"}, entry])
    assert caught.value.message == message


def test_empty_nexthop_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        transport_rows([{"pattern": "x.example", "nexthop": ""}])
    assert caught.value.message == (
        '"" (entries[0].nexthop) is empty; give the mail host, or leave out nexthop to use the domain\'s MX records'
    )


def test_result_goes_with_a_field_that_says_no_and_with_no_other() -> None:
    entry = {"pattern": "x.example", "result": "smtp:[mail.x.example]", "mx_lookup": False}
    assert transport_rows([entry]) == {"x.example": "smtp:[mail.x.example]"}
    with pytest.raises(InvalidInput) as caught:
        transport_rows([{**entry, "mx_lookup": True}])
    assert caught.value.message == "entries[0] gives result and mx_lookup; give result alone, or the fields alone"
