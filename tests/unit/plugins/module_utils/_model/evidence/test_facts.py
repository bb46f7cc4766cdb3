# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import best_exchanger
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    MxRecord,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import OWN, host


@pytest.mark.parametrize(
    ("records", "own"),
    [
        ([], None),
        ([MxRecord(10, "other", ("192.0.2.1",))], None),
        ([MxRecord(10, "other", ()), OWN], None),
        ([OWN], OWN),
        ([MxRecord(20, "other", ("192.0.2.1",)), OWN], OWN),
        ([MxRecord(30, "other", ("192.0.2.1",)), OWN], OWN),
        ([MxRecord(20, "alias.example", ("192.0.2.9",))], MxRecord(20, "alias.example", ("192.0.2.9",))),
    ],
)
def test_best_exchanger_is_told(records: list[MxRecord], own: MxRecord | None) -> None:
    assert best_exchanger(records, host(), ()) == own
