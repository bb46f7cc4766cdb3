# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what an MX plan needs to know of a host. Nothing is changed, and few commands are run."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import Mapping, NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.host_tables import read_tables
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import (
    Evidence,
    MapReader,
    named_files,
    text_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reception import read_reception
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.relay_domains import (
    read_captures,
    read_classes,
    read_probes,
    read_reach,
    read_relay_domains,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import KEYED_TYPES
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf, split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import (
    expand,
    members_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.strangers import (
    ADDRESSES,
    RECIPIENTS,
    permits,
    welcomes,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import (
    HostState,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import (
    MxRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.packages import missing
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.service import service_state

OS_RELEASE = "/etc/os-release"


def read_host(postfix: Postfix, network: Network, request: MxRequest) -> Evidence:
    """The state of the host as far as the request needs it.

    DNS and the addresses of mail hosts are asked only for domains that would change: mx_info looks at the others.
    Raises HostError where Postfix's commands fail.
    """
    if not postfix.installed():
        wanted = missing(True, [str(request.settings["table_type"])], bool(network.lacks()), text_of(OS_RELEASE))
        return Evidence(HostState(installed=False, missing_packages=wanted if request.present else []))
    reader = MapReader(postfix)
    state = read_parameters(postfix, reader, ", ".join(map(str, request.settings["relay_restrictions"])))
    tables = read_tables(postfix, request, state, reader)
    state = state.having(tables.known)
    declared = [item.name for item in request.items]
    state = state.having(read_relay_domains(declared, state, reader))
    state = replace(
        state,
        classes=read_classes(declared, state, reader),
        probed=read_probes(request, state, reader),
        missing_packages=missing(False, tables.missing_types, bool(network.lacks()), text_of(OS_RELEASE)),
        dns_lacks=network.lacks(),
    )
    state = state.having(read_captures(request, state, reader)).having(read_reach(network, request, state))
    present = [item.name for item in request.present]
    if present:
        state = state.having(read_reception(present, state, reader, network))
    state = replace(state.having(read_service(postfix, state)), notes=[*tables.notes, *reader.notes])
    return Evidence(state, tables.refusals, tables.missing_types, reader)


class Strangers(NamedTuple):
    """What decides whether strangers may relay, as HostState has it."""

    network_files: Mapping[str, str]
    network_answers: Mapping[str, Mapping[str, str]]
    permitting: frozenset[str]


def read_strangers(state: HostState, reader: MapReader, wanted: str = "") -> Strangers:
    """What the tables and classes that decide on relaying say to strangers: in main.cf, in overrides, in `wanted`."""
    overrides = [service.overrides for service in state.services]
    networks = [state.value("mynetworks")] + [one.get("mynetworks", "") for one in overrides]
    value = expand(" ".join(networks), state.values)
    files = named_files(split_items(value))
    tables = {member.text for member in members_of(value, files) if member.kind == "table"}
    answers = {table: reader.ask(table, ADDRESSES) for table in sorted(tables)}

    classes = split_items(state.value("smtpd_restriction_classes"))
    names = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
    lists = [state.value(name) for name in (*names, *classes)] + [expand(wanted, state.values)]
    lists += [expand(one[name], state.values) for one in overrides for name in names if name in one]
    found = {pair for one in lists for pair in restrictions.access_tables(one)}
    permitting = {table for action, table in sorted(found) if _permits_strangers(action, table, reader)}
    # A class may name another, so that one round for each is enough.
    for _round in classes:
        permitting |= {one for one in classes if restrictions.grants(state.value(one), permitting)}
    return Strangers(files, answers, frozenset(permitting))


def _permits_strangers(action: str, table: str, reader: MapReader) -> bool:
    """Whether everybody, or whoever pretends to be the right sender, is permitted by it, or mail to everybody."""
    if action == "check_client_access":
        return welcomes(reader.ask(table, ADDRESSES))
    if action in ("check_sender_access", "check_helo_access"):
        return any(permits(one) for one in reader.values(table))
    # An index has an answer for the recipients that it lists, and for nobody else.
    if action == "check_recipient_access" and table.partition(":")[0] not in KEYED_TYPES:
        return any(permits(one) for one in reader.ask(table, RECIPIENTS).values())
    # Of the others Postfix takes no OK (postconf(5)), or they are about clients that have shown who they are.
    return False


class ServiceEvidence(NamedTuple):
    """The service of Postfix, as HostState has it."""

    service_name: str
    service_active: bool | None
    service_enabled: bool | None
    reload_pending: bool


def read_service(postfix: Postfix, state: HostState) -> ServiceEvidence:
    service = service_state(postfix, state.value("queue_directory"))
    return ServiceEvidence(service.name, service.active, service.enabled, service.reload_pending)


def read_parameters(postfix: Postfix, reader: MapReader, wanted: str = "") -> HostState:
    """What main.cf and master.cf say, and what Postfix makes of them; `wanted` are relay restrictions to be set."""
    main_cf, master_cf = (os.path.join(postfix.config_directory, name) for name in ("main.cf", "master.cf"))
    values = postfix.parameters(options=("-x",))
    state = HostState(
        installed=True,
        parameters=postfix.parameters(),
        values=values,
        explicit=MainCf(text_of(main_cf), main_cf).values,
        services=MasterCf(text_of(master_cf), master_cf).effective,
        version=tuple(int(number) for number in re.findall(r"\d+", values.get("mail_version", ""))[:3]),
    )
    return state.having(read_strangers(state, reader, wanted))
