# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the sources that the guide shows against what can be declared, and its queries against tables like theirs."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import declared_sources
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.http_document import json_place
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.http_urls import Pages

GUIDE = Path(__file__).resolve().parents[2] / "docs/source-recipes.md"
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
POSTFIXADMIN = """
CREATE TABLE domain (domain, active integer);
INSERT INTO domain VALUES ('x.example', 1), ('closed.example', 0), ('any.example', 1), ('other.example', 1);
CREATE TABLE mailbox (username, domain, active integer);
INSERT INTO mailbox VALUES ('alice@x.example', 'x.example', 1), ('left@x.example', 'x.example', 0);
INSERT INTO mailbox VALUES ('carol@closed.example', 'closed.example', 1);
CREATE TABLE alias (address, goto, domain, active integer);
INSERT INTO alias VALUES ('sales@x.example', 'alice@x.example', 'x.example', 1), ('old@x.example', '', 'x.example', 0);
INSERT INTO alias VALUES ('@any.example', 'alice@x.example', 'any.example', 1);
CREATE TABLE alias_domain (alias_domain, target_domain, active integer);
INSERT INTO alias_domain VALUES ('other.example', 'x.example', 1), ('off.example', 'x.example', 0);
"""
ISPCONFIG = """
CREATE TABLE mail_domain (domain, active);
INSERT INTO mail_domain VALUES ('x.example', 'y'), ('any.example', 'y'), ('closed.example', 'n');
CREATE TABLE mail_user (email, cc, disabledeliver, postfix);
INSERT INTO mail_user VALUES ('alice@x.example', '', 'n', 'y'), ('copied@x.example', 'alice@x.example', 'y', 'y');
INSERT INTO mail_user VALUES ('left@x.example', '', 'n', 'n'), ('nowhere@x.example', '', 'y', 'y');
INSERT INTO mail_user VALUES ('carol@closed.example', '', 'n', 'y');
CREATE TABLE mail_forwarding (source, destination, type, active);
INSERT INTO mail_forwarding VALUES ('sales@x.example', 'alice@x.example', 'alias', 'y');
INSERT INTO mail_forwarding VALUES ('old@x.example', 'alice@x.example', 'alias', 'n');
INSERT INTO mail_forwarding VALUES ('@any.example', 'alice@x.example', 'catchall', 'y');
INSERT INTO mail_forwarding VALUES ('@other.example', '@x.example', 'aliasdomain', 'y');
INSERT INTO mail_forwarding VALUES ('@else.example', '@any.example', 'aliasdomain', 'y');
"""


def shown() -> dict[str, Any]:
    """The sources of the guide, each complete."""
    text = GUIDE.read_text(encoding="utf-8")
    named = {name: value for block in BLOCK.findall(text) for name, value in yaml.safe_load(block).items()}
    sources = {name: value for name, value in named.items() if "type" in value}
    for source in sources.values():
        if "login" in source:
            source["login"] = named[source["login"].strip("{} ")]
    return declared_sources(sources, "sources")


def test_sources_of_the_guide_can_be_declared() -> None:
    sources = shown()
    assert [name for name, source in sources.items() if source["type"] == "http"] == [
        "portal",
        "mailcow_mailboxes",
        "mailcow_aliases",
        "microsoft_users",
        "microsoft_groups",
        "google_users",
        "google_groups",
    ]
    assert len(sources) == 11


def test_places_of_the_guide_are_places() -> None:
    for source in shown().values():
        for place in source.get("addresses", ()):
            assert json_place(place, "addresses").text == place
        if source["type"] == "http":
            Pages(source["url"], source.get("next_link", ""), source.get("next_token"))


@pytest.mark.parametrize(
    ("name", "tables", "expected"),
    [
        (
            "postfixadmin",
            POSTFIXADMIN,
            ["@any.example", "alice@other.example", "alice@x.example", "sales@other.example", "sales@x.example"],
        ),
        (
            "ispconfig",
            ISPCONFIG,
            [
                "@any.example",
                "@else.example",
                "alice@other.example",
                "alice@x.example",
                "copied@other.example",
                "copied@x.example",
                "sales@other.example",
                "sales@x.example",
            ],
        ),
    ],
)
def test_query_of_the_guide_finds_who_gets_mail(name: str, tables: str, expected: list[str]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.create_function("CONCAT", -1, lambda *parts: "".join(parts))
        connection.create_function("SUBSTRING_INDEX", 3, _substring_index)
        connection.executescript(tables)
        assert sorted(row[0] for row in connection.execute(shown()[name]["query"])) == expected


def _substring_index(text: str, separator: str, count: int) -> str:
    """As MySQL has it."""
    parts = text.split(separator)
    return separator.join(parts[:count] if count > 0 else parts[count:])
