# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether mail hosts have the certificates that this host demands of them, as posttls-finger(1) finds it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import (
    TLS_POLICY,
    client_value,
    effective_level,
    sending_service,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

# What posttls-finger can judge by main.cf alone, with the names that the certificate may have.
_MATCHES = {"verify": "smtp_tls_verify_cert_match", "secure": "smtp_tls_secure_cert_match"}
_NOT_JUDGED = ("dane", "dane-only", "fingerprint")
SECONDS = 10
_WHY = re.compile(r"certificate verification failed for .*?:\d+: (.*)")


def read_trust(domains: Sequence[DomainEvidence], state: HostState, postfix: Postfix) -> list[str]:
    """Notes of each domain why its mail host's certificate is not one that is demanded. Returns what was not judged."""
    known: dict[tuple[str, ...], str] = {}
    notes: dict[str, None] = {}
    for domain in domains:
        service = sending_service(state, domain.agent)
        talk = domain.talk
        if service is None or talk is None or "starttls" not in talk.extensions:
            continue
        level = effective_level(state, service)
        if level in _NOT_JUDGED or (level and client_value(state, service, TLS_POLICY)):
            notes[f"{service.key}: what its level of TLS ({level}) demands of certificates was not tried"] = None
        if level in _MATCHES:
            command = _command(domain, talk, state, service, level)
            try:
                if command not in known:
                    result = postfix.commands.run(list(command), silence=2 * SECONDS)
                    known[command] = _untrusted(result.out + result.err)
                domain.untrusted = known[command]
            except (FileNotFoundError, TimeoutError):
                known[command] = ""
                notes[f"{talk.server}: its certificate was not tried, as posttls-finger(1) tells nothing"] = None
    return list(notes)


def _command(domain: DomainEvidence, talk: Talk, state: HostState, service: Service, level: str) -> tuple[str, ...]:
    files = {"-F": "smtp_tls_CAfile", "-P": "smtp_tls_CApath"}
    given = {option: client_value(state, service, name) for option, name in files.items()}
    authorities = [word for option, value in given.items() if value for word in (option, value)]
    place = f"[{talk.server}]:{talk.port}"
    # The name that was asked of DNS, which is not the server's where that name's MX records lead to it.
    nexthop = domain.nexthop or domain.name
    meant = {"nexthop": nexthop, "dot-nexthop": f".{nexthop}"}
    written = split_items(client_value(state, service, _MATCHES[level]).replace(":", " "))
    names = [meant.get(name, name) for name in written]
    return ("posttls-finger", "-c", "-t", str(SECONDS), "-T", str(SECONDS), "-l", level, *authorities, place, *names)


def _untrusted(told: str) -> str:
    """Why the certificate is not verified, "" if it is, or if that was not seen."""
    if "TLS connection established" not in told or "Verified TLS connection" in told:
        return ""
    why = _WHY.search(told)
    return why.group(1).strip() if why else "its certificate is for another name"
