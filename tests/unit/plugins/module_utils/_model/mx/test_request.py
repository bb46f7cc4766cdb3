# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import PREFIX
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import (
    DEFAULTS,
    MxRequest,
    Refusal,
    in_both_forms,
    read_request,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.settings import SETTINGS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import bare_host


def refusals(**params: Any) -> list[tuple[str, str]]:
    return [(refusal.domain, refusal.check) for refusal in read_request(params).refusals]


def primary(**fields: Any) -> dict[str, Any]:
    return {"name": "x.example", "mail_host": "mail.example", **fields}


@pytest.mark.parametrize("blank", [None, "", []])
def test_blank_settings_are_the_defaults(blank: Any) -> None:
    request = read_request({**dict.fromkeys(DEFAULTS, blank), "role": "secondary_mx", "domains": None})
    assert dict(request.settings) == dict(DEFAULTS)
    assert request.refusals == ()


def test_what_concerns_the_run_is_no_part_of_the_plan() -> None:
    assert SETTINGS.keys() - DEFAULTS.keys() == {
        "config_directory",
        "verify",
        "verify_fail_on",
        "ended_run",
        "fail_on_drift",
        "recipient_sources",
    }


def test_false_is_no_blank() -> None:
    assert read_request({"postmaster": False}).settings["postmaster"] is False


def test_role_of_the_run_is_the_role_of_its_domains() -> None:
    items = read_request({"role": "secondary_mx", "domains": [{"name": "X.Example"}]}).items
    assert [(item.name, item.role) for item in items] == [("x.example", "secondary")]
    items = read_request({"role": "primary_mx", "domains": [primary(role="primary")]}).items
    assert items[0].role == "primary"


def test_item_of_the_other_role_is_refused() -> None:
    refused = read_request({"role": "primary_mx", "domains": [{"name": "x.example", "role": "secondary"}]}).refusals
    assert [(refusal.cause, refusal.remedy) for refusal in refused] == [
        (
            '"x.example" (domains[0]) has the role secondary',
            "leave role out, or use mxrelay.postfix.mx for a mixed list",
        )
    ]


@pytest.mark.parametrize("field", [{"mail_host": "mail.example"}, {"port": 25}, {"mx_lookup": True}])
def test_secondary_has_no_mail_host(field: dict[str, Any]) -> None:
    assert refusals(role="secondary_mx", domains=[{"name": "x.example", **field}]) == [("x.example", "invalid")]


@pytest.mark.parametrize("field", [{"mail_host": ""}, {"port": None}, {"mx_lookup": False}])
def test_blank_mail_host_of_a_secondary_says_nothing(field: dict[str, Any]) -> None:
    assert refusals(role="secondary_mx", domains=[{"name": "x.example", **field}]) == []


def test_mixed_list_needs_a_role_for_each() -> None:
    assert refusals(role="mx", domains=[{"name": "x.example"}]) == [("x.example", "invalid")]


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ({}, "relay:[mail.example]"),
        ({"port": 2525}, "relay:[mail.example]:2525"),
        ({"port": "26"}, "relay:[mail.example]:26"),
        ({"port": ""}, "relay:[mail.example]"),
        ({"mx_lookup": True}, "relay:mail.example"),
        ({"mail_host": "2001:DB8::1"}, "relay:[ipv6:2001:db8::1]"),
        ({"mail_host": "[mail.example]:26"}, "relay:[mail.example]:26"),
        ({"mail_host": ["mail.example"]}, "relay:[mail.example]"),
        ({"mail_host": ["a.example", "b.example"], "port": 26}, "relay:[a.example]:26,[b.example]:26"),
        ({"mail_host": "a.example\r\nb.example\n"}, "relay:[a.example],[b.example]"),
        ({"mail_host": "a.example, b.example"}, "relay:[a.example],[b.example]"),
    ],
)
def test_mail_host_becomes_a_nexthop(fields: dict[str, Any], result: str) -> None:
    request = read_request({"role": "primary_mx", "domains": [primary(**fields)]})
    assert request.refusals == ()
    assert request.items[0].result == result


@pytest.mark.parametrize(
    "item",
    [
        {"name": "x.example"},
        {"name": "x.example", "mail_host": None},
        primary(mail_host="two hosts"),
        primary(mail_host=["a.example", "relay:[b.example]"]),
        primary(mail_host={"name": "a.example"}),
        primary(mail_host=[]),
        primary(port=70000),
        {"name": "x.example.", "mail_host": "mail.example"},
        {"name": None, "mail_host": "mail.example"},
        primary(recipients_policy="any", has_list=True),
        primary(recipients_policy="external", has_list=True),
    ],
)
def test_item_that_cannot_be_right_is_refused(item: dict[str, Any]) -> None:
    assert [check for _domain, check in refusals(role="primary_mx", domains=[item])] == ["invalid"]


