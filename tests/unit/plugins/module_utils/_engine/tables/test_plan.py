# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables import plan as planning
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.change import change_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.plan import TableOptions
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import TableReference
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils._engine.tables.table_on_host import (
    ALICE,
    TableOnHost,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost, contents


def test_check_mode_plans_the_same_and_writes_nothing(host: FakeHost, table: TableOnHost) -> None:
    table.written(b"bob@x.example x\n")
    before = contents(host.config_directory)
    edits = Edits(set={"alice@x.example": "x"}, remove=["bob@x.example"])
    checked = table.change(edits, check_mode=True)
    assert contents(host.config_directory) == before
    done = table.change(edits)
    assert (
        (checked.changed, checked.added, checked.removed, checked.index_rebuilt, checked.total)
        == (
            done.changed,
            done.added,
            done.removed,
            done.index_rebuilt,
            done.total,
        )
        == (True, ["alice@x.example"], ["bob@x.example"], True, 1)
    )


@pytest.mark.parametrize(("limit", "refused"), [("2", False), ("1", True), ("50%", False), ("49%", True), ("0", True)])
def test_more_removals_than_allowed_are_refused(host: FakeHost, table: TableOnHost, limit: str, refused: bool) -> None:
    table.written(b"a x\nb x\nc x\nd x\n")
    before = contents(host.config_directory)
    edits = Edits(remove=["a", "b"])
    if not refused:
        assert table.change(edits, max_removals=limit).removed == ["a", "b"]
        return
    with pytest.raises(Refused) as caught:
        table.change(edits, max_removals=limit)
    assert caught.value.message == (
        f"{table.path}: 2 of 4 entries would be removed, more than max_removals ({limit}) allows; "
        "check that the list is complete, or raise max_removals"
    )
    assert contents(host.config_directory) == before


def test_limit_that_is_not_a_number_is_refused(host: FakeHost, table: TableOnHost) -> None:
    with pytest.raises(InvalidInput) as caught:
        table.change(max_removals="many")
    assert caught.value.message == '"many" (max_removals) is not a number or a percentage; write it as 10 or as "10%"'
    assert os.listdir(host.config_directory) == []


@pytest.mark.parametrize("source", [b"", None])
def test_rows_of_an_index_that_has_more_than_the_source_count_as_removals(
    host: FakeHost, table: TableOnHost, source: bytes | None
) -> None:
    table.written(b"".join(b"a%d x\n" % number for number in range(100)))
    table.path.unlink()
    if source is not None:
        table.path.write_bytes(source)
    before = contents(host.config_directory)
    with pytest.raises(Refused) as caught:
        table.change(Edits(set={"a1": "x"}, purge=True), max_removals="10%")
    assert caught.value.message.startswith(f"{table.path}: 99 of 100 entries would be removed, more than")
    assert contents(host.config_directory) == before


def test_missing_source_with_an_index_is_not_replaced(table: TableOnHost) -> None:
    table.written(b"bob@x.example x\n")
    table.path.unlink()
    with pytest.raises(Refused) as caught:
        table.change()
    assert caught.value.message == (
        f"{table.path} is missing, but its index {table.index} is there, so a new table would lose the entries of "
        f"the index; write the source again (postmap -s hash:{table.path}) or remove the index"
    )
    assert table.change(Edits(set={"a": "x"}, purge=True)).changed


def test_nothing_to_remove_makes_no_table(host: FakeHost, table: TableOnHost) -> None:
    plan = table.change(Edits(remove=["a"], owned=["x.example"]))
    assert (plan.changed, plan.total) == (False, 0)
    assert os.listdir(host.config_directory) == []


def test_warnings_name_file_and_line(table: TableOnHost) -> None:
    table.written(b"keyonly\n")
    assert table.change().warnings == [f"{table.path}: line 1: has a key without a value; Postfix ignores the entry"]


def test_duplicates_of_others_are_told_with_both_lines(table: TableOnHost) -> None:
    table.written(b"bob@x.example x\n\xe9@x.example x\n\xe9@x.example x\nBob@x.example y\n")
    assert [warning for warning in table.change().warnings if "UTF-8" not in warning] == [
        f"{table.path}: line 4: has the key of line 1; Postfix ignores the later entry"
    ]
    assert table.path.read_bytes().endswith(b"Bob@x.example y\nalice@x.example x\n")


def test_very_many_warnings_are_counted(table: TableOnHost) -> None:
    table.written(b"bob@x.example x\n" * 30)
    warnings = table.change().warnings
    assert (len(warnings), warnings[-1]) == (21, "... and 9 more warnings")


def test_index_state_believes_the_record(host: FakeHost, table: TableOnHost) -> None:
    table.change()
    host.commands.clear()
    assert planning.index_state(host.postfix(), table.reference) == "current"
    assert host.names() == ["postconf"]


def test_lmdb_key_limit(host: FakeHost) -> None:
    table = TableOnHost(host, "lmdb")
    table.change(Edits(set={"k" * 510: "x"}))
    with pytest.raises(InvalidInput, match="is longer than 510 bytes, the most that an lmdb table takes as a key"):
        table.change(Edits(set={"k" * 511: "x"}))


def test_quoted_white_space_needs_postfix_3_2(host: FakeHost, table: TableOnHost) -> None:
    edits = Edits(set={'"a b"@x.example': "x"})
    host.parameters["mail_version"] = "3.1.15"
    with pytest.raises(
        InvalidInput, match=r'^"a b"@x\.example contains quoted white space, which keys can.t have before'
    ):
        table.change(edits)
    host.parameters["mail_version"] = "3.2.0"
    assert table.change(edits).changed


def test_missing_directory_is_named(host: FakeHost) -> None:
    reference = TableReference("hash", f"{host.config_directory}/none/table")
    with pytest.raises(HostError) as caught:
        change_table(host.postfix(), reference, ALICE, TableOptions(), False)
    assert caught.value.message == (
        f"{host.config_directory}/none: the directory of {reference} does not exist; create it or correct the path"
    )
    with pytest.raises(HostError) as caught:
        planning.plan_table(host.postfix(), reference, ALICE, TableOptions())
    assert caught.value.message == (
        f"{host.config_directory}/none: the directory of {reference} does not exist; create it or correct the path"
    )


def test_source_that_cannot_be_read_is_told_without_a_wrong_remedy(host: FakeHost) -> None:
    with pytest.raises(HostError) as caught:
        read_file(host.config_directory)
    assert caught.value.message == f"{host.config_directory}: is a directory, not a regular file; correct the path"


def test_directory_is_not_a_table(table: TableOnHost) -> None:
    table.path.mkdir()
    with pytest.raises(HostError, match="is a directory, not the source of a table; correct the path"):
        table.change()
