# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx import info as info_module
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.info import inform
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.index import Record
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.replace import write_record
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import (
    ServedCertificate,
    TlsaRecord,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_digest import rows_digest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.followed import (
    FollowedDomain,
    FollowedSource,
    dump,
    followed_path,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.chains import Issued
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import contents
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import (
    MASTER_CF,
    FakeMxHost,
    FakeNetwork,
    FakeProber,
)


@pytest.fixture
def host(tmp_path: Path) -> FakeMxHost:
    host = FakeMxHost(str(tmp_path))
    host.write(
        "main.cf",
        "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n"
        "relay_domains = $mydestination, x.example, y.example\n"
        f"relay_recipient_maps = hash:{host.path('relay_recipients')}\n"
        f"transport_maps = hash:{host.path('transport')}\n",
    )
    host.table("relay_recipients", "a@x.example x\npostmaster@x.example x\n@y.example x\n")
    host.table("transport", "x.example relay:[mail.example]\n")
    return host


# What is said of a domain of which every recipient is accepted.
ANY = [("y.example", "accepts_any", "info"), ("y.example", "backscatter", "warning")]


def internet() -> FakeNetwork:
    """A DNS in which this host is the second MX of both domains."""
    network = FakeNetwork()
    for name in ("x.example", "y.example"):
        network.records[name] = (
            MxRecord(10, "mail.example", ("192.0.2.1",)),
            MxRecord(20, "mx.example", ("192.0.2.9",)),
        )
    network.names["mail.example"] = ("192.0.2.1",)
    return network


def info(host: FakeMxHost, *domains: str, network: FakeNetwork | None = None, **params: Any) -> dict[str, Any]:
    before = contents(host.config_directory)
    results = inform({"domains": list(domains), **params}, host.postfix(), network or internet(), FakeProber()).results
    assert contents(host.config_directory) == before
    return results


def checks(results: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(finding["domain"], finding["check"], finding["severity"]) for finding in results["findings"]]


def test_certificate_that_is_shown_is_judged(host: FakeMxHost) -> None:
    network, wanted = internet(), [*ANY, ("", "certificate", "warning")]
    issued = Issued("mx.example", Issued("Authority", authority=True), days=20).read
    network.shown[25] = ServedCertificate("127.0.0.1", True, certificate=issued)
    assert checks(info(host, network=network)) == ANY
    assert sorted(checks(info(host, network=network, certificate_days=30))) == sorted(wanted)
    soon = Issued("mx.example", Issued("Authority", authority=True), days=3).read
    network.shown[25] = ServedCertificate("127.0.0.1", True, certificate=soon)
    assert checks(info(host, network=network, certificate_days=0)) == ANY
    network.pinned["mx.example"] = (TlsaRecord(3, 1, 1, b"another"),)
    assert ("", "tlsa", "error") in checks(info(host, network=network))


def test_files_that_cannot_be_read_are_the_only_finding(host: FakeMxHost) -> None:
    host.write("master.cf", "smtp inet n\n")
    results = info(host)
    assert checks(results) == [("", "main_cf", "error")]
    assert results["findings"][0]["remedy"] == "correct or remove the line"
    assert results["domains"] == {}


def test_all_relay_domains_but_this_hosts_own_are_looked_at(host: FakeMxHost) -> None:
    results = info(host)
    assert list(results["domains"]) == ["x.example", "y.example"]
    assert checks(results) == [*ANY]


def test_evidence_of_a_domain(host: FakeMxHost) -> None:
    network = FakeNetwork()
    network.records["x.example"] = (MxRecord(10, "mx.example", ("192.0.2.9",)),)
    assert info(host, "X.example", network=network)["domains"] == {
        "x.example": {
            "relayed": "x.example",
            "declared": None,
            "role": "primary",
            "classes": {},
            "recipients": 2,
            "recipients_digest": rows_digest({"a@x.example": "x"}),
            "recipients_policy": "listed",
            "wildcard": False,
            "other_maps": False,
            "verified": False,
            "nexthop": "mail.example",
            "nexthop_addresses": [],
            "probe_recipient": "",
            "canary": None,
            "mail_host": None,
            "other_mail_hosts": [],
            "listed_at": "",
            "list_kept": "",
            "list_drift": None,
            "sources": [],
            "transport": {
                "member": f"hash:{host.path('transport')}",
                "key": "x.example",
                "result": "relay:[mail.example]",
            },
            "mx": [
                {
                    "preference": 10,
                    "host": "mx.example",
                    "addresses": ["192.0.2.9"],
                    "alias": False,
                    "this_host": True,
                }
            ],
        }
    }


def test_domain_that_is_not_relayed_is_an_error(host: FakeMxHost) -> None:
    assert checks(info(host, "z.example")) == [("z.example", "relay_domains", "error")]


def test_lost_index_and_lost_source_are_errors(host: FakeMxHost) -> None:
    Path(host.path("transport") + ".db").unlink()
    Path(host.path("relay_recipients")).unlink()
    results = info(host, "y.example")
    assert [(table["reference"], table["index"]) for table in results["tables"]] == [
        (f"hash:{host.path('relay_recipients')}", "without a source"),
        (f"hash:{host.path('transport')}", "missing"),
    ]
    assert checks(results)[:2] == [("", "index", "error"), ("", "index", "error")]


def test_nexthop_that_resolves_to_this_host_is_an_error(host: FakeMxHost) -> None:
    network = internet()
    network.names["mail.example"] = ("192.0.2.9",)
    assert checks(info(host, "x.example", network=network)) == [("x.example", "own_nexthop", "error")]


def test_answer_of_transport_maps_is_the_first_in_postfixs_order(host: FakeMxHost) -> None:
    host.table("other", "x.example smtp:[other]\n.example smtp:[parent]\n")
    main_cf = Path(host.path("main.cf"))
    main_cf.write_text(
        main_cf.read_text().replace("transport_maps = ", f"transport_maps = hash:{host.path('other')}, ")
    )
    domains = info(host)["domains"]
    assert domains["x.example"]["transport"]["result"] == "smtp:[other]"
    assert domains["y.example"]["transport"] == {
        "member": f"hash:{host.path('other')}",
        "key": ".example",
        "result": "smtp:[parent]",
    }


def test_table_that_cannot_be_asked_is_told_once(host: FakeMxHost) -> None:
    main_cf = Path(host.path("main.cf"))
    main_cf.write_text(f"{main_cf.read_text()}virtual_alias_domains = ldap:/l\nvirtual_mailbox_domains = ldap:/l\n")
    outcome = inform({"domains": ["x.example"]}, host.postfix(), internet(), FakeProber())
    told = ["ldap:/l could not be asked (open ldap:/l: No such file or directory)"]
    assert (outcome.results["notes"], outcome.warnings) == (told, told)


def test_missing_dnspython_is_told(host: FakeMxHost) -> None:
    results = info(host, "x.example", network=FakeNetwork(lacking="python3-dnspython"))
    assert results["dns"] is False
    assert checks(results) == [("", "dns", "info")]


def test_host_without_postfix_is_an_error(host: FakeMxHost) -> None:
    host.installed = False
    with pytest.raises(HostError, match="no Postfix with its configuration in .*; install it, or correct"):
        info(host)


@pytest.mark.parametrize("shown", [False, True])
def test_recipients_are_named_only_on_demand(host: FakeMxHost, shown: bool) -> None:
    prober = FakeProber()
    prober.answers = {"a@x.example": (550, "5.1.1 <a@x.example>: unknown"), "": (250, "ok")}
    params = {"domains": ["x.example"], "probe": True, "show_recipients": shown}
    results = inform(params, host.postfix(), internet(), prober).results
    found = next(finding for finding in results["findings"] if finding["check"] == "mail_host_unknown")
    name = "a@x.example" if shown else "[a recipient]"
    assert f"does not know {name}, which is listed here (550 5.1.1 <{name}>: unknown)" in found["text"]
    assert results["domains"]["x.example"]["mail_host"]["recipients"][name] == [550, f"5.1.1 <{name}>: unknown"]
    # By this a later task can ask as a stranger.
    assert results["domains"]["x.example"]["probe_recipient"] == "a@x.example"


@pytest.mark.parametrize("shown", [False, True])
def test_whom_an_answer_names_in_its_own_words_is_told_only_on_demand(host: FakeMxHost, shown: bool) -> None:
    said = "5.1.1 <anna.b@inside.example>: no mailbox for <a>"
    prober = FakeProber()
    prober.answers = {"a@x.example": (550, said), "": (250, "ok")}
    params = {"domains": ["x.example"], "probe": True, "show_recipients": shown}
    results = inform(params, host.postfix(), internet(), prober).results
    expected = said if shown else "5.1.1 <[a recipient]>: no mailbox for <[a recipient]>"
    found = next(finding for finding in results["findings"] if finding["check"] == "mail_host_unknown")
    assert f"(550 {expected})" in found["text"]
    name = "a@x.example" if shown else "[a recipient]"
    assert results["domains"]["x.example"]["mail_host"]["recipients"][name] == [550, expected]


@pytest.mark.parametrize("shown", [False, True])
def test_rewritten_recipients_are_named_only_on_demand(host: FakeMxHost, shown: bool) -> None:
    host.table("virtual", "a@x.example bob@elsewhere.example\n")
    main_cf = Path(host.path("main.cf"))
    main_cf.write_text(f"{main_cf.read_text()}virtual_alias_maps = hash:{host.path('virtual')}\n")
    texts = " ".join(finding["text"] for finding in info(host, "x.example", show_recipients=shown)["findings"])
    assert ("a@x.example" in texts, "bob@elsewhere.example" in texts, "[a recipient]" in texts) == (
        shown,
        shown,
        not shown,
    )


def test_name_that_is_no_domain_is_refused(host: FakeMxHost) -> None:
    with pytest.raises(InvalidInput, match=r'"a/b" \(domains\[1\]\)'):
        info(host, "x.example", "a/b")


@pytest.mark.parametrize(
    ("outage", "expected"), [("5d", []), ("10d", [("", "queue_lifetime", "warning")]), ("", []), (None, [])]
)
def test_outage_is_held_against_the_queue_lifetime(
    host: FakeMxHost, outage: str | None, expected: list[tuple[str, str, str]]
) -> None:
    assert checks(info(host, "x.example", outage=outage)) == expected


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        (None, []),
        ({"size": 1, "messages": 1}, []),
        ({"size": 1 << 60, "messages": None}, [("", "outage_space", "error")]),
        ({"size": None, "messages": None}, [("", "outage_volume", "warning")]),
    ],
)
def test_mail_that_is_expected_is_held_against_the_room(
    host: FakeMxHost, volume: dict[str, Any] | None, expected: list[tuple[str, str, str]]
) -> None:
    with open(host.path("main.cf"), "a", encoding="ascii") as stream:
        stream.write(f"queue_directory = {host.config_directory}\n")
    seen = checks(info(host, "x.example", outage="5d", outage_volume=volume))
    assert [found for found in seen if found[1] in ("outage_space", "outage_volume")] == expected