def test_all_bad_items_are_told_at_once() -> None:
    assert refusals(role="primary_mx", domains=[primary(name="a b"), primary(), primary(name="c.example.")]) == [
        ("a b", "invalid"),
        ("c.example.", "invalid"),
    ]


def test_no_mail_host_is_needed_to_let_a_domain_go() -> None:
    assert refusals(role="primary_mx", domains=[{"name": "x.example", "state": "absent"}]) == []


def test_domain_declared_twice_is_refused_where_it_differs() -> None:
    assert refusals(role="primary_mx", domains=[primary(), primary(name="X.example")]) == []
    assert refusals(role="primary_mx", domains=[primary(), primary(port=26)]) == [("x.example", "declared_twice")]
    same = read_request({"role": "primary_mx", "domains": [primary(), primary()]})
    assert len(same.items) == 1


def test_list_makes_the_policy_listed() -> None:
    with_list = read_request({"role": "secondary_mx", "domains": [{"name": "x.example", "has_list": True}]})
    assert with_list.items[0].policy == "listed"
    without = read_request({"role": "secondary_mx", "domains": [{"name": "x.example"}]})
    assert without.items[0].policy is None


PEER = {"role": "primary_mx", "domains": ["y.example"], "settings": {}}


def test_domain_of_both_roles_is_refused() -> None:
    peer = {**PEER, "domains": ["X.example", "not a domain"]}
    assert refusals(role="secondary_mx", domains=[{"name": "x.example"}], peer=peer) == [("x.example", "both_roles")]


def test_declared_domains_are_those_of_both_roles() -> None:
    request = read_request({"role": "secondary_mx", "domains": [{"name": "x.example"}], "peer": PEER})
    assert request.declared == {"x.example", "y.example"}


def test_peer_of_another_instance_is_left_out() -> None:
    peer = {**PEER, "domains": ["x.example"], "settings": {"config_directory": "/etc/postfix-out"}}
    assert refusals(role="secondary_mx", domains=[{"name": "x.example"}], peer=peer) == []


def test_peer_without_domains_has_no_say() -> None:
    peer = {**PEER, "domains": [], "settings": {"table_type": "lmdb", "recipient_check": "none"}}
    request = read_request({"role": "secondary_mx", "peer": peer})
    assert request.refusals == ()
    assert request.settings["table_type"] == ""


