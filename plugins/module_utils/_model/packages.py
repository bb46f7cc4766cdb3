# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the packages that hold what the roles need, by the family that os-release(5) tells."""

from __future__ import annotations

import shlex
from typing import Mapping

POSTFIX = "postfix"
# Table types that are shipped apart from Postfix itself.
_TYPE_PACKAGES = frozenset({"lmdb", "cdb", "pcre"})
# The distributions where dnspython and idna do not have Debian's name.
_DNSPYTHON: Mapping[str, str] = {
    "alpine": "py3-dnspython",
    "arch": "python-dnspython",
    "fedora": "python3-dns",
    "rhel": "python3-dns",
}
DNSPYTHON = "python3-dnspython"
_IDNA: Mapping[str, str] = {"alpine": "py3-idna", "arch": "python-idna"}
IDNA = "python3-idna"
# What sources of recipients need: an LDAP directory, PostgreSQL, MySQL and MariaDB.
LDAP3 = "python3-ldap3"
PSYCOPG2 = "python3-psycopg2"
PYMYSQL = "python3-pymysql"
_SOURCES: Mapping[str, Mapping[str, str]] = {
    LDAP3: {"alpine": "py3-ldap3", "arch": "python-ldap3"},
    PSYCOPG2: {"alpine": "py3-psycopg2", "arch": "python-psycopg2"},
    PYMYSQL: {
        "alpine": "py3-pymysql",
        "arch": "python-pymysql",
        "fedora": "python3-PyMySQL",
        "rhel": "python3-PyMySQL",
    },
}


def type_package(table_type: str) -> str:
    """The package that adds a table type to Postfix, "" if Postfix itself would have it."""
    return f"{POSTFIX}-{table_type}" if table_type in _TYPE_PACKAGES else ""


def dnspython_package(os_release: str) -> str:
    """The name of dnspython's package where /etc/os-release holds this text."""
    return _named_by_family(_DNSPYTHON, DNSPYTHON, os_release)


def idna_package(os_release: str) -> str:
    """The name of idna's package where /etc/os-release holds this text."""
    return _named_by_family(_IDNA, IDNA, os_release)


def source_package(package: str, os_release: str) -> str:
    """The name of a library's package, given by that of Debian, where /etc/os-release holds this text."""
    return _named_by_family(_SOURCES[package], package, os_release)


def _named_by_family(names: Mapping[str, str], default: str, os_release: str) -> str:
    fields: dict[str, str] = {}
    for line in os_release.split("\n"):
        name, separator, value = line.partition("=")
        if separator:
            fields[name.strip()] = " ".join(shlex.split(value))
    words = [fields.get("ID", ""), *fields.get("ID_LIKE", "").split()]
    return next((names[word] for word in words if word in names), default)


def missing(postfix: bool, table_types: list[str], dnspython: bool, os_release: str) -> list[str]:
    """What to install: Postfix itself, table types that do not work yet, dnspython."""
    wanted = [POSTFIX] if postfix else []
    wanted += [package for package in map(type_package, table_types) if package]
    return [*wanted, dnspython_package(os_release)] if dnspython else wanted
