# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is planned and found on old releases, whose commands tell less: see old_mx_host.py on how they are imitated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.info import inform
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeNetwork, FakeProber
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_host_plans import checks, listed, plan
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.old_mx_host import OldMxHost

RELEASES = ("2.1.6", "2.2.12", "2.6.6", "2.8.20", "2.9.15")


def found(host: OldMxHost) -> set[tuple[str, str]]:
    """Domain and check of each error that mx_info finds."""
    results = inform({"domains": ["x.example"]}, host.postfix(), FakeNetwork(), FakeProber()).results
    return {(finding["domain"], finding["check"]) for finding in results["findings"] if finding["severity"] == "error"}


OPENINGS = {
    "mynetworks": "mynetworks = 127.0.0.0/8 $my_nets\nmy_nets = $all_nets\nall_nets = 0.0.0.0/0\n",
    "open_relay": "smtpd_restriction_classes = my_class\nmy_class = permit\n"
    "smtpd_recipient_restrictions = my_class, reject_unauth_destination\n",
}


@pytest.mark.parametrize("version", RELEASES)
@pytest.mark.parametrize("check", OPENINGS)
def test_opening_behind_a_name_that_the_administrator_chose_is_seen(tmp_path: Path, version: str, check: str) -> None:
    host = OldMxHost(str(tmp_path), version, OPENINGS[check])
    assert check in {name for _domain, name in checks(plan(host, listed()))}
    assert ("", check) in found(host)


@pytest.mark.parametrize("version", RELEASES)
def test_own_name_that_opens_nothing_is_no_reason_to_refuse(tmp_path: Path, version: str) -> None:
    host = OldMxHost(str(tmp_path), version, "mynetworks = 127.0.0.0/8 $my_nets\nmy_nets = ${other:192.0.2.0/28}\n")
    assert checks(plan(host, listed())) == []


@pytest.mark.parametrize("version", RELEASES)
def test_domains_relayed_by_an_own_name_are_seen_before_a_table_makes_their_recipients_unknown(
    tmp_path: Path, version: str
) -> None:
    host = OldMxHost(str(tmp_path), version, "relay_domains = $my_domains\nmy_domains = old.example\n")
    assert ("old.example", "undeclared") in checks(plan(host, listed()))


@pytest.mark.parametrize("version", RELEASES)
def test_own_domains_by_an_own_name_are_of_another_class(tmp_path: Path, version: str) -> None:
    host = OldMxHost(str(tmp_path), version, "mydestination = $local_domains\nlocal_domains = x.example\n")
    assert ("x.example", "class") in checks(plan(host, listed()))


@pytest.mark.parametrize("version", RELEASES)
def test_closed_list_behind_an_own_name_is_left_alone(tmp_path: Path, version: str) -> None:
    name = "smtpd_recipient_restrictions"
    closed = (
        f"{name} = $my_rcpt\nmy_rcpt = permit_mynetworks, reject_rbl_client list.example, reject_unauth_destination\n"
    )
    results = plan(OldMxHost(str(tmp_path), version, closed), listed())
    assert results["refusals"] == []
    assert name not in results["main_cf"]["parameters"]


def relay_overrides(results: dict[str, Any]) -> dict[str, Any]:
    return {name: value for service in results["master_cf"]["services"] for name, value in service["overrides"].items()}


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("2.1.6", "fallback_relay"),
        ("2.2.12", "fallback_relay"),
        ("2.3.19", "smtp_fallback_relay"),
        ("2.6.6", "smtp_fallback_relay"),
        ("2.8.20", "smtp_fallback_relay"),
        ("2.9.15", "smtp_fallback_relay"),
    ],
)
def test_fallback_relay_by_its_old_name_takes_no_mail_of_relay_domains(tmp_path: Path, version: str, name: str) -> None:
    host = OldMxHost(str(tmp_path), version, "fallback_relay = [smart.example]\n")
    host.write("master.cf", "smtp inet n - n - - smtpd\nrelay unix - - n - - smtp\n")
    assert relay_overrides(plan(host, listed()))[name] == ""


@pytest.mark.parametrize("version", ["2.2.12", "2.4.16", "2.6.6", "2.8.20"])
def test_guard_that_the_release_shipped_holds_for_the_old_name_as_well(tmp_path: Path, version: str) -> None:
    host = OldMxHost(str(tmp_path), version, "fallback_relay = [smart.example]\n")
    assert not {"fallback_relay", "smtp_fallback_relay"}.intersection(relay_overrides(plan(host, listed())))


@pytest.mark.parametrize("version", ["2.8.20", "2.9.15"])
def test_parameter_that_the_release_lacks_is_not_known_because_main_cf_sets_and_uses_it(
    tmp_path: Path, version: str
) -> None:
    lists = "smtpd_relay_restrictions = reject_unauth_destination\n"
    host = OldMxHost(str(tmp_path), version, f"{lists}smtpd_recipient_restrictions = $smtpd_relay_restrictions\n")
    wanted = plan(host, listed(), relay_restrictions=["permit_mynetworks", "reject_unauth_destination"])
    assert "smtpd_relay_restrictions" not in wanted["main_cf"]["parameters"]
    assert wanted["main_cf"]["parameters"]["smtpd_recipient_restrictions"].startswith("permit_mynetworks, reject_un")
