# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several MX hosts of a domain differ in, as verify and the report tell it."""

from __future__ import annotations

import pytest

from lab import hosts, playbooks

REPORT = "mxrelay.postfix.report"
SECONDARY = "mx2"


def test_report_and_verify_tell_what_the_mx_hosts_of_a_domain_differ_in() -> None:
    told = "its MX hosts differ in smtputf8_enable (no on mx2.lab.example; yes on mx1.lab.example)"
    hosts.on(SECONDARY, "postconf", "-e", "smtputf8_enable=no")
    hosts.on(SECONDARY, "touch", "--date=2020-01-01", "/etc/postfix/main.cf")
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("ANSIBLE_SHOW_CUSTOM_STATS", "true")
            report = playbooks.play("mail_flow", REPORT, variables={"report_stats": True})
        verify = playbooks.play("mail_flow", playbooks.VERIFY)
    finally:
        hosts.on(SECONDARY, "postconf", "-X", "smtputf8_enable")
        hosts.on(SECONDARY, "touch", "--date=2020-01-01", "/etc/postfix/main.cf")
    assert (report.code, verify.code) == (0, 0), report.said + verify.said
    assert report.artifacts["mx_report_counts"]["warnings"] == 1
    assert report.artifacts["mx_report_markdown"].count(told) == 2
    assert verify.said.count(f"flow.example (mx_disagree): {told}") == 2
    assert [verify.artifacts["mx_findings"][f"{name}.lab.example"]["warning"] for name in ("mx1", "mx2")] == [1, 1]
