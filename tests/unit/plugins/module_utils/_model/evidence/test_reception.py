# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, Rules
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.reception import (
    BODY,
    HEADERS,
    canonical_tables,
    endpoints,
    helpers,
    reached,
    rule_tables,
)

QUEUE = "/var/spool/postfix"


def service(name: str, kind: str, command: str, chroot: str = "n", **overrides: str) -> Service:
    return Service(name, kind, "-", "-", chroot, "-", "-", command, overrides)


CLEANUP = service("cleanup", "unix", "cleanup")
CLIENT = service("smtp", "unix", "smtp")


def host(*services: Service, smtpd: Service | None = None, **values: str) -> HostState:
    known = {"queue_directory": QUEUE, "compatibility_level": "3.6", **values}
    front = smtpd or service("smtp", "inet", "smtpd")
    return HostState(version=(3, 10), parameters=known, values=known, services=[front, CLEANUP, CLIENT, *services])


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("check_client_access hash:/c, reject, check_client_access hash:/d", "", [("check_client_access", "hash:/c")]),
        ("hash:/c, permit_mynetworks, ours", "client", [("client", "hash:/c"), ("check_helo_access", "hash:/h")]),
        ("warn_if_reject reject_rbl_client rbl.example, loop, hash:/c", "client", [("client", "hash:/c")]),
        ("permit_auth_destination, check_recipient_access hash:/r", "recipient", []),
        ("permit_auth_destination, check_recipient_access hash:/r", "data", [("check_recipient_access", "hash:/r")]),
        (
            "check_policy_service { inet:h:1, default_action=DUNNO }",
            "",
            [("check_policy_service", "{ inet:h:1, default_action=DUNNO }")],
        ),
    ],
)
def test_restrictions_are_followed_as_far_as_a_stranger_comes(
    value: str, kind: str, expected: list[tuple[str, str]]
) -> None:
    assert reached(value, {"ours": "check_helo_access hash:/h", "loop": "loop"}, kind) == expected


def test_tables_of_rules_with_what_a_message_asks_them() -> None:
    on = host(
        smtpd=service("smtp", "inet", "smtpd", smtpd_client_restrictions="check_client_access cidr:/c"),
        smtpd_recipient_restrictions="check_recipient_access hash:/r",
        header_checks="regexp:/h",
        mime_header_checks="regexp:/h",
        body_checks="pcre:/b",
    )
    found = rule_tables(on, ["x.example"])
    assert [(rules.where, rules.table, rules.recipients) for rules in found] == [
        ("smtpd_client_restrictions of smtp/inet", "cidr:/c", False),
        ("smtpd_recipient_restrictions", "hash:/r", True),
        ("header_checks", "regexp:/h", False),
        ("body_checks", "pcre:/b", False),
    ]
    assert list(found[1].keys) == ["x.example", "mxrelay-probe@x.example"]
    assert (found[2].keys, found[3].keys) == (HEADERS, BODY)


def test_policy_service_has_no_rules_to_list() -> None:
    assert rule_tables(host(smtpd_recipient_restrictions="check_policy_service unix:private/p"), ["x.example"]) == []


def test_host_without_a_cleanup_service_goes_by_main_cf() -> None:
    on = host(header_checks="regexp:/h")
    bare = replace(on, services=[each for each in on.services if each.name != "cleanup"])
    assert [rules.table for rules in rule_tables(bare, [])] == ["regexp:/h"]


def test_content_checks_are_those_of_the_cleanup_service_that_gets_the_mail() -> None:
    other = service("strict", "unix", "cleanup", header_checks="static:HOLD")
    on = host(other, smtpd=service("smtp", "inet", "smtpd", cleanup_service_name="strict"), header_checks="")
    assert [rules.table for rules in rule_tables(on, [])] == ["static:HOLD"]
    off = service("smtp", "inet", "smtpd", receive_override_options="no_header_body_checks, no_address_mappings")
    assert rule_tables(host(smtpd=off, header_checks="static:HOLD"), []) == []
    assert canonical_tables(host(smtpd=off, canonical_maps="static:x")) == []
    assert [rules.table for rules in canonical_tables(host(sender_canonical_maps="static:x"))] == ["static:x"]


