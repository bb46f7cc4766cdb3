# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.neighbours import Neighbours, read_neighbours
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import MxRequest, read_request
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeNetwork

LIMITS = {"connections": 50}


@pytest.fixture(name="network")
def _network() -> FakeNetwork:
    network = FakeNetwork()
    network.names["mail.example"] = ("192.0.2.20",)
    network.records["x.example"] = (MxRecord(10, "mx1.example", ("192.0.2.9",)), MxRecord(20, "mx2.example", ("::2",)))
    return network


def primary(limits: dict[str, Any], **fields: Any) -> MxRequest:
    item = {"name": "x.example", "recipients_policy": "any", "mail_host": "mail.example", **fields}
    gone = {"name": "gone.example", "state": "absent"}
    return read_request({"role": "primary_mx", "domains": [item, gone], "limits": limits})


def test_nothing_is_asked_without_limits(network: FakeNetwork) -> None:
    assert read_neighbours(network, primary({})) == Neighbours({}, False)
    assert network.asked == []


def test_mail_hosts_and_mx_hosts_have_their_addresses(network: FakeNetwork) -> None:
    found = read_neighbours(network, primary(LIMITS))
    assert found.neighbours == {
        "mx1.example": ("192.0.2.9",),
        "mx2.example": ("::2",),
        "mail.example": ("192.0.2.20",),
    }
    assert found.neighbours_unanswered is False
    assert network.asked == ["mail.example", "x.example"]


def test_mail_host_that_is_looked_up_by_mx_is_asked_for_so(network: FakeNetwork) -> None:
    network.records["mail.example"] = (MxRecord(10, "box.example", ("192.0.2.30",)),)
    found = read_neighbours(network, primary(LIMITS, mx_lookup=True))
    assert found.neighbours["box.example"] == ("192.0.2.30",)
    assert network.asked == ["x.example", "mail.example"]


@pytest.mark.parametrize("silent", ["mail host", "domain", "exchanger"])
def test_what_did_not_answer_is_told(network: FakeNetwork, silent: str) -> None:
    if silent == "mail host":
        network.names.clear()
    elif silent == "domain":
        network.records.clear()
    else:
        network.records["x.example"] = (MxRecord(10, "mx2.example", (), resolved=False),)
    assert read_neighbours(network, primary(LIMITS)).neighbours_unanswered is True
