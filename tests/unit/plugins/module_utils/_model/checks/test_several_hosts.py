# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.several_hosts import mx_disagree
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.several_hosts import HostOfDomain


def host(name: str, **fields: Any) -> HostOfDomain:
    given = {"policy": "listed", "recipients": 2, "digest": "d1", "size_limit": 10240000, "smtputf8": True}
    return HostOfDomain(name, **{**given, **fields})


def told(*hosts: HostOfDomain) -> list[tuple[str, str, str]]:
    found = list(mx_disagree("x.example", hosts))
    assert {(finding.domain, finding.severity, finding.scope) for finding in found} <= {
        ("x.example", "warning", "local")
    }
    return [(finding.subject, finding.place, finding.message) for finding in found]


def test_hosts_that_do_the_same_have_no_finding() -> None:
    assert told(host("mx1"), host("mx2"), host("mx3")) == []
    assert told(host("mx1")) == []


@pytest.mark.parametrize(
    ("other", "subject", "place", "message"),
    [
        (
            {"policy": "any", "digest": None},
            "x.example policy",
            "recipients",
            "its MX hosts tell recipients from unknown ones in different ways (listed on mx1, mx3; any on mx2): what "
            "one refuses another takes",
        ),
        (
            {"digest": "d2"},
            "x.example recipients",
            "recipients",
            "its MX hosts list different recipients (2 on mx1, mx3; 2 on mx2): what one takes another refuses",
        ),
        (
            {"recipients": 0, "digest": ""},
            "x.example recipients",
            "recipients",
            "its MX hosts list different recipients (2 on mx1, mx3; 0 on mx2): what one takes another refuses",
        ),
        (
            {"size_limit": 0},
            "x.example message_size_limit",
            "host",
            "its MX hosts differ in message_size_limit (10240000 on mx1, mx3; none on mx2): what one takes another "
            "refuses",
        ),
        (
            {"smtputf8": False},
            "x.example smtputf8_enable",
            "host",
            "its MX hosts differ in smtputf8_enable (yes on mx1, mx3; no on mx2): what one takes another refuses",
        ),
    ],
)
def test_each_difference_is_told_with_the_hosts(other: dict[str, Any], subject: str, place: str, message: str) -> None:
    assert told(host("mx1"), host("mx2", **other), host("mx3")) == [(subject, place, message)]


@pytest.mark.parametrize("unknown", [{"digest": None, "recipients": 0}, {"size_limit": None}])
def test_what_is_not_known_of_a_host_is_not_compared(unknown: dict[str, Any]) -> None:
    assert told(host("mx1"), host("mx2", **unknown)) == []


def test_postmaster_whom_one_lists_and_another_does_not_is_no_difference() -> None:
    assert told(host("mx1"), host("mx2", recipients=3)) == []


def test_all_differences_are_told() -> None:
    other = host("mx2", policy="any", digest="d2", size_limit=1, smtputf8=False)
    assert [subject.partition(" ")[2] for subject, _place, _message in told(host("mx1"), other)] == [
        "policy",
        "recipients",
        "message_size_limit",
        "smtputf8_enable",
    ]
