# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import ServiceRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, Refused
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_configuration_host import (
    ConfigurationHost,
)


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> ConfigurationHost:
    return ConfigurationHost(tmp_path)


def test_unset_list_begins_with_the_default_of_this_host(host: ConfigurationHost) -> None:
    host.main_cf.write_text("compatibility_level = 1\n")
    host.change(add_items={"relay_domains": ["x.example"]})
    assert host.main_cf.read_text() == "compatibility_level = 1\nrelay_domains = $mydestination, x.example\n"


def test_host_without_compatibility_level_has_that_of_postfix(host: ConfigurationHost) -> None:
    host.main_cf.write_text("")
    host.change(add_items={"relay_domains": ["x.example"]})
    assert host.main_cf.read_text() == "relay_domains = $mydestination, x.example\n"


def test_default_item_is_removed_from_an_unset_list(host: ConfigurationHost) -> None:
    host.main_cf.write_text("")
    host.change(remove_items={"relay_domains": ["$mydestination"]})
    assert host.main_cf.read_text() == "relay_domains =\n"


@pytest.mark.parametrize("option", ["add_items", "remove_items"])
def test_computed_list_is_refused_while_unset(host: ConfigurationHost, option: str) -> None:
    assert host.refused(Refused, **{option: {"mynetworks": ["10.0.0.0/8"]}}) == (
        "main.cf: mynetworks is not set, and Postfix computes it, at present to 198.51.100.7/32; "
        "to add or remove members, set the whole list in parameters.mynetworks first"
    )


def test_computed_list_that_is_set_is_a_list_like_any_other(host: ConfigurationHost) -> None:
    host.main_cf.write_text("mynetworks = 127.0.0.0/8\n")
    host.change(add_items={"mynetworks": ["10.0.0.0/8"]})
    assert host.main_cf.read_text() == "mynetworks = 127.0.0.0/8, 10.0.0.0/8\n"


def test_parameter_of_a_later_release_is_refused_with_that_release(host: ConfigurationHost) -> None:
    host.commands.defaults = "mail_version = 2.9.15\n"
    assert host.refused(InvalidInput, parameters={"smtpd_relay_restrictions": ["reject"]}) == (
        "main.cf: smtpd_relay_restrictions needs Postfix 2.10 or later, and this host has 2.9.15; leave it out here"
    )


@pytest.mark.parametrize("name", ["fallback_relay", "my_clients"])
def test_name_that_a_value_refers_to_is_known(host: ConfigurationHost, name: str) -> None:
    host.main_cf.write_text("transport_maps = $my_clients\n")
    assert host.plan(parameters={name: "x"}).changes == {name: (None, "x")}


def test_restriction_class_of_main_cf_or_of_the_request_is_known(host: ConfigurationHost) -> None:
    assert host.plan(parameters={"smtpd_restriction_classes": "grey, slow", "slow": "permit"}).changed
    host.main_cf.write_text("smtpd_restriction_classes = grey\n")
    assert host.plan(parameters={"grey": ["permit"]}).changes == {"grey": (None, "permit")}


def test_name_that_a_service_refers_to_is_known(host: ConfigurationHost) -> None:
    host.master_cf.write_text("smtp inet n - - - - smtpd\n# -o a=$theirs\n  -o smtpd_client_restrictions=$ours\n")
    assert host.plan(parameters={"ours": "reject"}).changed
    assert host.refused(InvalidInput, parameters={"theirs": "reject"}).startswith(
        'main.cf: Postfix has no parameter "theirs"'
    )


def test_name_that_the_same_request_refers_to_is_known(host: ConfigurationHost) -> None:
    assert host.plan(parameters={"mine": "x", "transport_maps": "${mine}"}).changed


@pytest.mark.parametrize(
    ("version", "compatibility_level", "changed"),
    [("3.10.13", "2", False), ("3.0.0", "1", False), ("3.10.13", "0", True), ("2.11.0", "2", True)],
)
def test_default_of_chroot_depends_on_release_and_level(
    host: ConfigurationHost, version: str, compatibility_level: str, changed: bool
) -> None:
    host.commands.defaults = f"mail_version = {version}\ncompatibility_level = 0\n"
    host.main_cf.write_text(f"compatibility_level = {compatibility_level}\n")
    assert host.change_services(ServiceRequest("relay", "unix", chroot=False)).changed is changed
