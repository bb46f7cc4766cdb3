# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report on MX hosts says as metrics, from what mx_info and queue_info returned of each host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.collected import (
    QUEUE,
    VERIFY,
    MetricsFound,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.exposition import exposition
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.report import NOT_READ
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.roles import DEFAULT_DIRECTORY


def report_metrics(evidence: Mapping[str, Mapping[str, Any] | Sequence[Mapping[str, Any]] | None], now: float) -> str:
    """The text of all hosts, each with its name as the label `host`. `evidence` is what `report` takes."""
    parts = []
    for name, found in evidence.items():
        for instance in [found] if isinstance(found, Mapping) else found or [{"error": NOT_READ}]:
            directory = instance.get("config_directory", DEFAULT_DIRECTORY)
            labels = {"host": name, **({} if directory == DEFAULT_DIRECTORY else {"config_directory": directory})}
            parts.append((labels, _found(instance, now).families()))
    return exposition(parts)


def _found(instance: Mapping[str, Any], now: float) -> MetricsFound:
    if instance.get("error"):
        problem = str(instance["error"])
        return MetricsFound(now, problems={QUEUE: problem, VERIFY: problem})
    return MetricsFound(now, instance["mx"], instance["queue"], verified=now)