@pytest.mark.parametrize("option", ["outage", "list_max_age"])
@pytest.mark.parametrize("value", ["soon", "5 days", "-1d"])
def test_what_is_no_time_is_refused_before_anything_is_read(host: FakeMxHost, option: str, value: str) -> None:
    host.commands.clear()
    with pytest.raises(InvalidInput) as caught:
        info(host, **{option: value})
    assert caught.value.message == (
        f'mx_info: "{value}" ({option}) is not a Postfix time value; use a value such as 5d or 12h'
    )
    assert host.commands == []


def follow(host: FakeMxHost, table: str = "relay_recipients", **fields: Any) -> None:
    """What is kept of the sources of x.example, as relay_recipients writes it."""
    source = FollowedSource("staff", "ldap", "localhost", "2026-11-01T08:00:00Z", 1)
    domain = FollowedDomain("x.example", **{"sources": (source,), "listed_at": "2026-11-01T08:00:00Z", **fields})
    path = Path(followed_path(host.path(table)))
    path.write_text(dump({"x.example": domain}), encoding="utf-8")
    path.chmod(0o600)


def test_sources_of_a_list_are_told_with_their_age(host: FakeMxHost) -> None:
    follow(host, kept="it would lose 7 of 20 addresses")
    results = info(host, "x.example", list_max_age="50000d")
    told = results["domains"]["x.example"]
    assert (told["listed_at"], told["list_kept"]) == ("2026-11-01T08:00:00Z", "it would lose 7 of 20 addresses")
    (source,) = told["sources"]
    assert source.pop("age") == pytest.approx(time.time() - 1793520000, abs=60)
    assert source == {
        "name": "staff",
        "type": "ldap",
        "host": "localhost",
        "read_at": "2026-11-01T08:00:00Z",
        "count": 1,
        "failed_at": "",
        "problem": "",
    }
    assert checks(results) == [("x.example", "list_source", "warning")]


