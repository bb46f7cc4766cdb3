# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same variables, on a host of every release at its own defaults, come to the same relaying.

Releases before 3.5 are as the version table says they are: no Postfix of that age was run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import expand
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, TableState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.decide import Decision, decide
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.plan import ServiceChange
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import read_request
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.servers import relaying
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import name_in
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.release_defaults import (
    DEFAULTS,
    default_in,
    shipped_guard,
)

LEVELS = ((0,), (1,), (2,), (3, 6), (3, 11))
# Each release, and each compatibility level that it knows.
RELEASES = [
    *(((2, minor), (0,)) for minor in range(12)),
    *(((3, minor), level) for minor in range(12) for level in LEVELS if level <= (3, minor)),
]
LIST = {"has_list": True, "recipients_count": 1, "recipients_digest": "d"}
DOMAINS = [
    {"name": "front.example", "role": "primary", "mail_host": "mail.example", **LIST},
    {"name": "behind.example", "role": "secondary", **LIST},
]


def host(version: tuple[int, int], level: tuple[int, ...], **values: str) -> HostState:
    """A new host of that release: nothing is set but `values`."""
    defaults = {name: default_in(version, level, name) for name in DEFAULTS}
    known = {name: value for name, value in defaults.items() if value is not None}
    parameters = {
        "myhostname": "mx.example",
        "mydestination": "mx.example",
        "mynetworks": "127.0.0.0/8",
        "inet_interfaces": "all",
        "relayhost": "",
        "relay_recipient_maps": "",
        "transport_maps": "",
        "fallback_relay": "",
        **known,
        **values,
    }
    effective = {name: expand(value, parameters) for name, value in parameters.items()}
    tables = {
        name: TableState(f"hash:/etc/postfix/{path}", f"/etc/postfix/{path}", "hash")
        for name, path in (("recipients", "relay_recipients"), ("transport", "transport"), ("verify", "relay_verify"))
    }
    services = [
        Service("smtp", "inet", "n", "-", "-", "-", "-", "smtpd", {}),
        Service("relay", "unix", "-", "-", "-", "-", "-", "smtp", shipped_guard(version)),
    ]
    return HostState(
        installed=True,
        version=version,
        parameters=parameters,
        values=effective,
        explicit=values,
        services=services,
        **tables,
    )


def plan_for(on: HostState, domains: list[dict[str, Any]] | None = None) -> Decision:
    return decide(read_request({"role": "mx", "domains": DOMAINS if domains is None else domains}), on)


def after(on: HostState, plan: Decision) -> Mapping[str, str]:
    """The effective values once the plan is carried out."""
    written = {**on.parameters, **plan.main_cf.parameters}
    for name, members in plan.main_cf.add_items.items():
        written[name] = ", ".join([*split_items(written.get(name, "")), *members])
    return {name: expand(value, written) for name, value in written.items()}


@pytest.mark.parametrize(("version", "level"), RELEASES)
def test_strangers_relay_nowhere_and_are_told_so_for_good(version: tuple[int, int], level: tuple[int, ...]) -> None:
    on = host(version, level)
    plan = plan_for(on)
    assert plan.refusals == []
    values = after(on, plan)
    assert [server.doubts for server in relaying(replace(on, values=values, services=[])).servers] == [()]
    lists = [values.get(name, "") for name in ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")]
    assert [value for value in lists if restrictions.DEFERRING in value] == []
    assert set(plan.main_cf.parameters) <= set(on.parameters)


@pytest.mark.parametrize(("version", "level"), RELEASES)
def test_both_domains_are_relayed_by_the_relay_service_for_listed_recipients(
    version: tuple[int, int], level: tuple[int, ...]
) -> None:
    on = host(version, level)
    plan = plan_for(on)
    values = after(on, plan)
    relayed = split_items(values["relay_domains"])
    assert [name for name in relayed if name != "mx.example"] == ["front.example", "behind.example"]
    assert values["relay_transport"] == "relay"
    assert values["relay_recipient_maps"] == "hash:/etc/postfix/relay_recipients"
    assert plan.routes.rows == {"front.example": "relay:[mail.example]"}


@pytest.mark.parametrize(("version", "level"), RELEASES)
def test_fallback_relay_takes_no_mail_of_relay_domains(version: tuple[int, int], level: tuple[int, ...]) -> None:
    name = name_in(version, "smtp_fallback_relay")
    on = host(version, level, **{name: "[smart.example]"})
    plan = plan_for(on)
    service = {**on.services[1].overrides, **plan.services.get("relay/unix", ServiceChange()).overrides}
    # The old name, as an override, empties the default of the present one.
    assert service.get(name, service.get("fallback_relay")) == ""


@pytest.mark.parametrize(("version", "level"), RELEASES)
def test_unreachable_mail_host_means_yes_or_verification_is_refused(
    version: tuple[int, int], level: tuple[int, ...]
) -> None:
    asked = {"name": "x.example", "role": "primary", "mail_host": "mail.example", "recipients_policy": "verify"}
    on = host(version, level)
    plan = plan_for(on, [asked])
    if version < (2, 6):
        assert [refusal.check for refusal in plan.refusals] == ["verify"]
    else:
        assert plan.refusals == []
        assert after(on, plan)["unverified_recipient_defer_code"] == "250"
