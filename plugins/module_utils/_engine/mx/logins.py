# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""To which mail hosts the service that sends a domain's mail logs in, see SASL_README. Passwords are told nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.sending import (
    client_value,
    own_value,
    sending_service,
)


def read_logins(domains: Sequence[DomainEvidence], state: HostState, reader: MapReader) -> None:
    """Notes of each domain whether its mail host is sent a password."""
    for domain in domains:
        service = sending_service(state, domain.agent)
        if service is None or own_value(state, service, "smtp_sasl_auth_enable") != "yes":
            continue
        # As smtp(8) asks: for the server, and for the destination as the route has it.
        keys = list(dict.fromkeys(key for key in (domain.nexthop, domain.hop_text or domain.name) if key))
        maps = split_items(client_value(state, service, "smtp_sasl_password_maps"))
        domain.logs_in = any(reader.ask(table, keys) for table in maps)
