# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.packages import (
    LDAP3,
    PSYCOPG2,
    PYMYSQL,
    dnspython_package,
    missing,
    source_package,
    type_package,
)

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\n'


@pytest.mark.parametrize(
    ("postfix", "types", "dnspython", "expected"),
    [
        (True, [""], True, ["postfix", "python3-dnspython"]),
        (True, ["lmdb"], False, ["postfix", "postfix-lmdb"]),
        (False, ["cdb"], False, ["postfix-cdb"]),
        (True, ["hash"], False, ["postfix"]),
        (False, [], False, []),
    ],
)
def test_packages_are_those_that_are_missing(
    postfix: bool, types: list[str], dnspython: bool, expected: list[str]
) -> None:
    assert missing(postfix, types, dnspython, DEBIAN) == expected


def test_built_in_types_need_no_package() -> None:
    assert [type_package(table_type) for table_type in ("hash", "texthash", "pcre")] == ["", "", "postfix-pcre"]


@pytest.mark.parametrize(
    ("os_release", "name"),
    [
        (DEBIAN, "python3-dnspython"),
        ('ID=ubuntu\nID_LIKE="debian"\n', "python3-dnspython"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "python3-dns"),
        ("ID=fedora\n", "python3-dns"),
        ("ID=alpine\n", "py3-dnspython"),
        ("", "python3-dnspython"),
    ],
)
def test_dnspython_has_the_name_of_the_family(os_release: str, name: str) -> None:
    assert dnspython_package(os_release) == name


@pytest.mark.parametrize(
    ("os_release", "names"),
    [
        (DEBIAN, ["python3-ldap3", "python3-psycopg2", "python3-pymysql"]),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', ["python3-ldap3", "python3-psycopg2", "python3-PyMySQL"]),
        ("ID=alpine\n", ["py3-ldap3", "py3-psycopg2", "py3-pymysql"]),
    ],
)
def test_libraries_of_sources_have_the_name_of_the_family(os_release: str, names: list[str]) -> None:
    assert [source_package(package, os_release) for package in (LDAP3, PSYCOPG2, PYMYSQL)] == names
