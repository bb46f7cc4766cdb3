# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.plugin_utils.verdict import SHOWN, number, texts, verdict

USUAL: dict[str, Any] = {"config_directory": "/etc/postfix"}
BOTH = [
    {"name": "A.example", "role": "primary", "state": "present", "required": True},
    {"name": "b.example", "role": "secondary", "state": "present", "required": True},
    {"name": "c.example", "role": "secondary", "state": "absent", "required": True},
    {"name": "d.example", "role": "secondary", "state": "present", "required": False},
]


def finding(severity: str, scope: str = "local", accepted: str = "") -> dict[str, str]:
    text = f"{severity} {scope}{accepted}"
    return {"check": "chroot", "severity": severity, "scope": scope, "accepted": accepted, "text": text}


def test_of_each_check_only_so_many_are_shown() -> None:
    many = [{"check": "mx_record", "text": str(number)} for number in range(SHOWN + 2)]
    few = [{"check": "chroot", "text": "few"}]
    first = [str(number) for number in range(SHOWN)]
    assert texts([*many, *few]) == [*first, "few", "and 2 more of mx_record"]
    assert texts(many[:SHOWN]) == first


def found(*findings: dict[str, str], relayed: tuple[str, ...] = (), dns: bool = True) -> dict[str, Any]:
    return {"findings": list(findings), "domains": {name: {"relayed": name} for name in relayed}, "dns": dns}


def summary(evidence: dict[str, Any], **instance: Any) -> str:
    return str(verdict(evidence, {"findings": []}, ["local"], "5d", {**USUAL, **instance})["summary"])


def test_all_is_well_and_all_was_checked() -> None:
    assert summary(found(relayed=("a.example", "b.example")), declared=BOTH) == (
        "2 of 2 declared domains relayed; no errors"
    )


@pytest.mark.parametrize(
    ("probed", "dns", "outage", "words"),
    [
        (
            False,
            False,
            "",
            "SMTP from outside and to the mail hosts (verify_probe), DNS, how long mail may wait (verify_outage)",
        ),
        (False, True, "5d", "SMTP from outside and to the mail hosts (verify_probe)"),
        (True, False, "5d", "DNS"),
        (True, True, "", "how long mail may wait (verify_outage)"),
    ],
)
def test_what_was_not_checked_is_said(probed: bool, dns: bool, outage: str, words: str) -> None:
    said = verdict(found(dns=dns), {"findings": []} if probed else None, ["local"], outage, USUAL)["summary"]
    assert said == f"no domain is declared in the inventory, none relayed; no errors; not checked: {words}"


def test_declared_domains_that_are_relayed_are_counted() -> None:
    assert summary(found(relayed=("b.example", "z.example")), declared=BOTH).startswith(
        "1 of 2 declared domains relayed; "
    )
    assert summary(found(), declared=BOTH[:1]).startswith("0 of 1 declared domain relayed; ")
    assert summary(found(relayed=("z.example",))).startswith("no domain is declared in the inventory, 1 relayed; ")


def test_another_instance_is_named() -> None:
    assert summary(found(), config_directory="/etc/postfix-out").startswith("/etc/postfix-out: no domain is declared ")


def test_errors_of_the_scopes_fail_and_all_else_is_told() -> None:
    accepted = finding("info", accepted=" ours")
    findings = (finding("error"), finding("warning"), finding("error", "dns"), finding("info"), accepted)
    got = verdict(found(*findings), None, ["local"], "5d", USUAL)
    assert got["errors"] == ["error local"]
    assert got["others"] == ["warning local", "error dns", "info local ours"]
    assert (
        "; 1 error, 1 error of scope dns (not in verify_fail_on), 1 warning, 1 accepted; not checked: "
        in got["summary"]
    )
    everything = verdict(
        found(*findings), {"findings": [finding("error", "remote")]}, ["local", "dns", "remote"], "5d", USUAL
    )
    assert everything["errors"] == ["error local", "error dns", "error remote"]
    assert everything["summary"].endswith("; 3 errors, 1 warning, 1 accepted")


def test_what_a_host_differs_in_from_others_is_told() -> None:
    got = verdict(found(), {"findings": []}, ["local"], "5d", USUAL, [finding("warning"), finding("info", "", " ours")])
    assert (got["errors"], got["others"]) == ([], ["warning local", "info  ours"])
    assert got["summary"].endswith("; no errors, 1 warning, 1 accepted")


def test_errors_of_other_scopes_are_no_reason_to_fail() -> None:
    got = verdict(found(finding("error", "dns")), {"findings": []}, ["local"], "5d", USUAL)
    assert got["errors"] == []
    assert got["summary"].endswith("; no errors that fail the play, 1 error of scope dns (not in verify_fail_on)")


def test_number_agrees_with_its_noun() -> None:
    assert [number(range(count), "error") for count in (0, 1, 2)] == ["0 errors", "1 error", "2 errors"]
