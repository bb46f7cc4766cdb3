# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables import plan as planning
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.replace import SCRATCH_PREFIX
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils._engine.tables.table_on_host import (
    ALICE,
    TableOnHost,
    index_rows,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost


def test_changed_source_with_its_old_index_and_old_times_is_found(table: TableOnHost) -> None:
    table.change()
    status = table.path.stat()
    table.path.write_bytes(b"alice@x.example x\nbob@x.example x\n")
    os.utime(table.path, ns=(status.st_atime_ns, status.st_mtime_ns))
    plan = table.change()
    assert (plan.state, plan.changed) == ("stale", True)
    assert index_rows(table) == ["alice@x.example\tx", "bob@x.example\tx"]


@pytest.mark.parametrize(("record", "mode"), [("not json", 0o600), ('{"type": "hash"}', 0o600), (None, 0o644)])
def test_record_that_is_not_ours_is_not_believed(
    host: FakeHost, table: TableOnHost, record: str | None, mode: int
) -> None:
    table.change()
    if record is not None:
        table.record.write_text(record)
    table.record.chmod(mode)
    assert not table.change().changed
    assert ["postmap", "-s", str(table.reference)] in host.commands


def test_record_that_is_a_symbolic_link_is_not_believed(host: FakeHost, table: TableOnHost) -> None:
    table.change()
    table.record.rename(table.record.with_name("moved"))
    table.record.symlink_to(table.record.with_name("moved"))
    assert not table.change().changed
    assert ["postmap", "-s", str(table.reference)] in host.commands


@pytest.mark.parametrize("name", [".table.mxrelay", "table.db"])
def test_fifo_in_the_place_of_a_record_or_an_index_is_not_waited_for(table: TableOnHost, name: str) -> None:
    table.change()
    table.path.with_name(name).unlink()
    os.mkfifo(table.path.with_name(name), 0o600)
    plan = table.change(Edits(set={"bob@x.example": "x"}))
    assert plan.state == ("unreadable" if name == "table.db" else "current")
    assert index_rows(table) == ["alice@x.example\tx", "bob@x.example\tx"]
    assert not table.change(ALICE).changed


def test_record_is_not_believed_when_keys_are_folded_otherwise(host: FakeHost, table: TableOnHost) -> None:
    table.change(Edits(set={"ä@x.example": "x"}))
    host.parameters["smtputf8_enable"] = "no"
    table.change(Edits(set={"ä@x.example": "x"}))
    assert ["postmap", "-s", str(table.reference)] in host.commands


def test_index_is_compared_as_postfix_folds_keys(host: FakeHost, table: TableOnHost) -> None:
    table.written("Ä@x.example x\n".encode())
    assert planning.index_state(host.postfix(), table.reference) == "current"
    host.parameters["smtputf8_enable"] = "no"
    assert planning.index_state(host.postfix(), table.reference) == "stale"


def test_index_that_cannot_be_listed_is_asked_for_every_key(host: FakeHost) -> None:
    host.unlisted_types = {"cdb"}
    table = TableOnHost(host, "cdb")
    edits = Edits(set={"alice@x.example": "x", "bob@x.example": "y"})
    assert table.change(edits).changed
    table.record.unlink()
    assert not table.change(edits).changed
    host.loses_rows_in = SCRATCH_PREFIX
    with pytest.raises(HostError, match=r"does not match the source \(0 rows read, 3 expected\)"):
        table.change(Edits(set={"carol@x.example": "x"}))
    assert table.path.read_bytes() == b"alice@x.example x\nbob@x.example y\n"


def test_rows_besides_are_seen_in_an_index_that_cannot_be_listed(host: FakeHost) -> None:
    host.unlisted_types = {"cdb"}
    table = TableOnHost(host, "cdb")
    table.written(b"alice@x.example x\nbob@x.example x\n")
    table.path.write_bytes(b"alice@x.example x\n")
    assert table.change(ALICE, check_mode=True).state == "stale"
    table.index.write_bytes(b"short")
    assert table.change(ALICE, check_mode=True).state == "unreadable"
    assert table.change(ALICE).changed
    assert not table.change(ALICE).changed
