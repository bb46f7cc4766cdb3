# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.delimiter_warnings import (
    Sources,
    delimiter_warnings,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.plan import plan_mx
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.routes import Routes
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import (
    FakeMxHost,
    FakeNetwork,
    FakeProber,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_host_plans import converged, listed

NO = (550, "5.1.1 <a+mxrelay-probe@x.example>: Recipient address rejected: User unknown")
WARNING = (
    "x.example: its mail host mail.example refuses mail for user+tag (550 5.1.1 <[a recipient]>: Recipient address "
    "rejected: User unknown), which is accepted here: it bounces; remove + from recipient_delimiter here, or add it on "
    "the mail host"
)


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> FakeMxHost:
    host = FakeMxHost(str(tmp_path))
    converged(host)
    return host


@pytest.fixture(name="prober")
def _prober() -> FakeProber:
    prober = FakeProber()
    prober.answers = {"mxrelay-probe-": NO, "a+": NO, "a-": NO}
    return prober


def warned(host: FakeMxHost, prober: FakeProber, **settings: Any) -> list[str]:
    params = {"role": "primary_mx", "domains": [listed()], **settings}
    return list(plan_mx(params, host.postfix(), FakeNetwork(), lambda: prober).warnings)


def test_delimiter_that_the_mail_host_lacks_is_told_without_the_address(host: FakeMxHost, prober: FakeProber) -> None:
    assert warned(host, prober, recipient_delimiter="+") == [WARNING]
    assert prober.talks[0][:2] == ("mail.example", 25)


def test_mail_host_that_has_it_is_no_matter(host: FakeMxHost, prober: FakeProber) -> None:
    prober.answers = {"mxrelay-probe-": NO}
    assert warned(host, prober, recipient_delimiter="+") == []
    assert len(prober.talks) == 1


@pytest.mark.parametrize("settings", [{}, {"recipient_delimiter": "none"}, {"recipient_delimiter": "!"}])
def test_nobody_is_asked_if_no_delimiter_is_new(host: FakeMxHost, prober: FakeProber, settings: dict[str, str]) -> None:
    assert warned(host, prober, **settings) == []
    with open(host.path("main.cf"), "a", encoding="utf-8") as stream:
        stream.write("recipient_delimiter = +-\n")
    assert warned(host, prober, recipient_delimiter="+") == []
    assert prober.talks == []


def test_domains_that_others_declare_are_asked_about_as_well(host: FakeMxHost, prober: FakeProber) -> None:
    host.table("relay_recipients", "a@y.example x\n@z.example x\na@z.example x\na@x.example x\n")
    routes = {"x.example": "mail.example", "y.example": "other.example", "z.example": "wild.example"}
    host.table("transport", "".join(f"{name} relay:[{mail_host}]\n" for name, mail_host in routes.items()))
    with open(host.path("main.cf"), "a", encoding="utf-8") as stream:
        stream.write("relay_domains = x.example, y.example, z.example\n")
    told = warned(host, prober, recipient_delimiter="+")
    assert [line for line in told if "bounces" in line] == [
        WARNING,
        WARNING.replace("x.example", "y.example").replace("mail.example", "other.example"),
    ]
    # All addresses of z.example are accepted, with a delimiter or without.
    assert [server for server, _port, _recipients in prober.talks] == ["mail.example", "other.example"]


def test_secondary_asks_the_best_mx(host: FakeMxHost, prober: FakeProber) -> None:
    network = FakeNetwork()
    network.records["x.example"] = (MxRecord(10, "mail.example", ("192.0.2.20",)), MxRecord(20, "mx.example", ()))
    item = {"name": "x.example", "has_list": True, "recipients_count": 1}
    request = read_request({"role": "secondary_mx", "domains": [item, {"name": "y.example", "has_list": True}]})
    state = HostState(
        True,
        values={
            "recipient_delimiter": "+",
            "myhostname": "mx.example",
            "relay_recipient_maps": f"hash:{host.path('relay_recipients')}",
            "relay_transport": "relay",
        },
    )
    sources = Sources(host.postfix(), MapReader(host.postfix()), network)
    assert delimiter_warnings(request, state, Routes(), sources, prober) == [WARNING]
    assert network.asked == ["x.example"]
