# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there: an instance of Postfix, its parameters, services and lookup tables. Only reads."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.plan import index_state
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import (
    TableReference,
    local_members,
    read_settings,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.types import working_types
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.pattern_table import (
    PATTERN_TYPES,
    PatternTable,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Table
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import release
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

INSTANCE_PARAMETERS = (
    "config_directory",
    "queue_directory",
    "data_directory",
    "daemon_directory",
    "command_directory",
    "mail_owner",
    "setgid_group",
    "myhostname",
    "multi_instance_name",
    "compatibility_level",
)
# aliases(5) has a format and a command of its own; caches are written by Postfix and have no source.
_ALIASES = frozenset({"alias_maps", "alias_database"})
_CACHES = ("_cache_database", "_cache_map", "address_verify_map")


@dataclass(frozen=True)
class Instance:
    """Everything that postfix_info returns; empty if Postfix or the instance is missing."""

    installed: bool = False
    version: str = ""
    instance: dict[str, str] = field(default_factory=dict)
    instances: list[dict[str, Any]] = field(default_factory=list)
    table_types: list[str] = field(default_factory=list)
    default_database_type: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    explicit_parameters: dict[str, str] = field(default_factory=dict)
    services: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)


def describe(postfix: Postfix, names: Sequence[str] = ()) -> Instance:
    """The instance as it is; of the parameters only `names`, or all. Raises HostError if it can't be read."""
    version = _installed_version(postfix)
    path = os.path.join(postfix.config_directory, "main.cf")
    main_cf = read_file(path)
    if not version or main_cf is None:
        return Instance()
    explicit = MainCf(_decoded(main_cf), path).values
    effective = postfix.parameters(options=["-x"])
    services = _services(postfix)
    return Instance(
        installed=True,
        version=version,
        instance={name: effective.get(name, "") for name in INSTANCE_PARAMETERS},
        instances=_instances(postfix),
        table_types=working_types(postfix),
        default_database_type=effective.get("default_database_type", ""),
        parameters=_selected(effective, names),
        explicit_parameters=_selected(explicit, names),
        services=services,
        tables=_tables(postfix, {**{name: effective.get(name, "") for name in explicit}, **_overrides(services)}),
    )


def _installed_version(postfix: Postfix) -> str:
    """mail_version, which `postconf -d` tells without reading main.cf; empty if there is no Postfix."""
    try:
        result = postfix.commands.run(["postconf", "-d", "-h", "mail_version"])
    except FileNotFoundError:
        return ""
    version = result.out.strip()
    if result.rc != 0 or release(version) == (0, 0):
        raise HostError(f"postconf did not report its version: {result.err.strip() or version}; reinstall Postfix")
    return version


def _instances(postfix: Postfix) -> list[dict[str, Any]]:
    """All instances of the host, in the order in which postmulti(1) starts them; none before Postfix 2.6."""
    try:
        result = postfix.commands.run(["postmulti", "-l"])
    except FileNotFoundError:
        return []
    rows = [line.split(None, 3) for line in result.out.split("\n")] if result.rc == 0 else []
    return [
        {
            "name": "" if name == "-" else name,
            "group": "" if group == "-" else group,
            "enabled": enabled == "y",
            "config_directory": directory,
        }
        for name, group, enabled, directory in (row for row in rows if len(row) == 4)
    ]


def _overrides(services: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What services override, each by the service and the parameter: `submission/inet/smtpd_sender_login_maps`."""
    return {
        f"{service['name']}/{service['type']}/{name}": value
        for service in services
        for name, value in service["overrides"].items()
    }


def _selected(values: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if not names or name in names}


def _services(postfix: Postfix) -> list[dict[str, Any]]:
    path = os.path.join(postfix.config_directory, "master.cf")
    content = read_file(path)
    return [] if content is None else [asdict(service) for service in MasterCf(_decoded(content), path).services]


def _tables(postfix: Postfix, values: Mapping[str, str]) -> list[dict[str, Any]]:
    """The local tables that the parameters name, each once, with the parameters that name it."""
    users: dict[TableReference, list[str]] = {}
    for name, value in sorted(values.items()):
        if name not in _ALIASES and not name.endswith(_CACHES):
            for reference in local_members(value):
                users.setdefault(reference, []).append(name)
    settings = read_settings(postfix) if users else None
    return [
        {
            "reference": str(reference),
            "type": reference.type,
            "path": reference.path,
            "parameters": names,
            "entries": _entries(reference),
            "modified": _modified(reference),
            "index": index_state(postfix, reference, settings),
        }
        for reference, names in users.items()
    ]


def _entries(reference: TableReference) -> int | None:
    """How many entries the source has; None if there is no source."""
    source = read_file(reference.path)
    if source is None:
        return None
    if reference.type in PATTERN_TYPES:
        return len(PatternTable.parse(source, reference.type).entries)
    return len(Table.parse(source).entries)


def _modified(reference: TableReference) -> int | None:
    """When the source was last written, in seconds since the epoch; None if there is no source."""
    try:
        return int(os.stat(reference.path).st_mtime)
    except OSError:
        return None


def _decoded(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")
