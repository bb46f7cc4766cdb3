# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.filter.recipient_domains import FilterModule, recipient_domains

ITEMS = [
    {"name": "X.example", "recipients": ["a@x.example"], "recipients_file": ["x.txt"]},
    {"name": "y.example", "recipients_policy": "any"},
    {"name": "z.example", "recipients_file": ["z.txt"]},
]


def decided(**fields: Any) -> dict[str, Any]:
    base = {
        "name": "x.example",
        "state": "present",
        "recipients_policy": "listed",
        "item": 0,
        "postmaster": True,
        "abuse": False,
        "subdomains": False,
    }
    return {**base, **fields}


def test_list_of_the_item_and_postmaster_come_together() -> None:
    assert recipient_domains(ITEMS, [decided()]) == [
        {
            "name": "x.example",
            "state": "present",
            "recipients_policy": "listed",
            "recipients": ["a@x.example", "postmaster@x.example"],
            "recipients_file": ["x.txt"],
        }
    ]


def test_file_alone_has_only_the_postmaster_inline() -> None:
    found = recipient_domains(ITEMS, [decided(name="z.example", item=2)])[0]
    assert (found["recipients"], found["recipients_file"]) == (["postmaster@z.example"], ["z.txt"])
    assert recipient_domains(ITEMS, [decided(name="z.example", item=2, postmaster=False)])[0]["recipients"] == []


def test_abuse_comes_with_the_list_if_it_is_wanted() -> None:
    found = recipient_domains(ITEMS, [decided(abuse=True)])[0]
    assert found["recipients"] == ["a@x.example", "postmaster@x.example", "abuse@x.example"]
    assert "recipients" not in recipient_domains(ITEMS, [decided(abuse=True, recipients_policy="any")])[0]


def test_wildcard_and_removed_domains_carry_no_list() -> None:
    assert recipient_domains(
        ITEMS, [decided(name="o.example", item=None, recipients_policy="any"), decided(state="absent")]
    ) == [
        {"name": "o.example", "state": "present", "recipients_policy": "any"},
        {"name": "x.example", "state": "absent", "recipients_policy": "listed"},
    ]


def test_subdomains_are_passed_on() -> None:
    assert recipient_domains(ITEMS, [decided(subdomains=True)])[0]["subdomains"] is True


def test_list_may_be_text() -> None:
    found = recipient_domains([{"name": "x.example", "recipients": "a@x.example\nb@x.example\n"}], [decided()])
    assert found[0]["recipients"] == ["a@x.example", "b@x.example", "postmaster@x.example"]


def test_items_of_the_wrong_shape_are_refused_without_their_addresses() -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        recipient_domains({"x.example": ["a@x.example"]}, [decided()])
    assert str(caught.value) == (
        "recipient_domains: domains is a mapping, not a list; write one domain an item, each with its name"
    )


@pytest.mark.parametrize("wrong", [[decided(item=9)], [decided(item=None)], [{}], None])
def test_decisions_for_other_domains_are_refused(wrong: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="recipient_domains: .* give it the domains that mx_plan was given"):
        recipient_domains(ITEMS, wrong)


def test_filter_has_its_name() -> None:
    assert FilterModule().filters() == {"recipient_domains": recipient_domains}


def test_list_of_sources_comes_with_where_it_was_read_and_its_limit() -> None:
    source = {"name": "people", "type": "file", "host": "localhost", "read_at": "2026-01-31T09:00:00Z"}
    followed = {"x.example": {"recipients_file": ["/tmp/x"], "sources": [source], "max_removals": "10%"}}
    assert recipient_domains(ITEMS, [decided(), decided(name="z.example", item=2)], followed) == [
        {
            "name": "x.example",
            "state": "present",
            "recipients_policy": "listed",
            "recipients": ["a@x.example", "postmaster@x.example"],
            "recipients_file": ["x.txt", "/tmp/x"],
            "sources": [source],
            "max_removals": "10%",
        },
        *recipient_domains(ITEMS, [decided(name="z.example", item=2)]),
    ]
