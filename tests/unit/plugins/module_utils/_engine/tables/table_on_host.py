# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table of the fake host, as change_table changes it, and ways for its file system to fail."""

from __future__ import annotations

import errno
import grp
import itertools
import os
import pathlib
import pwd
from collections.abc import Callable
from unittest import mock

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.change import change_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.plan import TableOptions, TablePlan
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import TableReference
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost

ME = pwd.getpwuid(os.geteuid()).pw_name
MY_GROUP = grp.getgrgid(os.getegid()).gr_name
ALICE = Edits(set={"alice@x.example": "x"})


class TableOnHost:
    """One table of the fake host."""

    def __init__(self, host: FakeHost, table_type: str = "hash") -> None:
        self.host = host
        self.path = pathlib.Path(host.config_directory) / "table"
        self.reference = TableReference(table_type, str(self.path))
        self.index = pathlib.Path(f"{self.path}{host.suffixes.get(table_type, '')}")
        self.record = self.path.with_name(".table.mxrelay")

    def change(self, edits: Edits = ALICE, check_mode: bool = False, **options: object) -> TablePlan:
        given = TableOptions(new_owner=ME, new_group=MY_GROUP, **options)
        self.host.commands.clear()
        return change_table(self.host.postfix(), self.reference, edits, given, check_mode)[0]

    def change_dying_at(self, step: int) -> None:
        """A change that is killed instead of its rename number `step`."""
        replace = os.replace
        renames = itertools.count(1)

        def dying(source: str, target: str) -> None:
            if next(renames) == step:
                raise KeyboardInterrupt
            replace(source, target)

        with mock.patch.object(os, "replace", dying), pytest.raises(KeyboardInterrupt):
            self.change()

    def written(self, data: bytes) -> None:
        """The source as others wrote it, with the index that postmap makes of it."""
        self.path.write_bytes(data)
        self.host.postfix().build(str(self.reference))


def index_rows(table: TableOnHost) -> list[str]:
    return table.index.read_text().splitlines()[1:]


def out_of_space(part: str) -> Callable[[int], None]:
    """fsync on a full file system, for files with `part` in their path."""

    def sync(descriptor: int) -> None:
        if part in os.readlink(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return sync