def test_blank_setting_of_the_host_is_taken_from_the_other_role() -> None:
    settings = {
        "table_type": "lmdb",
        "proxy_interfaces": ["192.0.2.1"],
        "undeclared_domains": "any",
        "table_directory": "",
    }
    request = read_request({"role": "secondary_mx", "peer": {**PEER, "settings": settings}})
    assert request.refusals == ()
    assert request.settings["table_type"] == "lmdb"
    assert request.settings["proxy_interfaces"] == ["192.0.2.1"]
    assert request.settings["undeclared_domains"] == "any"


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ({"table_type": "hash"}, {"table_type": "lmdb"}),
        ({"queue_lifetime": "5d"}, {"queue_lifetime": "10d"}),
        ({"proxy_interfaces": ["192.0.2.1"]}, {"proxy_interfaces": ["192.0.2.2"]}),
        ({"relay_restrictions": ["reject", "permit"]}, {"relay_restrictions": ["permit", "reject"]}),
        ({"recipient_check": "none"}, {}),
        ({}, {"recipient_check": "none"}),
    ],
)
def test_settings_that_contradict_each_other_are_refused(mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert refusals(role="secondary_mx", peer={**PEER, "settings": theirs}, **mine) == [("", "roles_disagree")]


def test_list_that_the_other_role_leaves_out_contradicts_nothing() -> None:
    peer = {**PEER, "settings": {"relay_restrictions": []}}
    assert refusals(role="secondary_mx", peer=peer, relay_restrictions=["reject"]) == []


def test_directory_is_that_of_the_instance() -> None:
    found = [read_request(params).config_directory for params in ({"config_directory": "/etc/postfix-b"}, {})]
    assert found == ["/etc/postfix-b", "/etc/postfix"]


@pytest.mark.parametrize(
    "same", [{"proxy_interfaces": ["a", "b"]}, {"recipient_check": "none"}, {"table_type": "hash"}]
)
def test_settings_that_agree_are_fine(same: dict[str, Any]) -> None:
    assert refusals(role="secondary_mx", peer={**PEER, "settings": same}, **same) == []


def test_order_of_addresses_does_not_count() -> None:
    peer = {**PEER, "settings": {"proxy_interfaces": ["192.0.2.2", "192.0.2.1"]}}
    assert refusals(role="secondary_mx", peer=peer, proxy_interfaces=["192.0.2.1", "192.0.2.2"]) == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("mail_host_concurrency", "0", '"0" is less than 1: no limit would be left'),
        ("mail_host_concurrency", "1", ""),
        ("mail_host_concurrency", "2147483647", ""),
        (
            "mail_host_concurrency",
            "2147483648",
            '"2147483648" is more than relay_destination_concurrency_limit takes: Postfix\'s daemons would not start',
        ),
        ("message_size_limit", "0", ""),
        ("message_size_limit", "65536", ""),
        (
            "message_size_limit",
            "65535",
            '"65535" is less than 65536: messages that every mail server has to take (RFC 5321, 4.5.3.1.7) would be '
            "refused",
        ),
        ("message_size_limit", "9223372036854775807", ""),
        (
            "message_size_limit",
            "9223372036854775808",
            '"9223372036854775808" is more than message_size_limit takes: Postfix\'s daemons would not start',
        ),
        ("message_size_limit", "10M", '"10M" is not a whole number'),
    ],
)
def test_number_is_within_what_postfix_and_mail_servers_take(name: str, value: str, expected: str) -> None:
    request = read_request({name: value})
    assert [refusal.cause for refusal in request.refusals] == ([expected] if expected else [])
    assert request.settings[name] == ("" if expected else value)


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        *((value, None) for value in ("10d", "100d", 100, "5m", "300s", "14w", "2400h")),
        ("1 week", '"1 week" is not a Postfix time value'),
        *(
            (value, f'"{value}" is more than maximal_queue_lifetime takes: Postfix\'s daemons would not start')
            for value in ("101d", "8640001s", "15w", "3600", "99999999999d")
        ),
        *(
            (value, f'"{value}" is less than 5m: mail would be returned before it is tried again')
            for value in ("0", "0d", "299s", "4m")
        ),
    ],
)
def test_queue_lifetime_is_a_time_value_that_postfix_takes(value: Any, cause: str | None) -> None:
    request = read_request({"queue_lifetime": value})
    assert [refusal.cause for refusal in request.refusals] == ([cause] if cause else [])
    assert request.settings["queue_lifetime"] == ("" if cause else value)


@pytest.mark.parametrize(
    ("member", "cause"),
    [
        *(
            (member, None)
            for member in ("192.0.2.1", "2001:db8::1", "[2001:db8::1]", "nat.example", "$myhostname", "gate")
        ),
        ("192.0.2.300", '"192.0.2.300" is neither an address nor the name of a host'),
        ("192.0.2.0/24", '"192.0.2.0/24" is a network, not an address'),
        ("a b", '"a b" is neither an address nor the name of a host'),
        ("hash:/etc/postfix/nat", '"hash:/etc/postfix/nat" is neither an address nor the name of a host'),
    ],
)
def test_proxy_interfaces_are_addresses_and_names(member: str, cause: str | None) -> None:
    request = read_request({"proxy_interfaces": ["198.51.100.1", member]})
    assert [refusal.cause for refusal in request.refusals] == ([cause] if cause else [])


@pytest.mark.parametrize(
    ("run", "skip", "phases"),
    [
        (["mail"], [], ["tables", "config"]),
        (["all"], [], ["tables", "config"]),
        (["tables"], [], ["tables"]),
        (["all"], ["config"], ["tables"]),
        (["tagged"], [], ["tables", "config"]),
        (["untagged"], [], []),
        (["mail", "tables"], [], ["tables"]),
        (["preflight"], [], []),
    ],
)
def test_tags_choose_the_phases(run: list[str], skip: list[str], phases: list[str]) -> None:
    request = read_request({"run_tags": run, "skip_tags": skip})
    assert [phase for phase in ("tables", "config") if request.runs(phase)] == phases


def test_refusal_has_the_remedy_of_its_error() -> None:
    assert Refusal.from_error("x", "invalid", InvalidInput("x is bad; really; mend it")) == Refusal(
        "x", "invalid", "x is bad; really", "mend it"
    )
    assert Refusal.from_error("x", "invalid", InvalidInput("x is bad")).remedy == "correct the value"


