# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.mxrelay.postfix.plugins.action import mx_plan
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_digest import rows_digest
from ansible_collections.mxrelay.postfix.plugins.plugin_utils import runs


def run(
    monkeypatch: pytest.MonkeyPatch, task_vars: dict[str, Any] | None = None, **arguments: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the module was given, and the action's result. Only Ansible's own machinery is stood in for."""
    action = mx_plan.ActionModule(
        MagicMock(args=arguments, async_val=0), MagicMock(), MagicMock(), MagicMock(), None, None
    )
    given: dict[str, Any] = {}

    def execute(module_name: str, module_args: dict[str, Any], **_: Any) -> dict[str, Any]:
        assert module_name == "mxrelay.postfix.mx_plan"
        given.update(module_args)
        assert set(given.pop("_run")) == {"controller", "pid"}
        return {"refusals": [], "invocation": {"module_args": dict(module_args)}}

    monkeypatch.setattr(mx_plan.ActionBase, "run", lambda *_: {})
    monkeypatch.setattr(action, "_execute_module", execute)
    monkeypatch.setattr(mx_plan, "reader", lambda _action, _variables: {"x.txt": b"b@x.example\n"}.__getitem__)
    return given, action.run(task_vars=task_vars or {})


def test_no_address_leaves_the_controller(monkeypatch: pytest.MonkeyPatch) -> None:
    item = {
        "name": "x.example",
        "recipients": ["A@x.example", "postmaster@x.example"],
        "recipients_file": ["x.txt"],
        "port": "",
    }
    given, _result = run(monkeypatch, domains=[item], peer=None)
    assert given == {
        "domains": [
            {
                "name": "x.example",
                "has_list": True,
                "recipients_count": 3,
                "recipients_digest": rows_digest({"a@x.example": "x", "b@x.example": "x"}),
                "lists_postmaster": True,
                "lists_abuse": False,
            }
        ]
    }


def test_roles_of_the_domain_itself_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    people = ["a@x.example", "postmaster@sub.x.example", "abuse@sub.x.example"]
    item = {"name": "X.example", "recipients": ["Abuse@x.example", *people], "subdomains": True}
    given, _result = run(monkeypatch, domains=[item])
    (told,) = given["domains"]
    assert (told["lists_postmaster"], told["lists_abuse"], told["recipients_count"]) == (False, True, 4)
    assert told["recipients_digest"] == rows_digest(dict.fromkeys(people, "x"))


def test_item_without_a_list_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    given, _result = run(monkeypatch, domains=[{"name": "x.example", "recipients": None, "recipients_policy": "any"}])
    assert given["domains"] == [{"name": "x.example", "recipients_policy": "any", "has_list": False}]


def test_bad_address_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnsibleActionFail, match=r'mx_plan: "bob smith@x.example" \(domains\[0\].recipients\[1\]\)'):
        run(monkeypatch, domains=[{"name": "x.example", "recipients": ["a@x.example", "bob smith@x.example"]}])


def test_pattern_is_refused_with_the_policy_to_use_unless_the_domain_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    item = {"name": "customer.example", "recipients": ["*@customer.example"]}
    with pytest.raises(AnsibleActionFail) as caught:
        run(monkeypatch, domains=[item])
    assert str(caught.value) == (
        'mx_plan: "*@customer.example" (domains[0].recipients[0]) is a pattern, and a table of recipients holds whole '
        "addresses; list them; to accept every address of a domain give it recipients_policy: any"
    )
    assert run(monkeypatch, domains=[{**item, "state": "absent"}])[0]["domains"][0]["recipients_count"] == 0


def test_blank_settings_stay_on_the_controller(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"table_type": "", "queue_lifetime": None, "postmaster": False, "verify_fail_on": []}
    given, _result = run(monkeypatch, settings=settings)
    assert given == {"settings": {"postmaster": False, "verify_fail_on": []}}


@pytest.mark.parametrize("said", ["local, dns", ["local", " dns"]])
def test_scopes_are_read_without_regard_to_blanks(monkeypatch: pytest.MonkeyPatch, said: object) -> None:
    given, _result = run(monkeypatch, settings={"verify_fail_on": said})
    assert given["settings"] == {"verify_fail_on": ["local", "dns"]}


def test_word_that_is_no_scope_is_told_with_the_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        AnsibleActionFail,
        match='^mx_plan: secondary_mx_verify_fail_on has "lokal", which is not a scope; choose from local, dns, remote',
    ):
        run(monkeypatch, role="secondary_mx", settings={"verify_fail_on": "lokal"})


def test_mistyped_setting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnsibleActionFail, match=r'^mx_plan: no setting "table_typ"; did you mean table_type\?$'):
        run(monkeypatch, settings={"table_typ": ""})


def test_mistyped_variable_of_the_role_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"primary_mx_domain": [], "secondary_mx_domain": []}
    with pytest.raises(AnsibleActionFail, match=r"^mx_plan: no variable secondary_mx_domain; did you mean \S+_domains"):
        run(monkeypatch, variables, role="secondary_mx")


def test_variables_are_nobodys_without_a_role(monkeypatch: pytest.MonkeyPatch) -> None:
    given, _result = run(monkeypatch, {"mx_domain": []}, settings={"ipv6": False})
    assert given == {"settings": {"ipv6": False}}


OTHER = {"record": "theirs", "controller": "elsewhere", "pid": 1, "age": 5}


def runs_beside(monkeypatch: pytest.MonkeyPatch, other: dict[str, Any], **args: Any) -> list[dict[str, Any]]:
    """What the module was told of the runs, in each of its own."""
    action = mx_plan.ActionModule(MagicMock(args=args, async_val=0), MagicMock(), MagicMock(), MagicMock(), None, None)
    told: list[dict[str, Any]] = []

    def execute(module_args: dict[str, Any], **_: Any) -> dict[str, Any]:
        told.append(module_args["_run"])
        return {"other_run": other if len(told) == 1 else None}

    monkeypatch.setattr(mx_plan.ActionBase, "run", lambda *_: {})
    monkeypatch.setattr(runs, "this_run", lambda _variables: {"controller": "here", "pid": 7})
    monkeypatch.setattr(action, "_execute_module", execute)
    assert action.run(task_vars={}) == {"other_run": other if len(told) == 1 else None}
    return told


def test_run_that_is_alive_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {"controller": "here", "pid": 7}
    assert runs_beside(monkeypatch, OTHER) == [ours, {**ours, "await": "theirs"}]


def test_run_that_has_ended_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "has_ended", lambda other: other == OTHER)
    ours = {"controller": "here", "pid": 7}
    assert runs_beside(monkeypatch, OTHER) == [ours, {**ours, "ended": "theirs"}]


@pytest.mark.parametrize(
    "args",
    [
        {"settings": {"ended_run": "theirs"}},
        {"peer": {"role": "primary_mx", "domains": [], "settings": {"ended_run": "theirs"}}},
    ],
)
def test_run_that_is_said_to_be_over_is_named(monkeypatch: pytest.MonkeyPatch, args: dict[str, Any]) -> None:
    ours = {"controller": "here", "pid": 7}
    assert runs_beside(monkeypatch, OTHER, **args) == [ours, {**ours, "ended": "theirs"}]


def test_run_is_waited_for_though_another_one_is_said_to_be_over(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {"controller": "here", "pid": 7}
    told = runs_beside(monkeypatch, OTHER, settings={"ended_run": "one of yesterday"})
    assert told == [ours, {**ours, "await": "theirs"}]


def test_host_that_is_in_the_inventory_twice_does_not_wait_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert runs_beside(monkeypatch, {**OTHER, "controller": "here", "pid": 7}) == [{"controller": "here", "pid": 7}]


def test_bad_address_is_told_with_the_place_in_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnsibleActionFail, match=r'mx_plan: "bob" \(mx_domains\[0\].recipients\[0\]\) has no @'):
        run(monkeypatch, role="mx", domains=[{"name": "x.example", "recipients": ["bob"]}])


def test_unknown_options_of_items_are_told_with_what_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [{"name": "x.example"}, {"name": "customer.example", "recipient": ["a@customer.example"]}]
    with pytest.raises(AnsibleActionFail) as caught:
        run(monkeypatch, role="secondary_mx", domains=items)
    assert str(caught.value) == (
        "mx_plan: secondary_mx_domains[1] (customer.example): no option recipient; did you mean recipients?"
    )


def test_texts_of_a_survey_become_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = {
        "role": "primary_mx",
        "domains": [{"name": "y.example", "mail_host": "mail.example"}],
        "settings": {"proxy_interfaces": "192.0.2.1 192.0.2.2"},
    }
    settings = {
        "proxy_interfaces": "192.0.2.1\n192.0.2.2\n",
        "inet_interfaces": ["192.0.2.3", "localhost"],
        "verify_fail_on": "local, dns",
        "relay_restrictions": "permit_mynetworks\nreject_unauth_destination",
    }
    text = "a@x.example\nb@x.example\n"
    items = [{"name": "x.example", "recipients": text}]
    given, _result = run(monkeypatch, domains=items, settings=settings, peer=peer)
    assert given["domains"][0]["recipients_count"] == 2
    assert given["peer"] == {
        "role": "primary_mx",
        "domains": ["y.example"],
        "settings": {"proxy_interfaces": ["192.0.2.1", "192.0.2.2"]},
    }
    assert given["settings"] == {
        "proxy_interfaces": ["192.0.2.1", "192.0.2.2"],
        "inet_interfaces": "192.0.2.3, localhost",
        "verify_fail_on": ["local", "dns"],
        "relay_restrictions": ["permit_mynetworks", "reject_unauth_destination"],
    }


def test_domains_of_a_survey_may_be_names_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    given, _result = run(monkeypatch, domains="x.example\ny.example")
    assert given["domains"] == [
        {"name": "x.example", "has_list": False},
        {"name": "y.example", "has_list": False},
    ]


@pytest.mark.parametrize("domains", [[], "", None, "\n"])
def test_role_without_a_domain_says_so(monkeypatch: pytest.MonkeyPatch, domains: object) -> None:
    variables = {"secondary_domains": ["x.example"], "primary_mx_domains": [], "old_secondary_mx_domains": []}
    _given, result = run(monkeypatch, variables, role="secondary_mx", domains=domains)
    assert result["warnings"] == [
        "no domain is declared: secondary_mx_domains is empty or not given; did you write secondary_domains for it?"
    ]


def test_declared_domain_is_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    _given, result = run(monkeypatch, role="secondary_mx", domains=[{"name": "x.example", "state": "absent"}])
    assert "warnings" not in result


PEER = {"role": "secondary_mx", "domains": ["y.example"], "settings": {}, "peer": {"role": "primary_mx"}}


def test_other_role_that_comes_next_is_planned_for_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mx_plan, "arguments_of_peer", lambda _arguments, _task: PEER)
    given, _result = run(monkeypatch, role="primary_mx", domains=["x.example"])
    assert given.pop("_peer") == {
        **PEER,
        "domains": [{"name": "y.example", "has_list": False}],
        "peer": {"role": "primary_mx", "domains": [], "settings": {}},
    }
    assert given == {"role": "primary_mx", "domains": [{"name": "x.example", "has_list": False}]}


def test_mistake_of_the_other_role_is_left_to_that_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mx_plan, "arguments_of_peer", lambda _arguments, _task: {**PEER, "domains": [{"nam": "y"}]})
    assert "_peer" not in run(monkeypatch, role="primary_mx", domains=["x.example"])[0]


def test_plan_that_was_left_for_this_role_is_taken_without_asking_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mx_plan, "recalled", lambda left, *_: {"pending": False} if left == "left" else None)
    given, result = run(monkeypatch, {"__mx_plan": "left"}, role="primary_mx", domains=["x.example"])
    assert (given, result) == ({}, {"pending": False})


FOLLOWING = {"name": "x.example", "recipients_from": ["people"]}


def test_host_is_not_asked_before_sources_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    given, result = run(monkeypatch, role="mx", domains=[FOLLOWING], _followed={})
    assert given == {}
    assert (result["unread"], result["pending"], result["refusals"], result["judge"]) == (True, False, [], False)


def test_list_of_sources_is_summarised_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    followed = {"x.example": {"recipients_file": ["x.txt"], "sources": [], "max_removals": "10%"}}
    given, result = run(monkeypatch, domains=[FOLLOWING], _followed=followed)
    assert given == {
        "domains": [
            {
                "name": "x.example",
                "recipients_from": ["people"],
                "follows": True,
                "has_list": True,
                "recipients_count": 1,
                "recipients_digest": rows_digest({"b@x.example": "x"}),
                "lists_postmaster": False,
                "lists_abuse": False,
            }
        ]
    }
    assert "unread" not in result


def test_kept_list_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    followed = {"x.example": {"why": "source people: timed out", "sources": [], "max_removals": "10%"}}
    given, _result = run(monkeypatch, domains=[FOLLOWING], _followed=followed)
    kept = {**FOLLOWING, "follows": True, "kept": "source people: timed out", "has_list": False}
    assert given["domains"] == [kept]


def test_what_the_plan_knows_of_a_list_is_for_nobody_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnsibleActionFail, match="no option kept"):
        run(monkeypatch, domains=[{"name": "x.example", "kept": "because"}])
