# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sorts what is known of many hosts into a report, on the controller."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

# What the filter does is imported where it does it: each task that uses a filter of a collection loads all of them.


def mx_report(evidence: Mapping[str, Any], now: float | None = None) -> dict[str, Any]:
    """What the templates of the role report write down."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.report import report

    try:
        return report(evidence, time.time() if now is None else now)
    except (AttributeError, KeyError, TypeError) as error:
        raise AnsibleFilterError(
            f"mx_report: {error!r}: this is not what mx_info, queue_info and postfix_info return; "
            "give their results for each host, under the keys mx, queue and postfix"
        ) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"mx_report": mx_report}
