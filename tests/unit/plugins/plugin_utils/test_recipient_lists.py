# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.recipient_lists import take_from_entries, take_from_items

FILES = {"list": b"alice@x.example\nz@y.example\n"}
ITEMS = [
    {"name": "x.example", "role": "primary", "recipients": ["Bob@x.example"], "recipients_file": "list"},
    {"name": "y.example", "recipients_file": ["list"]},
    {"name": "w.example", "recipients_policy": "any", "mail_host": "m.example"},
    {"name": "v.example", "state": "absent"},
]


def read(name: str) -> bytes:
    return FILES[name]


def test_addresses_leave_the_items_and_become_one_file() -> None:
    lists = take_from_items(ITEMS, read)
    assert lists.content == b"bob@x.example\nalice@x.example\nz@y.example\n"
    assert lists.for_module("/tmp/list") == [
        {"name": "x.example", "role": "primary", "recipients_file": ["/tmp/list"]},
        {"name": "y.example", "recipients_file": ["/tmp/list"]},
        {"name": "w.example", "recipients_policy": "any", "mail_host": "m.example"},
        {"name": "v.example", "state": "absent"},
    ]
    assert "example" not in str([value for item in lists.items for key, value in item.items() if "recipients" in key])


def test_absent_domain_does_not_take_the_addresses_of_the_domain_above_it() -> None:
    items = [
        {"name": "x.example", "subdomains": True, "recipients": ["a@x.example", "b@sub.x.example"]},
        {"name": "sub.x.example", "state": "absent", "recipients": ["b@sub.x.example"]},
    ]
    assert take_from_items(items, read).for_module("/tmp/list") == [
        {"name": "x.example", "subdomains": True, "recipients_file": ["/tmp/list"]},
        {"name": "sub.x.example", "state": "absent"},
    ]


@pytest.mark.parametrize("files", [[5], [{"a": 1}], ["a\0b"]])
def test_what_is_no_path_is_refused(files: list[object]) -> None:
    with pytest.raises(InvalidInput, match=r"\(recipients_file\) is not the path of a file; write it as text"):
        take_from_entries(None, files, read)


def test_the_task_is_not_changed() -> None:
    given = [dict(ITEMS[0])]
    take_from_items([*given, ITEMS[1]], read)
    assert given == [ITEMS[0]]


def test_files_of_the_host_stay_named_beside_the_transferred_one() -> None:
    lists = take_from_items(
        [
            {"name": "x.example", "recipients": ["a@x.example"], "recipients_file": "/on/host"},
            {"name": "y.example", "recipients_file": ["/on/host"]},
        ],
        read,
        remote_src=True,
    )
    assert lists.content == b"a@x.example\n"
    assert lists.for_module("/tmp/list") == [
        {"name": "x.example", "recipients_file": ["/on/host", "/tmp/list"]},
        {"name": "y.example", "recipients_file": ["/on/host"]},
    ]


def test_nothing_is_transferred_where_nothing_is_listed() -> None:
    assert take_from_items(ITEMS[2:], read).listing is False
    assert take_from_items(ITEMS, read).listing is True


def test_bad_address_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidInput) as caught:
        take_from_items([ITEMS[1], {"name": "x.example", "recipients": ["bob"], "recipients_file": "list"}], read)
    assert caught.value.message == (
        '"bob" (domains[1].recipients[0]) has no @; give a full address, such as name@domain.example'
    )


def test_entries_become_one_file() -> None:
    assert take_from_entries(["B@x.example", "alice@x.example"], ["list"], read) == (
        b"b@x.example\nalice@x.example\nz@y.example\n"
    )
