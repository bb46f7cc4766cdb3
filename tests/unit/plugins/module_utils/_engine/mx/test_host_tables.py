# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host_tables import read_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import read_settings
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost


@pytest.mark.parametrize(("manage", "missing", "refused"), [(True, "lmdb", ""), (False, "", "table")])
def test_type_whose_package_is_missing_is_no_reason_against_a_table_that_is_there(
    tmp_path: pathlib.Path, manage: bool, missing: str, refused: str
) -> None:
    (tmp_path / "relay_recipients").write_text("a@x.example x\n")
    fake = FakeHost(str(tmp_path))
    fake.parameters["relay_recipient_maps"] = f"hash:{tmp_path}/relay_recipients"
    fake.broken_types = {"lmdb"}
    postfix = fake.postfix()
    request = read_request({"role": "secondary_mx", "table_type": "lmdb", "manage_package": manage})
    settings = read_settings(postfix, ["relay_recipient_maps"])
    read = read_table(postfix, request, settings, "relay_recipient_maps", "relay_recipients")
    assert read.table is None
    assert read.missing_type == missing
    assert (read.refusal.check if read.refusal else "") == refused
