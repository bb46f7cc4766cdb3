# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.instances import instance_label, instances, scopes

NOTHING: dict[str, Any] = {"unproven": "warn", "accepted": [], "list_max_age": ""}
FINDING = {"check": "relay_unproven", "subject": "x", "reason": "ours"}


def item(name: str, role: str, state: str = "present", required: bool = True) -> dict[str, Any]:
    return {"name": name, "role": role, "state": state, "required": required}


def test_host_of_which_nothing_is_declared_has_one_instance_and_nothing_to_compare() -> None:
    assert instances({}, []) == [{"config_directory": "/etc/postfix", **NOTHING}]
    assert instances({"primary_mx_domains": [], "secondary_mx_domains": None, "mx_domains": ""}, []) == [
        {"config_directory": "/etc/postfix", **NOTHING}
    ]


def test_each_role_declares_its_domains_without_their_recipients() -> None:
    found = instances(
        {
            "primary_mx_domains": [{"name": "a.example", "mail_host": "m", "recipients": ["x@a.example"]}],
            "secondary_mx_domains": [{"name": "b.example", "state": ""}, {"name": "c.example", "state": "absent"}],
            "mx_domains": [{"name": "d.example", "role": "primary"}],
        },
        ["primary_mx", "secondary_mx"],
    )
    declared = [
        item("a.example", "primary"),
        item("b.example", "secondary"),
        item("c.example", "secondary", "absent"),
        item("d.example", "primary"),
    ]
    assert found == [{"config_directory": "/etc/postfix", "declared": declared, **NOTHING}]


@pytest.mark.parametrize(
    ("groups", "required"),
    [(["secondary_mx"], [False, True]), (["primary_mx"], [True, False]), (["others"], [True, True])],
)
def test_host_need_not_do_what_the_role_of_another_group_declares(groups: list[str], required: list[bool]) -> None:
    both = {"primary_mx_domains": [{"name": "a.example"}], "secondary_mx_domains": [{"name": "b.example"}]}
    (found,) = instances(both, groups)
    assert [domain["required"] for domain in found["declared"]] == required


def test_roles_with_directories_of_their_own_are_instances_of_their_own() -> None:
    variables = {
        "primary_mx_domains": [{"name": "a.example"}],
        "primary_mx_config_directory": "/etc/postfix-out/",
        "primary_mx_unproven": "fail",
        "secondary_mx_domains": [{"name": "b.example"}],
        "secondary_mx_accepted": [FINDING],
    }
    out = {
        "config_directory": "/etc/postfix-out",
        "declared": [item("a.example", "primary")],
        "unproven": "fail",
        "accepted": [],
        "list_max_age": "",
    }
    usual = {
        "config_directory": "/etc/postfix",
        "declared": [item("b.example", "secondary")],
        "unproven": "warn",
        "accepted": [FINDING],
        "list_max_age": "",
    }
    assert instances(variables, []) == [out, usual]
    assert instances(variables, [], "/etc/postfix-out") == [out]
    assert instances(variables, [], "/etc/postfix-other") == [{"config_directory": "/etc/postfix-other", **NOTHING}]


def test_role_without_domains_has_no_say_unless_no_role_has_any() -> None:
    out = {"secondary_mx_config_directory": "/etc/postfix-out", "secondary_mx_unproven": "fail"}
    assert [instance["config_directory"] for instance in instances(out, [])] == ["/etc/postfix-out"]
    (found,) = instances({**out, "primary_mx_domains": [{"name": "a.example"}]}, [])
    assert (found["config_directory"], found["unproven"]) == ("/etc/postfix", "warn")


@pytest.mark.parametrize(
    ("primary", "secondary", "shortest"),
    [
        ("", "", ""),
        (None, "2d", "2d"),
        ("36h", "1d", "1d"),
        ("30m", "1d", "30m"),
        ("1d", "soon", "soon"),
        (6, "1d", "6"),
        (30, "1d", "1d"),
    ],
)
def test_shortest_age_that_a_role_lets_lists_have_holds(primary: Any, secondary: str, shortest: str) -> None:
    ages = {"primary_mx_list_max_age": primary, "secondary_mx_list_max_age": secondary}
    domains = {"primary_mx_domains": [{"name": "a.example"}], "secondary_mx_domains": [{"name": "b.example"}]}
    (found,) = instances({**domains, **ages}, [])
    assert found["list_max_age"] == shortest


@pytest.mark.parametrize("wrong", ["a.example", ["a.example"], {"name": "a.example"}])
def test_what_is_no_list_of_domains_is_refused(wrong: Any) -> None:
    with pytest.raises(
        InvalidInput, match="^secondary_mx_domains is not a list of domains; write one item with a name"
    ):
        instances({"secondary_mx_domains": wrong}, [])


def test_instance_is_named_only_where_a_host_has_several() -> None:
    instance = {"config_directory": "/etc/postfix-out"}
    assert instance_label("mx1", instance, [instance]) == "mx1"
    assert instance_label("mx1", instance, [instance, {}]) == "mx1 (/etc/postfix-out)"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("", ["local"]),
        (None, ["local"]),
        ([], ["local"]),
        ("local, dns", ["local", "dns"]),
        (" remote\nlocal,,dns ", ["remote", "local", "dns"]),
        (["dns", " local"], ["dns", "local"]),
        (["local,dns", "local"], ["local", "dns"]),
    ],
)
def test_scopes_are_read_without_regard_to_blanks(given: object, read: list[str]) -> None:
    assert scopes(given, "verify_fail_on") == read


@pytest.mark.parametrize(
    ("given", "word"),
    [("lokal", "lokal"), (["local", "lokal"], "lokal"), ("local lokal", "lokal"), ("Local", "Local")],
)
def test_word_that_is_no_scope_is_refused_with_the_choices(given: object, word: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        scopes(given, "verify_fail_on")
    assert refused.value.message == f'verify_fail_on has "{word}", which is not a scope; choose from local, dns, remote'
