# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is noted of sources, by way of the changes that it is noted with."""

from __future__ import annotations

import os

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables import followed
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.change import change_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.followed import (
    note_followed,
    read_followed,
    take_back_followed,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.index import read_record
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.plan import TableOptions, TableRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.followed import (
    FollowedDomain,
    FollowedSource,
    Following,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.removals import Guard, Limit
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils._engine.tables.table_on_host import (
    ME,
    MY_GROUP,
    TableOnHost,
)

NOW = "2026-01-31T09:05:00Z"
AD = FollowedSource("ad", "ldap", "localhost", read_at="2026-01-31T09:00:00Z", count=2)
X = FollowedDomain("x.example", (AD,))


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "now", lambda: NOW)


def change(table: TableOnHost, said: Following, *keys: str, name: str = "", limit: Limit | None = None) -> None:
    edits = Edits(set=dict.fromkeys(keys, "x"), owned=["x.example"], guards={"x.example": Guard("x.example", limit)})
    request = TableRequest(lambda: edits, name, said)
    options = TableOptions(new_owner=ME, new_group=MY_GROUP)
    change_table(table.host.postfix(), table.reference, request, options, False)


def test_note_says_what_a_change_did(table: TableOnHost) -> None:
    said = Following({"x.example": X})
    change(table, said, "a@x.example", "b@x.example", "c@x.example")
    change(table, said, "a@x.example")
    assert read_followed(str(table.path)) == {
        "x.example": FollowedDomain("x.example", (AD,), NOW, vanished=("b@x.example", "c@x.example"))
    }


def test_note_says_which_list_was_kept(table: TableOnHost) -> None:
    change(table, Following(), "a@x.example", "b@x.example", "c@x.example")
    change(table, Following({"x.example": X}), "a@x.example", limit=Limit(10, True))
    kept = "2 of its 3 addresses would be removed, more than max_removals (10%) allows"
    assert read_followed(str(table.path)) == {"x.example": FollowedDomain("x.example", (AD,), kept=kept)}


def test_nothing_is_noted_where_no_domain_follows(table: TableOnHost) -> None:
    change(table, Following({}, ["x.example"], every=True), "a@x.example")
    assert sorted(os.listdir(table.path.parent)) == [".table.mxrelay", "table", "table.db"]


@pytest.mark.parametrize("text", ["", "[]", "\udce9"])
def test_note_that_says_nothing_is_written_again(table: TableOnHost, text: str) -> None:
    note = table.path.with_name(".table.sources")
    note.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert read_followed(str(table.path)) == {}
    change(table, Following({"x.example": X}), "a@x.example")
    assert list(read_followed(str(table.path))) == ["x.example"]


def test_note_that_is_no_file_says_nothing(table: TableOnHost) -> None:
    table.path.with_name(".table.sources").mkdir()
    assert read_followed(str(table.path)) == {}


def test_earlier_requests_are_forgotten_only_when_other_domains_follow(table: TableOnHost) -> None:
    said = Following({"x.example": X})
    change(table, Following(), "a@x.example", name="one")
    change(table, said, "a@x.example", name="two")
    record = read_record(str(table.path))
    assert record and record.requests == ("two",)
    change(table, said, "a@x.example", "b@x.example", name="three")
    change(table, said, "a@x.example", "b@x.example", name="four")
    record = read_record(str(table.path))
    assert record and record.requests == ("three",)


def test_record_that_can_not_be_written_is_told(table: TableOnHost, monkeypatch: pytest.MonkeyPatch) -> None:
    change(table, Following(), "a@x.example", name="one")
    plan = TableOnHost.change(table, Edits(set={"a@x.example": "x"}))

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(followed, "write_record", full)
    with pytest.raises(HostError, match=r"\.table\.mxrelay: No space left"):
        note_followed(followed.replace(plan, following=Following({"x.example": X})))


def test_note_on_a_domain_is_taken_back_and_that_on_others_stays(table: TableOnHost) -> None:
    note = table.path.with_name(".table.sources")
    change(table, Following({"x.example": X}), "a@x.example")
    before = note.read_bytes()
    change(table, Following({"x.example": X}), "b@x.example")
    assert read_followed(str(table.path))["x.example"].vanished == ("a@x.example",)
    take_back_followed(str(table.path), {"x.example"}, before)
    assert note.read_bytes() == before
    other = FollowedDomain("y.example", (AD,))
    change(table, Following({"x.example": X, "y.example": other}), "b@x.example")
    take_back_followed(str(table.path), {"x.example"}, before)
    assert {name: domain.vanished for name, domain in read_followed(str(table.path)).items()} == {
        "x.example": (),
        "y.example": (),
    }


def test_new_note_goes_again_unless_it_is_also_on_others(table: TableOnHost) -> None:
    note = table.path.with_name(".table.sources")
    change(table, Following({"x.example": X, "y.example": FollowedDomain("y.example", (AD,))}), "a@x.example")
    take_back_followed(str(table.path), {"x.example"}, None)
    assert list(read_followed(str(table.path))) == ["y.example"]
    take_back_followed(str(table.path), {"y.example"}, None)
    assert not note.exists()
    take_back_followed(str(table.path), {"y.example"}, None)
