# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the module relay_recipients."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.tables import (
    counts_diff,
    entries_diff,
    table_options,
    table_outcome,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.table_owners import not_ours
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.change import change_table
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.plan import TablePlan, TableRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import (
    PathNeeded,
    Settings,
    TableReference,
    local_members,
    read_settings,
    resolve,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.followed import following
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.both_forms import with_both_forms
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.entries import checked_value
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.list_parts import ListParts
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.recipients import (
    KEPT,
    PRESENT,
    ReadFile,
    as_paths,
    declared_domains,
    edits_by_domain,
    edits_by_entry,
    task_addresses,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.task_name import (
    SENT,
    digest_of,
    with_digests,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import idna2008
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.sent_lists import (
    SentLists,
    remove_abandoned,
    take_up,
)

PARAMETER = "relay_recipient_maps"
DEFAULT_NAME = "relay_recipients"


def keep_relay_recipients(params: dict[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """Plans and, unless in check mode, makes the change that the options ask for."""
    told = params["_request"] or {}
    if told.get("remote_tmp") and not check_mode:
        remove_abandoned(str(told["remote_tmp"]))
    sent = {path: take_up(path) for path in [told.get("list")] if path}
    settings = read_settings(postfix, [PARAMETER])
    reference = _reference(postfix, params, settings)
    request = request_of(params, settings.utf8, sent, reference.path)
    plan, backup = change_table(postfix, reference, request, table_options(params), check_mode, settings)
    results: dict[str, Any] = {
        "added": len(plan.added),
        "removed": len(plan.removed),
        "kept": _kept(params, plan),
        "left_out": [held.domain for held in plan.held if not held.of],
    }
    if params["show_recipients"]:
        results.update(added_recipients=plan.added, removed_recipients=plan.removed)
    diff = entries_diff(plan) if params["show_recipients"] else counts_diff(plan)
    outcome = table_outcome(plan, backup, diff, **results)
    outcome.warnings = [
        *outcome.warnings,
        *(f"{held.domain}: {held.why}; its list stays" for held in plan.held if held.of),
    ]
    return outcome


def _reference(postfix: Postfix, params: Mapping[str, Any], settings: Settings) -> TableReference:
    """The table that the options mean. Of several that main.cf names, it is the one that no other program writes."""
    try:
        return resolve(postfix, PARAMETER, DEFAULT_NAME, params["path"], params["type"], settings)
    except PathNeeded:
        members = local_members(settings.parameters[PARAMETER])
        ours = [str(member) for member in members if not not_ours(member.path, postfix.config_directory)]
        if len(ours) in (0, len(members)):
            raise
        own = replace(settings, parameters={**settings.parameters, PARAMETER: ", ".join(ours)})
        return resolve(postfix, PARAMETER, DEFAULT_NAME, None, params["type"], own)


def _kept(params: Mapping[str, Any], plan: TablePlan) -> dict[str, dict[str, Any]]:
    """By domain, why its entries stay as they are though it is present, and what a change would have removed."""
    kept = [item for item in params["domains"] or () if item["recipients_policy"] == KEPT and item["state"] == PRESENT]
    return {
        **{item["name"].lower(): {"why": item["why"] or "", "removals": 0, "of": 0} for item in kept},
        **{held.domain: {"why": held.why, "removals": held.removals, "of": held.of} for held in plan.held if held.of},
    }


def request_of(params: Mapping[str, Any], utf8: bool, sent: SentLists | None = None, table: str = "") -> TableRequest:
    """The request that the options make, under the name that the action plugin gave it, if it did.

    `sent` read the lists that it has put on the host, by their paths; of a list whose parts it tells, what is in the
    source at `table` was not sent. Raises InvalidInput for one that is not there.
    """
    told = params["_request"] or {}
    name = str(told.get("name") or "")
    follows = following(params["domains"] or (), params["purge"])
    parts = ListParts.unpacked(params["_parts"]) if params["_parts"] else None
    if told.get("asks"):
        return TableRequest(partial(_unknown, parts, params, table), name, follows)
    sent = sent or {}
    if parts is not None:
        sent = {path: partial(_joined, parts, params, table, read) for path, read in sent.items()}
    digests = _digests_on_host(params, {SENT, *sent}) if name and params["remote_src"] else {}
    edits = partial(edits_of, params, utf8, digests, sent)
    return TableRequest(edits, with_digests(name, digests) if digests else name, follows)


def _unknown(parts: ListParts | None, params: Mapping[str, Any], table: str) -> Edits:
    lacks = {"list_lacks": parts.lacking(_keys_in(table, params))} if parts else {}
    raise HostError(
        "this host does not know the request by its name; give the lists as well", request_unknown=True, **lacks
    )


def _joined(parts: ListParts, params: Mapping[str, Any], table: str, read: Callable[[], bytes]) -> bytes:
    """The list of these parts, of which those were sent that the table lacks."""
    found = parts.joined(_keys_in(table, params), read())
    if found is None:
        raise HostError(f"{table}: has changed while a list was sent; run again", list_incomplete=True)
    return found


def _keys_in(table: str, params: Mapping[str, Any]) -> bytes:
    """The source at the path, its entries as lines of a list if they have the value that these are to have."""
    value = str(params["value"]).encode("utf-8", "surrogateescape")
    return (read_file(table) or b"").replace(b" " + value + b"\n", b"\n")


def _digests_on_host(params: Mapping[str, Any], sent: Collection[str]) -> dict[str, str]:
    holders = [params, *(params["domains"] or ())]
    paths = [path for holder in holders for path in as_paths(holder["recipients_file"], "recipients_file")]
    return {path: digest_of(_on_host(path)) for path in paths if path not in sent}


def edits_of(
    params: Mapping[str, Any],
    utf8: bool,
    digests: Mapping[str, str] | None = None,
    sent: SentLists | None = None,
) -> Edits:
    """The edits that the options ask for, with their warnings; `digests` are of files that were read before.

    Raises InvalidInput, or HostError for a file that is being written.
    """
    return with_both_forms(
        _edits_as_given(params, partial(_list_bytes, params, digests or {}, sent or {})), utf8, idna2008.a_label
    )


def _edits_as_given(params: Mapping[str, Any], read: ReadFile) -> Edits:
    """The edits, each key in the form in which it is given."""
    value = checked_value(params["value"], "value")
    if params["domains"] is None:
        addresses = task_addresses(params["recipients"], params["recipients_file"], read, params["state"])
        return edits_by_entry(addresses, params["state"], value, params["purge"])
    if params["state"] == "absent":
        raise InvalidInput("state: absent is for recipients; to remove a domain, give its item state: absent")
    domains = declared_domains(params["domains"], read)
    if params["purge"] and not any(domain.state == PRESENT for domain in domains):
        raise InvalidInput("purge with no present domain would empty the table; list the domains to keep")
    return edits_by_domain(domains, value, params["purge"], params["known_domains"])


def _list_bytes(params: Mapping[str, Any], digests: Mapping[str, str], sent: SentLists, path: str) -> bytes:
    """The list at `path`: sent with the task or before it, or a file of the host, which must still have its digest."""
    if path in sent:
        return sent[path]()
    if path == SENT and params["_lists"] is not None:
        return str(params["_lists"]).encode()
    if not params["remote_src"]:
        raise InvalidInput(
            f"{path} (recipients_file) is on the controller; give remote_src: true for a file of the host"
        )
    content = _on_host(path)
    if digests and digest_of(content) != digests[path]:
        raise HostError(f"{path} (recipients_file) is being written; run again when it is complete")
    return content


def _on_host(path: str) -> bytes:
    content = read_file(path)
    if content is None:
        raise InvalidInput(f"{path} (recipients_file) is not on the host; correct the path")
    return content
