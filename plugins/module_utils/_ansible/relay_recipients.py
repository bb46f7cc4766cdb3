# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the module relay_recipients."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Mapping

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.tables import (
    counts_diff,
    entries_diff,
    table_options,
    table_outcome,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.change import change_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.plan import TableRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import read_settings, resolve
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.both_forms import with_both_forms
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.entries import checked_value
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.recipients import (
    as_paths,
    declared_domains,
    declared_recipients,
    edits_by_domain,
    edits_by_entry,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.task_name import (
    LISTS_ON_HOST,
    NAME_ONLY,
    SENT,
    digest_of,
    with_digests,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import idna2008
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

PARAMETER = "relay_recipient_maps"
DEFAULT_NAME = "relay_recipients"


def keep_relay_recipients(params: dict[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """Plans and, unless in check mode, makes the change that the options ask for."""
    settings = read_settings(postfix, [PARAMETER])
    unheard: list[str] = []
    request = request_of(params, settings.utf8, unheard)
    reference = resolve(postfix, PARAMETER, DEFAULT_NAME, params["path"], params["type"], settings)
    plan, backup = change_table(postfix, reference, request, table_options(params), check_mode, settings)
    results: dict[str, Any] = {"added": len(plan.added), "removed": len(plan.removed)}
    if params["show_recipients"]:
        results.update(added_recipients=plan.added, removed_recipients=plan.removed)
    diff = entries_diff(plan) if params["show_recipients"] else counts_diff(plan)
    return table_outcome(plan, backup, diff, unheard, **results)


def request_of(params: Mapping[str, Any], utf8: bool, warnings: list[str]) -> TableRequest:
    """The request that the options make, under the name that the action plugin gave it, if it did.

    What a person is to be told of its edits is added to `warnings` when they are made. Raises InvalidInput.
    """
    told = params["_request"] or {}
    name = str(told.get("name") or "")
    digests: dict[str, str] | None = None
    if told.get("has") == NAME_ONLY:
        return TableRequest(_unknown, name)
    if told.get("has") == LISTS_ON_HOST:
        holders = [params, *(params["domains"] or ())]
        paths = [path for holder in holders for path in as_paths(holder["recipients_file"], "recipients_file")]
        digests = {path: digest_of(_on_host(path)) for path in paths}
        name = with_digests(name, digests)

    def edits() -> Edits:
        found, unheard = with_both_forms(edits_of(params, digests), utf8, idna2008.a_label)
        warnings.extend(unheard)
        return replace(found, remarkable=bool(unheard))

    return TableRequest(edits, name)


def _on_host(path: str) -> bytes:
    content = read_file(path)
    if content is None:
        raise InvalidInput(f"{path} (recipients_file) is not on the host; correct the path")
    return content


def _unknown() -> Edits:
    raise HostError("this host does not know the request by its name; give the lists as well", request_unknown=True)


def edits_of(params: Mapping[str, Any], digests: Mapping[str, str] | None = None) -> Edits:
    """The edits that the options ask for, `digests` being of files that were read before. Raises InvalidInput."""
    value = checked_value(params["value"], "value")

    def read(path: str) -> bytes:
        if path == SENT and params["_lists"] is not None:
            return params["_lists"].encode()
        if not params["remote_src"]:
            raise InvalidInput(
                f"{path} (recipients_file) is on the controller; give remote_src: true for one of the host"
            )
        content = _on_host(path)
        if digests is not None and digest_of(content) != digests[path]:
            raise HostError(f"{path} (recipients_file) is being written; run again when it is complete")
        return content

    if params["domains"] is None:
        addresses = declared_recipients(params["recipients"], params["recipients_file"], read)
        return edits_by_entry(addresses, params["state"], value, params["purge"])
    if params["state"] == "absent":
        raise InvalidInput("state: absent is for recipients; give a domain that is to go state: absent in its item")
    domains = declared_domains(params["domains"], read)
    if params["purge"] and not any(domain.state == "present" for domain in domains):
        raise InvalidInput("purge with no present domain would empty the table; list the domains that are to stay")
    return edits_by_domain(domains, value, params["purge"])
