# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the texts of findings for people, on the controller."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

# What the filter does is imported where it does it: each task that uses a filter of a collection loads all of them.


def mx_shown(findings: Sequence[Mapping[str, Any]], fail_on: Collection[str]) -> dict[str, list[str]]:
    """See `texts_to_show`."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.verdict import texts_to_show

    try:
        return texts_to_show(findings, fail_on)
    except (AttributeError, KeyError, TypeError) as error:
        raise AnsibleFilterError(
            f"mx_shown: {error!r}: these are not the findings that mx_info returns; give it its findings"
        ) from error


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"mx_shown": mx_shown}
