# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which services Postfix tells a sender that mail was not delivered. See bounce(8)."""

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.facts import program
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import sending_service

# The service by which the roles have the reports of refused mail judged.
BOUNCE_CLEANUP = "bounce-cleanup"
# The relay service that tries again what was refused for good.
RETRYING = "relay_retry"
# What a sender must not be offered where reports are kept: it could ask for none, or for headers only.
DISCARDS = "smtpd_discard_ehlo_keywords"
DISCARDED = ("dsn", "silent-discard")
_REPORTING = ("bounce_service_name", "defer_service_name")


def bounce_services(host: HostState) -> list[Service]:
    """The services that send the reports of mail that was refused, or has expired."""
    found = [sending_service(host, host.value(name)) for name in _REPORTING]
    return list({service.key: service for service in found if service and program(service) == "bounce"}.values())
