# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may still refuse or change mail of a trusted MX host: seen, told, and left as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    RELAY_RESTRICTIONS,
    effective,
    program,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.lists import distrusting
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.trust.reading import list_reading_of

_PAGE = "docs/mail-host.md"
_AT_ONCE = "postscreen_client_connection_count_limit"
# What judges a message by its content, after it was taken.
_JUDGING = (
    ("smtpd_milters", "judges messages after DATA, where Postfix can except no client; tell it of the MX hosts"),
    ("smtpd_proxy_filter", "judges messages after DATA; tell it of the MX hosts"),
    ("content_filter", "judges messages that were taken; tell it of the MX hosts"),
    ("header_checks", "may reject messages by their headers"),
    ("body_checks", "may reject messages by their content"),
)


def untouched(state: HostState, services: Sequence[Service], kept: Sequence[str]) -> list[str]:
    """One line for each thing, with `kept`: what of the restriction lists may still refuse an MX host."""
    now = [next((other for other in state.services if other.key == service.key), service) for service in services]
    found = [line for service in now for line in _of_service(state, service)]
    found += [line for service in state.services if program(service) == "postscreen" for line in _limit(state, service)]
    return list(dict.fromkeys([*kept, *found]))


def _of_service(state: HostState, service: Service) -> Iterator[str]:
    reading = list_reading_of(state, service)
    found = reading.parts(effective(state, service, RELAY_RESTRICTIONS))
    relay = distrusting(RELAY_RESTRICTIONS, found, reading)
    # What closes the list is no distrust of MX hosts.
    relay = [part for part in relay if part.lower() not in ("reject", "defer")]
    if relay:
        yield (
            f"{RELAY_RESTRICTIONS}: {', '.join(relay)}; a permit there would let the MX hosts relay, so move it to "
            "smtpd_recipient_restrictions"
        )
    if effective(state, service, "smtpd_reject_unlisted_sender").lower() == "yes":
        yield (
            "smtpd_reject_unlisted_sender = yes: refuses senders of this host's domains who are not listed, also to MX "
            "hosts; set it to no, and add reject_unlisted_sender to smtpd_sender_restrictions, where they are exempt"
        )
    for name, why in _JUDGING:
        value = effective(state, service, name)
        if value:
            yield f"{name} = {value}: {why} ({_PAGE})"
    if _demands_tls(state, service):
        yield "TLS is demanded: MX hosts have to use it as well, as they do where it is offered"
    if effective(state, service, "smtpd_tls_req_ccert").lower() == "yes":
        yield "smtpd_tls_req_ccert = yes: MX hosts need a certificate that this host trusts"
    keywords = effective(state, service, "smtpd_discard_ehlo_keywords").lower()
    if "8bitmime" in keywords:
        yield "smtpd_discard_ehlo_keywords has 8bitmime: MX hosts rewrite 8-bit mail, which breaks its DKIM signatures"


def _limit(state: HostState, service: Service) -> Iterator[str]:
    """Postscreen counts connections before it looks at its access list."""
    limit = effective(state, service, _AT_ONCE)
    if limit not in ("", "0"):
        yield (
            f"{_AT_ONCE} = {limit}: postscreen excepts no client from it, and puts off what an MX host connects beyond "
            "it at once"
        )


def _demands_tls(state: HostState, service: Service) -> bool:
    level = effective(state, service, "smtpd_tls_security_level").lower()
    return level == "encrypt" or (not level and effective(state, service, "smtpd_enforce_tls").lower() == "yes")
