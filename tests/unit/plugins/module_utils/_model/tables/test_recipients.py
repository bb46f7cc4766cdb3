# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, Problems
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.recipients import (
    DomainRecipients,
    addresses_of,
    declared_domains,
    edits_by_domain,
    edits_by_entry,
    listed_addresses,
    named_items,
    task_addresses,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.removals import Guard, Limit
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits, Table

FILES = {
    "both": b"\xef\xbb\xbf# list\r\nalice@x.example\r\n\n  Bob@X.example # the boss\nz@y.example\t# z\n",
    "x": b"carol@x.example\n",
    "latin": b"a@x.example\nj\xf6rg@x.example\n",
    "quoted": b'"a #b"@x.example\n"c"@x.example # "quoted"\n',
    "bad": b"a@x.example\n\nbob\n",
    "empty": b"# nobody\n",
    "dotted": b"bob@x.example.\n",
}


def read(name: str) -> bytes:
    return FILES[name]


def refused(items: object) -> str:
    with pytest.raises(InvalidInput) as caught:
        declared_domains(items, read)
    return caught.value.message


def test_file_holds_one_address_a_line_with_comments() -> None:
    assert list(addresses_of(FILES["both"], "both", Problems())) == [
        ("alice@x.example", "both line 2"),
        ("bob@x.example", "both line 4"),
        ("z@y.example", "both line 5"),
    ]
    assert [text for text, _place in addresses_of(FILES["quoted"], "q", Problems())] == [
        '"a #b"@x.example',
        "c@x.example",
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("latin", "latin line 2 is not UTF-8; save the file as UTF-8"),
        ("bad", "bad line 3 has no @; correct the line"),
        (
            "dotted",
            '"bob@x.example." (dotted line 1) ends with a dot, which Postfix never matches; write "bob@x.example"',
        ),
    ],
)
def test_bad_file_is_refused_with_its_line(name: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        task_addresses(None, [name], read)
    assert caught.value.message == message


SECRETS = [
    "root:$6$salt$hash:19000:0:99999:7:::",
    "https://user:secret@git.example/",
    "secret@",
    "PASSWORD=secret@home.example:",
    "-----BEGIN PRIVATE KEY-----",
    "secret word@x.example",
    '"secret"@x."y".example',
    "x@" + "secret" * 20 + ".example",
    "x@secret!.example",
]


@pytest.mark.parametrize("line", SECRETS)
def test_line_that_is_not_like_an_address_is_never_shown(line: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        task_addresses(None, ["f"], lambda _name: line.encode())
    assert caught.value.message.startswith("f line 1 ")
    assert caught.value.message.endswith("; correct the line")
    assert not {"secret", "salt", "PRIVATE"} & set(re.findall(r"\w+", caught.value.message))


def test_all_bad_lines_of_all_files_are_told_at_once() -> None:
    items = [
        {"name": "x.example", "recipients": ["a@y.example", None], "recipients_file": ["latin", "bad"]},
        {"name": "w.example", "recipients_file": ["both", "bad"]},
    ]
    assert refused(items) == (
        "7 recipients are not valid:\n"
        "- latin line 2 is not UTF-8; save the file as UTF-8\n"
        "- bad line 3 has no @; correct the line\n"
        + "".join(
            f'- "{address}" (both line {number}) is not in a domain whose item names this file (w.example); '
            "remove it, or give its domain an item that names the file\n"
            for number, address in ((2, "alice@x.example"), (4, "bob@x.example"), (5, "z@y.example"))
        )
        + '- "a@y.example" (domains[0].recipients[0]) is not in the domain x.example; '
        "move it to the item of its own domain\n"
        "- domains[0].recipients[1] is null; give a full address"
    )


def test_of_many_bad_lines_the_first_are_told_and_the_rest_counted() -> None:
    with pytest.raises(InvalidInput) as caught:
        task_addresses(None, ["f"], lambda _name: b"bob\n" * 1000)
    lines = caught.value.message.split("\n")
    assert (len(lines), lines[0], lines[1]) == (
        22,
        "1000 recipients are not valid:",
        "- f line 1 has no @; correct the line",
    )
    assert lines[20:] == ["- f line 20 has no @; correct the line", "- and 980 more"]


def test_all_bad_names_are_told_at_once() -> None:
    assert refused([{"name": "a b"}, {"name": "x.example"}, {"name": "y."}]) == (
        "2 domains are not valid:\n"
        '- "a b" (domains[0].name) contains white space; write one domain name, without spaces\n'
        '- "y." (domains[2].name) ends with a dot, which Postfix never matches; write "y"'
    )


def test_recipients_and_file_of_a_domain_are_united() -> None:
    items = [
        {"name": "X.example", "recipients": ["dora@x.example", "ALICE@x.example"], "recipients_file": ["both", "x"]},
        {"name": "y.example", "recipients_file": "both"},
        {"name": "w.example", "recipients_policy": "any"},
        {"name": "v.example", "state": "absent", "recipients": ["a@v.example"]},
    ]
    assert declared_domains(items, read) == [
        DomainRecipients(
            "x.example",
            "listed",
            "present",
            ("dora@x.example", "alice@x.example", "bob@x.example", "carol@x.example"),
        ),
        DomainRecipients("y.example", "listed", "present", ("z@y.example",)),
        DomainRecipients("w.example", "any", "present"),
        DomainRecipients("v.example", "listed", "absent"),
    ]
    assert [None if found is None else len(found) for found in listed_addresses(items, read)] == [4, 1, None, 0]


def test_equal_declarations_are_merged() -> None:
    items = [
        {"name": "x.example", "recipients": ["a@x.example", "b@x.example"]},
        {"name": "X.EXAMPLE", "recipients": ["b@x.example", "A@x.example"]},
    ]
    assert declared_domains(items, read) == [
        DomainRecipients("x.example", "listed", "present", ("a@x.example", "b@x.example"))
    ]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (None, "domains is null, not a list; write one domain an item, each with its name"),
        ("a@x.example", "domains is text, not a list; write one domain an item, each with its name"),
        (
            [{"name": "x.example", "recipients": [["a@x.example", "b@x.example"]]}],
            "a list (domains[0].recipients[0]) is not a full address; write it as a string",
        ),
        (["x.example"], "domains[0] has no name; write each domain as an item with its name"),
        ([{"recipients": []}], "domains[0] has no name; write each domain as an item with its name"),
        (
            [{"name": "x.example."}],
            '"x.example." (domains[0].name) ends with a dot, which Postfix never matches; write "x.example"',
        ),
        (
            [{"name": "x.example", "recipients": []}],
            "domains[0] (x.example) has no recipients, so all its mail would be refused; list them, "
            "or give it recipients_policy: any, or state: absent to remove its entries",
        ),
        (
            [{"name": "x.example", "recipients_file": "empty"}],
            "domains[0] (x.example) has no recipients, so all its mail would be refused; list them, "
            "or give it recipients_policy: any, or state: absent to remove its entries",
        ),
        (
            [{"name": "x.example", "recipients": ["a@x.example"], "recipients_policy": "any"}],
            "domains[0] (x.example) lists recipients, but its recipients_policy any accepts every address; "
            "give one of them",
        ),
        (
            [{"name": "x.example", "recipients": ["a@y.example"]}],
            '"a@y.example" (domains[0].recipients[0]) is not in the domain x.example; '
            "move it to the item of its own domain",
        ),
        (
            [{"name": "x.example", "recipients": ["a@x.example", None]}],
            "domains[0].recipients[1] is null; give a full address",
        ),
        (
            [{"name": "x.example", "recipients": {"a": 1}}],
            "domains[0].recipients is a mapping, not a list; write one address an item",
        ),
        (
            [{"name": "x.example", "recipients_file": "both"}],
            '"z@y.example" (both line 5) is not in a domain whose item names this file (x.example); '
            "remove it, or give its domain an item that names the file",
        ),
        (
            [{"name": "x.example", "recipients": ["a@x.example"]}, {"name": "x.example", "state": "absent"}],
            '"x.example" (domains[1].name) is declared twice, in different ways; declare it once',
        ),
        (
            [{"name": "x.example", "recipients_policy": "some"}],
            '"some" (domains[0].recipients_policy) is not one of listed, any, kept; correct it',
        ),
        (
            [{"name": "x.example", "state": "gone"}],
            '"gone" (domains[0].state) is not one of present, absent; correct it',
        ),
    ],
)
def test_bad_domains_are_refused_with_their_place(items: object, message: str) -> None:
    assert refused(items) == message