@pytest.mark.parametrize(
    ("nexthop", "host"),
    [
        ("[Mail.Example]:26", "mail.example"),
        ("mail.example", "mail.example"),
        ("mail.example:26", "mail.example"),
        ("[ipv6:2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("", ""),
    ],
)
def test_bare_host_is_what_is_connected_to(nexthop: str, host: str) -> None:
    assert bare_host(nexthop) == host


U, A = "bücher.example", "xn--bcher-kva.example"


def requested(*domains: dict[str, Any], **params: Any) -> MxRequest:
    request = read_request({"role": "secondary_mx", "domains": list(domains), **params})
    return in_both_forms(request, lambda label: PREFIX + label.encode("punycode").decode())


def test_international_domain_is_an_item_in_each_form() -> None:
    request = requested({"name": U, "recipients_policy": "any"}, {"name": "x.example"}, peer={"domains": [f"a.{A}"]})
    assert request.refusals == ()
    assert [(item.name, item.form_of, item.index) for item in request.items] == [
        (U, "", 0),
        ("x.example", "", 1),
        (A, U, 0),
    ]
    assert request.peer_domains == {f"a.{A}", f"a.{U}"}


@pytest.mark.parametrize(
    ("domains", "expected"),
    [
        (
            ["faß.example"],
            [("faß.example", "also declare the form that DNS has: xn--fa-hia.example or fass.example")],
        ),
        (["faß.example", "xn--fa-hia.example"], []),
    ],
)
def test_domain_on_which_the_standards_differ_is_declared_in_both_forms(
    domains: list[str], expected: list[tuple[str, str]]
) -> None:
    request = requested(*({"name": name, "recipients_policy": "any"} for name in domains))
    assert [
        (refusal.domain, refusal.remedy) for refusal in request.refusals if refusal.check == "international"
    ] == expected


def test_domain_that_goes_needs_no_other_form() -> None:
    assert requested({"name": "faß.example", "state": "absent"}).refusals == ()


def test_both_forms_declared_differently_are_refused() -> None:
    request = requested({"name": U, "recipients_policy": "any"}, {"name": A, "recipients_policy": "verify"})
    assert {refusal.check for refusal in request.refusals} == {"declared_twice"}
    assert requested({"name": U, "recipients_policy": "any"}, {"name": A, "recipients_policy": "any"}).refusals == ()


def test_item_that_follows_sources_says_so() -> None:
    told = {"name": "x.example", "recipients_from": ["ad"], "has_list": True, "recipients_count": 2, "follows": True}
    request = read_request({"role": "secondary_mx", "domains": [told]})
    (item,) = request.items
    assert (item.policy, item.follows, item.kept, item.listed_count) == ("listed", True, "", 2)
    kept = {"name": "x.example", "recipients_from": ["ad"], "follows": True, "kept": "source ad: timed out"}
    (item,) = read_request({"role": "secondary_mx", "domains": [kept]}).items
    assert (item.policy, item.follows, item.kept, item.awaits) == ("kept", True, "source ad: timed out", "")
    (item,) = read_request({"role": "secondary_mx", "domains": [{**kept, "awaits": "a library"}]}).items
    assert item.awaits == "a library"


def test_list_that_is_left_to_others_follows_no_source() -> None:
    told = {"name": "x.example", "recipients_from": ["ad"], "recipients_policy": "external"}
    (refusal,) = read_request({"role": "secondary_mx", "domains": [told]}).refusals
    assert refusal.cause == (
        '"x.example" (domains[0]) has recipients_from, but its policy external leaves its rows to others'
    )
    assert read_request({"role": "secondary_mx", "domains": [{**told, "state": "absent"}]}).refusals == ()


@pytest.mark.parametrize(
    ("age", "refused"), [("", False), ("1d", False), ("5m", False), ("4m", True), ("2", False), ("often", True)]
)
def test_age_of_lists_is_a_time(age: str, refused: bool) -> None:
    request = read_request({"role": "secondary_mx", "list_max_age": age})
    assert [refusal.check for refusal in request.refusals] == ["list_max_age"] * refused
    assert request.settings["list_max_age"] == ("1d" if refused or not age else age)


def test_age_of_lists_that_one_role_sets_holds_for_both() -> None:
    peer = {"role": "primary_mx", "domains": ["y.example"], "settings": {"list_max_age": "2h"}}
    assert read_request({"role": "secondary_mx", "peer": peer}).settings["list_max_age"] == "2h"
