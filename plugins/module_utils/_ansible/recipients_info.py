# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What recipients_info takes, and what it does."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.read import read_source
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import canonical
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff, Outcome
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import (
    ENGINES,
    JSON,
    TYPES,
    source_definition,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.formats import FORMATS
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.summary import (
    SourceSummary,
    by_domain,
    summary_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.text_lists import domains_option
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.clock import now
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    Metadata,
    metadata_of,
    read_file,
    replace_file,
    run_lock,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.sent_lists import leave_list, remove_abandoned

SOURCE_SPEC: dict[str, Any] = {
    "type": {"type": "str", "choices": list(TYPES), "required": True},
    "timeout": {"type": "int", "default": 60},
    "skip_invalid": {"type": "bool", "default": False},
    "default_domain": {"type": "str"},
    "config_directory": {"type": "path"},
    "covered": {"type": "dict"},
    "path": {"type": "path"},
    "format": {"type": "str", "choices": [*FORMATS, JSON]},
    "column": {"type": "str"},
    "delimiter": {"type": "str"},
    "attributes": {"type": "list", "elements": "str"},
    "uri": {"type": "str"},
    "start_tls": {"type": "bool"},
    "ca_file": {"type": "path"},
    "bind_dn": {"type": "str"},
    "bind_password": {"type": "str", "no_log": True},
    "bases": {"type": "raw"},
    "filter": {"type": "str"},
    "page_size": {"type": "int"},
    "engine": {"type": "str", "choices": list(ENGINES)},
    "database": {"type": "str"},
    "server": {"type": "str"},
    "port": {"type": "int"},
    "user": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "query": {"type": "str"},
    "url": {"type": "str"},
    "addresses": {"type": "raw"},
    "headers": {"type": "dict", "no_log": True},
    "token": {"type": "str", "no_log": True},
    "login": {"type": "dict", "no_log": True},
    "next_link": {"type": "str"},
    "next_token": {"type": "dict", "no_log": False},
}
RECIPIENTS_SPEC: dict[str, Any] = {
    "source": {"type": "dict", "required": True, "options": SOURCE_SPEC},
    "domains": {"type": "list", "elements": "str", "default": []},
    "dest": {"type": "path"},
    "show_recipients": {"type": "bool", "default": False},
    "tell_failure": {"type": "bool", "default": False},
    # Of the controller: that it wants the addresses, or where it fetches them from.
    "_collect": {"type": "raw"},
}
_PRIVATE = 0o600
_NEWLINE = b"\n"


def recipients_info(params: Mapping[str, Any], postfix: Postfix, check_mode: bool) -> Outcome:
    """What the module does; changed if `dest` is. Raises MxRelayError."""
    collect = params["_collect"] or {}
    if collect.get("remote_tmp"):
        remove_abandoned(str(collect["remote_tmp"]))
    declared = domains_option(params)
    definition = source_definition(params["source"])
    try:
        reading = read_source(definition, postfix.commands, declared)
    except HostError as error:
        if not params["tell_failure"]:
            raise
        failed = SourceSummary.failed(error.message, now())
        return Outcome(results={**failed.told(declared), "problem": error.message, **error.details})
    domains = by_domain(reading)
    summary = summary_of(reading, domains, now())
    if collect:
        leave_list(str(collect["path"]), _collected(summary, domains))
        return Outcome(results={"problem": ""})
    outcome = Outcome(results={**summary.told(declared), "problem": ""})
    found = _addresses_of(domains, declared)
    if params["show_recipients"]:
        outcome.results["recipients"] = found
    if params["dest"]:
        _write(outcome, str(params["dest"]), found, bool(params["show_recipients"]), check_mode)
    return outcome


def _addresses_of(domains: Mapping[str, Sequence[str]], declared: Sequence[str]) -> list[str]:
    """The addresses of the declared domains, or all."""
    wanted = set(map(canonical, declared))
    return [key for name, keys in domains.items() if not wanted or canonical(name) in wanted for key in keys]


def _collected(summary: SourceSummary, domains: Mapping[str, Sequence[str]]) -> bytes:
    """What the controller gets: the summary in the first line, then the addresses in the order of its domains."""
    return (json.dumps(asdict(summary)) + "\n" + _as_lines(key for keys in domains.values() for key in keys)).encode()


def _as_lines(addresses: Iterable[str]) -> str:
    return "".join(f"{address}\n" for address in addresses)


def _write(outcome: Outcome, path: str, addresses: Sequence[str], show: bool, check_mode: bool) -> None:
    """Makes the file at the path hold the addresses, for this user alone, and adds that to the outcome."""
    after = _as_lines(addresses).encode()
    with run_lock(create=not check_mode):
        before = read_file(path)
        private = Metadata(os.geteuid(), os.getegid(), _PRIVATE)
        if before == after and _is_private(path, private):
            return
        if not check_mode:
            replace_file(path, after, private)
    outcome.changed = True
    texts = [_shown(content, show) for content in (before, after)]
    outcome.diffs.append(Diff(path, *texts))


def _is_private(path: str, wanted: Metadata) -> bool:
    found = metadata_of(path)
    return (found.uid, found.mode) == (wanted.uid, wanted.mode)


def _shown(content: bytes | None, show: bool) -> str:
    if content is None:
        return ""
    return content.decode("utf-8", "replace") if show else f"{content.count(_NEWLINE)} addresses\n"
