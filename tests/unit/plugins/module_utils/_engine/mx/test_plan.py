# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.change import (
    MainCfRequest,
    plan_main_cf,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx import plan as module
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx import standby
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.plan import plan_mx
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.raise_record import write_raise
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.record import (
    RunRecord,
    begin,
    forget,
    standing,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import ServedCertificate
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import LifetimeRaise, Outage
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import PREFIX
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import idna2008, service
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import text_of
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.chains import Chain, Issued
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import (
    DEFAULTS,
    FakeMxHost,
    FakeNetwork,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import queue_entry
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_host_plans import (
    CLOSED,
    checks,
    converged,
    listed,
    plan,
)


@pytest.fixture
def host(tmp_path: Path) -> FakeMxHost:
    return FakeMxHost(str(tmp_path), CLOSED)


def test_new_host_gets_the_whole_change(host: FakeMxHost) -> None:
    results = plan(host, listed())
    assert results["refusals"] == []
    assert (results["installed"], results["ready"], results["pending"], results["version"]) == (
        True,
        True,
        True,
        "3.10.13",
    )
    assert results["transport"] == {
        "reference": f"hash:{host.path('transport')}",
        "path": host.path("transport"),
        "type": "hash",
        "entries": [{"pattern": "x.example", "result": "relay:[mail.example]"}],
        "repair": True,
        "changed": True,
    }
    assert [item["name"] for item in results["recipients"]["domains"]] == ["x.example"]
    assert results["main_cf"] == {
        "parameters": {},
        "absent": [],
        "add_items": {
            "relay_domains": ["x.example"],
            "relay_recipient_maps": [f"hash:{host.path('relay_recipients')}"],
            "transport_maps": [f"hash:{host.path('transport')}"],
        },
        "remove_items": {},
        "changed": True,
    }
    assert results["changes"] == [
        "recipients of x.example: listed",
        "transport x.example relay:[mail.example]",
        "main.cf: relay_domains gets x.example",
        f"main.cf: relay_recipient_maps gets hash:{host.path('relay_recipients')}",
        f"main.cf: transport_maps gets hash:{host.path('transport')}",
    ]


def test_converged_host_needs_nothing_and_is_judged_at_once(host: FakeMxHost) -> None:
    converged(host)
    results = plan(host, listed(), verify=True)
    assert (results["refusals"], results["changes"], results["pending"]) == ([], [], False)
    assert (results["recipients"]["domains"], results["transport"]["entries"]) == ([], [])
    assert results["findings"] == []
    assert results["warnings"] == []


def test_converged_host_is_judged_by_dns_only_where_that_is_asked_for(host: FakeMxHost) -> None:
    converged(host)
    network = FakeNetwork()
    network.records["x.example"] = (MxRecord(10, "elsewhere.example", ("192.0.2.1",)),)
    assert plan(host, listed(), network=network, verify=True)["findings"] == []
    assert network.asked == []
    results = plan(host, listed(), network=network, verify=True, verify_fail_on=["dns"])
    assert [(finding["check"], finding["scope"]) for finding in results["findings"]] == [("mx_record", "dns")]
    called = {"verify": True, "verify_fail_on": ["dns"], "host_name": "mx2.example.org"}
    (finding,) = plan(host, listed(), network=network, **called)["findings"]
    assert finding["remedy"].startswith("add the record x.example. IN MX 100 mx2.example.org.,")


def test_findings_wait_where_something_would_change(host: FakeMxHost) -> None:
    assert plan(host, listed(), verify=True)["findings"] is None
    converged(host)
    assert plan(host, listed())["findings"] is None


def test_changed_list_is_seen_by_its_digest_alone(host: FakeMxHost) -> None:
    converged(host)
    results = plan(host, listed("x.example", "a", "b"))
    assert [(item["name"], item["changed"]) for item in results["recipients"]["domains"]] == [("x.example", True)]
    assert results["main_cf"]["changed"] is False
    assert "b@x.example" not in str(results)


TLS = "smtpd_tls_chain_files = {key}, {chain}\nsmtpd_tls_security_level = may\n"


def with_certificate(host: FakeMxHost, made: Chain) -> dict[str, Any]:
    """The setting, on a host that has it in main.cf already, and nothing else to be done."""
    converged(host)
    with open(host.path("main.cf"), encoding="ascii") as stream:
        before = stream.read()
    host.write("main.cf", before + TLS.format(key=made.key, chain=made.chain))
    return {"certificate": {"chain": str(made.chain), "key": str(made.key)}, "verify": True}


def test_renewed_certificate_is_read_again(
    host: FakeMxHost, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("smtpd_tls_chain_files", "smtpd_tls_security_level"):
        monkeypatch.setitem(DEFAULTS, name, "")
    made = Chain(tmp_path_factory.mktemp("tls"))
    given, network = with_certificate(host, made), FakeNetwork()
    network.shown[25] = ServedCertificate("127.0.0.1", True, certificate=made.own.read, untrusted="unknown")
    results = plan(host, listed(), network=network, **given)
    assert (results["refusals"], results["pending"]) == ([], False)
    assert [(finding["check"], finding["severity"]) for finding in results["findings"]] == [("certificate", "info")]
    old = Issued("mx.example", made.authority)
    network.shown[25] = ServedCertificate("127.0.0.1", True, certificate=old.read, untrusted="unknown")
    results = plan(host, listed(), network=network, **given)
    assert (results["refusals"], results["service"]["reload"], results["service"]["changed"]) == ([], True, True)
    assert results["main_cf"]["changed"] is False


def test_wrong_certificate_is_refused_though_postfix_is_not_there_yet(
    host: FakeMxHost, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = Chain(tmp_path_factory.mktemp("tls"), days=1, begins=-3)
    given = {"certificate": {"chain": str(made.chain), "key": str(made.key)}}
    assert checks(plan(host, listed(), **given)) == [("", "certificate")]
    host.installed = False
    assert checks(plan(host, listed(), **given)) == [("", "certificate")]


def test_host_without_postfix_is_planned_by_the_values(host: FakeMxHost) -> None:
    host.installed = False
    results = plan(host, listed(), network=FakeNetwork(lacking="python3-dnspython"), table_type="lmdb")
    assert (results["installed"], results["ready"], results["refusals"]) == (False, False, [])
    assert results["packages"][:2] == ["postfix", "postfix-lmdb"]
    assert "dns" in results["packages"][2]
    assert results["changes"][3:] == [
        "recipients of x.example: listed",
        "transport x.example relay:[mail.example]",
        "main.cf: relay_domains gets x.example",
    ]


def test_nothing_to_relay_installs_nothing(host: FakeMxHost) -> None:
    host.installed = False
    assert plan(host, {"name": "x.example", "state": "absent"})["packages"] == []


@pytest.mark.parametrize(
    ("params", "check"),
    [
        ({"manage_package": False}, "install"),
        ({"after_install": True}, "install"),
        ({"run_tags": ["tables"]}, "tags"),
        ({"skip_tags": ["install"]}, "tags"),
    ],
)
def test_missing_postfix_that_stays_missing_is_refused(host: FakeMxHost, params: dict[str, Any], check: str) -> None:
    host.installed = False
    assert checks(plan(host, listed(), **params)) == [("", check)]


def test_patterns_of_subdomains_come_and_go(host: FakeMxHost) -> None:
    wide = {"name": "x.example", "mail_host": "mail.example", "recipients_policy": "any", "subdomains": True}
    results = plan(host, wide)
    pattern = "/@[^@]+\\.x\\.example$/"
    path = host.path("relay_recipients_subdomains")
    assert results["subdomains"] == {
        "reference": f"regexp:{path}",
        "path": path,
        "type": "regexp",
        "entries": [{"key": pattern, "value": "x"}],
        "repair": True,
        "changed": True,
    }
    assert f"recipients of subdomains: {pattern}" in results["changes"]
    host.write("relay_recipients_subdomains", f"{pattern} x\n")
    host.write("main.cf", f"{CLOSED}relay_domains = x.example\nrelay_recipient_maps = regexp:{path}\n")
    assert plan(host, wide)["subdomains"]["changed"] is False
    results = plan(host, ABSENT)
    assert results["main_cf"]["remove_items"] == {
        "relay_recipient_maps": [f"regexp:{path}"],
        "relay_domains": ["x.example"],
    }
    assert results["removal"]["subdomains"] == [{"key": pattern}]


@pytest.mark.parametrize(
    ("parameter", "value", "member"),
    [
        ("mydestination", "$myhostname, x.example", "x.example"),
        ("virtual_alias_domains", "FILE", "x.example"),
        ("virtual_mailbox_domains", "TABLE", "TABLE"),
    ],
)
def test_other_class_is_found_in_every_form(host: FakeMxHost, parameter: str, value: str, member: str) -> None:
    host.write("domains", "# ours\nother.example X.example\n")
    host.table("classes", "x.example anything\n")
    forms = {"FILE": host.path("domains"), "TABLE": f"hash:{host.path('classes')}"}
    host.write("main.cf", f"{CLOSED}{parameter} = {forms.get(value, value)}\n")
    refused = plan(host, listed())["refusals"]
    assert [(refusal["domain"], refusal["check"]) for refusal in refused] == [("x.example", "class")]
    assert f"({forms.get(member, member)})" in refused[0]["cause"]


@pytest.mark.parametrize(
    ("maps", "refused"),
    [
        ("static:smtp:[all], TRANSPORT", [("x.example", "captured")]),
        ("TRANSPORT, static:smtp:[all]", [("x.example", "captured")]),
        ("OTHER, TRANSPORT", [("x.example", "captured")]),
        ("TRANSPORT, OTHER", []),
    ],
)
def test_capture_is_asked_in_postfixs_order(host: FakeMxHost, maps: str, refused: list[tuple[str, str]]) -> None:
    host.table("other", "x.example smtp:[elsewhere]\n")
    host.table("transport", "x.example relay:[mail.example]\n")
    maps = maps.replace("TRANSPORT", f"hash:{host.path('transport')}").replace("OTHER", f"hash:{host.path('other')}")
    host.write("main.cf", f"{CLOSED}transport_maps = {maps}\n")
    directory = host.config_directory
    assert checks(plan(host, listed(), table_directory=directory)) == refused


def test_wildcard_of_the_table_captures_a_secondarys_mail(host: FakeMxHost) -> None:
    host.table("transport", "* smtp:[smart]\n")
    host.write("main.cf", f"{CLOSED}transport_maps = hash:{host.path('transport')}\n")
    results = plan(host, listed(role="secondary", mail_host=None), role="mx")
    assert results["transport"]["entries"] == [{"pattern": "x.example", "result": "relay:"}]


def reachable() -> FakeNetwork:
    """A network in which listed()'s mail host has an address."""
    network = FakeNetwork()
    network.names["mail.example"] = ("192.0.2.25",)
    return network


def test_what_dns_does_not_answer_is_named(host: FakeMxHost) -> None:
    network = FakeNetwork()
    network.records["y.example"] = (MxRecord(10, "slow.example", resolved=False), MxRecord(20, "mx.example"))
    domains = [
        listed("y.example", mail_host=None),
        *(listed(f"d{number}.example", mail_host=None) for number in range(6)),
    ]
    results = plan(host, *domains, role="secondary_mx", network=network)
    assert results["warnings"] == [
        "DNS gave no answer about d0.example, d1.example, d2.example, d3.example, d4.example and 2 more; whether mail "
        "for the domains that depend on it would loop was not checked; run again once DNS answers"
    ]
    network = reachable()
    assert plan(host, listed(), network=network)["warnings"] == []
    network = FakeNetwork(lacking="python3-dnspython")
    assert plan(host, listed(), network=network)["warnings"] == []


@pytest.mark.parametrize("parameter", ["proxy_interfaces", "inet_interfaces"])
def test_name_of_an_address_resolves_before_postfix_looks_it_up(host: FakeMxHost, parameter: str) -> None:
    network = reachable()
    value: Any = ["nat.example"] if parameter == "proxy_interfaces" else "nat.example"
    assert checks(plan(host, listed(), network=network, **{parameter: value})) == [("", "parameter_value")]
    host.write("main.cf", f"{CLOSED}{parameter} = nat.example\n")
    assert checks(plan(host, listed(), network=network)) == [("", "parameter_value")]
    network.names["nat.example"] = ("192.0.2.9",)
    assert checks(plan(host, listed(), network=network)) == []


@pytest.mark.parametrize(
    ("restriction", "refused"),
    [
        ("check_client_access hash:/gone", "restriction_table"),
        ("check_policy_service unix:private/gone", "policy_service"),
    ],
)
@pytest.mark.parametrize("name", ["client_restrictions", "relay_restrictions", "etrn_restrictions"])
def test_restriction_that_nobody_answers_is_refused(
    host: FakeMxHost, monkeypatch: pytest.MonkeyPatch, name: str, restriction: str, refused: str
) -> None:
    monkeypatch.setitem(DEFAULTS, f"smtpd_{name}", "")
    settings = {name: ["permit_mynetworks", restriction, "reject_unauth_destination"]}
    if name != "relay_restrictions":
        settings = {name: ["permit_mynetworks", restriction]}
    assert checks(plan(host, listed(), network=reachable(), **settings)) == [("", refused)]


@pytest.mark.parametrize(("rows", "refused"), [("/./ DISCARD\n", [("", "diverted")]), ("/nobody/ DISCARD\n", [])])
def test_list_that_throws_every_message_away_is_refused(
    host: FakeMxHost, rows: str, refused: list[tuple[str, str]]
) -> None:
    host.write("names", rows)
    restriction = f"check_reverse_client_hostname_access regexp:{host.path('names')}"
    results = plan(host, listed(), network=reachable(), relay_restrictions=[restriction, "reject_unauth_destination"])
    assert checks(results) == refused


def test_mail_host_behind_a_name_of_this_host_is_this_host(host: FakeMxHost) -> None:
    network = reachable()
    network.names["nat.example"] = network.names["mail.example"]
    results = plan(host, listed(), network=network, proxy_interfaces=["nat.example"])
    assert checks(results) == [("x.example", "own_nexthop")]


def test_map_that_cannot_be_asked_is_noted(host: FakeMxHost) -> None:
    host.write("main.cf", f"{CLOSED}transport_maps = ldap:/l, hash:{host.path('transport')}\n")
    assert plan(host, listed(), network=reachable())["warnings"] == [
        "ldap:/l could not be asked (open ldap:/l: No such file or directory)"
    ]


def test_map_that_never_answers_is_noted_and_not_asked_again(host: FakeMxHost) -> None:
    host.unanswered = {"proxy:ldap:/l"}
    maps = f"proxy:ldap:/l, hash:{host.path('transport')}"
    host.write("main.cf", f"{CLOSED}transport_maps = {maps}\nvirtual_alias_domains = proxy:ldap:/l\n")
    assert plan(host, listed(), network=reachable())["warnings"] == [
        "proxy:ldap:/l could not be asked (postmap got no answer within 60 s; see in the mail log which daemon of "
        "Postfix fails)"
    ]
    assert host.commands.count(["postmap", "-q", "-", "proxy:ldap:/l"]) == 1


def test_domains_of_a_relay_table_are_known(host: FakeMxHost) -> None:
    host.table("relayed", "old.example x\nx.example x\n")
    host.write("main.cf", f"{CLOSED}relay_domains = hash:{host.path('relayed')}, ldap:/l\n")
    results = plan(host, listed())
    assert checks(results) == [("old.example", "undeclared"), ("ldap:/l", "undeclared")]
    assert "relay_domains" not in results["main_cf"]["add_items"]


def test_external_recipient_is_looked_up_in_all_maps(host: FakeMxHost) -> None:
    host.table("theirs", "a@x.example x\n")
    host.write("main.cf", f"{CLOSED}relay_recipient_maps = hash:{host.path('theirs')}\n")
    item = {"name": "x.example", "mail_host": "mail.example", "recipients_policy": "external"}
    assert checks(plan(host, {**item, "probe_recipient": "A@x.example"})) == []
    assert checks(plan(host, {**item, "probe_recipient": "b@x.example"})) == [("x.example", "external")]


def test_names_are_asked_only_for_what_would_change(host: FakeMxHost) -> None:
    network = reachable()
    plan(host, listed(), network=network)
    assert network.asked == ["mail.example"]
    converged(host)
    network = FakeNetwork()
    plan(host, listed(), network=network)
    assert network.asked == []


def test_bytes_that_would_be_written_again_must_be_utf_8_and_others_are_left_alone(host: FakeMxHost) -> None:
    odd = b"caf\xe9".decode("utf-8", "surrogateescape")
    host.write("main.cf", f"# {odd}\nmydestination = localhost, {odd}.example\n{CLOSED}")
    assert plan(host, listed())["refusals"] == []
    relaying = "permit_mynetworks, check_client_access hash:/etc/postfix/{}, defer_unauth_destination"
    host.table("clients", "192.0.2.1 DUNNO\n")
    host.write("main.cf", f"smtpd_relay_restrictions = {relaying.format(odd)}\n")
    assert ("", "not_utf8") in checks(plan(host, listed()))


def test_new_secondary_is_looked_up_in_dns(host: FakeMxHost) -> None:
    network = FakeNetwork()
    network.records["x.example"] = (MxRecord(10, "mx.example", ("192.0.2.9",)),)
    results = plan(host, listed(role="secondary", mail_host=None), network=network, role="mx")
    assert checks(results) == [("x.example", "best_mx")]


ABSENT = {"name": "x.example", "state": "absent"}


def test_rows_go_after_main_cf_has_let_go(host: FakeMxHost) -> None:
    converged(host)
    results = plan(host, ABSENT)
    assert results["main_cf"]["remove_items"] == {"relay_domains": ["x.example"]}
    assert results["removal"] == {
        "changed": True,
        "recipients": [
            {
                "name": "x.example",
                "recipients_policy": "listed",
                "state": "absent",
                "item": 0,
                "postmaster": False,
                "subdomains": False,
                "changed": True,
                "digest": "",
                "lists_postmaster": False,
                "abuse": False,
                "lists_abuse": False,
            }
        ],
        "transport": [{"pattern": "x.example"}],
        "subdomains": [],
        "verify": [],
        "refused": [],
        "filters": [],
        "probes": [],
        "routed": ["x.example"],
        "flushed": [],
        "returned": [],
    }


def test_new_type_takes_the_place_of_the_old_also_if_no_row_is_left(host: FakeMxHost) -> None:
    """main.cf would go on naming the index of the old type, which the row that goes stays in."""
    converged(host)
    item = {**listed(), "mail_host": None}
    results = plan(host, item, role="secondary_mx", table_type="lmdb")
    assert results["main_cf"]["add_items"] == {
        "relay_recipient_maps": [f"lmdb:{host.path('relay_recipients')}"],
        "transport_maps": [f"lmdb:{host.path('transport')}"],
    }
    assert results["main_cf"]["remove_items"] == {
        "relay_recipient_maps": [f"hash:{host.path('relay_recipients')}"],
        "transport_maps": [f"hash:{host.path('transport')}"],
    }
    # Its index is made before main.cf names it.
    assert (results["transport"]["changed"], results["transport"]["entries"]) == (True, [])
    assert results["removal"]["transport"] == [{"pattern": "x.example"}]


def test_new_type_takes_the_place_of_the_old_also_if_domains_only_go(host: FakeMxHost) -> None:
    converged(host)
    results = plan(host, ABSENT, table_type="lmdb")
    tables = {"relay_recipient_maps": "relay_recipients", "transport_maps": "transport"}
    assert results["main_cf"]["add_items"] == {
        parameter: [f"lmdb:{host.path(name)}"] for parameter, name in tables.items()
    }
    assert results["main_cf"]["remove_items"] == {
        "relay_domains": ["x.example"],
        **{parameter: [f"hash:{host.path(name)}"] for parameter, name in tables.items()},
    }
    assert [(results[name]["type"], results[name]["changed"]) for name in ("recipients", "transport")] == [
        ("lmdb", True),
        ("lmdb", True),
    ]


def test_rows_stay_while_the_run_leaves_main_cf_alone(host: FakeMxHost) -> None:
    converged(host)
    results = plan(host, ABSENT, run_tags=["tables"])
    assert (results["removal"]["recipients"], results["removal"]["transport"]) == ([], [])
    assert "rows of x.example stay while main.cf relays them" in results["notes"][0]


def test_config_alone_is_refused_while_rows_are_missing(host: FakeMxHost) -> None:
    assert checks(plan(host, listed(), run_tags=["config"])) == [("", "tags")]
    assert checks(plan(host, listed(), run_tags=["tables"])) == []
    assert checks(plan(host, listed(), run_tags=["tables", "config"])) == []


def test_fallback_relay_is_kept_away(host: FakeMxHost) -> None:
    converged(host)
    with open(host.path("main.cf"), "a", encoding="utf-8") as stream:
        stream.write("fallback_relay = [smart]\n")
    results = plan(host, listed())
    assert results["master_cf"] == {
        "services": [{"name": "relay", "type": "unix", "overrides": {"smtp_fallback_relay": ""}}],
        "changed": True,
    }


@pytest.mark.parametrize(
    ("unit", "changed"),
    [
        ("ActiveState=active\nUnitFileState=enabled\n", False),
        ("ActiveState=inactive\nUnitFileState=enabled\n", True),
        ("ActiveState=active\nUnitFileState=disabled\n", True),
    ],
)
def test_service_is_to_run_and_to_start(host: FakeMxHost, unit: str, changed: bool) -> None:
    converged(host)
    host.unit = unit
    assert plan(host, listed())["service"]["changed"] is changed
    assert plan(host, listed(), manage_service=False)["service"]["changed"] is False


def test_postfix_from_before_an_upgrade_is_to_be_restarted(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "is_replaced", lambda _queue: True)
    found = plan(host, listed())["service"]
    assert (found["restart"], found["changed"]) == (True, True)
    assert plan(host, listed(), manage_service=False)["service"]["changed"] is False


@pytest.mark.parametrize(("runs", "manager"), [(True, "systemd"), (False, "auto")])
def test_manager_of_the_service_is_told(
    host: FakeMxHost, runs: bool, manager: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standby, "runs_systemd", lambda: runs)
    assert plan(host, listed())["service"]["manager"] == manager


@pytest.mark.parametrize("pending", [True, False])
@pytest.mark.parametrize("active", [True, False])
def test_service_that_runs_follows_where_no_domain_is_declared(
    host: FakeMxHost, monkeypatch: pytest.MonkeyPatch, active: bool, pending: bool
) -> None:
    monkeypatch.setattr(service, "reload_pending", lambda *_: pending)
    if not active:
        host.unit = "ActiveState=inactive\nUnitFileState=disabled\n"
    found = plan(host)["service"]
    assert (found["managed"], found["reload"], found["changed"]) == (active, pending, active and pending)


@pytest.mark.parametrize(("active", "managed"), [("active", True), ("inactive", False)])
def test_domain_that_goes_starts_no_service(host: FakeMxHost, active: str, managed: bool) -> None:
    converged(host)
    host.unit = f"ActiveState={active}\nUnitFileState=disabled\n"
    results = plan(host, {"name": "x.example", "state": "absent", "force": True})
    assert results["main_cf"]["changed"] is True
    assert (results["service"]["managed"], results["service"]["changed"]) == (managed, False)


def test_stopped_postfix_is_not_active_whatever_systemd_says(host: FakeMxHost) -> None:
    converged(host)
    host.running = False
    assert plan(host, listed())["service"]["active"] is False


@pytest.mark.parametrize("running", [True, False])
def test_instance_without_a_unit_is_started_and_reloaded_by_its_own_command(host: FakeMxHost, running: bool) -> None:
    converged(host)
    assert plan(host, listed())["service"]["command"] == []
    host.unit = "LoadState=not-found\nActiveState=inactive\nUnitFileState=\n"
    host.running = running
    host.write("main.cf", Path(host.path("main.cf")).read_text() + "command_directory = /usr/sbin\n")
    service = plan(host, listed())["service"]
    assert service["command"] == ["/usr/sbin/postfix", "-c", host.config_directory]
    assert (service["active"], service["enabled"], service["changed"]) == (running, None, not running)


def test_undeclared_domain_is_told(host: FakeMxHost) -> None:
    converged(host)
    host.write("main.cf", Path(host.path("main.cf")).read_text().replace("= x.example", "= x.example, old.example"))
    results = plan(host, listed())
    assert results["undeclared"] == ["old.example"]
    assert results["warnings"] == [
        "relayed here, but declared by no role: old.example; declare each with state: present or absent"
    ]


def encode(label: str) -> str:
    return PREFIX + label.encode("punycode").decode()


def test_international_domain_is_relayed_in_both_forms(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idna2008, "has_idna", lambda: True)
    monkeypatch.setattr(idna2008, "a_label", encode)
    mine, other = "bücher.example", "xn--bcher-kva.example"
    converged(host)
    results = plan(host, listed(mine))
    assert results["main_cf"]["add_items"]["relay_domains"] == [mine, other]
    assert [(item["name"], item["changed"]) for item in results["recipients"]["domains"]] == [(mine, True)]
    assert [row["pattern"] for row in results["transport"]["entries"]] == [mine, other]

    text = Path(host.path("main.cf")).read_text().replace("= x.example", f"= {mine}, {other}")
    host.write("main.cf", text)
    rows = "".join(f"{local_part}@{name} x\n" for name in (mine, other) for local_part in ("a", "postmaster"))
    host.table("relay_recipients", rows)
    host.table("transport", f"{mine} relay:[mail.example]\n{other} relay:[mail.example]\n")
    results = plan(host, listed(mine))
    assert (results["pending"], results["refusals"], results["undeclared"]) == (False, [], [])

    host.table("relay_recipients", rows.replace(f"a@{other} x\n", ""))
    assert plan(host, listed(mine))["recipients"]["changed"] is True
    host.write("main.cf", f"smtputf8_enable = no\n{text}")
    results = plan(host, listed(mine))
    assert (results["recipients"]["changed"], results["undeclared"]) == (False, [other])


def test_international_domain_on_which_the_standards_differ_is_refused_before_postfix_is_there(
    host: FakeMxHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idna2008, "has_idna", lambda: True)
    monkeypatch.setattr(idna2008, "a_label", encode)
    host.installed = False
    assert ("faß.example", "international") in checks(plan(host, listed("faß.example")))


def test_international_domain_waits_for_python3_idna(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idna2008, "has_idna", lambda: False)
    converged(host)
    results = plan(host, listed("bücher.example"))
    assert (results["packages"], results["ready"], results["refusals"]) == (["python3-idna"], False, [])
    assert plan(host, listed())["ready"] is True
    for params in ({"manage_package": False}, {"after_install": True}):
        assert checks(plan(host, listed("bücher.example"), **params)) == [("", "international")]
    host.write("main.cf", f"smtputf8_enable = no\n{CLOSED}")
    assert plan(host, listed("bücher.example"))["packages"] == []


@pytest.mark.parametrize(
    ("lines", "check"),
    [
        ("smtpd_reject_unlisted_recipient = no\n", "reject_unlisted"),
        ("receive_override_options = no_unknown_recipient_checks\n", "reject_unlisted"),
        ("relay_recipient_maps = static:x\n", "unknown_accepted"),
        ("virtual_alias_maps = inline:{@x.example=someone@elsewhere.example}\n", "rewrites"),
        ("smtpd_sender_restrictions = check_sender_access hash:{path}\n", "action_table"),
    ],
)
@pytest.mark.parametrize("policy", ["listed", "any"])
def test_run_that_would_accept_nobody_or_lose_mail_is_refused_before_it_changes_anything(
    host: FakeMxHost, lines: str, check: str, policy: str
) -> None:
    host.write("main.cf", CLOSED + lines.replace("{path}", host.path("relay_recipients")))
    item = listed() if policy == "listed" else {"name": "x.example", "mail_host": "mail.example"}
    results = plan(host, {**item, "recipients_policy": policy})
    # Who is to accept every recipient may have a map that knows them all.
    meant = policy == "any" and check in ("unknown_accepted", "action_table")
    assert [name for _domain, name in checks(results)] == ([] if meant else [check])


def test_run_mends_a_wildcard_row_of_its_own_table(host: FakeMxHost) -> None:
    converged(host)
    host.table("relay_recipients", "@x.example x\n")
    assert checks(plan(host, listed())) == []


def test_wildcard_row_of_another_table_would_make_the_list_void(host: FakeMxHost) -> None:
    converged(host)
    host.table("other", "@x.example x\n")
    main_cf = Path(host.path("main.cf")).read_text(encoding="utf-8")
    ours = f"hash:{host.path('relay_recipients')}"
    host.write("main.cf", main_cf.replace(ours, f"{ours}, hash:{host.path('other')}"))
    params = {"table_directory": host.config_directory}
    assert checks(plan(host, listed(), **params)) == [("x.example", "unknown_accepted")]
    any_policy = {"name": "x.example", "mail_host": "mail.example", "recipients_policy": "any"}
    assert checks(plan(host, any_policy, **params)) == []


def test_recipients_that_others_list_are_made_void_by_a_map_that_knows_everybody(host: FakeMxHost) -> None:
    host.table("theirs", "a@x.example x\n")
    external = {"name": "x.example", "mail_host": "mail.example", "recipients_policy": "external"}
    host.write("main.cf", f"{CLOSED}relay_recipient_maps = hash:{host.path('theirs')}, static:x\n")
    assert checks(plan(host, external)) == [("x.example", "unknown_accepted")]
    host.write("main.cf", f"{CLOSED}relay_recipient_maps = static:x\n")
    assert checks(plan(host, external)) == []


def test_converged_host_asks_no_table_of_recipients(host: FakeMxHost) -> None:
    converged(host)
    plan(host, listed(), verify=True)
    asked = [command[-1] for command in host.commands if command[:2] == ["postmap", "-q"]]
    assert f"hash:{host.path('relay_recipients')}" not in asked


SECOND_RELAY = "relay unix - - n - - smtp\n  -o smtp_fallback_relay=[smart.example]\n"


def test_of_two_entries_of_the_relay_service_the_last_is_judged_and_changed(host: FakeMxHost) -> None:
    """Kind F."""
    converged(host)
    text = Path(host.path("master.cf")).read_text(encoding="utf-8") + SECOND_RELAY
    host.write("master.cf", text)
    services = plan(host, listed())["master_cf"]["services"]
    assert services == [{"name": "relay", "type": "unix", "overrides": {"smtp_fallback_relay": ""}}]
    host.write("master.cf", text.replace("[smart.example]", ""))
    assert plan(host, listed())["pending"] is False


SMARTHOST = "smtp_generic_maps = static:ops@provider.example\nsmtp_tls_wrappermode = yes\n"
GONE = {"name": "x.example", "state": "absent", "force": True}


def test_settings_of_a_smarthost_are_kept_away_and_that_ends_with_the_last_domain(host: FakeMxHost) -> None:
    """Kind B."""
    converged(host)
    main_cf = Path(host.path("main.cf")).read_text(encoding="utf-8") + SMARTHOST
    host.write("main.cf", main_cf)
    results = plan(host, listed())
    assert results["refusals"] == []
    assert results["changes"] == [
        "master.cf: relay/unix -o smtp_tls_wrappermode=no",
        "master.cf: relay/unix -o smtp_generic_maps=",
    ]
    with open(host.path("master.cf"), "a", encoding="utf-8") as stream:
        stream.write("  -o smtp_tls_wrappermode=no\n  -o smtp_generic_maps=\n")
    assert plan(host, listed())["pending"] is False
    gone = plan(host, GONE)
    assert gone["master_cf"]["services"] == [
        {"name": "relay", "type": "unix", "overrides": {"smtp_tls_wrappermode": None, "smtp_generic_maps": None}}
    ]
    assert "master.cf: relay/unix loses -o smtp_generic_maps" in gone["changes"]
    host.write("main.cf", main_cf.replace("x.example", "x.example, y.example"))
    assert plan(host, GONE, undeclared_domains="ignore")["master_cf"]["services"] == []


@pytest.mark.parametrize(("check", "refused"), [("relay_unproven", []), ("no_such_check", [("", "accepted")])])
def test_findings_of_every_check_can_be_accepted(host: FakeMxHost, check: str, refused: list[tuple[str, str]]) -> None:
    accepted = [{"check": check, "subject": "main.cf mynetworks lab", "reason": "ours"}]
    assert checks(plan(host, listed(), accepted=accepted)) == refused


@pytest.mark.parametrize(
    ("main_cf", "check"),
    [
        ("content_filter = smtp:[127.0.0.1]:10024\n", "filter_silent"),
        ("header_checks = static:DISCARD\n", "diverted"),
        ("sender_canonical_maps = static:ops@provider.example\n", "rewritten"),
        ("smtp_bind_address = 127.0.0.1\n", "relay_settings"),
    ],
)
def test_run_that_would_leave_accepted_mail_lost_or_stuck_is_refused(
    host: FakeMxHost, main_cf: str, check: str
) -> None:
    host.write("main.cf", CLOSED + main_cf)
    network = FakeNetwork()
    network.failures["inet:127.0.0.1:10024"] = "Connection refused"
    with open(host.path("master.cf"), "a", encoding="utf-8") as stream:
        stream.write("cleanup unix n - y - 0 cleanup\nsmtp unix - - y - - smtp\n")
    assert checks(plan(host, listed(), network=network)) == [("", check)]


def test_stale_table_of_others_refuses_a_change_and_our_own_does_not(host: FakeMxHost) -> None:
    host.table("theirs", "x.example x\n")
    host.table("transport", "x.example relay:[mail.example]\n")
    maps = f"relay_domains = hash:{host.path('theirs')}\ntransport_maps = hash:{host.path('transport')}\n"
    host.write("main.cf", CLOSED + maps)
    host.write("transport", "x.example relay:[mail.example]\ny.example relay:[mail.example]\n")
    assert checks(plan(host, listed())) == []
    host.write("theirs", "x.example x\ny.example x\n")
    (refusal,) = plan(host, listed(), undeclared_domains="any")["refusals"]
    assert (refusal["check"], f"hash:{host.path('theirs')} (relay_domains)" in refusal["cause"]) == ("index", True)


@pytest.mark.parametrize(("fail_on", "judged"), [(["local"], True), ([], False)])
def test_host_that_stays_as_it_is_is_judged_once(host: FakeMxHost, fail_on: list[str], judged: bool) -> None:
    """As findings, with which the run ends; as refusals where no finding ends it."""
    converged(host)
    host.write("main.cf", Path(host.path("main.cf")).read_text() + "defer_transports = relay\n")
    results = plan(host, listed(), verify=True, verify_fail_on=fail_on)
    assert results["pending"] is False
    assert (checks(results) == []) is judged
    assert ("defer_transports" in {finding["check"] for finding in results["findings"] or []}) is judged


def test_mail_that_waits_for_a_domain_keeps_it(host: FakeMxHost) -> None:
    converged(host)
    gone = {"name": "x.example", "state": "absent", "force": True}
    host.queue = queue_entry("A1", "deferred", "a@x.example") + queue_entry("A2", "hold", "a@X.example")
    (refusal,) = plan(host, gone)["refusals"]
    assert (refusal["domain"], refusal["check"]) == ("x.example", "waiting_mail")
    assert refusal["cause"].startswith("2 messages wait for it in the queue")
    assert plan(host, {**gone, "waiting_mail": "bounce"})["refusals"] == []
    host.queue = ""
    assert plan(host, gone)["refusals"] == []


@pytest.mark.parametrize(
    ("asked", "change", "part", "told"),
    [
        (
            "bounce",
            "return the queued mail for x.example to its senders",
            "returned",
            "x.example: 2 messages wait for it in the queue, and are returned to the senders; "
            "1 of them stays, on hold or also for another domain",
        ),
        (
            "flush",
            "retry the queued mail for x.example",
            "flushed",
            "x.example: 2 messages wait for it in the queue, and are tried again first",
        ),
    ],
)
@pytest.mark.parametrize("tags", [["all"], ["tables"]])
def test_mail_of_a_domain_is_dealt_with_once_main_cf_lets_go_of_it(
    asked: str, change: str, part: str, told: str, tags: list[str], host: FakeMxHost
) -> None:
    converged(host)
    host.queue = queue_entry("A1", "deferred", "a@x.example") + queue_entry("A2", "hold", "a@X.example")
    gone = {"name": "x.example", "state": "absent", "force": True, "waiting_mail": asked}
    results = plan(host, gone, run_tags=tags)
    lets_go = tags == ["all"]
    assert results["refusals"] == []
    assert results["removal"][part] == (["x.example"] if lets_go else [])
    assert (change in results["changes"]) is lets_go
    assert told in results["warnings"]


def test_queue_is_not_read_where_no_domain_leaves(host: FakeMxHost) -> None:
    converged(host)
    plan(host, listed())
    assert ["postqueue", "-j"] not in host.commands


def test_files_that_the_run_would_write_and_cannot_are_refused(
    host: FakeMxHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(path: str) -> None:
        asked.append(path)
        raise HostError(f"{path}: can't be changed: it is immutable; run chattr")

    monkeypatch.setattr(module, "refuse_unwritable", refuse)
    for name in ("relay_recipients.db", ".relay_recipients.mxrelay", "relay_recipients.lmdb"):
        host.write(name, "")
    refused = plan(host, listed())["refusals"]
    names = ("transport", "relay_recipients", "relay_recipients.db", ".relay_recipients.mxrelay", "main.cf")
    written = [host.path(name) for name in (*names, ".mxrelay-undo")]
    assert asked == written
    assert [(refusal["check"], refusal["cause"], refusal["remedy"]) for refusal in refused] == [
        ("read_only", f"{path}: can't be changed: it is immutable", "run chattr") for path in written
    ]
    converged(host)
    assert plan(host, listed())["refusals"] == []


THEIRS = RunRecord(controller="there boot", pid=8)


def plan_beside(host: FakeMxHost, **params: Any) -> dict[str, Any]:
    """The results while others write to the host."""
    params = {"role": "primary_mx", "domains": [listed()], **params}
    return plan_mx(params, host.postfix(), FakeNetwork()).results


def test_nothing_is_planned_beside_another_run(host: FakeMxHost) -> None:
    record, _mark = begin(host.postfix(), THEIRS, [])
    results = plan(host, listed())
    assert [refusal["check"] for refusal in results["refusals"]] == ["other_run"]
    assert f"killed, set primary_mx_ended_run to {record.name}, or remove " in results["refusals"][0]["remedy"]
    assert results["other_run"] == {"record": record.name, "controller": "there boot", "pid": 8, "age": 0}
    assert (results["pending"], results["findings"]) == (False, None)
    assert plan(host, listed(), record=record.name)["refusals"] == []


def test_run_that_has_ended_is_planned_over(host: FakeMxHost) -> None:
    converged(host)
    record, _mark = begin(host.postfix(), THEIRS, [])
    results = plan(host, listed(), _run={"controller": "here", "pid": 7, "ended": record.name})
    assert (results["refusals"], results["left_behind"], results["pending"]) == ([], True, True)
    assert results["run"] == {"controller": "here", "pid": 7, "ended": record.name}


def test_run_that_is_awaited_is_planned_after(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    record, _mark = begin(host.postfix(), THEIRS, [])
    monkeypatch.setattr(module, "await_end", lambda postfix, other: forget(postfix, other.record))
    results = plan_beside(host, _run={"controller": "here", "pid": 7, "await": record.name})
    assert (results["refusals"], results["left_behind"]) == ([], False)


def test_plan_is_made_anew_if_another_run_came_in_between(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one takes back what the first reading has found."""
    converged(host)
    read = module.read_host
    seen: list[str] = []

    def read_host(*arguments: Any) -> Any:
        found = read(*arguments)
        if not seen:
            record, _mark = begin(host.postfix(), THEIRS, [])
            host.write("main.cf", "")
            forget(host.postfix(), record.name)
        seen.append(found.state.value("relay_recipient_maps"))
        return found

    monkeypatch.setattr(module, "read_host", read_host)
    results = plan_beside(host)
    assert [bool(value) for value in seen] == [True, False]
    assert results["main_cf"]["changed"] is True
    assert results["mark"] == standing(host.postfix()).mark


def test_plan_is_not_kept_if_another_run_is_at_it_by_then(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    converged(host)
    read = module.read_host

    def read_host(*arguments: Any) -> Any:
        found = read(*arguments)
        begin(host.postfix(), THEIRS, [])
        return found

    monkeypatch.setattr(module, "read_host", read_host)
    assert [refusal["check"] for refusal in plan_beside(host)["refusals"]] == ["other_run"]


def test_cut_list_is_refused_before_anything_changes(host: FakeMxHost) -> None:
    host.table("relay_recipients", "".join(f"a{number}@x.example x\n" for number in range(30)))
    host.write("main.cf", f"{CLOSED}relay_recipient_maps = hash:{host.path('relay_recipients')}\n")
    refused = plan(host, listed())["refusals"]
    assert [(refusal["check"], refusal["domain"]) for refusal in refused] == [("max_removals", "x.example")]
    assert plan(host, listed(), max_removals="100%")["refusals"] == []


@pytest.mark.parametrize(("limit", "passed_on"), [("", "10"), ("100%", ""), ("3", "3")])
def test_task_that_writes_the_lists_gets_the_limit(host: FakeMxHost, limit: str, passed_on: str) -> None:
    assert plan(host, listed(), max_removals=limit)["recipients"]["max_removals"] == passed_on


@pytest.mark.parametrize(
    ("tags", "acts"), [(["all"], True), (["tables"], True), (["service", "verify"], True), (["verify"], False)]
)
def test_run_of_phases_that_change_nothing_has_nothing_to_take_back(
    host: FakeMxHost, tags: list[str], acts: bool
) -> None:
    assert plan(host, listed(), run_tags=tags)["acts"] is acts


def test_taken_port_of_a_new_service_refuses_the_plan(host: FakeMxHost) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        balancers = {"addresses": ["192.0.2.80"], "port": port}
        (refusal,) = plan(host, listed(), load_balancers=balancers)["refusals"]
    assert (refusal["domain"], refusal["check"]) == ("", "port")
    assert refusal["cause"].startswith(f"{port}/inet of master.cf can't listen at 0.0.0.0:{port}: ")
    results = plan(host, listed(), load_balancers=balancers)
    assert results["refusals"] == []
    assert f"master.cf: {port}/inet is added, which runs smtpd" in results["changes"]


LIMIT = "relay_destination_concurrency_limit"


def limited(host: FakeMxHost, before: str = "", value: str = "2", expires: int = 4000000000) -> None:
    """A limit of deliveries for a while, as queue_limits sets it."""
    converged(host)
    with open(host.path("main.cf"), "a", encoding="utf-8") as stream:
        stream.write(f"smtpd_etrn_restrictions = permit_mynetworks, reject\n{LIMIT} = {value}\n")
    limit = {"name": LIMIT, "value": "2", "lines": before}
    record = {"unit": "u", "expires": expires, "before": before, "after": f"{LIMIT} = 2\n", "limits": [limit]}
    host.write(".mxrelay-limits", json.dumps(record))


@pytest.mark.parametrize("wanted", ["", "5"])
def test_limit_for_a_while_is_no_drift(host: FakeMxHost, wanted: str) -> None:
    limited(host)
    results = plan(host, listed(), mail_host_concurrency=wanted)
    assert (results["limits_over"], results["main_cf"]["changed"]) == (False, False)
    assert LIMIT not in results["main_cf"]["parameters"]


@pytest.mark.parametrize("value", ["2", "7"])
def test_limit_that_has_expired_is_to_be_taken_back(host: FakeMxHost, value: str) -> None:
    limited(host, value=value, expires=1)
    results = plan(host, listed())
    assert (results["limits_over"], results["pending"], results["main_cf"]["changed"]) == (True, True, False)
    assert "take limits of deliveries back, which have expired" in results["changes"]


def test_limit_that_somebody_changed_is_theirs(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DEFAULTS, LIMIT, "20")
    limited(host, value="7")
    assert plan(host, listed(), mail_host_concurrency="5")["main_cf"]["parameters"][LIMIT] == "5"


def test_setting_from_before_the_limit_is_no_drift(host: FakeMxHost) -> None:
    limited(host, before=f"{LIMIT} = 5\n")
    results = plan(host, listed(), mail_host_concurrency="5")
    assert (results["main_cf"]["changed"], results["limits_over"]) == (False, False)


def raised(host: FakeMxHost, began: int, written: str = "10d") -> None:
    """A converged host whose lifetime is raised from 5d to 10d, for the three days after that moment."""
    converged(host)
    with open(host.path("main.cf"), "a", encoding="ascii") as stream:
        stream.write(f"maximal_queue_lifetime = {written}\n")
    outages = {"x.example": Outage(began, "3d", "10d")}
    write_raise(host.postfix(), LifetimeRaise("5d", "10d", outages))


@pytest.mark.parametrize("settings", [{}, {"queue_lifetime": "5d"}])
def test_raise_for_an_outage_is_no_drift(host: FakeMxHost, settings: dict[str, Any]) -> None:
    raised(host, int(time.time()))
    results = plan(host, listed(), **settings)
    assert (results["changes"], results["pending"], results["warnings"]) == ([], False, [])


@pytest.mark.parametrize("settings", [{}, {"queue_lifetime": "5d"}])
def test_raise_goes_back_once_its_outages_are_over(host: FakeMxHost, settings: dict[str, Any]) -> None:
    raised(host, int(time.time()) - 4 * 86400)
    results = plan(host, listed(), **settings)
    assert results["main_cf"]["parameters"] == {"maximal_queue_lifetime": "5d"}
    assert (results["main_cf"]["changed"], results["raise_over"], results["pending"]) == (True, True, True)
    assert results["changes"] == [
        "main.cf: maximal_queue_lifetime = 5d",
        "forget that maximal_queue_lifetime was raised",
    ]


def test_raise_holds_while_mail_waits_that_would_be_returned(host: FakeMxHost) -> None:
    raised(host, int(time.time()) - 4 * 86400)
    host.queue = queue_entry("A1", "deferred", "a@x.example")
    results = plan(host, listed(), queue_lifetime="5d")
    assert (results["changes"], results["pending"]) == ([], False)
    (warning,) = results["warnings"]
    assert warning.startswith("the outages are over, but 1 message(s) have waited longer than 5d")


def test_value_that_somebody_has_set_since_the_raise_stays(host: FakeMxHost) -> None:
    raised(host, int(time.time()), "7d")
    results = plan(host, listed())
    assert results["changes"] == ["forget that maximal_queue_lifetime was raised"]
    assert results["warnings"] == [
        "maximal_queue_lifetime is 7d, not 10d to which outage_begin raised it: somebody has changed it, so it does "
        "not go back to 5d"
    ]


STANDING = "smtpd_recipient_restrictions"
LISTS = ["", f"{STANDING} = permit_mynetworks, reject_unauth_destination\n"]
LISTS += [f"{STANDING} =\n    permit_mynetworks,\n    # what we take\n    reject_unauth_destination,\n    permit\n"]
LISTS += [f"ours = permit_mynetworks, reject_unauth_destination\n{STANDING} = $ours\n"]
LISTS += ["smtpd_restriction_classes = theirs\ntheirs = permit\n"]


@pytest.mark.parametrize("others", LISTS)
def test_standby_and_etrn_leave_no_trace_in_main_cf(
    host: FakeMxHost, monkeypatch: pytest.MonkeyPatch, others: str
) -> None:
    unset = {"smtpd_restriction_classes": "", "smtpd_etrn_restrictions": "", "fast_flush_domains": "$relay_domains"}
    for name, value in unset.items():
        monkeypatch.setitem(DEFAULTS, name, value)
    converged(host)
    host.write(
        "main.cf", text_of(host.path("main.cf")) + "smtpd_etrn_restrictions = permit_mynetworks, reject\n" + others
    )
    before = text_of(host.path("main.cf"))
    standby, asks = {"standby": True}, {"etrn_from": ["192.0.2.10"]}
    for wanted in (standby, {}, asks, {}, standby, {**standby, **asks}, standby, asks, {**standby, **asks}, {}):
        change = plan(host, {**listed(), "mail_host": None, **wanted}, role="secondary_mx")["main_cf"]
        request = MainCfRequest(**{name: part for name, part in change.items() if name != "changed"})
        host.write("main.cf", plan_main_cf(host.postfix(), request).after)
        text = text_of(host.path("main.cf"))
        assert ["mxrelay_standby" in text, "mxrelay_etrn" in text] == ["standby" in wanted, "etrn_from" in wanted]
        assert wanted or text == before
