# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task of relay_recipients on its way to the host: its name, its options, its lists."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables import task_name as model
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.recipients import (
    KEPT,
    ReadFile,
    as_items,
    as_paths,
    declare,
)
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.recipient_lists import take_from_entries, take_from_items

PLUGINS = pathlib.Path(__file__).parents[1]
_LISTS = ("recipients", "recipients_file")
# What is noted of a source, and differs in every run, is no part of a request.
_READING = ("read_at", "count", "digest", "failed_at", "problem")


class TakenApart(NamedTuple):
    """The lists of a task as the content of one file, None if it has none that are to travel, and a function that
    makes the module's arguments from the path of that file on the host."""

    content: bytes | None
    arguments: Callable[[str], dict[str, Any]]


def request_name(given: dict[str, Any], read: ReadFile) -> str:
    """The name of the task with these arguments, to which the host adds lists of its own.

    It stands for what lists say, wherever they are on the controller, and not for what is noted of their sources.
    Raises InvalidInput for a file that can't be read.
    """

    def named(holder: Mapping[str, Any]) -> dict[str, Any]:
        options = {key: value for key, value in holder.items() if key not in ("_request", "why")}
        if holder.get("sources"):
            options["sources"] = [_without_reading(source) for source in holder["sources"]]
        if not _remote_src(given) and holder.get("recipients_file"):
            paths = as_paths(holder["recipients_file"], "recipients_file")
            options["recipients_file"] = [model.digest_of(read(path)) for path in paths]
        return options

    options = named(given)
    if given.get("domains"):
        options["domains"] = [named(item) for item in as_items(given["domains"])]
    return model.with_digests([code_digest(), options], {})


def _without_reading(source: object) -> object:
    if not isinstance(source, Mapping):
        return source
    return {name: value for name, value in source.items() if name not in _READING}


def without_lists(given: dict[str, Any]) -> dict[str, Any]:
    """What the module needs in order to look whether it knows a request, and to note what was read of its sources."""
    kept = {key: value for key, value in given.items() if key not in (*_LISTS, "domains", "remote_src")}
    items = [item for item in as_items(given["domains"]) if _is_told(item)] if given.get("domains") else []
    if not items:
        return dict(kept, recipients_file=[])
    return dict(kept, domains=[{key: value for key, value in item.items() if key not in _LISTS} for item in items])


def _is_told(item: Mapping[str, Any]) -> bool:
    """Whether there is something to say of the domain in every run."""
    return bool(item.get("sources")) or item.get("recipients_policy") == KEPT


def taken_apart(given: dict[str, Any], read: ReadFile) -> TakenApart:
    """The task with its lists read and checked. Raises InvalidInput."""
    if all(given.get(option) in (None, "") for option in ("recipients", "recipients_file", "domains")):
        raise InvalidInput("neither recipients nor recipients_file nor domains has a value; give one of them")
    remote_src = _remote_src(given)
    if given.get("domains") is not None:
        if given.get("recipients") is not None or given.get("recipients_file"):
            raise InvalidInput("domains can't be given with recipients or recipients_file; use one of the two forms")
        lists = take_from_items(given["domains"], read, remote_src)
        if not remote_src:
            declare(given["domains"], lists.addresses)
        if not lists.listing:
            return TakenApart(None, lambda _path: dict(given, domains=lists.items))
        return TakenApart(lists.content, lambda path: dict(given, domains=lists.for_module(path), remote_src=True))
    files = as_paths(given.get("recipients_file"), "recipients_file")
    if given.get("recipients") is None and (remote_src or not files):
        return TakenApart(None, lambda _path: given)
    content = take_from_entries(given.get("recipients"), [] if remote_src else files, read, given.get("state"))
    others = {key: value for key, value in given.items() if key not in _LISTS}
    kept = files if remote_src else []
    return TakenApart(content, lambda path: dict(others, recipients_file=[*kept, path], remote_src=True))


def passed_on(given: dict[str, Any], read: ReadFile) -> tuple[str, TakenApart] | None:
    """The task with its only list as it is, to be checked by the module alone, and the list's path on the controller.

    None if there is not exactly one file, or addresses besides it.
    """
    holders = [given, *(as_items(given["domains"]) if given.get("domains") else [])]
    listing = [holder for holder in holders if holder.get("recipients_file")]
    files = {path for holder in listing for path in as_paths(holder["recipients_file"], "recipients_file")}
    if len(files) != 1 or _remote_src(given) or any(holder.get("recipients") is not None for holder in holders):
        return None
    if given in listing and given.get("domains") is not None:
        return None
    (file,) = files

    def arguments(path: str) -> dict[str, Any]:
        moved, *items = (dict(holder, recipients_file=[path]) if holder in listing else holder for holder in holders)
        return {**moved, "remote_src": True, **({"domains": items} if items else {})}

    return file, TakenApart(read(file), arguments)


def _remote_src(given: dict[str, Any]) -> bool:
    return bool(boolean(given.get("remote_src") or False, strict=False))


@cache
def code_digest(folder: pathlib.Path = PLUGINS) -> str:
    """A digest of all Python files in a folder and below: code that reads lists otherwise makes other names."""
    files = sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*.py"))
    return model.with_digests("", {name: model.digest_of(path.read_bytes()) for name, path in files})
