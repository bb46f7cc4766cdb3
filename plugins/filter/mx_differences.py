# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says in what the MX hosts of a domain differ, on the controller."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput

# What the filter does is imported where it does it: each task that uses a filter of a collection loads all of them.


def mx_differences(
    evidence: Mapping[str, Sequence[Mapping[str, Any]]],
    accepted: Sequence[Mapping[str, Any]] = (),
    today: str = "",
) -> dict[str, list[list[dict[str, Any]]]]:
    """For each host the findings of each of its instances; see `differences`. `accepted` is instead of theirs."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.differences import KnownInstance, differences
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.instances import instance_label

    try:
        known = [
            KnownInstance(instance_label(host, mx["item"], several), mx, accepted or mx["item"]["accepted"])
            for host, several in evidence.items()
            for mx in several
        ]
        found = iter(differences(known, today or time.strftime("%Y-%m-%d")))
    except InvalidInput as error:
        raise AnsibleFilterError(f"mx_differences: {error.message}") from None
    except (AttributeError, KeyError, TypeError) as error:
        raise AnsibleFilterError(
            f"mx_differences: {error!r}: this is not what mx_info returns; give it, by host, the results of a loop of "
            "mx_info over the instances of mx_instances"
        ) from error
    return {host: [next(found) for _mx in several] for host, several in evidence.items()}


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"mx_differences": mx_differences}
