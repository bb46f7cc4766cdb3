# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what decides whether strangers are let in. Nothing is changed, and few commands are run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.recipients import listed_samples
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.admission import (
    ETRN_RESTRICTIONS,
    KEYS,
    LISTS,
    Access,
    accesses,
    refuses,
    verifies,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import (
    expand,
    lookup_keys,
    member_of,
    type_of,
    without_proxy,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.policy import endpoint_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.admission import AdmissionEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    CERTIFICATE_FILES,
    MESSAGE_TABLES,
    effective,
    restriction_classes,
    sasl_endpoint,
    stranger_services,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.types import KEYED_TYPES
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.endpoints import why_silent
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

_LOCAL_PART = "mxrelay-probe"
# Their rows can be listed.
_LISTED = (*KEYED_TYPES, "inline", "pcre", "regexp")


class Admission(NamedTuple):
    """What decides whether strangers are let in, as HostState has it."""

    admission: AdmissionEvidence


def read_admission(
    postfix: Postfix, state: HostState, reader: MapReader, domains: Iterable[str], wanted: Mapping[str, str]
) -> Admission:
    """Asks the tables and servers that the lists of main.cf, of overrides and of `wanted` (to be set) name.

    Tables of recipients, and of ETRN, are asked about `domains`. Raises HostError if Postfix's commands fail.
    """
    services = stranger_services(state)
    asked = _Asked(sorted({name for name in domains if not name.startswith(".")}), state, reader)
    classes = restriction_classes(state)
    answers: dict[str, dict[str, str]] = {}
    of_recipients: dict[str, dict[str, str]] = {}
    verifying: dict[str, list[str]] = {}
    unread: dict[str, str] = {}
    endpoints = {endpoint for service in services for endpoint in [sasl_endpoint(state, service)] if endpoint}
    waiting = _named(state, wanted)
    seen: set[Access] = set()
    while waiting:
        access = waiting.pop()
        if access in seen:
            continue
        seen.add(access)
        if access.action == "check_policy_service":
            endpoints.add(endpoint_of(access.argument))
            continue
        found, of_domains = asked.answers(access)
        if without_proxy(access.argument) in reader.problems:
            unread[access.argument] = reader.problems[without_proxy(access.argument)]
        answers.setdefault(access.argument, {}).update(found)
        of_recipients.setdefault(access.argument, {}).update(of_domains)
        verifying[access.argument] = asked.verifying(access.argument, classes)
        for result in {*found.values(), *of_domains.values()}:
            waiting += accesses("", result, classes)
    for table in _message_tables(state):
        reader.ask(without_proxy(table), [_LOCAL_PART])
        if without_proxy(table) in reader.problems:
            unread[table] = reader.problems[without_proxy(table)]
    silent = {endpoint: why for endpoint in sorted(endpoints) for why in [_why_silent(endpoint, state)] if why}
    return Admission(
        AdmissionEvidence(
            answers=answers,
            of_recipients={table: found for table, found in of_recipients.items() if found},
            verifying={table: keys for table, keys in verifying.items() if keys},
            unread=unread,
            silent=silent,
            missing_files=_missing_files(state),
            defaults=postfix.defaults(),
        )
    )


def _named(state: HostState, wanted: Mapping[str, str]) -> list[Access]:
    """The tables and policy services that the lists name."""
    services, names = stranger_services(state), (*LISTS, ETRN_RESTRICTIONS)
    lists = [(name, effective(state, service, name)) for service in services for name in names]
    lists += [(name, expand(value, state.values)) for name, value in wanted.items()]
    classes = restriction_classes(state)
    return [access for name, value in dict.fromkeys(lists) for access in accesses(name, value, classes)]


def _message_tables(state: HostState) -> list[str]:
    members = [member_of(text) for name in MESSAGE_TABLES for text in split_items(state.value(name))]
    return list(dict.fromkeys(member.text for member in members if member.kind == "table"))


class _Asked:
    """What access tables say of strangers, and of recipients of `domains`."""

    def __init__(self, domains: list[str], state: HostState, reader: MapReader) -> None:
        self._domains = domains
        self._state = state
        self._reader = reader
        self._samples: dict[str, str] | None = None

    def answers(self, access: Access) -> tuple[dict[str, str], dict[str, str]]:
        """What the table says of strangers, of recipients only what it says to all of a domain; and of one recipient.

        That is one that is listed, if a table of this host lists one.
        """
        # proxymap opens what main.cf names, which is not yet so of what is to be set.
        table = without_proxy(access.argument)
        if access.action == "check_etrn_access":
            every = {key for name in self._domains for key in lookup_keys(name, True)}
            return self._reader.ask(table, sorted(every or {_LOCAL_PART})), {}
        if not access.action.startswith("check_recipient_"):
            return self._reader.ask(table, KEYS), {}
        keys = {domain: _domain_keys(domain) for domain in self._domains}
        nobody = {domain: f"{_LOCAL_PART}@{domain}" for domain in self._domains}
        listed = {domain: self._listed().get(domain, nobody[domain]) for domain in self._domains}
        every = {key for several in keys.values() for key in several} | {*nobody.values(), *listed.values()}
        # Asked for even where nothing is relayed, as that tells whether it can be.
        found = self._reader.ask(table, sorted(every or {_LOCAL_PART}))
        return (
            self._refusing_all(table, {name: _first([nobody[name], *keys[name]], found) for name in self._domains}),
            {
                domain: result
                for domain in self._domains
                for result in [_first([listed[domain], *keys[domain]], found)]
                if result
            },
        )

    def _listed(self) -> dict[str, str]:
        if self._samples is None:
            self._samples = listed_samples(self._state, self._reader)
        return self._samples

    def _refusing_all(self, table: str, said: Mapping[str, str]) -> dict[str, str]:
        results = {domain: result for domain, result in said.items() if refuses(result)}
        if not results or table.startswith("static:"):
            return results
        listed = table.partition(":")[0] in _LISTED
        entries = self._reader.content(table).entries if listed else None
        return results if entries is not None and all(refuses(value) for _key, value in entries) else {}

    def verifying(self, table: str, classes: Mapping[str, str]) -> list[str]:
        """The keys of the rows, as far as they can be listed, that have smtpd ask a mail host about the recipient."""
        listed = type_of(table) in (*_LISTED, "cidr")
        entries = self._reader.content(table).entries if listed else None
        asking = {result for result in {value for _key, value in entries or ()} if verifies(result, classes)}
        return [key for key, result in entries or () if result in asking]


def _domain_keys(domain: str) -> list[str]:
    return [*lookup_keys(domain, True), *lookup_keys(domain, False)[1:], f"{_LOCAL_PART}@"]


def _first(keys: list[str], found: Mapping[str, str]) -> str:
    """The answer to the first of the keys that has one, in the order in which smtpd asks."""
    return next((found[key] for key in keys if key in found), "")


def _why_silent(endpoint: str, state: HostState) -> str:
    """Why nobody answers there. A service of master.cf is there as soon as Postfix runs."""
    kind, _colon, place = endpoint.partition(":")
    room, _slash, name = place.partition("/")
    served = {service.name for service in state.services if service.type == "unix"}
    if kind == "unix" and room in ("private", "public") and name in served:
        return ""
    chrooted = any(service.chroot == "y" for service in stranger_services(state))
    queue = state.value("queue_directory")
    if kind == "unix" and chrooted and place.startswith("/"):
        return why_silent(f"unix:{queue}{place}", queue)
    return why_silent(endpoint, queue)


def _missing_files(state: HostState) -> frozenset[str]:
    named = {
        path
        for service in stranger_services(state)
        for name in CERTIFICATE_FILES
        for path in effective(state, service, name).replace(",", " ").split()
    }
    return frozenset(path for path in named if not os.path.exists(path))