def test_age_of_a_list_is_held_against_the_setting(host: FakeMxHost, monkeypatch: pytest.MonkeyPatch) -> None:
    follow(host)
    monkeypatch.setattr(time, "time", lambda: 1793520000.0 + 86401)
    assert checks(info(host, "x.example")) == [("x.example", "list_age", "warning")]
    assert checks(info(host, "x.example", list_max_age="25h")) == []


def test_domain_that_is_not_relayed_follows_nothing_here(host: FakeMxHost) -> None:
    follow(host, kept="it would lose 7 of 20 addresses")
    main_cf = Path(host.path("main.cf"))
    main_cf.write_text(main_cf.read_text().replace(" x.example,", ""))
    results = info(host, "x.example")
    assert checks(results) == [("x.example", "relay_domains", "error")]
    assert (results["domains"]["x.example"]["list_kept"], results["domains"]["x.example"]["sources"]) == ("", [])


def test_record_of_a_table_that_is_named_twice_is_told_once(host: FakeMxHost) -> None:
    follow(host)
    Path(followed_path(host.path("relay_recipients"))).chmod(0o644)
    main_cf = Path(host.path("main.cf"))
    main_cf.write_text(f"{main_cf.read_text()}relay_domains = x.example, hash:{host.path('relay_recipients')}\n")
    assert checks(info(host, "x.example")) == [("", "list_record", "warning")]


