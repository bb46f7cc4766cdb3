# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which table a task means: by its options, by what main.cf names, by Postfix's default."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import (
    INDEX_SUFFIXES,
    SOURCE_TYPES,
    UNSAFE_SUFFIXES,
    check_type,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.logical_lines import words
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import (
    expand,
    without_proxy,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import plain_text
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.types import (
    INDEXED_TYPES,
    KEYED_TYPES,
    UNSAFE_TYPES,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import supports
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    text_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix, parse_parameters

_LOCAL_TYPES = (*INDEXED_TYPES, *SOURCE_TYPES, *UNSAFE_TYPES)
_SEPARATORS = " \t\r\n,"
# Files of the configuration directory that have a format of their own, each with what edits it.
_OTHER_FILES = {"main.cf": "mxrelay.postfix.main_cf", "master.cf": "mxrelay.postfix.master_cf"}
_MIGRATION = "non_bdb_migration_level"
_ALIASES = ("alias_maps", "alias_database")
# What their tables answer is an address or a transport, not a mere yes.
_ANSWERING = (
    "alias_maps",
    "canonical_maps",
    "recipient_canonical_maps",
    "relocated_maps",
    "sender_canonical_maps",
    "transport_maps",
    "virtual_alias_maps",
    "virtual_mailbox_maps",
)


class PathNeeded(InvalidInput):
    """main.cf does not tell which table is meant, or names one that something else uses too; a path tells it."""


@dataclass(frozen=True)
class TableReference:
    """What main.cf must name for Postfix to use the table."""

    type: str
    path: str

    def __str__(self) -> str:
        return f"{self.type}:{self.path}"


@dataclass(frozen=True)
class Settings:
    """What a table change needs to know of the instance; one call of postconf.

    `parameters` are those that were asked for, and all whose tables may be taken for ours.
    """

    default_type: str
    utf8: bool
    redirected: bool
    version: tuple[int, ...]
    parameters: dict[str, str]


def read_settings(postfix: Postfix, parameters: Iterable[str] = ()) -> Settings:
    """Settings of the instance and the effective, expanded values of `parameters`. Raises HostError."""
    wanted = [*dict.fromkeys((*parameters, *_ANSWERING))]
    values = postfix.parameters(["default_database_type", "smtputf8_enable", "mail_version", *wanted], options=("-x",))
    if supports(_version(values), "redirected_tables"):
        values.update(postfix.parameters([_MIGRATION], options=("-x",)))
    return settings_from(values, parameters)


def settings_from(values: Mapping[str, str], parameters: Iterable[str] = ()) -> Settings:
    """The same from expanded values that are known already."""
    version = _version(values)
    redirects = supports(version, "redirected_tables") and values.get(_MIGRATION, "disable").startswith("enable")
    return Settings(
        default_type=values.get("default_database_type", "hash"),
        utf8=values.get("smtputf8_enable", "no") == "yes",
        redirected=redirects,
        version=version,
        parameters={name: values.get(name, "") for name in dict.fromkeys((*parameters, *_ANSWERING))},
    )


def _version(values: Mapping[str, str]) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", values.get("mail_version", ""))[:2])


def local_members(value: str) -> list[TableReference]:
    """The members of an expanded list of tables that are files of this host, in order, `proxy:` stripped."""
    found = []
    for start, end in words(value, _SEPARATORS):
        member = without_proxy(value[start:end])
        table_type, separator, path = member.partition(":")
        if separator and table_type in _LOCAL_TYPES and path.startswith("/"):
            found.append(TableReference(table_type, path))
        elif member.startswith("{") and member.endswith("}"):
            found.extend(local_members(member[1:-1]))
    return list(dict.fromkeys(found))


def named_values(postfix: Postfix) -> dict[str, str]:
    """What main.cf sets, and what master.cf overrides as `service/type/name`; expanded.

    Raises HostError, also where master.cf can't be read: nobody knows then which tables are in use.
    """
    return {**postfix.parameters(options=("-n", "-x")), **_overrides(postfix)}


def _overrides(postfix: Postfix) -> dict[str, str]:
    """What master.cf overrides, as `service/type/name`, expanded.

    `postconf -P` is asked only for what it alone can expand: it is not there on every release that has overrides.
    """
    path = os.path.join(postfix.config_directory, "master.cf")
    text = text_of(path)
    services = [service for service in MasterCf(text, path).effective if service.overrides]
    named = any("$" in value for service in services for value in service.overrides.values())
    every = postfix.parameters(options=("-x",)) if named else {}
    found = {
        f"{service.key}/{name}": expand(value, {**every, **service.overrides})
        for service in services
        for name, value in service.overrides.items()
    }
    if any("${" in value for value in found.values()):
        found.update(parse_parameters(postfix.check("postconf", "-P", "-x")))
    return found


def named_tables(postfix: Postfix) -> list[TableReference]:
    """The local tables that main.cf and master.cf name. Raises HostError."""
    return local_members(", ".join(named_values(postfix).values()))


def proxied(postfix: Postfix, reference: TableReference) -> bool:
    """Whether main.cf or master.cf names the table by `proxy:`. Raises HostError."""
    values = " ".join(named_values(postfix).values())
    named = [member for member in re.split(r"[\s,{}]+", values) if member.startswith("proxy:")]
    return reference in local_members(" ".join(named))


def resolve(
    postfix: Postfix,
    parameter: str,
    default_name: str,
    path: str | None,
    table_type: str | None,
    settings: Settings | None = None,
) -> TableReference:
    """The table that `parameter` of main.cf names, unless `path` or `table_type` say otherwise.

    Without either: the one local indexed or texthash member; if there is none, `default_name` in the
    configuration directory with default_database_type. Raises PathNeeded if several members could be meant, or if
    another parameter uses that member too.
    """
    known = settings or read_settings(postfix, [parameter])
    members = local_members(known.parameters.get(parameter, ""))
    if path is not None:
        checked_file(path, postfix.config_directory)
        _refuse_index(path, members)
        return reference_for_path(members, path, table_type or None, known, KEYED_TYPES)
    candidates = [member for member in members if member.type in (*KEYED_TYPES, *UNSAFE_TYPES)]
    named = [member for member in candidates if member.type == table_type] if table_type else candidates
    if len(named or candidates) > 1:
        names = ", ".join(str(member) for member in named or candidates)
        raise PathNeeded(f"{parameter} names several tables ({names}); give the option path to say which")
    if named or candidates:
        member = (named or candidates)[0]
        _refuse_shared(parameter, member, known)
        found = TableReference(table_type or member.type, member.path)
    else:
        found = TableReference(table_type or known.default_type, os.path.join(postfix.config_directory, default_name))
    check_type(found.type, KEYED_TYPES, "type" if table_type else parameter if candidates else "default_database_type")
    return found


def _refuse_shared(parameter: str, member: TableReference, settings: Settings) -> None:
    """Raises PathNeeded if another parameter takes what is in the table for something else."""
    for name in _ANSWERING:
        if name != parameter and _member_at(local_members(settings.parameters.get(name, "")), member.path):
            raise PathNeeded(
                f"{parameter} names {member}, which {name} uses too, so a new entry would misdirect mail; "
                "give the option path of a separate table"
            )


def reference_at(postfix: Postfix, path: str, table_type: str | None, settings: Settings) -> TableReference:
    """The table at `path`, of any local type: the given one, else the one by which main.cf names it, else the default.

    Raises InvalidInput for a type that is not a local file or can't be edited.
    """
    allowed = (*INDEXED_TYPES, *SOURCE_TYPES)
    checked_file(path, postfix.config_directory)
    values = named_values(postfix)
    for name in _ALIASES:
        if _member_at(local_members(values.get(name, "")), path):
            raise InvalidInput(
                f'"{path}" (path) is named by {name}, and aliases(5) have a format of their own; '
                "edit it with another module and run newaliases"
            )
    members = local_members(", ".join(values.values()))
    _refuse_index(path, members)
    return reference_for_path(members, path, table_type or None, settings, allowed)


def reference_for_path(
    members: list[TableReference], path: str, type_option: str | None, settings: Settings, allowed: tuple[str, ...]
) -> TableReference:
    """The table at `path`: of the given type, else of the one by which main.cf names it, else the default type."""
    checked_path(path)
    table_type = type_option
    place = "type"
    if table_type is None:
        same = _member_at(members, path)
        table_type = same.type if same else settings.default_type
        place = "as main.cf names it" if same else "default_database_type"
    check_type(table_type, allowed, place)
    return TableReference(table_type, path)


def _member_at(members: Iterable[TableReference], path: str) -> TableReference | None:
    real = os.path.realpath(path)
    return next((member for member in members if os.path.realpath(member.path) == real), None)


def checked_file(path: str, config_directory: str) -> None:
    """Raises InvalidInput if main.cf could not name a table at `path`, or what is there is another file of Postfix."""
    checked_path(path)
    real = os.path.realpath(path)
    for name, module in _OTHER_FILES.items():
        if real == os.path.realpath(os.path.join(config_directory, name)):
            raise InvalidInput(f'"{path}" (path) is not a table; use {module} for it')


def _refuse_index(path: str, members: Iterable[TableReference]) -> None:
    """Raises InvalidInput for the name of an index: a source there would be in the way of the table beside it.

    One that main.cf names as a table is one, unless it is the index of another.
    """
    stem, suffix = os.path.splitext(path)
    if suffix not in (*INDEX_SUFFIXES.values(), *UNSAFE_SUFFIXES):
        return
    if os.path.exists(stem) or not _member_at(members, path):
        raise InvalidInput(
            f'"{path}" (path) is the name of an index, which postmap makes; give the path of its source, {stem}'
        )


def checked_path(path: str) -> None:
    """Raises InvalidInput if main.cf could not name a table at this path."""
    plain_text(path, "path", "an absolute path")
    table_type, _colon, rest = without_proxy(path).partition(":/")
    if rest and table_type.isalnum():
        raise InvalidInput(f'"{path}" (path) names the type as well; write type: {table_type} and path: /{rest}')
    if not path.startswith("/"):
        raise InvalidInput(f'"{path}" (path) is not absolute; start it with /')
    if re.search(r"[\s,{}]", path) or path.endswith("/"):
        raise InvalidInput(f'"{path}" (path) can\'t be named in main.cf; use a path without spaces, commas and braces')
