# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources import ldap
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.ldap import read_ldap
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.bounds import bounded
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import source_definition
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import Reading
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.ldap_directory import (
    BAD_FILTER,
    LdapAccess,
    LdapDirectory,
    LdapPage,
    LdapSearch,
)

URI = "ldaps://ldap.example"
BASE = "dc=x,dc=example"
DIRECTORY = {"type": "ldap", "uri": URI, "bases": [BASE]}


class FakeDirectory:
    """The pages that it has for each base, asked for one after the other; each has its number as cookie."""

    def __init__(self, pages: dict[str, Sequence[LdapPage]]) -> None:
        self._pages = pages
        self.access: list[LdapAccess] = []
        self.searches: list[tuple[LdapSearch, bytes]] = []
        self.closed = False

    @contextmanager
    def open(self, access: LdapAccess) -> Iterator[LdapDirectory]:
        self.access.append(access)
        try:
            yield self
        finally:
            self.closed = True

    def page(self, search: LdapSearch, cookie: bytes) -> LdapPage:
        self.searches.append((search, cookie))
        return self._pages[search.base][int(cookie or b"0")]


def entry(*mail: str, proxy: Sequence[str] = ()) -> dict[str, list[bytes]]:
    return {"mail": [text.encode() for text in mail], "proxyAddresses": [text.encode() for text in proxy]}


def reading(directory: FakeDirectory, **options: Any) -> Reading:
    return read_ldap(source_definition({**DIRECTORY, **options}), directory.open)


def problem(page: LdapPage, **options: Any) -> str:
    with pytest.raises(SourceError) as caught:
        reading(FakeDirectory({BASE: [LdapPage(0, [entry("a@x.example")], cookie=b"1"), page]}), **options)
    return caught.value.message


def test_every_page_of_every_base_is_read() -> None:
    directory = FakeDirectory(
        {
            "ou=a": [
                LdapPage(0, [entry("A@x.example", proxy=["SMTP:a@x.example", "smtp:aa@x.example"])], cookie=b"1"),
                LdapPage(0, [entry(proxy=["smtp:b@x.example", "X500:/o=Org/cn=b", "SIP:b@x.example"])], cookie=b"2"),
                # An entry that was renamed meanwhile may be found twice.
                LdapPage(0, [entry("a@x.example")]),
            ],
            "ou=b": [LdapPage(0, [entry("c@y.example")])],
        }
    )
    assert reading(directory, bases=["ou=a", "ou=b"]).addresses == (
        "a@x.example",
        "aa@x.example",
        "b@x.example",
        "c@y.example",
    )
    wanted = "(|(mail=*)(proxyAddresses=*))", ["mail", "proxyAddresses"], 500
    assert directory.searches == [
        (LdapSearch("ou=a", *wanted), b""),
        (LdapSearch("ou=a", *wanted), b"1"),
        (LdapSearch("ou=a", *wanted), b"2"),
        (LdapSearch("ou=b", *wanted), b""),
    ]
    assert directory.closed


def test_directory_is_reached_as_declared() -> None:
    directory = FakeDirectory({BASE: [LdapPage(0, [{"rfc822Mailbox": [b"a@x.example"]}])]})
    options = {"uri": "ldap://ldap.example", "start_tls": True, "ca_file": "/ca", "bind_dn": "cn=r", "timeout": 9}
    found = reading(
        directory, **options, bind_password="secret", filter="(x=y)", attributes=["rfc822mailbox"], page_size=7
    )
    assert found.addresses == ("a@x.example",)
    assert directory.access == [LdapAccess("ldap://ldap.example", True, "/ca", "cn=r", "secret", 9)]
    assert directory.searches == [(LdapSearch(BASE, "(x=y)", ["rfc822mailbox"], 7), b"")]
    assert "secret" not in repr(directory.access)


def test_names_without_a_domain_get_the_default() -> None:
    directory = FakeDirectory({BASE: [LdapPage(0, [{"uid": [b"alice"], "mail;lang-de": [b"no@x.example"]}])]})
    found = reading(directory, attributes=["uid"], default_domain="x.example")
    assert found.addresses == ("alice@x.example",)


def test_attribute_may_have_a_language() -> None:
    directory = FakeDirectory({BASE: [LdapPage(0, [{"mail;lang-de": [b"a@x.example"]}])]})
    assert reading(directory).addresses == ("a@x.example",)


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (LdapPage(4), "the directory's size limit was reached; lower page_size, or have it let the bind_dn read all "),
        (LdapPage(3), "the directory's time limit was reached; "),
        (LdapPage(10), "the directory refers to another one; name that one as the uri"),
        (LdapPage(32), "the base is not in the directory, or hidden from the bind_dn; "),
        (LdapPage(51, [entry("b@x.example")]), "the directory is busy; try again later"),
        (LdapPage(BAD_FILTER), "the filter is not one of RFC 4515; correct it"),
        (LdapPage(0, cookie=None), "the directory did not say whether there are more pages; ask another server"),
        (
            LdapPage(0, references=["ldap://child.example/dc=child,dc=x,dc=example"]),
            "the directory refers to another one for a part of it; give bases without that part, or name a directory "
            "that has all of it, such as the global catalog of Active Directory at port 3269",
        ),
        (
            LdapPage(0, [{"proxyAddresses;range=0-1499": [b"smtp:a@x.example"]}]),
            "an entry has more values of proxyaddresses than were sent; ask another server",
        ),
        (LdapPage(0, [{"mail": [b"b\xe9@x.example"]}]), "an entry has a value of mail that is not UTF-8; correct it"),
    ],
)
def test_read_that_is_not_whole_fails(page: LdapPage, why: str) -> None:
    assert problem(page).startswith(f"{URI} {BASE}: {why}")


def test_parts_of_active_directory_without_mailboxes_are_no_harm() -> None:
    references = ["ldap://corp.example/CN=Configuration,DC=corp,DC=example"]
    directory = FakeDirectory({BASE: [LdapPage(0, [entry("a@x.example")], references)]})
    assert reading(directory).addresses == ("a@x.example",)


def test_values_that_were_fetched_in_parts_are_taken() -> None:
    found = {"proxyAddresses": [b"smtp:a@x.example"], "proxyAddresses;range=0-1499": []}
    assert reading(FakeDirectory({BASE: [LdapPage(0, [found])]})).addresses == ("a@x.example",)


def test_directory_that_takes_too_long_is_given_up() -> None:
    never = threading.Event()

    @contextmanager
    def stuck(_access: LdapAccess) -> Iterator[LdapDirectory]:
        never.wait()
        yield FakeDirectory({})

    with pytest.raises(SourceError) as caught:
        read_ldap(source_definition({**DIRECTORY, "timeout": 1}), stuck)
    never.set()
    assert caught.value.message == f"{URI} was not read within 1 s; raise timeout"


def test_directory_that_says_too_much_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ldap, "bounded", functools.partial(bounded, most=20))
    directory = FakeDirectory({BASE: [LdapPage(0, [entry("a@x.example", "b@x.example")])]})
    with pytest.raises(SourceError) as caught:
        reading(directory)
    assert caught.value.message == f"{URI} says more than 20 bytes; narrow down what is asked for"
