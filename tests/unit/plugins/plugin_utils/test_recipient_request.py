# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.recipient_request import (
    RecipientRequest,
    plan_request,
    told,
    understood,
)

GROUPS = ["secondary_mx"]
EXTERNAL = {"name": "x.example", "recipients_policy": "external"}


def given(addresses: Any, domain: Any = "x.example", state: str = "") -> dict[str, Any]:
    return {"recipients_domain": domain, "recipients_addresses": addresses, "recipients_state": state}


@pytest.mark.parametrize(
    "addresses",
    [
        "a@x.example\nb@x.example",
        "\r\n A@X.example \r\n\r\nb@x.example\r\na@x.example",
        ["a@x.example", "", None, "b@x.example "],
    ],
)
def test_addresses_are_a_text_or_a_list(addresses: Any) -> None:
    assert understood(given(addresses)) == RecipientRequest("x.example", ("a@x.example", "b@x.example"), "present")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (given("a@x.example", ""), "recipients_domain is empty; give the name of one domain"),
        (given("a@x.example", "x example"), "recipients_domain "),
        (given("a@x.example", state="gone"), "recipients_state is neither present nor absent"),
        (given(" \n"), "recipients_addresses is empty; give one address a line"),
        (given(None), "recipients_addresses is empty; give one address a line"),
        (given(5), "recipients_addresses is neither text nor a list"),
        (given("a@x.example\na@y.example"), "recipients_addresses line 2 is not in the domain x.example"),
        (given(["a@x.example", "@x.example"]), "recipients_addresses[1]"),
    ],
)
def test_request_that_cannot_be_understood_is_refused(request_: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput) as error:
        understood(request_)
    assert words in error.value.message


def test_each_bad_line_is_told_by_its_number_and_nobody_is_named() -> None:
    with pytest.raises(InvalidInput) as error:
        understood(given("anna@x.example\nkarl\n\nkarl smith@x.example\nkarl@y.example"))
    assert [f"line {number}" in error.value.message for number in range(1, 6)] == [False, True, False, True, True]
    assert "karl" not in error.value.message


@pytest.mark.parametrize("role", ["secondary_mx", "mx"])
def test_domain_of_others_is_declared(role: str) -> None:
    found = plan_request(given("a@x.example"), {f"{role}_domains": ["y.example", EXTERNAL]}, GROUPS)
    assert found == {"domain": "x.example", "declared": True, "refusals": []}


@pytest.mark.parametrize(
    ("variables", "directory"),
    [
        ({}, "/etc/postfix"),
        ({"primary_mx_domains": [EXTERNAL]}, "/etc/postfix"),
        ({"secondary_mx_domains": [EXTERNAL], "secondary_mx_config_directory": "/etc/postfix-in"}, "/etc/postfix"),
        ({"secondary_mx_domains": [EXTERNAL]}, "/etc/postfix-in"),
    ],
)
def test_domain_of_another_host_or_instance_is_not_declared(variables: dict[str, Any], directory: str) -> None:
    assert plan_request(given("a@x.example"), variables, GROUPS, directory) == {
        "domain": "x.example",
        "declared": False,
        "refusals": [],
    }


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"recipients": ["a@x.example"]}, "has its recipients from secondary_mx_domains[0].recipients, so"),
        (
            {"recipients_from": ["people"]},
            "follows the sources in secondary_mx_domains[0].recipients_from, so the next sync would undo this; change "
            "its recipients there",
        ),
        (
            {"recipients_policy": "external", "recipients_file": "list", "recipients": ["a@x.example"]},
            "from secondary_mx_domains[0].recipients and secondary_mx_domains[0].recipients_file, so",
        ),
        ({}, "has recipients_policy: listed in secondary_mx_domains[0]"),
        ({"recipients_policy": "any"}, "has recipients_policy: any in secondary_mx_domains[0]"),
        ({"recipients_policy": "external", "state": "absent"}, "has state: absent in secondary_mx_domains[0]"),
    ],
)
def test_domain_whose_list_a_role_keeps_is_refused(item: dict[str, Any], words: str) -> None:
    found = plan_request(given("a@x.example"), {"secondary_mx_domains": [{"name": "X.example", **item}]}, GROUPS)
    assert [words in refusal for refusal in found["refusals"]] == [True]


@pytest.mark.parametrize(
    ("addresses", "refusals"),
    [
        ("a@x.example\nPostmaster@x.example", ["postmaster@x.example must take mail (RFC 5321, 4.5.1); leave it out"]),
        (
            "Probe@X.example",
            ["the probe_recipient of x.example is among the addresses; give the domain another one first"],
        ),
        ("a@x.example", []),
    ],
)
def test_address_that_must_stay_is_not_removed(addresses: str, refusals: list[str]) -> None:
    items = [{**EXTERNAL, "probe_recipient": "Probe@x.example"}]
    assert (
        plan_request(given(addresses, state="absent"), {"secondary_mx_domains": items}, GROUPS)["refusals"] == refusals
    )
    assert plan_request(given(addresses), {"secondary_mx_domains": items}, GROUPS)["refusals"] == []


def test_request_that_cannot_be_understood_is_a_refusal() -> None:
    assert plan_request(given("a"), {}, GROUPS)["domain"] == ""
    assert "recipients_addresses line 1" in plan_request(given("a"), {}, GROUPS)["refusals"][0]


@pytest.mark.parametrize(
    ("result", "state", "text", "counts"),
    [
        (
            {"added_recipients": ["a@x.example"], "removed_recipients": []},
            "present",
            "x.example: 1 added, 1 was there already",
            {"added": 1, "removed": 0, "unchanged": 1},
        ),
        (
            {"added_recipients": ["a@x.example", "b@x.example"]},
            "present",
            "x.example: 2 added",
            {"added": 2, "removed": 0, "unchanged": 0},
        ),
        ({}, "absent", "x.example: 0 removed, 2 were not there", {"added": 0, "removed": 0, "unchanged": 2}),
        ({"failed": True, "msg": "no room for a@x.example"}, "present", "x.example: no room for [a recipient]", {}),
        (
            {"failed": True},
            "present",
            "x.example: the table of recipients could not be changed; see the host's log",
            {},
        ),
    ],
)
def test_result_is_told_by_counts(result: dict[str, Any], state: str, text: str, counts: dict[str, int]) -> None:
    request = RecipientRequest("x.example", ("a@x.example", "b@x.example"), state)
    assert told(result, request) == {"text": text, "counts": counts}


def test_two_forms_of_one_address_are_one_address() -> None:
    forms = ["a@bücher.example", "a@xn--bcher-kva.example"]
    request = RecipientRequest("bücher.example", ("a@bücher.example",), "present")
    assert told({"added_recipients": forms}, request)["counts"] == {"added": 1, "removed": 0, "unchanged": 0}