def test_record_that_can_not_be_believed_is_a_finding_of_its_table(host: FakeMxHost) -> None:
    follow(host)
    Path(followed_path(host.path("relay_recipients"))).chmod(0o644)
    follow(host, "transport")
    results = info(host, "x.example")
    assert checks(results) == [("", "list_record", "warning")]
    assert f"hash:{host.path('relay_recipients')} can't be believed" in results["findings"][0]["message"]
    assert results["domains"]["x.example"]["sources"] == []


@pytest.mark.parametrize("shown", [False, True])
def test_mail_host_is_asked_about_a_list_that_follows_sources(host: FakeMxHost, shown: bool) -> None:
    host.table("relay_recipients", "a@x.example x\ngone@x.example x\npostmaster@x.example x\n")
    follow(host, vanished=("c@x.example", "back@x.example"))
    prober = FakeProber()
    unknown = (550, "5.1.1 unknown")
    prober.answers = {"a+": unknown, "gone@": unknown, "c@": unknown, "mxrelay-probe-": unknown, "": (250, "ok")}
    params = {"domains": ["x.example"], "probe": True, "list_max_age": "50000d", "show_recipients": shown}
    results = inform(params, host.postfix(), internet(), prober).results
    named = {"unknown_recipients": ["gone@x.example"], "known_recipients": ["back@x.example"]} if shown else {}
    counts = {"server": "mail.example", "listed": 2, "unknown": 1, "vanished": 2, "known": 1}
    assert results["domains"]["x.example"]["list_drift"] == {**counts, **named}
    assert checks(results) == [("x.example", "list_drift", "warning")] * 2
    assert ("back@x.example" in str(results), "gone@x.example" in str(results)) == (shown, shown)


def test_lists_and_limits_of_hosts_can_be_compared(host: FakeMxHost) -> None:
    main_cf = Path(host.path("main.cf")).read_text(encoding="utf-8")
    host.write("main.cf", f"{main_cf}message_size_limit = 10240000\n")
    results = info(host)
    assert (results["message_size_limit"], results["smtputf8"]) == (10240000, True)
    host.write("main.cf", f"{main_cf}message_size_limit = much\nsmtputf8_enable = no\n")
    host.table("relay_recipients", "postmaster@x.example ok\nA@x.example OK\n")
    other = info(host)
    assert (other["message_size_limit"], other["smtputf8"]) == (None, False)
    digests = [each["domains"]["x.example"]["recipients_digest"] for each in (results, other)]
    assert digests[0] == digests[1] != ""
    host.table("relay_recipients", "b@x.example x\n")
    assert info(host)["domains"]["x.example"]["recipients_digest"] not in ("", digests[0])


def with_maps(host: FakeMxHost, *members: str, lines: str = "") -> None:
    main_cf = Path(host.path("main.cf")).read_text(encoding="utf-8").splitlines()
    kept = [line for line in main_cf if not line.startswith("relay_recipient_maps")]
    host.write("main.cf", "\n".join([*kept, f"relay_recipient_maps = {', '.join(members)}", lines, ""]))


