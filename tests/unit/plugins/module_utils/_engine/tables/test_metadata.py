# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.metadata import (
    current_metadata,
    described,
    new_metadata,
    with_options,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import Metadata, metadata_of
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils._engine.tables.table_on_host import (
    ALICE,
    ME,
    MY_GROUP,
    TableOnHost,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost


def test_metadata_of_an_existing_table_stays(table: TableOnHost) -> None:
    table.written(b"bob@x.example x\n")
    table.path.chmod(0o604)
    table.index.chmod(0o644)
    table.change()
    assert [oct(path.stat().st_mode & 0o7777) for path in (table.path, table.index)] == ["0o604", "0o644"]


def test_rebuilt_index_gets_the_mode_of_its_source(table: TableOnHost) -> None:
    table.written(b"alice@x.example x\n")
    table.path.chmod(0o600)
    table.index.unlink()
    table.change()
    assert oct(table.index.stat().st_mode & 0o7777) == "0o600"


def test_mode_is_applied_to_both_files_without_building(host: FakeHost, table: TableOnHost) -> None:
    table.change()
    plan = table.change(mode="0644", owner=str(os.geteuid()), group=MY_GROUP)
    assert plan.changed
    assert [change.path for change in plan.metadata_changes] == [str(table.path), str(table.index)]
    assert [oct(path.stat().st_mode & 0o7777) for path in (table.path, table.index)] == ["0o644", "0o644"]
    assert host.builds() == []
    assert not table.change(mode="0644").changed


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("owner", "nobody-here", '"nobody-here" (owner) is not a user of this host; create the user or correct it'),
        ("group", "nobody-here", '"nobody-here" (group) is not a group of this host; create the group or correct it'),
        (
            "owner",
            "4294967295",
            '"4294967295" (owner) is not a user of this host; create the user or correct it',
        ),
        ("group", "\u00b2", '"\u00b2" (group) is not a group of this host; create the group or correct it'),
        ("mode", 8.5, "8.5 (mode) is not a mode; write octal digits in quotes, such as '0640'"),
        ("mode", "u+x", "\"u+x\" (mode) is not an octal mode; write octal digits in quotes, such as '0640'"),
        ("mode", "1777", "\"1777\" (mode) is not a mode from 0000 to 0777; write it in quotes, such as '0640'"),
        ("mode", True, "True (mode) is not a mode; write octal digits in quotes, such as '0640'"),
    ],
)
def test_bad_option_is_refused_before_anything_is_written(
    host: FakeHost, table: TableOnHost, option: str, value: object, message: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        table.change(**{option: value})
    assert caught.value.message == message
    assert os.listdir(host.config_directory) == []


def test_yaml_number_is_a_mode(table: TableOnHost) -> None:
    table.change(mode=0o604)
    assert oct(table.path.stat().st_mode & 0o7777) == "0o604"


@pytest.mark.parametrize("option", [{"owner": "4123456789"}, {"group": "4123456789"}, {"mode": "0666"}])
@pytest.mark.parametrize("name", ["table", "table.db"])
def test_target_of_a_link_is_not_given_away(
    table: TableOnHost, tmp_path: pathlib.Path, name: str, option: dict[str, str]
) -> None:
    table.change()
    target = tmp_path / "elsewhere"
    link = table.path.with_name(name)
    link.rename(target)
    link.symlink_to(target)
    before = metadata_of(str(target)), target.read_bytes()
    for edits in (ALICE, Edits(set={"bob@x.example": "x"})):
        with pytest.raises(Refused) as caught:
            table.change(edits, **option)
        assert caught.value.message == (
            f"{link}: is a symbolic link to {target}, whose owner, group or mode would change; "
            "give the path of that file, or leave out owner, group and mode"
        )
    assert (metadata_of(str(target)), target.read_bytes()) == before
    assert not table.change(owner=ME, group=MY_GROUP, mode="0640").changed


def test_metadata_is_described_by_name_where_there_is_one() -> None:
    assert described(Metadata(os.geteuid(), os.getegid(), 0o640)) == f"owner {ME}, group {MY_GROUP}, mode 0640"
    assert described(Metadata(4123456789, 4123456788, 0o7)) == "owner 4123456789, group 4123456788, mode 0007"


def test_new_and_changed_metadata() -> None:
    new = new_metadata(ME, MY_GROUP, "0640")
    assert new == Metadata(os.geteuid(), os.getegid(), 0o640)
    assert with_options(new, None, "", None) == new
    assert with_options(new, "4123456789", "0", 0o600) == Metadata(4123456789, 0, 0o600)


def test_metadata_of_a_file_that_is_not_there_is_none(table: TableOnHost) -> None:
    assert current_metadata(str(table.path)) is None
    table.path.touch(mode=0o604)
    assert current_metadata(str(table.path)).mode == 0o604
