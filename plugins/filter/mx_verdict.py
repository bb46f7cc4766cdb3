# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what was found on a host's instances of Postfix, on the controller."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

# What the filter does is imported where it does it: each task that uses a filter of a collection loads all of them.


def mx_verdict(
    evidence: Sequence[Mapping[str, Any]],
    outside: Sequence[Mapping[str, Any]],
    instances: Sequence[Mapping[str, Any]],
    fail_on: Sequence[str],
    outage: str = "",
    differing: Sequence[Sequence[Mapping[str, Any]]] | None = None,
) -> dict[str, list[str]]:
    """What is found in all instances; see `verdict`. `outside` has what was not probed as skipped."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.verdict import verdict

    try:
        differences = [[] for _instance in instances] if differing is None else differing
        found = [
            verdict(one, None if told.get("skipped") else told, fail_on, outage, instance, others)
            for one, told, instance, others in zip(evidence, outside, instances, differences, strict=True)
        ]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(
            f"mx_verdict: {error!r}: this is not what mx_info returns; give it the results of a loop of mx_info over "
            "the instances, those of a loop with probe_server, and the instances of mx_instances"
        ) from error
    return {
        "errors": [text for verdict in found for text in verdict["errors"]],
        "others": [text for verdict in found for text in verdict["others"]],
        "summary": [verdict["summary"] for verdict in found],
    }


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"mx_verdict": mx_verdict}
