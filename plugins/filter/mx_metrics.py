# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what is known of many hosts as metrics, on the controller."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

# What the filter does is imported where it does it: each task that uses a filter of a collection loads all of them.


def mx_metrics(evidence: Mapping[str, Any], now: float | None = None) -> str:
    """What the role report writes for Prometheus."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.report_metrics import report_metrics

    try:
        return report_metrics(evidence, time.time() if now is None else now)
    except (AttributeError, KeyError, TypeError) as error:
        raise AnsibleFilterError(
            f"mx_metrics: {error!r}: this is not what mx_info and queue_info return; "
            "give their results for each host, under the keys mx and queue"
        ) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"mx_metrics": mx_metrics}