def test_recipients_by_entry_are_united_and_a_string_is_a_list() -> None:
    assert task_addresses("a@x.example, B@x.example", ["x"], read) == [
        "a@x.example",
        "b@x.example",
        "carol@x.example",
    ]
    assert task_addresses(None, None, read) == []


@pytest.mark.parametrize(
    "text", ["a@x.example\nB@x.example\n", "a@x.example b@x.example", "a@x.example;\r\n b@x.example,"]
)
def test_text_of_a_survey_is_a_list(text: str) -> None:
    assert task_addresses(text, "", read) == ["a@x.example", "b@x.example"]
    assert listed_addresses([{"name": "x.example", "recipients": text}], read) == [["a@x.example", "b@x.example"]]


def test_files_of_a_survey_are_a_list() -> None:
    assert task_addresses(None, "x\n quoted\n", read) == ["carol@x.example", '"a #b"@x.example', "c@x.example"]


def test_items_that_are_names_alone_may_be_text() -> None:
    items = [{"name": "x.example"}, {"name": "y.example"}]
    assert named_items("x.example\ny.example", "domains") == items
    assert named_items(["x.example", {"name": "y.example"}], "domains") == items
    assert named_items(None, "domains") == named_items("", "domains") == []


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (
            ["x.example", "alice@x.example"],
            "mx_domains[1] is an address, not a domain; write each domain as an item with its name",
        ),
        (
            {"x.example": ["alice@x.example"]},
            "mx_domains is a mapping, not a list; write one domain an item, each with its name",
        ),
        ([["alice@x.example"]], "mx_domains[0] has no name; write each domain as an item with its name"),
    ],
)
def test_list_of_the_wrong_shape_is_refused_without_its_addresses(items: object, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        named_items(items, "mx_domains")
    assert caught.value.message == message


def test_edits_by_domain_own_their_domains() -> None:
    domains = [
        DomainRecipients("x.example", "listed", "present", ("a@x.example",)),
        DomainRecipients("y.example", "any", "present"),
        DomainRecipients("z.example", "any", "absent"),
    ]
    assert edits_by_domain(domains, "OK", False) == Edits(
        set={"a@x.example": "OK", "@y.example": "OK"}, owned=("x.example", "y.example", "z.example")
    )


@pytest.mark.parametrize(
    ("addresses", "state", "purge", "edits"),
    [
        (["a@x"], "present", False, Edits(set={"a@x": "x"})),
        (["a@x"], "present", True, Edits(set={"a@x": "x"}, purge=True)),
        (["a@x"], "absent", False, Edits(remove=("a@x",))),
        ([], "present", False, Edits(set={})),
    ],
)
def test_edits_by_entry(addresses: list[str], state: str, purge: bool, edits: Any) -> None:
    assert edits_by_entry(addresses, state, "x", purge) == edits


@pytest.mark.parametrize(
    ("addresses", "state", "message"),
    [
        (
            ["a@x"],
            "absent",
            "purge can't be used with state: absent; list the entries to keep with state: present",
        ),
        (
            [],
            "present",
            "purge with an empty list of entries would empty the table; list the entries to keep",
        ),
    ],
)
def test_purge_that_would_leave_nothing_is_refused(addresses: list[str], state: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        edits_by_entry(addresses, state, "x", True)
    assert caught.value.message == message


def no_files(name: str) -> bytes:
    raise AssertionError(name)


WIDE = {"name": "x.example", "subdomains": True, "recipients": ["a@x.example", "b@deep.sub.x.example"]}


def test_addresses_of_subdomains_are_listed_where_the_item_says_so() -> None:
    assert listed_addresses([WIDE], no_files) == [["a@x.example", "b@deep.sub.x.example"]]
    with pytest.raises(InvalidInput, match="is not in the domain x.example"):
        listed_addresses([{**WIDE, "subdomains": "no"}], no_files)
    with pytest.raises(InvalidInput, match="is not in the domain x.example"):
        listed_addresses([{**WIDE, "recipients": ["a@ax.example"]}], no_files)


def test_address_of_a_file_goes_to_the_nearest_domain_that_names_it() -> None:
    items = [
        {"name": "x.example", "subdomains": True, "recipients_file": ["f"]},
        {"name": "sub.x.example", "recipients_file": ["f"]},
    ]
    content = b"a@x.example\nb@sub.x.example\nc@other.x.example\n"
    assert listed_addresses(items, lambda _name: content) == [["a@x.example", "c@other.x.example"], ["b@sub.x.example"]]


def test_address_of_a_subdomain_in_a_file_is_nobodys_where_no_item_has_subdomains() -> None:
    items = [{"name": "x.example", "recipients_file": ["f"]}]
    with pytest.raises(InvalidInput, match=r'"b@sub.x.example" \(f line 1\) is not in a domain whose item names this'):
        listed_addresses(items, lambda _name: b"b@sub.x.example\n")


@pytest.mark.parametrize(
    ("domains", "told"),
    [
        (5, r"\(d0.example, d1.example, d2.example, d3.example, d4.example\)"),
        (6, r"\(d0.example, d1.example, d2.example, d3.example, d4.example and 1 more\)"),
    ],
)
def test_five_of_the_domains_that_name_a_file_are_told(domains: int, told: str) -> None:
    items = [{"name": f"d{number}.example", "recipients_file": ["f"]} for number in range(domains)]
    with pytest.raises(InvalidInput, match=f"is not in a domain whose item names this file {told};"):
        listed_addresses(items, lambda _name: b"a@other.example\n")


def test_mark_of_utf_8_is_left_out_where_a_file_begins_and_nowhere_else() -> None:
    mark = b"\xef\xbb\xbf"
    assert task_addresses(None, ["f"], lambda _name: mark + b"a@x.example\n") == ["a@x.example"]
    with pytest.raises(InvalidInput, match="f line 2 .*; correct"):
        task_addresses(None, ["f"], lambda _name: b"a@x.example\n" + mark + b"b@x.example\n")


def test_entries_of_subdomains_are_owned_with_the_domain() -> None:
    domains = declared_domains([WIDE, {"name": "y.example", "state": "absent", "subdomains": True}], no_files)
    edits = edits_by_domain(domains, "x", False)
    assert edits.owned == ("x.example", ".x.example", "y.example", ".y.example")
    table = Table.parse(b"old@sub.x.example x\nold@y.example x\nold@sub.y.example x\nold@ax.example x\n")
    assert edits.removals(table, True) == ["old@sub.x.example", "old@y.example", "old@sub.y.example"]


def test_wildcard_with_subdomains_is_refused() -> None:
    with pytest.raises(InvalidInput, match="matches no subdomain; list full addresses"):
        declared_domains([{"name": "x.example", "recipients_policy": "any", "subdomains": True}], no_files)


def test_kept_domain_is_not_owned() -> None:
    items = [
        {"name": "x.example", "recipients_policy": "kept", "subdomains": True},
        {"name": "y.example", "state": "absent"},
    ]
    edits = edits_by_domain(declared_domains(items, no_files), "x", False)
    assert (dict(edits.set), edits.owned, edits.kept) == ({}, ("y.example",), ("x.example", ".x.example"))


def test_limit_of_a_domain_guards_it_and_its_subdomains() -> None:
    items = [{**WIDE, "max_removals": "10%"}, {"name": "y.example", "recipients": ["a@y.example"], "max_removals": 3}]
    domains = declared_domains([*items, {"name": "z.example", "recipients": ["a@z.example"]}], no_files)
    guard = Guard("x.example", Limit(10, True))
    assert edits_by_domain(domains, "x", False).guards == {
        "x.example": guard,
        ".x.example": guard,
        "y.example": Guard("y.example", Limit(3, False)),
    }


def test_present_domains_are_to_be_known() -> None:
    items = [{"name": "y.example", "recipients_policy": "any"}, {"name": "z.example", "state": "absent"}]
    guards = edits_by_domain(declared_domains(items, no_files), "x", False, known=True).guards
    assert guards == {"y.example": Guard("y.example", None, True)}


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            {"recipients": ["a@x.example"], "recipients_policy": "kept"},
            "domains[0] (x.example) lists recipients, but its recipients_policy kept leaves its entries as they are; "
            "give one of them",
        ),
        (
            {"recipients": ["a@x.example"], "max_removals": "some"},
            '"some" (domains[0].max_removals) is not a number or a percentage; write it as 10 or as "10%"',
        ),
    ],
)
def test_guard_that_can_not_be_is_refused(item: dict[str, Any], message: str) -> None:
    assert refused([{"name": "x.example", **item}]) == message
