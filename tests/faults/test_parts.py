# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list that travels in parts: what the table has of it and what was sent make it to the byte, or nothing is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.list_parts import ListParts
from faults import host
from faults.lists import two_alike

# Of so many, two are few enough for each type to be changed in a copy of the index.
ROWS = 5_000
SENT = "/srv/faults/lists/sent"
REQUEST = {"name": "faults"}


def asked(table: host.Table, parts: ListParts) -> dict[str, Any]:
    """How a run ended by which the module is asked, as by the action plugin, whether it knows the request."""
    arguments = {"path": table.path, "type": table.kind, "recipients_file": []}
    told = {"_parts": parts.packed(), "_request": {**REQUEST, "asks": True}}
    ended: dict[str, Any] = host.ask("run", arguments={**arguments, **told})
    return ended


def sent(table: host.Table, listing: host.Listing, parts: ListParts, content: str) -> dict[str, Any]:
    """How a run ended for which this content was sent of the list."""
    host.sh(f"cat > {SENT}", given=content)
    told = {"_parts": parts.packed(), "_request": {**REQUEST, "list": SENT}}
    ended: dict[str, Any] = host.ask("run", arguments=table.arguments(host.Listing(SENT, listing.addresses), **told))
    assert host.sh(f"ls {SENT} 2>/dev/null || true") == ""
    return ended


def replace(table: host.Table, old: str, new: str) -> None:
    """Put an address in the place of another, as others do."""
    host.sh(f"sed -i 's/^{old} /{new} /' {table.path} && postmap {table.kind}:{table.path}")


@pytest.mark.types(host.INDEXED, ("hash",))
def test_list_in_parts_is_the_list_or_nothing_is_done(kind: str, table_for: Callable[[str, str], host.Table]) -> None:
    table = table_for(kind, "parts")
    old, new = two_alike("parts", ROWS)
    table.apply(old)
    content = "\n".join([*new.addresses, ""]).encode()
    parts = ListParts.of(content)

    # Others change an address in the midst of a part, and so what that part says.
    middle = old.addresses[ROWS // 2]
    replace(table, middle, f"other.{middle}")
    ended = asked(table, parts)
    host.refused(ended)
    lacks = ended["said"]["list_lacks"]
    assert len(lacks) == 2 < len(parts.parts)
    missing = parts.only(content, lacks).decode()
    assert middle in missing

    # They do so again after the host was asked.
    first = old.addresses[ROWS // 4]
    replace(table, first, f"other.{first}")
    before = table.look()
    ended = sent(table, new, parts, missing)
    assert host.refused(ended) == f"{table.path}: has changed while a list was sent; run again"
    assert ended["said"]["list_incomplete"] is True
    assert table.look() == before
    replace(table, f"other.{first}", first)

    # What was sent was cut short, or is of another list.
    before = table.look()
    for wrong in (missing[: len(missing) // 2], missing.replace(middle, middle.replace("user", "resu"))):
        assert sent(table, new, parts, wrong)["said"]["list_incomplete"] is True
        assert table.look() == before

    assert host.said(sent(table, new, parts, missing))["changed"] is True
    table.at_rest(new)
    assert host.said(asked(table, parts))["changed"] is False
