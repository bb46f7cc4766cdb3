# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What recipients_info reads from a real source of each type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab import remote, sources

ALL = {name: source for name, source in sources.declared().items() if source.get("host")}


@pytest.fixture(name="host", scope="module")
def _host() -> Iterator[remote.Remote]:
    host = remote.Remote(sources.HOST)
    yield host
    host.close()


def read(host: remote.Remote, name: str, **params: Any) -> dict[str, Any]:
    source = {option: value for option, value in ALL[name].items() if option != "host"}
    return host.read(source=source, **params)


@pytest.mark.parametrize("name", ALL)
def test_every_address_of_a_source_is_read(host: remote.Remote, name: str) -> None:
    domains = [domain for domain, followed in sources.followers().items() if name in followed]
    wanted = {domain: addresses for domain, addresses in sources.recipients().items() if domain in domains}
    # What a table of the mail host has that can't be listed, another source has, and nothing else.
    wanted.update((domain, set()) for domain in domains if (name == "sqlite") != (domain == "sqlite.example"))
    told = read(host, name, domains=domains, show_recipients=True)
    found = told["domains"]
    assert set(told["recipients"]) == set().union(*wanted.values())
    assert {domain: found[domain]["count"] for domain in domains} == {domain: len(wanted[domain]) for domain in domains}
    assert {(domain["catch_all"], domain["complete"]) for domain in found.values()} == {(False, True)}
    assert (told["complete"], told["problem"], told["invalid"]) == (True, "", 0)


def test_domains_that_nobody_declared_are_counted(host: remote.Remote) -> None:
    told = read(host, "directory", domains=["directory.example", "other.example"])
    assert told["undeclared"] == {"branch.example": 3000}
    assert {name: domain["count"] for name, domain in told["domains"].items()} == {
        "directory.example": 3000,
        "other.example": 0,
    }


@pytest.mark.parametrize(
    ("name", "way", "domain"),
    [
        ("mail_host", "catch-all", "mailbox.example"),
        ("mariadb", "catch-all of a database", "mariadb.example"),
    ],
)
def test_catch_all_makes_a_read_incomplete(host: remote.Remote, name: str, way: str, domain: str) -> None:
    with sources.lying(way):
        told = read(host, name, domains=[domain])
    assert (told["complete"], told["domains"][domain]["catch_all"], told["domains"][domain]["count"]) == (
        False,
        True,
        101,
    )
