# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the packages that hold what the collection needs, by the family that /etc/os-release tells."""

from __future__ import annotations

import shlex
from typing import Mapping



_DNSPYTHON: Mapping[str, str] = {
    "debian": "python3-dnspython",
    "rhel": "python3-dns",
    "suse": "python3-dnspython",
    "alpine": "py3-dnspython",
    "arch": "python-dnspython",
}
_FAMILIES: Mapping[str, str] = {
    "ubuntu": "debian",
    "fedora": "rhel",
    "centos": "rhel",
    "opensuse": "suse",
    "sles": "suse",
}
# Table types that these families ship apart from Postfix itself.
_TYPE_PACKAGES = frozenset({"lmdb", "cdb", "pcre"})


def family(os_release: str) -> str:
    """`debian`, `rhel`, `suse`, `alpine` or `arch` from the text of os-release(5); "" for another."""
    fields: dict[str, str] = {}
    for line in os_release.splitlines():
        name, _, value = line.partition("=")
        if value:
            fields[name.strip()] = " ".join(shlex.split(value))
    for word in [fields.get("ID", ""), *fields.get("ID_LIKE", "").split()]:
        found = _FAMILIES.get(word, word)
        if found in _DNSPYTHON:
            return found
    return ""


def type_package(table_type: str) -> str:
    """The package that adds a table type to Postfix, "" where Postfix itself would have it."""
    return f"postfix-{table_type}" if table_type in _TYPE_PACKAGES else ""


def packages(os_release: str, postfix: bool, table_type: str, dnspython: bool) -> list[str]:
    """What to install for what is missing: Postfix itself, a table type that does not work, dnspython."""
    known = family(os_release)
    wanted = ["postfix"] if postfix else []
    if type_package(table_type):
        wanted.append(type_package(table_type))
    if dnspython and known:
        wanted.append(_DNSPYTHON[known])
    return wanted