@pytest.mark.parametrize(
    ("values", "endpoint"),
    [
        ({"content_filter": "smtp:[127.0.0.1]:10024"}, "inet:127.0.0.1:10024"),
        ({"content_filter": "smtp:[::1]"}, "inet:::1:25"),
        ({"content_filter": "smtp:localhost:10024"}, "inet:localhost:10024"),
        ({"content_filter": "smtp:unix:private/scan"}, f"unix:{QUEUE}/private/scan"),
        ({"content_filter": "scan:dummy"}, "program:/usr/bin/scan"),
        ({"smtpd_proxy_filter": "10025"}, "inet:localhost:10025"),
        ({"smtpd_milters": "inet:localhost:8891"}, "inet:localhost:8891"),
        ({"smtpd_milters": "{ unix:/run/milter, default_action=accept }"}, "unix:/run/milter"),
        ({"non_smtpd_milters": "unix:milter"}, f"unix:{QUEUE}/milter"),
    ],
)
def test_where_filters_milters_and_policies_are(values: dict[str, str], endpoint: str) -> None:
    on = host(
        service("scan", "unix", "pipe user=nobody argv=/usr/bin/scan -f"),
        service("spf", "unix", "spawn user=nobody argv=/usr/bin/spf"),
        service("pickup", "unix", "pickup"),
        **values,
    )
    assert endpoints(on) == [endpoint]


def test_socket_as_the_chroot_sees_it() -> None:
    on = host(smtpd=service("smtp", "inet", "smtpd", "y"), smtpd_milters="unix:/run/milter")
    assert endpoints(on) == [f"unix:{QUEUE}/run/milter"]
    old = replace(host(smtpd=service("smtp", "inet", "smtpd", "-"), smtpd_milters="unix:/run/milter"), version=(2, 11))
    assert endpoints(old) == [f"unix:{QUEUE}/run/milter"]


@pytest.mark.parametrize(
    ("values", "action"),
    [
        ({"smtpd_milters": "inet:h:1", "milter_default_action": "accept"}, "accept"),
        ({"smtpd_milters": "{inet:h:1,default_action=tempfail}", "milter_default_action": "accept"}, ""),
    ],
)
def test_what_happens_without_it(values: dict[str, str], action: str) -> None:
    assert [helper.action for helper in helpers(host(**values))] == [action]


@pytest.mark.parametrize(
    ("destination", "problem"),
    [
        ("gone:[127.0.0.1]", "master.cf has no service gone/unix"),
        ("drop:", "drop/unix runs discard, which sends nothing on"),
        ("smtp:[127.0.0.1]", ""),
    ],
)
def test_filter_that_can_not_work(destination: str, problem: str) -> None:
    on = host(service("drop", "unix", "discard"), content_filter=destination)
    assert [helper.problem for helper in helpers(on)] == [problem]


def test_filter_that_a_rule_names_is_one_too() -> None:
    on = host(header_checks="regexp:/h")
    on = replace(on, rules={"regexp:/h": Rules(["REJECT", "filter smtp:[127.0.0.1]:10024, [127.0.0.2]:10024"])})
    assert [(helper.where, helper.what) for helper in helpers(on)] == [
        ("regexp:/h in header_checks", "smtp:[127.0.0.1]:10024, [127.0.0.2]:10024")
    ]


def test_milter_that_several_services_hand_mail_to_is_one() -> None:
    own = service("smtp", "inet", "smtpd", smtpd_milters="inet:h:1")
    on = host(service("2525", "inet", "smtpd"), smtpd=own, smtpd_milters="inet:h:1")
    assert [(helper.where, helper.what) for helper in helpers(on)] == [("smtpd_milters of smtp/inet", "inet:h:1")]


def test_where_a_filter_is_may_not_be_told() -> None:
    found = service("scan", "unix", "pipe user=nobody argv=scan")
    assert endpoints(host(found, content_filter="scan:")) == []
    assert endpoints(host(content_filter="smtp:unix:private/scan", queue_directory="")) == []
