# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.relay_domains import (
    Captures,
    RelayDomains,
    read_captures,
    read_classes,
    read_probes,
    read_reach,
    read_relay_domains,
    transport_keys,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    Capture,
    HostState,
    TableState,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import MxRequest, read_request
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost, FakeNetwork


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> FakeMxHost:
    return FakeMxHost(str(tmp_path))


def reader(host: FakeMxHost) -> MapReader:
    return MapReader(host.postfix())


def relayed(host: FakeMxHost, value: str, *declared: str, explicit: str | None = None) -> RelayDomains:
    values = {"relay_domains": value, "parent_domain_matches_subdomains": "relay_domains"}
    state = HostState(values=values, explicit={} if explicit is None else {"relay_domains": explicit})
    return read_relay_domains(declared, state, reader(host))


def test_domains_that_main_cf_names_are_their_own_members(host: FakeMxHost) -> None:
    found = relayed(host, "x.example, .y.example !z.example", explicit="x.example, .y.example !z.example")
    assert found == RelayDomains(True, {"x.example": "x.example", ".y.example": ".y.example"}, [])


def test_domains_behind_a_name_are_that_names(host: FakeMxHost) -> None:
    found = relayed(host, "x.example, mx.example", explicit="x.example, $mydestination")
    assert found.relayed == {"x.example": "x.example", "mx.example": "$mydestination"}
    assert relayed(host, "mx.example").relayed == {"mx.example": "relay_domains"}


def test_domains_of_a_table_or_file_are_its_own(host: FakeMxHost) -> None:
    host.table("domains", "x.example any\n.y.example any\n")
    host.write("more", "# ours\nz.example\n")
    table, path = f"hash:{host.path('domains')}", host.path("more")
    found = relayed(host, f"{table} {path}", explicit=f"{table} {path}")
    assert found.relayed == {"x.example": table, ".y.example": table, "z.example": path}
    assert found.unlisted_relay_members == []


def test_table_that_only_answers_is_asked_for_the_declared_domains(host: FakeMxHost) -> None:
    found = relayed(host, "static:x, /nowhere", "x.example", explicit="static:x, /nowhere")
    assert found.relayed == {"x.example": "static:x"}
    assert found.unlisted_relay_members == ["static:x", "/nowhere"]


def test_parents_match_only_if_postfix_says_so(host: FakeMxHost) -> None:
    state = HostState(values={"relay_domains": "x.example", "parent_domain_matches_subdomains": "smtpd_access_maps"})
    assert read_relay_domains([], state, reader(host)).relay_parents is False


def test_other_classes_name_the_member_that_matches(host: FakeMxHost) -> None:
    host.table("virtual", "x.example any\nd.example any\n")
    table = f"hash:{host.path('virtual')}"
    values = {"mydestination": "mx.example, X.example", "virtual_mailbox_domains": table}
    state = HostState(values=values, relayed={"mx.example": "$mydestination", "sub.x.example": "sub.x.example"})
    assert read_classes(["x.example", "d.example"], state, reader(host)) == {
        "x.example": {"mydestination": "x.example", "virtual_mailbox_domains": table},
        "d.example": {"virtual_mailbox_domains": table},
        "mx.example": {"mydestination": "mx.example"},
    }


def request(*items: dict[str, Any], role: str = "primary_mx", **settings: Any) -> MxRequest:
    every = [{"recipients_policy": "any", **item} for item in items or [{"name": "x.example"}]]
    if role == "primary_mx":
        every = [{"mail_host": "mail.example", **item} for item in every]
    return read_request({"role": role, "domains": every, **settings})


def captures(host: FakeMxHost, maps: str, wanted: MxRequest | None = None) -> Captures:
    """OURS in `maps` is our table, OTHER another one."""
    ours, other = (f"hash:{host.path(name)}" for name in ("transport", "other"))
    value = maps.replace("OURS", ours).replace("OTHER", other)
    member = ours if "OURS" in maps else ""
    state = HostState(
        values={"transport_maps": value}, transport=TableState(ours, host.path("transport"), "hash", member=member)
    )
    return read_captures(wanted or request(), state, reader(host))


