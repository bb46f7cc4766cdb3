# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.contents import Content
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.destinations import destinations

CONTENTS = {
    "hash:/rd": Content((("listed.example", "x"),)),
    "proxy:hash:/rd": Content((("listed.example", "x"),)),
    "regexp:/rd": Content((("/./", "x"),), {"x1.example": "x"}),
    "regexp:/some": Content((("/^sub/", "x"),), {}),
    "ldap:/l": Content(None, {}),
    "/file": Content((("filed.example", ""), ("hash:/rd", ""))),
}


@pytest.mark.parametrize(
    ("parameter", "value", "names", "doubts"),
    [
        ("relay_domains", "a.example, b.example", {"a.example", "b.example"}, []),
        ("relay_domains", "hash:/rd", {"listed.example"}, []),
        ("relay_domains", "proxy:hash:/rd", {"listed.example"}, []),
        ("relay_domains", "/file", {"filed.example", "listed.example"}, []),
        ("relay_domains", "a.example, test", {"a.example", "test"}, [("test", True)]),
        ("mydestination", "localhost, mx", {"localhost", "mx"}, []),
        ("relay_domains", "regexp:/rd", set(), [("regexp:/rd", True)]),
        ("relay_domains", "regexp:/some", set(), [("regexp:/some", False)]),
        ("mydestination", "!a.example, static:all", set(), [("static:all", True)]),
        ("virtual_mailbox_domains", "ldap:/l", set(), [("ldap:/l", False)]),
        ("virtual_alias_domains", "hash:/unread", set(), [("hash:/unread", False)]),
    ],
)
def test_destinations_are_names_that_are_listed(
    parameter: str, value: str, names: set[str], doubts: list[tuple[str, bool]]
) -> None:
    values = {parameter: value, "parent_domain_matches_subdomains": "relay_domains"}
    found = destinations(HostState(values=values, contents=CONTENTS))
    assert found.names == names
    assert [(doubt.member, doubt.proven) for doubt in found.doubts] == doubts


def test_files_may_name_files_ten_times() -> None:
    contents = {f"/f{number}": Content(((f"/f{number + 1}", ""),)) for number in range(10)}
    contents["/f10"] = Content((("deep.example", ""),))
    assert destinations(HostState(values={"relay_domains": "/f0"}, contents=contents)).names == {"deep.example"}


def test_file_that_names_itself_is_read_to_an_end() -> None:
    contents = {"/f": Content((("/f", ""), ("a.example", "")))}
    assert "a.example" in destinations(HostState(values={"relay_domains": "/f"}, contents=contents)).names


def test_top_level_domain_is_a_name_of_its_own_without_its_subdomains() -> None:
    assert destinations(HostState(values={"relay_domains": "test"})).doubts == ()
    assert [doubt.member for doubt in destinations(HostState(values={"relay_domains": ".test"})).doubts] == [".test"]


@pytest.mark.parametrize(
    ("key", "ours"),
    [
        ("a.example", True),
        ("alice@a.example", True),
        ("Alice@Sub.A.Example", True),
        (".a.example", True),
        ("example", False),
        ("postmaster@", False),
        ("x@b.example", False),
    ],
)
def test_key_is_ours_at_a_listed_domain_or_below(key: str, ours: bool) -> None:
    assert destinations(HostState(values={"relay_domains": "a.example"})).is_ours(key) is ours
