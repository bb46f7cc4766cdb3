# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between families of systems. This is the one place for it: what is new goes into FAMILIES.

What the host itself can tell is asked of it, and is not here: the default type of tables, whether a type works,
directories, the service manager. See docs/releases.md for what was run and what was not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# Libraries of Python's, by the names that they have there.
DNSPYTHON = "dnspython"
IDNA = "idna"
# What sources of recipients need: an LDAP directory, PostgreSQL, MySQL and MariaDB.
LDAP3 = "ldap3"
PSYCOPG2 = "psycopg2"
PYMYSQL = "pymysql"


@dataclass(frozen=True)
class SystemFamily:
    """Systems whose packages are named alike.

    `ids` are the words of ID and ID_LIKE in os-release(5) that tell it. `types` are the packages that add a type of
    tables to Postfix: a type that is not there is part of Postfix, or can't be had. `libraries` are the packages of
    Python's libraries.
    """

    name: str
    ids: frozenset[str]
    types: Mapping[str, str]
    libraries: Mapping[str, str]


_APART = {"cdb": "postfix-cdb", "lmdb": "postfix-lmdb", "pcre": "postfix-pcre"}


def _libraries(prefix: str, **others: str) -> Mapping[str, str]:
    """The packages of the libraries, which have this prefix, but for those of `others`."""
    names = (DNSPYTHON, IDNA, LDAP3, PSYCOPG2, PYMYSQL)
    return {**{name: f"{prefix}-{name}" for name in names}, **others}


DEBIAN = SystemFamily(
    name="Debian",
    ids=frozenset({"debian", "ubuntu"}),
    types=_APART,
    libraries=_libraries("python3"),
)
RED_HAT = SystemFamily(
    name="Red Hat",
    ids=frozenset({"rhel", "fedora", "centos"}),
    types=_APART,
    # ldap3 and PyMySQL of the Enterprise Linux systems are in EPEL.
    libraries=_libraries("python3", dnspython="python3-dns", pymysql="python3-PyMySQL"),
)
# lmdb and pcre are part of Postfix, cdb is not built. postfix-bdb, with hash and btree, is another Postfix.
SUSE = SystemFamily(
    name="SUSE",
    ids=frozenset({"suse", "opensuse", "sles"}),
    types={},
    libraries=_libraries("python3", pymysql="python3-PyMySQL"),
)
# lmdb is part of Postfix since 3.13; cdb, hash and btree are not built.
ALPINE = SystemFamily(
    name="Alpine",
    ids=frozenset({"alpine"}),
    types={"pcre": "postfix-pcre"},
    libraries=_libraries("py3"),
)
ARCH = SystemFamily(
    name="Arch",
    ids=frozenset({"arch"}),
    types=_APART,
    libraries=_libraries("python"),
)
FAMILIES = (DEBIAN, RED_HAT, SUSE, ALPINE, ARCH)

_ID = re.compile(r"^(ID|ID_LIKE)=([\"']?)([a-z0-9._ -]*)\2[ \t]*$", re.MULTILINE)


def family_of(os_release: str) -> SystemFamily:
    """The family of a system whose /etc/os-release holds this text; Debian's if that tells none of them."""
    fields = {name: words.split() for name, _quote, words in _ID.findall(os_release)}
    words = [*fields.get("ID", ()), *fields.get("ID_LIKE", ())]
    return next((family for word in words for family in FAMILIES if word in family.ids), DEBIAN)
