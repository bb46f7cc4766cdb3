# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collects what metrics are made of, from one instance of Postfix."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.info import MAX_AGE, inform
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue import read_queue
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.queue_summary import summarised_queue
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import MxRelayError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.tables import WARN
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.collected import (
    QUEUE,
    VERIFY,
    MetricsFound,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.queue import DOMAINS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.people import unnamed
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.queue import with_subdomains
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import Prober

LOG_MEGABYTES = 4


@dataclass(frozen=True)
class MetricsRequest:
    """How to look at an instance, as the options of the module mx_metrics say.

    `dns`: DNS and tables on other hosts are asked as well, at the servers in `resolver` if it names any. `domains` is
    how many domains have labels of their own. `accepted` are findings that somebody accepts.
    """

    config_directory: str = "/etc/postfix"
    path: str = ""
    dns: bool = False
    resolver: Sequence[str] = ()
    domains: int = DOMAINS
    log_megabytes: int = LOG_MEGABYTES
    list_max_age: str = MAX_AGE
    outage: str = ""
    unproven: str = WARN
    accepted: Sequence[Mapping[str, Any]] = ()
    thresholds: Mapping[str, Sequence[int]] = field(default_factory=dict)


def collected(
    request: MetricsRequest, postfix: Postfix, network: Network, prober: Prober, verified: float | None = None
) -> MetricsFound:
    """What can be told of the instance now; a part that can't is told as a problem. Nothing is changed.

    `verified` is when the host was last verified so far.
    """
    began = time.monotonic()
    problems: dict[str, str] = {}
    mx: Mapping[str, Any] | None = None
    try:
        mx = _verified(request, postfix, network, prober)
    except MxRelayError as error:
        problems[VERIFY] = str(unnamed(error.message))
    queue: Mapping[str, Any] | None = None
    try:
        parents = list(mx["domains"]) if mx else []
        messages = with_subdomains(read_queue(postfix), parents)
        queue = summarised_queue(postfix, messages, (), parents, request.log_megabytes << 20, not request.dns)
    except MxRelayError as error:
        problems[QUEUE] = str(unnamed(error.message))
    now = time.time()
    return MetricsFound(now, mx, queue, problems, now if mx else verified, time.monotonic() - began)


def _verified(request: MetricsRequest, postfix: Postfix, network: Network, prober: Prober) -> Mapping[str, Any]:
    params = {
        "outage": request.outage,
        "list_max_age": request.list_max_age,
        "unproven": request.unproven,
        "accepted": request.accepted,
        "canary": True,
    }
    return inform(params, postfix, network, prober, local=not request.dns).results
