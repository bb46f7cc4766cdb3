# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.settings import SETTINGS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.variables import (
    ITEM_OPTIONS,
    nothing_declared,
    refuse_unknown_options,
    refuse_unknown_settings,
    refuse_unknown_variables,
    with_lists,
)


@pytest.mark.parametrize(
    ("role", "name", "message"),
    [
        ("secondary_mx", "secondary_mx_domain", "did you mean secondary_mx_domains?"),
        ("primary_mx", "primary_mx_mailhost_tls", "did you mean primary_mx_mail_host_tls?"),
        ("mx", "mx_verfy", "did you mean mx_verify?"),
    ],
)
def test_mistyped_variable_is_refused(role: str, name: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        refuse_unknown_variables(["inventory_hostname", f"{role}_domains", name], role)
    assert refused.value.message == f"no variable {name}; {message}"


@pytest.mark.parametrize("role", ["secondary_mx", "primary_mx", "mx"])
def test_every_setting_and_the_list_are_variables(role: str) -> None:
    refuse_unknown_variables([f"{role}_{name}" for name in ("domains", *SETTINGS)], role)


@pytest.mark.parametrize(
    ("role", "name"),
    [
        ("secondary_mx", "primary_mx_domain"),
        ("mx", "secondary_mx_domain"),
        ("mx", "mx_zzz"),
        ("secondary_mx", "secondary_mx_domain_owners"),
        ("secondary_mx", "secondary_mx_hosts"),
        ("mx", "mxdomain"),
    ],
)
def test_variable_of_someone_else_is_none_of_the_role(role: str, name: str) -> None:
    refuse_unknown_variables([name], role)


def test_mistyped_setting_is_refused() -> None:
    refuse_unknown_settings(SETTINGS)
    with pytest.raises(InvalidInput) as refused:
        refuse_unknown_settings(["ipv6", "queue_lifetme"])
    assert refused.value.message == 'no setting "queue_lifetme"; did you mean queue_lifetime?'
    with pytest.raises(InvalidInput) as refused:
        refuse_unknown_settings(["domains"])
    assert refused.value.message.startswith('no setting "domains"; there are recipient_check, proxy_interfaces, ')


def test_options_that_the_plan_is_told_are_nobodys_to_write() -> None:
    assert {"name", "recipients", "recipients_file", "port"} <= set(ITEM_OPTIONS)
    assert not {"has_list", "recipients_count", "recipients_digest", "lists_postmaster"} & set(ITEM_OPTIONS)


def test_unknown_options_are_refused_with_their_items() -> None:
    items: list[dict[str, Any]] = [
        {"name": "x.example", "recipients": [], "recipient": [], "mail_host": "mail.example"},
        {"name": "y.example", "has_list": True},
    ]
    with pytest.raises(InvalidInput) as refused:
        refuse_unknown_options(items, "mx_domains")
    assert refused.value.message == (
        "2 options are not valid:\n"
        "- mx_domains[0] (x.example): no option recipient; did you mean recipients?\n"
        f"- mx_domains[1] (y.example): no option has_list; there are {', '.join(ITEM_OPTIONS)}"
    )


@pytest.mark.parametrize(
    ("names", "remedy"),
    [
        ([], "list the domains in it"),
        (["seconday_mx_domains"], "did you write seconday_mx_domains for it?"),
        (["mail_domains", "primary_mx_domains", "our_secondary_mx_domains"], "list the domains in it"),
    ],
)
def test_empty_list_of_domains_is_told_with_what_may_have_been_meant(names: list[str], remedy: str) -> None:
    assert nothing_declared(names, "secondary_mx") == (
        f"no domain is declared: secondary_mx_domains is empty or not given; {remedy}"
    )


def test_settings_that_are_no_lists_stay_as_they_are() -> None:
    settings = {"queue_lifetime": "5d", "accepted": [{"check": "x"}], "ipv6": False, "unknown": "a, b"}
    assert with_lists(settings) == settings


def test_setting_of_the_wrong_shape_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidInput) as refused:
        with_lists({"proxy_interfaces": {"a": 1}}, "mx_")
    assert refused.value.message == "mx_proxy_interfaces is a mapping, not a list; write one a line"


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("proxy_interfaces", [" 192.0.2.1 ", "nat.example"], ["192.0.2.1", "nat.example"]),
        ("proxy_interfaces", "192.0.2.1\n nat.example\n", ["192.0.2.1", "nat.example"]),
        ("relay_restrictions", "permit_mynetworks\nreject", ["permit_mynetworks", "reject"]),
        # A text of words stays one.
        ("inet_interfaces", " 127.0.0.1  ::1", "127.0.0.1, ::1"),
        ("inet_interfaces", ["127.0.0.1 ", "::1"], "127.0.0.1, ::1"),
    ],
)
def test_list_has_its_form_however_it_was_given(name: str, given: Any, wanted: Any) -> None:
    assert with_lists({name: given}) == {name: wanted}
