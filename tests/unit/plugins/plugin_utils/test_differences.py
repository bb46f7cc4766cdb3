# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.differences import KnownInstance, differences

TODAY = "2026-11-28"


def domain(**changes: Any) -> dict[str, Any]:
    return {
        "relayed": "x.example",
        "recipients": 2,
        "recipients_digest": "d1",
        "recipients_policy": "listed",
        "other_maps": False,
        **changes,
    }


def instance(name: str, accepted: list[dict[str, Any]] | None = None, **domains: dict[str, Any]) -> KnownInstance:
    mx = {"domains": domains or {"x": domain()}, "message_size_limit": 10240000, "smtputf8": True}
    return KnownInstance(name, mx, accepted or [])


def subjects(*instances: KnownInstance) -> list[list[str]]:
    return [[finding["subject"] for finding in found] for found in differences(instances, TODAY)]


def test_hosts_of_a_domain_are_compared_and_each_is_told() -> None:
    one, two = instance("mx1", x=domain(), y=domain()), instance("mx2", x=domain(recipients_digest="d2"))
    alone = instance("mx3", z=domain(recipients_digest="d3"))
    assert subjects(one, two, alone) == [["x recipients"], ["x recipients"], []]
    (found,) = differences([one, two], TODAY)[0]
    assert (
        found["message"]
        == "its MX hosts list different recipients (2 on mx1; 2 on mx2): what one takes another refuses"
    )
    assert found["text"].startswith("x (mx_disagree): its MX hosts list different recipients")


def test_host_that_does_not_relay_the_domain_is_not_one_of_its_hosts() -> None:
    assert subjects(instance("mx1"), instance("mx2", x=domain(relayed="", recipients_digest="d2"))) == [[], []]


@pytest.mark.parametrize("changes", [{"other_maps": True}, {"recipients_policy": "any"}])
def test_list_that_is_not_all_that_tells_recipients_is_not_compared(changes: dict[str, Any]) -> None:
    found = subjects(instance("mx1"), instance("mx2", x=domain(recipients_digest="d2", **changes)))
    assert "x recipients" not in [*found[0], *found[1]]


def test_limits_of_the_hosts_are_compared() -> None:
    other = instance("mx2")
    other = KnownInstance("mx2", {**other.mx, "message_size_limit": 1, "smtputf8": False})
    assert subjects(instance("mx1"), other) == [["x message_size_limit", "x smtputf8_enable"]] * 2


@pytest.mark.parametrize(("until", "severity"), [("", "info"), ("2026-11-28", "info"), ("2026-11-27", "warning")])
def test_difference_that_is_accepted_on_a_host_is_information_there(until: str, severity: str) -> None:
    accepted = [{"check": "mx_disagree", "subject": "x recipients", "reason": "a move", "until": until}]
    one, two = instance("mx1", accepted), instance("mx2", x=domain(recipients_digest="d2"))
    assert [[finding["severity"] for finding in found] for found in differences([one, two], TODAY)] == [
        [severity],
        ["warning"],
    ]


def test_what_is_accepted_has_to_be_a_finding() -> None:
    with pytest.raises(InvalidInput, match=r"accepted\[0\].check"):
        differences([instance("mx1", [{"check": "odd"}])], TODAY)
