# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which services Postfix tells a sender that mail was not delivered. See bounce(8)."""

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import (
    effective,
    program,
    relayed_by,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import sending_service

# The service by which the roles have the reports of refused mail judged.
BOUNCE_CLEANUP = "bounce-cleanup"
# The relay service that tries again what was refused for good.
RETRYING = "relay_retry"
# What a sender must not be offered where reports are kept: it could ask for none, or for headers only.
DISCARDS = "smtpd_discard_ehlo_keywords"
DSN = "dsn"
# In an order in which an administrator hardly writes it, so that what a run has added is known again.
DISCARDED = ("silent-discard", DSN)
# The table of what is done with the reports of which domain.
REFUSED_NAME = "relay_refused_mail"
_REPORTING = ("bounce_service_name", "defer_service_name")


def bounce_services(host: HostState) -> list[Service]:
    """The services that send the reports of mail that was refused, or has expired."""
    found = [sending_service(host, host.value(name)) for name in _REPORTING]
    return list({service.key: service for service in found if service and program(service) == "bounce"}.values())


def cleanup_of(host: HostState, service: Service) -> Service | None:
    """The cleanup service that this one hands its reports to."""
    return sending_service(host, cleanup_name(host, service))


def cleanup_name(host: HostState, service: Service) -> str:
    return effective(host, service, "cleanup_service_name") or "cleanup"


def report_tables(host: HostState, service: Service) -> list[str]:
    """The tables by which the reports of this service are judged: none unless it says that they are to be."""
    cleanup = cleanup_of(host, service)
    classes = split_items(effective(host, service, "internal_mail_filter_classes").lower())
    return split_items(effective(host, cleanup, "body_checks")) if cleanup and "bounce" in classes else []


def no_address_of(domain: str, host: HostState) -> str | None:
    """Why a report for an address of a domain that is not delivered here would not arrive, None if it may."""
    if relayed_by(domain.lower(), host):
        return f"its mail goes to the mail host of {domain}, which may refuse the report as well"
    return None
