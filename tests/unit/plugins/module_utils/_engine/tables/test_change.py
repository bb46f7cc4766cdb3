# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import tempfile
from unittest import mock

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables import change
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables import plan as planning
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils._engine.tables.table_on_host import (
    ALICE,
    TableOnHost,
    index_rows,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost, contents


def test_second_run_touches_nothing_and_runs_no_postmap(host: FakeHost, table: TableOnHost) -> None:
    table.change()
    before = contents(host.config_directory)
    plan = table.change()
    assert not plan.changed
    assert contents(host.config_directory) == before
    assert host.names() == ["postconf"]


def test_table_of_others_without_record_is_compared_by_content_and_not_touched(
    host: FakeHost, table: TableOnHost
) -> None:
    table.written(b"alice@x.example x\n")
    before = contents(host.config_directory)
    assert not table.change().changed
    assert contents(host.config_directory) == before
    assert host.builds() == []


@pytest.mark.parametrize(
    ("damage", "state", "reloads"),
    [("delete", "missing", 1), ("truncate", "unreadable", 1), ("stale", "stale", 0), ("garbage", "unreadable", 1)],
)
def test_damaged_index_is_repaired_while_the_source_stays(
    host: FakeHost, table: TableOnHost, damage: str, state: str, reloads: int
) -> None:
    table.change()
    source = contents(host.config_directory)["table"]
    if damage == "delete":
        table.index.unlink()
    else:
        table.index.write_text({"truncate": "", "stale": "hash\nbob@x.example\tx\n", "garbage": "?"}[damage])
    assert planning.index_state(host.postfix(), table.reference) == state
    plan = table.change()
    assert (plan.state, plan.changed, plan.index_rebuilt, plan.source_changed) == (state, True, True, False)
    assert index_rows(table) == ["alice@x.example\tx"]
    assert contents(host.config_directory)["table"] == source
    assert host.reloads() == reloads
    assert planning.index_state(host.postfix(), table.reference) == "current"
    assert not table.change().changed


def test_change_of_a_running_table_needs_no_reload(host: FakeHost, table: TableOnHost) -> None:
    table.change()
    table.change(Edits(set={"bob@x.example": "x"}))
    assert host.reloads() == 0
    assert index_rows(table) == ["alice@x.example\tx", "bob@x.example\tx"]


@pytest.mark.parametrize(
    ("value", "reloads"),
    [("static:a, proxy:{0}", 1), ("pipemap:{{proxy:{0}}}", 1), ("{0}, proxy:{0}s", 0), ("proxy:cdb:{1}", 0)],
)
def test_table_behind_proxymap_is_reloaded_when_it_changes(
    host: FakeHost, table: TableOnHost, value: str, reloads: int
) -> None:
    host.parameters["relay_recipient_maps"] = value.format(table.reference, table.path)
    table.written(b"bob@x.example x\n")
    assert table.change().changed
    assert host.reloads() == reloads
    assert not table.change().changed
    assert (host.reloads(), len(host.commands)) == (0, 1)


def test_run_that_changes_nothing_needs_no_space_for_its_record(
    table: TableOnHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "RECORDED_BYTES", 0)
    table.change()
    monkeypatch.setattr(tempfile, "mkdtemp", mock.Mock(side_effect=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
    plan = table.change(planning.TableRequest(lambda: ALICE, "name"))
    assert (plan.changed, plan.to_record is None) == (False, False)


def test_texthash_has_no_index_and_is_reloaded(host: FakeHost) -> None:
    table = TableOnHost(host, "texthash")
    plan = table.change()
    assert plan.changed and not plan.index_rebuilt
    assert (host.builds(), host.reloads()) == ([], 1)
    assert os.listdir(host.config_directory) == ["table"]
    assert planning.index_state(host.postfix(), table.reference) == "none"
    assert not table.change().changed
    assert host.names() == ["postconf"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_table_that_cannot_be_written_is_refused_in_check_mode_too(
    host: FakeHost, table: TableOnHost, check_mode: bool
) -> None:
    before = contents(host.config_directory)
    with mock.patch.object(change, "refuse_unwritable", side_effect=HostError("no")) as refuse:
        with pytest.raises(HostError, match="^no$"):
            table.change(check_mode=check_mode)
        path = table.reference.path
        record = os.path.join(host.config_directory, ".table.mxrelay")
        assert refuse.call_args_list == [mock.call(path, f"{path}.db", record)]
        assert contents(host.config_directory) == before
    table.change()
    with mock.patch.object(change, "refuse_unwritable", side_effect=HostError("no")):
        assert table.change().changed is False
