# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils._engine.tables.table_on_host import (
    TableOnHost,
    index_rows,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost, contents
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.old_mx_host import OldMxHost


def test_new_type_is_built_beside_the_old_index_which_goes_when_nothing_names_it(host: FakeHost) -> None:
    old = TableOnHost(host, "hash")
    old.change()
    host.parameters["relay_recipient_maps"] = f"proxy:hash:{old.path}"
    before = old.index.read_bytes()
    new = TableOnHost(host, "lmdb")
    plan = new.change(remove_old_index=True)
    assert index_rows(new) == ["alice@x.example\tx"]
    assert old.index.read_bytes() == before
    assert plan.warnings == [
        f"{old.index} is kept, since Postfix is configured to read hash:{old.path}; "
        f"name lmdb:{old.path} instead, reload, and run again"
    ]
    host.parameters["relay_recipient_maps"] = f"lmdb:{old.path}"
    assert not new.change().changed
    assert old.index.exists()
    assert new.change(remove_old_index=True, check_mode=True).old_indexes == [str(old.index)]
    assert old.index.exists()
    assert new.change(remove_old_index=True).changed
    assert not old.index.exists()
    assert not new.change(remove_old_index=True).changed


@pytest.mark.parametrize("version", ["2.6.6", "2.10.1", "2.11.0"])
@pytest.mark.parametrize("value", ["hash:{}", "proxy:hash:{}", "${{myhostname?hash:{}}}"])
def test_index_that_only_master_cf_names_is_in_use_on_every_release(
    tmp_path: pathlib.Path, version: str, value: str
) -> None:
    host = OldMxHost(str(tmp_path), version)
    old = TableOnHost(host, "hash")
    old.change()
    new = TableOnHost(host, "lmdb")
    host.write("master.cf", f"smtp inet n - n - - smtpd -o relay_recipient_maps={value.format(old.path)}\n")
    assert new.change(remove_old_index=True).warnings == [
        f"{old.index} is kept, since Postfix is configured to read hash:{old.path}; "
        f"name lmdb:{old.path} instead, reload, and run again"
    ]
    assert old.index.exists()
    host.write("master.cf", "smtp inet n - n - - smtpd\n")
    assert new.change(remove_old_index=True).warnings == []
    assert not old.index.exists()


def test_nothing_is_removed_where_it_is_not_known_what_master_cf_names(tmp_path: pathlib.Path) -> None:
    host = OldMxHost(str(tmp_path), "2.10.1")
    old = TableOnHost(host, "hash")
    old.change()
    host.write("master.cf", "smtp inet n - smtpd\n")
    with pytest.raises(HostError) as caught:
        TableOnHost(host, "lmdb").change(remove_old_index=True)
    assert caught.value.message == (
        f'{tmp_path}/master.cf, line 1: "smtp inet n - smtpd" has 5 of the 8 fields that a service needs; '
        "correct or remove the line"
    )
    assert old.index.exists()


def test_index_is_not_put_in_the_place_of_one_of_another_type(host: FakeHost) -> None:
    old = TableOnHost(host, "hash")
    old.change()
    host.parameters["relay_recipient_maps"] = f"hash:{old.path}"
    before = contents(host.config_directory)
    with pytest.raises(Refused) as caught:
        TableOnHost(host, "btree").change()
    assert caught.value.message == (
        f"{old.index} is the index of hash:{old.path}, which Postfix is configured to read, and an index of type "
        "btree has the same name; give another path for the btree table and name that one in main.cf, "
        "or use another type"
    )
    assert contents(host.config_directory) == before
    host.parameters["relay_recipient_maps"] = ""
    assert TableOnHost(host, "btree").change().index_rebuilt


def test_table_that_is_in_use_is_built_again_in_its_own_place(host: FakeHost, table: TableOnHost) -> None:
    table.change()
    host.parameters["relay_recipient_maps"] = str(table.reference)
    assert table.change(Edits(set={"bob@x.example": "x"})).index_rebuilt
    assert index_rows(table) == ["alice@x.example\tx", "bob@x.example\tx"]
