# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.after import host_after
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.decide import Decision
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.front_door import (
    LoadBalancers,
    read_load_balancers,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import ServiceChange
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import (
    checks,
    listed,
    primary,
    service,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.mx_decisions import host as any_host

GIVEN = {"addresses": ["192.0.2.80", "198.51.100.0/24"], "port": 2525}
CLOSED = {
    "smtpd_upstream_proxy_protocol": "haproxy",
    "mynetworks": "",
    "smtpd_relay_restrictions": "reject_unauth_destination",
}
OURS = service("2525", "inet", "smtpd", **CLOSED)


def host(*services: Service, **values: str | None) -> HostState:
    known = {"smtpd_upstream_proxy_protocol": "", **values}
    served = services or (service("smtp", "inet", "smtpd"),)
    return any_host(services=[*served, service()], values=known)


def asked(on: HostState | None = None, given: Any = None, **settings: Any) -> Decision:
    return primary(on=on or host(), load_balancers=GIVEN if given is None else given, **settings)


def test_service_is_like_that_of_port_25_and_grants_nothing_by_address() -> None:
    model = Service("smtp", "inet", "n", "-", "y", "-", "20", "smtpd -v", {"smtpd_banner": "x", "mynetworks": "$mine"})
    plan = asked(host(model))
    assert plan.services["2525/inet"] == ServiceChange(
        {"smtpd_banner": "x", **CLOSED}, "smtpd -v", private=False, chroot=True, process_limit="20"
    )
    assert plan.refusals == []
    assert plan.notes == [
        "2525/inet believes whoever reaches it about the client's address; let a firewall keep all but "
        "192.0.2.80, 198.51.100.0/24 from port 2525"
    ]


def test_behind_postscreen_it_is_like_the_smtpd_that_is_there() -> None:
    screen = Service("smtp", "inet", "n", "-", "y", "-", "1", "postscreen", {"postscreen_greet_action": "enforce"})
    behind = Service("smtpd", "pass", "-", "-", "y", "-", "-", "smtpd", {"smtpd_banner": "x"})
    made = asked(host(screen, behind)).services["2525/inet"]
    assert (made.command, made.process_limit, made.overrides) == (
        "smtpd",
        "",
        {"smtpd_banner": "x", **CLOSED},
    )


def test_what_a_run_sets_for_port_25_holds_for_it_as_well() -> None:
    item = {
        "name": "x.example",
        "has_list": True,
        "recipients_count": 2,
        "recipients_digest": "d",
        "refused_mail": "hold",
    }
    on = any_host(
        services=[
            service("smtp", "inet", "smtpd"),
            service("cleanup", "unix", "cleanup"),
            service("bounce", "unix", "bounce"),
            service(),
        ],
        values={"smtpd_upstream_proxy_protocol": "", "smtpd_discard_ehlo_keywords": ""},
        refused=None,
    )
    changes = primary(item, on=on, load_balancers=GIVEN).services
    set_for_port_25 = dict(changes["smtp/inet"].overrides) if "smtp/inet" in changes else {}
    assert {**set_for_port_25, **CLOSED} == changes["2525/inet"].overrides


def test_other_ways_to_claim_an_address_are_closed() -> None:
    on = host(smtpd_authorized_xclient_hosts="127.0.0.1")
    assert asked(on).services["2525/inet"].overrides == {**CLOSED, "smtpd_authorized_xclient_hosts": ""}
    assert asked(on).refusals == []


ETRN = "smtpd_etrn_restrictions"


def test_who_says_his_address_there_gets_nobodys_queue() -> None:
    mail = listed(etrn_from=["192.0.2.10"])
    assert primary(mail, on=host(), load_balancers=GIVEN).services["2525/inet"].overrides == {**CLOSED, ETRN: "reject"}
    ours = service("2525", "inet", "smtpd", **CLOSED, **{ETRN: "reject"})
    on = host(service("smtp", "inet", "smtpd"), ours)
    again = primary(mail, on=on, load_balancers=GIVEN)
    assert again.services["2525/inet"].overrides == {**CLOSED, ETRN: "reject"}
    assert asked(on).services["2525/inet"].overrides == {**CLOSED, ETRN: None}
    # The domain has its clients until this run.
    before = host_after(on, again.main_cf, again.services)
    assert asked(before).services["2525/inet"].overrides == {**CLOSED, ETRN: None}
    model = service("smtp", "inet", "smtpd", **{ETRN: "reject"})
    assert asked(host(model, ours)).services["2525/inet"].overrides == {**CLOSED, ETRN: "reject"}


def test_second_run_adds_nothing() -> None:
    plan = asked(host(service("smtp", "inet", "smtpd"), OURS))
    assert plan.services["2525/inet"] == ServiceChange(CLOSED, private=False)
    assert plan.notes == []


@pytest.mark.parametrize(("address", "key"), [("127.0.0.1", "127.0.0.1:2525/inet"), ("::1", "[::1]:2525/inet")])
def test_for_balancers_on_this_host_nobody_else_reaches_the_port(address: str, key: str) -> None:
    assert key in asked(given={"addresses": [address], "port": 2525}).services


def test_not_given_it_changes_nothing() -> None:
    assert "2525/inet" not in asked(given={}).services
    assert "2525/inet" not in asked(host(service("smtp", "inet", "smtpd"), OURS), given={}).services


def test_service_moves_with_its_balancers() -> None:
    services = asked(host(service("smtp", "inet", "smtpd"), OURS), {"addresses": ["::1"], "port": 2525}).services
    assert services["2525/inet"] == ServiceChange(state="absent")
    assert services["[::1]:2525/inet"] == ServiceChange(CLOSED, "smtpd", private=False)


@pytest.mark.parametrize("name", ["2525", "127.0.0.1:2525"])
def test_no_balancers_take_it_back(name: str) -> None:
    on = host(service("smtp", "inet", "smtpd"), service(name, "inet", "smtpd", **CLOSED))
    assert asked(on, {"addresses": [], "port": 2525}).services[f"{name}/inet"] == ServiceChange(state="absent")


@pytest.mark.parametrize(
    "theirs",
    [
        service("2525", "inet", "smtpd"),
        # It grants something by an address of mynetworks, which ours does not.
        service("2525", "inet", "smtpd", **{name: value for name, value in CLOSED.items() if name != "mynetworks"}),
        service("2526", "inet", "smtpd", **CLOSED),
    ],
)
def test_what_others_have_made_is_not_taken_back(theirs: Service) -> None:
    on = host(service("smtp", "inet", "smtpd"), theirs)
    plan = asked(on, {"addresses": [], "port": 2525})
    assert theirs.key not in plan.services
    assert plan.refusals == []


@pytest.mark.parametrize(
    ("on", "cause"),
    [
        (replace(host(), version=(2, 9)), "smtpd of Postfix before 2.10 does not know the PROXY protocol"),
        (
            host(service("smtp", "inet", "smtpd"), service("2525", "inet", "spawn")),
            "master.cf already has a service 2525/inet, which runs spawn",
        ),
    ],
)
def test_what_can_not_be_is_refused(on: HostState, cause: str) -> None:
    found = [refusal for refusal in asked(on).refusals if refusal.check == "load_balancers"]
    assert [refusal.cause for refusal in found] == [cause]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("2525", "is not a mapping of addresses and port"),
        ({"address": "192.0.2.80", "port": 2525}, "is not a mapping of addresses and port"),
        ({"addresses": ["192.0.2.80"]}, 'load_balancers.port is "", which is not a port'),
        ({"addresses": ["192.0.2.80"], "port": 65536}, 'load_balancers.port is "65536", which is not a port'),
        ({"port": 2525}, "load_balancers.addresses is not a list"),
        ({"addresses": ["balancer.example"], "port": 2525}, 'load_balancers.addresses has "balancer.example"'),
    ],
)
def test_value_that_can_not_be_right_is_refused(given: Any, words: str) -> None:
    plan = asked(given=given)
    assert checks(plan) == [("", "load_balancers")]
    assert words in plan.refusals[0].cause
    assert "2525/inet" not in plan.services


def test_port_may_be_text() -> None:
    assert read_load_balancers({"addresses": ["::1"], "port": "2525"}) == LoadBalancers(("::1",), 2525)


def test_roles_may_say_it_twice_and_not_differently() -> None:
    same = {"role": "secondary_mx", "domains": ["y.example"], "settings": {"load_balancers": GIVEN}}
    assert asked(peer=same).refusals == []
    other = {**same, "settings": {"load_balancers": {**GIVEN, "port": 2526}}}
    assert checks(asked(peer=other)) == [("", "roles_disagree")]
