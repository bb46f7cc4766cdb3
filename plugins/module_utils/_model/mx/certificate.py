# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate that this host shows to other mail servers: what main.cf is to say, and what speaks against it.

See TLS_README, "Server-side certificate and private key configuration". smtpd_tls_chain_files comes before all the
older parameters; without it those for each kind of key stand beside each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.certificate_problems import (
    Problem,
    ends_tls,
    unverifiable,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import CertificateFiles
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    CERTIFICATE_FILES,
    program,
    services_for_strangers,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.front_door import (
    CertificatePair,
    read_certificate_pair,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import MxRequest

CHECK = "certificate"
CHAIN_FILES = "smtpd_tls_chain_files"
LEVEL = "smtpd_tls_security_level"
# What decides whether smtpd offers TLS where there is no level.
OLDER_LEVELS = ("smtpd_use_tls", "smtpd_enforce_tls")
_FILE, _KEY = "smtpd_tls_cert_file", "smtpd_tls_key_file"
# Certificates of other kinds of keys, of which smtpd would show one to senders that like it better.
_OTHER_KINDS = ("smtpd_tls_eccert_file", "smtpd_tls_dcert_file")


class CertificateSettings(NamedTuple):
    """What main.cf is to say, and reasons not to let it."""

    parameters: dict[str, str]
    refusals: list[Refusal]


def certificate_settings(request: MxRequest, host: HostState) -> CertificateSettings:
    """What the setting asks of this host."""
    pair = read_certificate_pair(request.settings[CHECK])
    if pair is None:
        return CertificateSettings({}, [])
    problems = [problem for files in host.certificates.files for problem in _against(files, host)]
    problems += [problem for service in host.services for problem in _of_service(service, host, pair)]
    refusals = [Refusal("", CHECK, problem.cause, problem.remedy) for problem in problems]
    return CertificateSettings({**_files(pair, host), **_level(host)} if host.installed else {}, refusals)


def _against(files: CertificateFiles, host: HostState) -> Iterator[Problem]:
    """Why the certificate is not to go live. What is live is found by the checks, and keeps no run from its work."""
    found = list(ends_tls(files))
    yield from found
    if found or host.certificates.live:
        return
    yield from unverifiable(files, host.certificates.names, host.certificates.now)
    trusted = [served for served in host.certificates.served if served.certificate and not served.untrusted]
    if trusted and files.untrusted:
        yield Problem(
            f"{trusted[0].server} shows a certificate that leads to a root, and {files.chain} leads to none that this "
            f"host trusts ({files.untrusted})",
            "name a chain that leads to a root, with all that is between",
        )


def _of_service(service: Service, host: HostState, pair: CertificatePair) -> Iterator[Problem]:
    """What a service of master.cf says by itself, which would come before the setting or no longer count."""
    mine = service.overrides
    if service in services_for_strangers(host):
        wanted = _files(pair, host)
        for name in (CHAIN_FILES,) if host.knows(CHAIN_FILES) else (_FILE, _KEY, *_OTHER_KINDS):
            if name in mine and split_items(mine[name]) != split_items(wanted.get(name, "")):
                yield Problem(
                    f"{service.key} has -o {name}={mine[name]}, so it would show another certificate",
                    f"remove that override of {service.key}",
                )
        if mine.get(LEVEL, "may").lower() in ("none", ""):
            yield Problem(
                f"{service.key} has -o {LEVEL}={mine[LEVEL]}, so it would not offer TLS",
                f"remove that override of {service.key}",
            )
    elif program(service) == "smtpd" and host.knows(CHAIN_FILES) and CHAIN_FILES not in mine:
        own = next((name for name in CERTIFICATE_FILES if mine.get(name)), "")
        if own and not host.value(CHAIN_FILES):
            yield Problem(
                f"{service.key} has -o {own}={mine[own]}, which no longer counts once main.cf has {CHAIN_FILES}",
                f"write its key and its certificate as -o {CHAIN_FILES}=KEY,CERTIFICATE",
            )


def _files(pair: CertificatePair, host: HostState) -> dict[str, str]:
    """The parameters that name the files."""
    if host.knows(CHAIN_FILES):
        return {CHAIN_FILES: ", ".join(dict.fromkeys((pair.key, pair.chain)))}
    return {_FILE: pair.chain, _KEY: pair.key, **{name: "" for name in _OTHER_KINDS if _named(host.value(name))}}


def _named(value: str) -> Sequence[str]:
    return [path for path in split_items(value) if path.lower() != "none"]


def _level(host: HostState) -> dict[str, str]:
    """What makes smtpd offer TLS, if it does not yet; what demands more than that stays."""
    level = host.value(LEVEL).strip().lower()
    older = any(host.value(name).strip().lower() == "yes" for name in OLDER_LEVELS)
    if level not in ("", "none") or (older and not level):
        return {}
    return {LEVEL: "may"} if host.knows(LEVEL) else {OLDER_LEVELS[0]: "yes"}
