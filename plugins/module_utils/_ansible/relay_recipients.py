# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the module relay_recipients."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.tables import (
    counts_diff,
    entries_diff,
    table_options,
    table_outcome,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables import (
    Edits,
    change_table,
    read_settings,
    resolve,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.both_forms import with_both_forms
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.changes import Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.entries import checked_value
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.recipients import (
    declared_domains,
    declared_recipients,
    edits_by_domain,
    edits_by_entry,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports import idna2008
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

PARAMETER = "relay_recipient_maps"
DEFAULT_NAME = "relay_recipients"


def keep_relay_recipients(params: dict[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """Plans and, unless in check mode, makes the change that the options ask for."""
    settings = read_settings(postfix, [PARAMETER])
    edits, unheard = with_both_forms(edits_of(params), settings.utf8, idna2008.encode)
    reference = resolve(postfix, PARAMETER, DEFAULT_NAME, params["path"], params["type"], settings)
    plan, backup = change_table(postfix, reference, edits, table_options(params), check_mode, settings)
    results: dict[str, Any] = {"added": len(plan.added), "removed": len(plan.removed)}
    if params["show_recipients"]:
        results.update(added_recipients=plan.added, removed_recipients=plan.removed)
    diff = entries_diff(plan) if params["show_recipients"] else counts_diff(plan)
    return table_outcome(plan, backup, diff, unheard, **results)


def edits_of(params: Mapping[str, Any]) -> Edits:
    """The edits that the options ask for. Raises InvalidInput."""
    value = checked_value(params["value"], "value")

    def read(path: str) -> bytes:
        if not params["remote_src"]:
            raise InvalidInput(f"{path} (recipients_file) is on the controller; give remote_src: true for one of the host")
        content = read_file(path)
        if content is None:
            raise InvalidInput(f"{path} (recipients_file) is not on the host; correct the path")
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