@pytest.mark.parametrize(
    ("maps", "rows", "strong", "weak"),
    [
        # The whole address is asked for in every member before any is asked for the domain.
        (
            "OURS, static:smtp:[all]",
            "",
            ("static:smtp:[all]", "any address of x.example"),
            ("static:smtp:[all]", "x.example"),
        ),
        ("OTHER, OURS", "x.example smtp:[o]", ("OTHER", "x.example"), None),
        ("OURS, OTHER", "x.example smtp:[o]", None, ("OTHER", "x.example")),
        ("OTHER, OURS", ".example smtp:[o]", None, ("OTHER", ".example")),
        ("OTHER, OURS", "* smtp:[o]", None, ("OTHER", "*")),
        # It says what a row of ours would.
        ("OTHER, OURS", "x.example relay:[mail.example]", None, None),
        ("OURS", "x.example smtp:[o]", None, None),
        # main.cf is to get our table behind it.
        ("OTHER", "x.example smtp:[o]", ("OTHER", "x.example"), None),
    ],
)
def test_answer_of_another_member_captures_by_its_place(
    host: FakeMxHost, maps: str, rows: str, strong: tuple[str, str] | None, weak: tuple[str, str] | None
) -> None:
    host.table("other", rows)
    host.table("transport", "")
    found = captures(host, maps)
    other = f"hash:{host.path('other')}"
    for captured, expected in ((found.captures, strong), (found.weak_captures, weak)):
        places = {name: (capture.member.replace(other, "OTHER"), capture.key) for name, capture in captured.items()}
        assert places == ({"x.example": expected} if expected else {})


def test_table_that_ours_replaces_captures_nothing(host: FakeMxHost) -> None:
    state = HostState(
        values={"transport_maps": "static:smtp:[all]"},
        transport=TableState("hash:/t", "/t", "hash", replaces=("static:smtp:[all]",)),
    )
    assert read_captures(request(), state, reader(host)) == Captures({}, {})


def test_row_that_leaves_mail_to_the_mx_records_captures_no_secondary(host: FakeMxHost) -> None:
    host.table("other", "x.example relay:\n")
    host.table("transport", "")
    assert captures(host, "OTHER, OURS", request(role="secondary_mx")) == Captures({}, {})
    assert captures(host, "OTHER, OURS").captures == {
        "x.example": Capture(f"hash:{host.path('other')}", "x.example", "relay:")
    }


def test_nobody_is_asked_for_domains_that_go(host: FakeMxHost) -> None:
    gone = request({"name": "x.example", "state": "absent"})
    assert captures(host, "OTHER", gone) == Captures({}, {})
    assert host.commands == []


def test_keys_of_a_domain_are_those_of_transport_5() -> None:
    assert transport_keys("b.a.example") == ["mxrelay-probe@b.a.example", "b.a.example", ".a.example", ".example", "*"]


def test_probe_recipients_are_asked_for_as_postfix_asks(host: FakeMxHost) -> None:
    host.table("recipients", "known@x.example x\n")
    state = HostState(values={"relay_recipient_maps": f"hash:{host.path('recipients')}"})
    items = [
        {"name": name, "recipients_policy": "external", "probe_recipient": recipient}
        for name, recipient in (("x.example", "Known@x.example"), ("y.example", "unknown@y.example"))
    ]
    wanted = request(*items, {"name": "z.example"})
    assert read_probes(wanted, state, reader(host)) == {"Known@x.example": True, "unknown@y.example": False}


