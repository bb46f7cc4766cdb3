# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what an MX plan needs to know of a host. Nothing is changed, and few commands are run."""

from __future__ import annotations

import os
import re
import time
from dataclasses import replace
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.delivery_limits import standing_limits
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.admission import read_admission
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host_tables import read_tables
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.neighbours import read_neighbours
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.own_certificate import (
    read_certificate_to_be,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.postscreen import read_postscreen
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.raise_record import read_raise_evidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import (
    Evidence,
    MapReader,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reception import read_reception
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.recipients import read_lookups
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.relay_domains import (
    read_captures,
    read_classes,
    read_interfaces,
    read_probes,
    read_reach,
    read_relay_domains,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reports import read_reports
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.standby import read_standby
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.verify_cache import read_verify_cache
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import waiting_mail
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import (
    expand,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.contents import Content
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import RELAY_RESTRICTIONS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    HostState,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.front_door import ENFORCE, LOG, read_screening
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.leaving import leaving_with_mail
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.refused_mail import report_targets
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import (
    LISTED,
    VERIFY,
    MxRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.packages import missing_packages
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers.servers import relaying
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import text_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.os_release import family_of_host
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.service import service_state

# Tables that name tables that name tables.
DEEPEST = 5


def read_host(postfix: Postfix, network: Network, request: MxRequest) -> Evidence:
    """The state of the host as far as the request needs it.

    DNS and the addresses of mail hosts are asked only for domains that would change: mx_info looks at the others. With
    limits for clients all are asked, as the hosts of these domains are excepted from them.
    Raises HostError where Postfix's commands fail.
    """
    if not postfix.installed():
        types = [str(request.settings["table_type"])]
        wanted = missing_packages(family_of_host(), True, types, bool(network.lacks()))
        state = HostState(installed=False, missing_packages=wanted if request.present else [])
        return Evidence(state.having(read_certificate_to_be(request, state, network)))
    reader = MapReader(postfix)
    state = read_parameters(postfix, reader, ", ".join(map(str, request.settings["relay_restrictions"])))
    state = without_limits(postfix, state)
    tables = read_tables(postfix, request, state, reader)
    state = state.having(tables.known)
    declared = [item.name for item in request.items]
    state = state.having(read_relay_domains(declared, state, reader))
    lists = {
        f"smtpd_{name}": ", ".join(map(str, request.settings[name]))
        for name in ("client_restrictions", "relay_restrictions", "etrn_restrictions")
    }
    state = state.having(read_admission(postfix, state, reader, {*declared, *state.relayed}, lists))
    state = replace(
        state,
        classes=read_classes(declared, state, reader),
        probed=read_probes(request, state, reader),
        missing_packages=missing_packages(family_of_host(), False, tables.missing_types, bool(network.lacks())),
        dns_lacks=network.lacks(),
    )
    state = state.having(read_captures(request, state, reader)).having(read_reach(network, request, state))
    state = state.having(read_neighbours(network, request))
    verifies = any(item.policy == VERIFY for item in request.present)
    state = state.having(read_verify_cache(postfix, state, verifies))
    state = state.having(read_interfaces(network, state, _interfaces_wanted(request)))
    if leaving_with_mail(request, state):
        waiting, unreturnable = waiting_mail(postfix)
        state = replace(state, waiting=waiting, unreturnable=unreturnable)
    names = [item.name for item in request.present]
    state = replace(state, lookups=read_lookups(names, state, reader, _to_be_written(request, state)))
    screening = read_screening(request.settings["postscreen"])
    screened = [*names, *state.relayed] if names and screening.mode in (LOG, ENFORCE) else []
    state = state.having(read_postscreen(postfix, network, state, reader, screened, bool(screened)))
    state = replace(state, standby=read_standby(postfix, state), raised=read_raise_evidence(postfix))
    if names:
        state = state.having(read_reception(names, state, reader, network))
        state = replace(state, reports=read_reports(names, state, reader, report_targets(request, state)))
    state = state.having(read_certificate_to_be(request, state, network))
    state = replace(state.having(read_service(postfix, state)), notes=[*tables.notes, *reader.notes])
    return Evidence(state, tables.refusals, tables.missing_types, reader)


def _interfaces_wanted(request: MxRequest) -> list[str]:
    return [", ".join(map(str, request.settings["proxy_interfaces"])), str(request.settings["inet_interfaces"])]


def _to_be_written(request: MxRequest, state: HostState) -> dict[str, str]:
    """Our table of recipients, with a domain whose recipients it is to list, "" for none."""
    listed = [item.name for item in request.present if item.policy == LISTED]
    return {state.recipients.reference: listed[0] if listed else ""} if state.recipients else {}


def read_contents(state: HostState, reader: MapReader, wanted: str = "") -> dict[str, Content]:
    """What the tables and files hold that decide who may relay, also by `wanted`, restrictions that are to be set.

    What one names may name others, so each round reads what the one before has shown to be needed.
    """
    asked = replace(state, values={**state.values, RELAY_RESTRICTIONS: expand(wanted, state.values)})
    states = [state, asked] if wanted else [state]
    contents: dict[str, Content] = {}
    for _round in range(DEEPEST):
        judged = [relaying(replace(judged_state, contents=contents)) for judged_state in states]
        needed = {name for relay in judged for name in relay.needed} - contents.keys()
        if not needed:
            break
        contents.update({name: reader.content(name) for name in sorted(needed)})
    return contents


def without_limits(postfix: Postfix, state: HostState) -> HostState:
    """The state as if deliveries were not limited for a while, as by the module queue_limits."""
    standing = standing_limits(postfix)
    if standing is None:
        return state
    before = MainCf(standing.without).values
    defaults = postfix.defaults()
    as_before = {name: before.get(name, defaults.get(name, "")) for name in standing.names}
    return replace(
        state,
        explicit=before,
        parameters={**state.parameters, **as_before},
        values={**state.values, **{name: expand(value, state.values) for name, value in as_before.items()}},
        limited=frozenset(standing.names),
        limits_over=standing.expired,
    )


class ServiceEvidence(NamedTuple):
    """The service of Postfix, as HostState has it."""

    service_name: str
    service_active: bool | None
    service_enabled: bool | None
    reload_pending: bool
    service_replaced: bool
    service_unit: bool


def read_service(postfix: Postfix, state: HostState) -> ServiceEvidence:
    service = service_state(postfix, state.value("queue_directory"), state.value("daemon_directory"))
    return ServiceEvidence(
        service.name, service.active, service.enabled, service.reload_pending, service.replaced, service.unit
    )


def read_parameters(postfix: Postfix, reader: MapReader, wanted: str = "") -> HostState:
    """What main.cf and master.cf say, and what Postfix makes of them; `wanted` are relay restrictions to be set."""
    main_cf, master_cf = (os.path.join(postfix.config_directory, name) for name in ("main.cf", "master.cf"))
    values, parameters = postfix.parameters(options=("-x",)), postfix.parameters()
    state = HostState(
        installed=True,
        parameters=parameters,
        values=values,
        explicit=MainCf(text_of(main_cf), main_cf).values,
        own_names=frozenset(parameters.keys() - postfix.defaults().keys()),
        today=time.strftime("%Y-%m-%d"),
        services=MasterCf(text_of(master_cf), master_cf).effective,
        version=tuple(int(number) for number in re.findall(r"\d+", values.get("mail_version", ""))[:3]),
    )
    return replace(state, contents=read_contents(state, reader, wanted))
