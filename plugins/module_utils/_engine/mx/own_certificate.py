# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the certificate by which this host's services for strangers go, and sees which one they show."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import (
    CertificateEvidence,
    CertificateFiles,
    ServedCertificate,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    EVERY_ADDRESS,
    LOOPBACK,
    address_of,
    effective,
    port_of,
    program,
    reaches_strangers,
    services_for_strangers,
    takes_proxy_protocol,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState, MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.certificate import CHAIN_FILES
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.front_door import read_certificate_pair
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import MxRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network

_HERE = {"ipv4": "127.0.0.1", "ipv6": "::1"}


class OwnCertificate(NamedTuple):
    """What was read, as HostState has it."""

    certificates: CertificateEvidence


def read_certificate_to_be(request: MxRequest, state: HostState, network: Network) -> OwnCertificate:
    """The files that the setting names, and what is shown today. Nothing is read where it is not given."""
    pair = read_certificate_pair(request.settings["certificate"])
    if pair is None:
        return OwnCertificate(CertificateEvidence())
    files = _read(*pair)
    name = state.value("myhostname").lower()
    names = [name] if name else []
    if name and files.leaf and not files.leaf.is_for(name):
        # It may be for the name that DNS has, of which only domains that change have been asked.
        records = network.exchangers(item.name for item in request.present)
        names += _own_names(state, [record for found in records.values() for record in found])
    return OwnCertificate(CertificateEvidence([files], _served(state, network), names, now=time.time()))


def read_own_certificate(state: HostState, domains: Sequence[DomainEvidence], network: Network) -> OwnCertificate:
    """The files that main.cf and master.cf name, what is shown, and the names that DNS has of this host."""
    records = [record for domain in domains for record in domain.exchangers or ()]
    exchangers = _own_names(state, records)
    names = [state.value("myhostname").lower(), *exchangers]
    files = {_files(service, state): None for service in services_for_strangers(state)}
    found = [found for found in files if found is not None]
    return OwnCertificate(
        CertificateEvidence(
            [_read(*named) for named in found],
            _served(state, network),
            list(dict.fromkeys(filter(None, names))),
            network.tlsa(exchangers),
            time.time(),
        )
    )


def _read(chain: str, key: str, key_first: bool = True) -> CertificateFiles:
    # Few plans are about certificates, and what this imports takes a while.
    from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.certificate_files import (
        read_certificate_files,
    )

    return read_certificate_files(chain, key, key_first)


def _own_names(state: HostState, records: Iterable[MxRecord]) -> list[str]:
    own = (record.host for record in records if state.is_self(record.host, record.addresses, ()))
    return list(dict.fromkeys(own))


def _files(service: Service, state: HostState) -> tuple[str, str, bool] | None:
    """The chain and the key by which a service goes, and whether the key has to come first; None without TLS."""
    several = split_items(effective(state, service, CHAIN_FILES))
    if several:
        return several[1 if len(several) > 1 else 0], several[0], True
    chain = effective(state, service, "smtpd_tls_cert_file").strip()
    key = effective(state, service, "smtpd_tls_key_file").strip() or chain
    return (chain, key, False) if chain and chain.lower() != "none" else None


def _served(state: HostState, network: Network) -> list[ServedCertificate]:
    """What the services on ports for strangers show to who asks for this host's name.

    Where each name has a certificate of its own, it is the one that is shown to who asks for none.
    """
    name = "" if state.value("tls_server_sni_maps") else state.value("myhostname").lower()
    services = [service for service in state.services if service.type == "inet" and _is_asked(service, state)]
    return [
        replace(network.certificate(_address(service, state), port, name), server=service.key)
        for service in services
        for port in [network.port(port_of(service))]
        if port
    ]


def _is_asked(service: Service, state: HostState) -> bool:
    """Whether strangers begin TLS there by STARTTLS, and this host can."""
    if effective(state, service, "smtpd_tls_wrappermode").lower() == "yes":
        return False
    if program(service) == "postscreen":
        strangers = reaches_strangers(service, state)
    else:
        strangers = service in services_for_strangers(state)
    return strangers and not takes_proxy_protocol(state, service)


def _address(service: Service, state: HostState) -> str:
    """An address of this host at which the service listens."""
    own = address_of(service)
    interfaces = [own] if own else split_items(state.value("inet_interfaces"))
    first = "".join(interfaces[:1]).strip("[]")
    if first in ("all", "", *LOOPBACK, *EVERY_ADDRESS):
        return _HERE.get(state.value("inet_protocols").strip().lower(), _HERE["ipv4"])
    return first
