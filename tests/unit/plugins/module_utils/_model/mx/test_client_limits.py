# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.admission import LEAST
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.client_limits import (
    CLIENT_LIMITS,
    ClientLimits,
    client_limits,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.decide import decide
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request

EXCEPTIONS = "smtpd_client_event_limit_exceptions"
NAMES = (*(limit.parameter for limit in CLIENT_LIMITS.values()), EXCEPTIONS, "anvil_rate_time_unit")
ITEM = {"name": "x.example", "recipients_policy": "any", "mail_host": "mail.example"}
NEIGHBOURS = {
    "mail.example": ("192.0.2.20", "2001:db8::20"),
    "mx2.example": ("192.0.2.2", "::ffff:192.0.2.3"),
    "mx1.example": ("192.0.2.9",),
    "odd.example": ("127.0.0.1",),
}
ADDRESSES = "192.0.2.2, 192.0.2.20, 192.0.2.3, [2001:db8::20]"


def host(
    explicit: Mapping[str, str] | None = None,
    neighbours: Mapping[str, Sequence[str]] | None = None,
    unit: str = "60s",
    lacking: Sequence[str] = (),
    **fields: Any,
) -> HostState:
    known = dict.fromkeys(name for name in NAMES if name not in lacking)
    values = {**dict.fromkeys(known, ""), "anvil_rate_time_unit": unit, "myhostname": "mx1.example", **(explicit or {})}
    return HostState(
        True,
        (3, 10),
        parameters=values,
        values=values,
        explicit=explicit or {},
        own_addresses=frozenset({"127.0.0.1", "192.0.2.9"}),
        neighbours=neighbours or {},
        **fields,
    )


def limits(on: HostState | None = None, role: str = "primary_mx", **given: Any) -> ClientLimits:
    return client_limits(read_request({"role": role, "domains": [ITEM], "limits": given}), on or host())


def test_not_given_it_changes_nothing() -> None:
    assert limits(host(neighbours=NEIGHBOURS)) == ClientLimits()
    assert limits(host(neighbours=NEIGHBOURS), connections=None, errors="") == ClientLimits()


def test_each_is_a_parameter() -> None:
    given = {"connections": 50, "connections_per_minute": "300", "messages_per_minute": 0, "recipients_per_minute": 500}
    assert limits(**given, errors=20) == ClientLimits(
        {
            "smtpd_client_connection_count_limit": "50",
            "smtpd_client_connection_rate_limit": "300",
            "smtpd_client_message_rate_limit": "0",
            "smtpd_client_recipient_rate_limit": "500",
            "smtpd_hard_error_limit": "${stress?1}${stress:20}",
        }
    )


@pytest.mark.parametrize("name", sorted(CLIENT_LIMITS))
def test_what_would_cut_mail_servers_off_is_refused(name: str) -> None:
    least = CLIENT_LIMITS[name].least
    assert limits(**{name: least}).refusals == ()
    (refusal,) = limits(**{name: least - 1}).refusals
    assert (refusal.check, refusal.cause) == (
        "limits",
        f"limits.{name} is {least - 1}, less than {least}: {CLIENT_LIMITS[name].because}",
    )
    assert bool(limits(**{name: 0}).refusals) is (name == "errors")
    # What a run has set is no finding.
    assert least >= LEAST[CLIENT_LIMITS[name].parameter]


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"connection": 50}, "limits has no option connection"),
        ({"connections": "many"}, 'limits.connections: "many" is not a whole number'),
        ({"connections": True}, 'limits.connections: "True" is not a whole number'),
        ({"connections": -1}, 'limits.connections: "-1" is not a whole number'),
        (
            {"connections": 2147483648},
            "limits.connections: 2147483648 is more than smtpd_client_connection_count_limit takes",
        ),
    ],
)
def test_what_is_no_limit_is_refused(given: dict[str, Any], cause: str) -> None:
    found = limits(**given, errors=20)
    assert [refusal.cause for refusal in found.refusals] == [cause]
    assert found.parameters == {}


def test_limit_that_the_release_lacks_is_refused() -> None:
    old = host(lacking=["smtpd_client_message_rate_limit", EXCEPTIONS], neighbours=NEIGHBOURS)
    (refusal,) = limits(old, messages_per_minute=100).refusals
    assert refusal.cause == "this Postfix has no smtpd_client_message_rate_limit"
    assert limits(old, connections=50) == ClientLimits({"smtpd_client_connection_count_limit": "50"})


def test_minutes_are_minutes() -> None:
    assert limits(host(unit="1h"), connections=50).parameters == {"smtpd_client_connection_count_limit": "50"}
    assert limits(host(unit="1h"), messages_per_minute=60).parameters["anvil_rate_time_unit"] == "60s"
    assert "anvil_rate_time_unit" not in limits(host(unit="1m"), messages_per_minute=60).parameters


def test_other_hosts_of_the_domains_are_excepted_and_this_one_is_not() -> None:
    found = limits(host(neighbours=NEIGHBOURS), connections=50)
    assert found.parameters["mxrelay_limit_exceptions_primary_mx"] == ADDRESSES
    assert found.items == {EXCEPTIONS: ["$mxrelay_limit_exceptions_primary_mx"]}
    # Each role has its own list, so that none takes the other's away.
    other = limits(host(neighbours=NEIGHBOURS), "mx", connections=50)
    assert other.items == {EXCEPTIONS: ["$mxrelay_limit_exceptions_mx"]}


@pytest.mark.parametrize(("unanswered", "left"), [(False, "192.0.2.2"), (True, "192.0.2.2, 192.0.2.7")])
def test_address_that_dns_no_longer_has_goes_unless_dns_is_silent(unanswered: bool, left: str) -> None:
    there = {"mxrelay_limit_exceptions_primary_mx": "192.0.2.7"}
    on = host(there, {"mx2.example": ("192.0.2.2",)}, neighbours_unanswered=unanswered)
    assert limits(on, connections=50).parameters["mxrelay_limit_exceptions_primary_mx"] == left


def test_last_address_can_go() -> None:
    on = host({"mxrelay_limit_exceptions_primary_mx": "192.0.2.7"})
    assert limits(on, connections=50).parameters["mxrelay_limit_exceptions_primary_mx"] == ""


def test_plan_has_them_and_keeps_the_members_of_others() -> None:
    request = read_request({"role": "primary_mx", "domains": [ITEM], "limits": {"connections": 50}})
    plan = decide(request, host(neighbours=NEIGHBOURS))
    assert plan.main_cf.parameters["smtpd_client_connection_count_limit"] == "50"
    assert plan.main_cf.add_items[EXCEPTIONS] == ["$mxrelay_limit_exceptions_primary_mx"]
    wrong = read_request({"role": "primary_mx", "domains": [ITEM], "limits": {"connections": 1}})
    assert "limits" in [refusal.check for refusal in decide(wrong, host()).refusals]


def test_both_roles_have_the_same_limits() -> None:
    def refused(mine: Any, theirs: Any) -> list[str]:
        peer = {"role": "secondary_mx", "domains": ["y.example"], "settings": {"limits": theirs}}
        request = read_request({"role": "primary_mx", "domains": [ITEM], "limits": mine, "peer": peer})
        return [refusal.check for refusal in request.refusals]

    assert refused({"connections": 50}, {"connections": "50", "errors": None}) == []
    assert refused({"connections": 50}, {"connections": 60}) == ["roles_disagree"]
    peer = {"role": "secondary_mx", "domains": ["y.example"], "settings": {"limits": {"errors": 30}}}
    assert read_request({"role": "primary_mx", "limits": {}, "peer": peer}).settings["limits"] == {"errors": 30}