def test_domain_that_is_meant_to_accept_everybody_is_told_from_one_whose_list_is_void(host: FakeMxHost) -> None:
    ours = f"hash:{host.path('relay_recipients')}"
    with_maps(host, ours, "static:x")
    assert checks(info(host)) == [("x.example", "unknown_accepted", "error"), *ANY]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("@x.example x\n", [("x.example", "unknown_accepted", "error"), *ANY]),
        ("b@y.example x\n", [("y.example", "unknown_accepted", "error")]),
        ("b@z.example x\n", [*ANY]),
    ],
)
def test_wildcard_row_beside_a_list_in_another_table_makes_that_void(
    host: FakeMxHost, other: str, expected: list[tuple[str, str, str]]
) -> None:
    host.table("other", other)
    with_maps(host, f"hash:{host.path('relay_recipients')}", f"hash:{host.path('other')}")
    assert checks(info(host)) == expected


def test_wildcard_row_that_a_role_wrote_is_meant(host: FakeMxHost) -> None:
    host.table("other", "b@y.example x\n")
    write_record(host.path("relay_recipients"), Record("hash", True, "", ""))
    with_maps(host, f"hash:{host.path('relay_recipients')}", f"hash:{host.path('other')}")
    assert checks(info(host)) == [*ANY]


def test_catch_all_and_table_that_cannot_be_asked_are_found(host: FakeMxHost) -> None:
    host.table("virtual", "@x.example someone@elsewhere.example\n")
    lines = f"virtual_alias_maps = hash:{host.path('virtual')}, ldap:/nowhere"
    with_maps(host, f"hash:{host.path('relay_recipients')}", lines=lines)
    assert checks(info(host, "x.example")) == [
        ("", "message_table", "error"),
        ("x.example", "rewrites", "error"),
    ]


def declared(*items: tuple[str, str], **extra: Any) -> list[dict[str, Any]]:
    return [{"name": name, "role": role, "state": "present", "required": True, **extra} for name, role in items]


def compared(host: FakeMxHost, items: list[dict[str, Any]], *domains: str) -> list[tuple[str, str, str]]:
    """The findings that come of what is declared."""
    return [found for found in checks(info(host, *domains, declared=items)) if found not in ANY]


def test_host_that_does_what_is_declared_has_no_finding_of_it(host: FakeMxHost) -> None:
    assert compared(host, declared(("X.example", "primary"), ("y.example", "secondary"))) == []


def test_declared_domain_that_is_not_relayed_is_an_error(host: FakeMxHost) -> None:
    every = declared(("x.example", "primary"), ("y.example", "secondary"), ("z.example", "secondary"))
    assert compared(host, every) == [("z.example", "relay_domains", "error")]
    assert compared(host, every, "x.example") == []
    host.write("main.cf", "relay_domains =\n")
    assert [found for found in compared(host, every) if found[0]] == [
        (name, "relay_domains", "error") for name in ("x.example", "y.example", "z.example")
    ]


def test_domain_of_a_table_that_only_answers_is_known_as_declared(host: FakeMxHost) -> None:
    host.write("domains", "/^z\\.example$/ x\n")
    host.write("main.cf", f"relay_domains = regexp:{host.path('domains')}\n")
    found = info(host, declared=declared(("z.example", "secondary")))["domains"]["z.example"]
    assert (found["relayed"], found["declared"], found["role"]) == (
        f"regexp:{host.path('domains')}",
        "secondary",
        "secondary",
    )


def test_other_role_and_what_nobody_declares_are_named(host: FakeMxHost) -> None:
    assert compared(host, declared(("x.example", "secondary"))) == [
        ("x.example", "declared_role", "warning"),
        ("y.example", "undeclared", "warning"),
    ]
    absent = [*declared(("x.example", "primary")), *declared(("y.example", "primary"), state="absent")]
    assert compared(host, absent) == [("y.example", "undeclared", "warning")]
    assert compared(host, []) == [("x.example", "undeclared", "warning"), ("y.example", "undeclared", "warning")]


def test_declared_domain_that_is_gone_or_only_may_be_there_is_no_finding(host: FakeMxHost) -> None:
    known = declared(("x.example", "primary"), ("y.example", "secondary"))
    assert compared(host, [*known, *declared(("z.example", "primary"), state="absent")]) == []
    assert compared(host, [*known, *declared(("z.example", "primary"), required=False)]) == []