@pytest.mark.parametrize(
    ("delimiters", "setting", "known"),
    [("", "", [False, False, False]), ("+", "", [True, False, True]), ("+", "none", [False] * 3)]
    + [("", "-+", [True, True, True]), ("-", "+", [True, False, True])],
)
def test_probe_recipient_is_known_without_what_follows_a_delimiter(
    host: FakeMxHost, delimiters: str, setting: str, known: list[bool]
) -> None:
    host.table("recipients", "known@x.example x\n")
    host.write("patterns", "/^known@z.example$/ x\n")
    maps = f"regexp:{host.path('patterns')}, hash:{host.path('recipients')}"
    state = HostState(values={"relay_recipient_maps": maps, "recipient_delimiter": delimiters})
    probes = ["Known+a-b@x.example", "known-a+b@x.example", "known+@x.example"]
    external = {"name": "x.example", "recipients_policy": "external"}
    found = [
        read_probes(request({**external, "probe_recipient": probe}, recipient_delimiter=setting), state, reader(host))[
            probe
        ]
        for probe in probes
    ]
    assert found == known
    item = {"name": "z.example", "recipients_policy": "external", "probe_recipient": "known+a@z.example"}
    # Postfix asks a table of patterns for the whole address alone.
    assert read_probes(request(item), state, reader(host)) == {"known+a@z.example": False}


def test_nobody_is_asked_without_a_probe_recipient(host: FakeMxHost) -> None:
    state = HostState(values={"relay_recipient_maps": "static:x"})
    assert read_probes(request(), state, reader(host)) == {}
    assert host.commands == []


def asked_of_dns(wanted: MxRequest, **fields: Any) -> list[str]:
    """The hosts whose addresses were asked for, then the domains whose MX records were."""
    network = FakeNetwork()
    network.names["mail.example"] = ("198.51.100.5",)
    found = read_reach(network, wanted, HostState(**fields))
    assert found.own_addresses == frozenset({"127.0.0.1", "192.0.2.9"})
    return network.asked


@pytest.mark.parametrize(
    ("rows", "asked"),
    [
        ({}, []),
        ({"x.example": "relay:"}, []),
        ({"x.example": "relay:[mail.example]"}, ["x.example"]),
    ],
)
def test_secondary_that_loses_its_transport_row_is_looked_up_first(rows: dict[str, str], asked: list[str]) -> None:
    table = TableState("hash:/t", "/t", "hash", rows=rows)
    wanted = request(role="secondary_mx")
    assert asked_of_dns(wanted, relayed={"x.example": "x.example"}, transport=table) == asked
    assert asked_of_dns(wanted, transport=table) == ["x.example"]


@pytest.mark.parametrize(
    ("fields", "rows", "asked"),
    [
        ({"mail_host": "mail.example"}, {}, ["mail.example"]),
        ({"mail_host": "mail.example"}, {"x.example": "relay:[mail.example]"}, []),
        # Without an address it may be that the name has other records, or is not there.
        ({"mail_host": "typo.example"}, {}, ["typo.example", "typo.example"]),
        ({"mail_host": "mail.example", "mx_lookup": True}, {}, ["mail.example", "mail.example"]),
    ],
)
def test_mail_host_is_looked_up_unless_the_row_is_there(
    fields: dict[str, Any], rows: dict[str, str], asked: list[str]
) -> None:
    table = TableState("hash:/t", "/t", "hash", rows=rows)
    assert asked_of_dns(request({"name": "x.example", **fields}), transport=table) == asked


def test_domains_that_go_are_looked_up_unless_that_is_forced() -> None:
    gone = {"name": "x.example", "state": "absent"}
    assert asked_of_dns(request(gone)) == ["x.example"]
    assert asked_of_dns(request({**gone, "force": True})) == []
    relayed = {"x.example": "x.example", "old.example": "old.example"}
    assert asked_of_dns(request(gone), relayed=relayed) == ["x.example"]
    assert asked_of_dns(request(gone, remove_undeclared=True), relayed=relayed) == ["x.example", "old.example"]
