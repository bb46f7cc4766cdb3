# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of recipients that follow sources, on the controller: which to read, and what these make of the lists."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import wraps
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.clock import now

# What the filters do is imported where they do it: each task that uses a filter of a collection loads all of them.

Named = Mapping[str, Mapping[str, Any]]
Results = Sequence[Mapping[str, Any]]


def _sources(results: Results) -> dict[str, Mapping[str, Any]]:
    """The sources over which there was a loop of recipients_info, by name."""
    return {str(result["__mx_source"]["name"]): result["__mx_source"] for result in results}


def _readings(results: Results) -> dict[str, Mapping[str, Any]]:
    """What it returned of them."""
    return {str(result["__mx_source"]["name"]): result for result in results}


def mx_sources(items: object, declared: object, hosts: Collection[str], role: str) -> list[dict[str, Any]]:
    """See `sources_to_read` and `without_secrets`."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.followed_lists import sources_to_read, without_secrets

    return without_secrets(sources_to_read(items, declared, hosts, role))


def mx_lacking(results: Results) -> dict[str, list[str]]:
    """See `lacking_libraries`."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.followed_lists import lacking_libraries

    return lacking_libraries(_sources(results), _readings(results))


def mx_followed(
    items: object, results: Results, limit: object = "", installs: bool = False
) -> dict[str, dict[str, Any]]:
    """See `followed_lists`."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.followed_lists import followed_lists

    return followed_lists(items, _sources(results), _readings(results), now(), str(limit), installs=installs)


def mx_followed_items(
    items: object, followed: Named, postmaster: object, abuse: object = False
) -> list[dict[str, Any]]:
    """See `table_items`."""
    from ansible.module_utils.parsing.convert_bool import boolean

    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.followed_lists import table_items

    roles = [role for role, wanted in (("postmaster", postmaster), ("abuse", abuse)) if boolean(wanted, strict=False)]
    return list(table_items(items, followed, roles))


def mx_kept_lists(followed: Named, results: Results, once: str, before: Named) -> dict[str, Mapping[str, Any]]:
    """See `kept_lists`; `before` are those of another role."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.followed_lists import kept_lists

    return {**before, **kept_lists(followed, results, once)}


def mx_kept(kept: Named, once: str = "") -> str:
    """See `kept_words`."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.followed_lists import kept_words

    return kept_words(kept, once)


def mx_sync_plan(variables: Mapping[str, Any], groups: Collection[str], hosts: Collection[str]) -> dict[str, Any]:
    """See `sync_plan`."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.sync import sync_plan

    return sync_plan(variables, groups, hosts)


def mx_sync_items(plan: Mapping[str, Any], instance: str, results: Results) -> list[dict[str, Any]]:
    """See `sync_items`."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.sync import sync_items

    return sync_items(plan, instance, _sources(results), _readings(results), now())


def mx_sync_outcome(results: Results) -> dict[str, Any]:
    """See `sync_outcome`."""
    from ansible_collections.mxrelay.postfix.plugins.plugin_utils.sync import sync_outcome

    return sync_outcome(results)


def _told(work: Callable[..., Any]) -> Callable[..., Any]:
    """The same function as a filter, which tells what is wrong with its input as Ansible does."""

    @wraps(work)
    def filtered(*arguments: Any, **options: Any) -> Any:
        try:
            return work(*arguments, **options)
        except InvalidInput as error:
            raise AnsibleFilterError(f"{work.__name__}: {error.message}") from None

    return filtered


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        works = (
            mx_followed,
            mx_followed_items,
            mx_kept,
            mx_kept_lists,
            mx_lacking,
            mx_sources,
            mx_sync_items,
            mx_sync_outcome,
            mx_sync_plan,
        )
        return {work.__name__: _told(work) for work in works}