def test_declared_name_that_is_no_domain_is_an_error(host: FakeMxHost) -> None:
    with pytest.raises(InvalidInput, match=r"declared\[0\].name"):
        info(host, declared=declared(("a@x.example", "primary")))


@pytest.mark.parametrize("parameter", ["transport_maps", "relay_domains"])
def test_map_that_can_not_be_asked_is_an_error(host: FakeMxHost, parameter: str) -> None:
    usual = {"relay_domains": "x.example", "transport_maps": f"hash:{host.path('transport')}"}
    maps = {**usual, parameter: f"{usual[parameter]}, proxy:regexp:/t/gone"}
    host.write(
        "main.cf",
        f"relay_recipient_maps = hash:{host.path('relay_recipients')}\n"
        + "".join(f"{name} = {value}\n" for name, value in maps.items()),
    )
    results = info(host)
    assert ("", "table_unreachable", "error") in checks(results)
    assert {"parameter": parameter, "reference": "proxy:regexp:/t/gone", "index": "unreachable"}.items() <= (
        results["tables"][-1].items()
    )


def test_address_in_dns_has_to_answer_on_port_25_if_postfix_is_on_another(host: FakeMxHost) -> None:
    host.write("master.cf", "2525 inet n - y - - smtpd\nrelay unix - - y - - smtp\n")
    network = internet()
    assert checks(info(host, "x.example", network=network)) == [("", "smtp_service", "info")]
    network.failures["inet:192.0.2.9:25"] = "Connection refused"
    found = info(host, "x.example", network=network)
    assert checks(found) == [("", "smtp_service", "info"), ("x.example", "listens", "error")]
    assert "on whose port 25 nothing takes a connection (Connection refused)" in found["findings"][1]["message"]
    host.write("master.cf", "smtp inet n - y - - smtpd\nrelay unix - - y - - smtp\n")
    assert checks(info(host, "x.example", network=network)) == []


def test_probe_says_as_whom_it_asked_and_as_whom_not(host: FakeMxHost) -> None:
    results = info(host, "x.example", probe=True)
    assert results["tried"] == [
        "mail hosts: from <> and from a sender at mx.example; not about SPF: give probe_senders.spf_fail, a domain of "
        "yours whose SPF record excludes this host"
    ]
    results = info(host, "x.example", probe=True, probe_senders={"spf_fail": "strict.example"})
    assert results["tried"] == [
        "mail hosts: from <> and from a sender at mx.example and from a sender at strict.example"
    ]
    assert info(host, "x.example")["tried"] == []


def test_ports_for_strangers_are_returned_by_number(host: FakeMxHost) -> None:
    host.write("master.cf", MASTER_CF + "submission inet n - n - - smtpd\nnobody inet n - n - - smtpd\n")
    results = info(host)
    assert results["ports"] == [{"port": 25, "tls": False}, {"port": 587, "tls": False}]
    assert results["own_mail_domain"] == "mx.example"


def test_last_canary_of_a_domain_is_evidence_and_judged(
    host: FakeMxHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "canaries.json"
    record.write_text('{"x.example": {"outcome": "lost", "reason": "why", "time": 1}, "z.example": {}}')
    monkeypatch.setattr(info_module, "outcomes_path", lambda _directory: str(record))
    assert info(host, canary=True)["domains"]["x.example"]["canary"] is None
    record.write_text('{"x.example": {"outcome": "lost", "reason": "why", "time": 1}}')
    results = info(host, canary=True)
    assert (results["domains"]["x.example"]["canary"]["outcome"], results["domains"]["y.example"]["canary"]) == (
        "lost",
        None,
    )
    assert ("x.example", "canary", "info") in checks(results)
    assert info(host)["domains"]["x.example"]["canary"] is None


def test_room_of_the_queue_is_told(host: FakeMxHost) -> None:
    assert info(host)["queue_space"] is None
    text = Path(host.path("main.cf")).read_text(encoding="utf-8")
    host.write("main.cf", f"{text}queue_directory = {host.config_directory}\n")
    space = info(host)["queue_space"]
    assert list(space) == ["bytes", "inodes"]
    assert 0 < space["bytes"] <= shutil.disk_usage(host.config_directory).total
