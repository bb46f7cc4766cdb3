# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.families import (
    DNSPYTHON,
    FAMILIES,
    IDNA,
    LDAP3,
    PSYCOPG2,
    PYMYSQL,
    family_of,
)


@pytest.mark.parametrize(
    ("os_release", "name"),
    [
        ('PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\n', "Debian"),
        ('ID=ubuntu\nID_LIKE="debian"\n', "Debian"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "Red Hat"),
        ('ID="ol"\nID_LIKE="fedora"\n', "Red Hat"),
        ("ID=fedora\n", "Red Hat"),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', "SUSE"),
        ('ID="sles"\nID_LIKE="suse"\n', "SUSE"),
        ("NAME='Alpine Linux'\nID=alpine", "Alpine"),
        ("ID='postmarketos'\nID_LIKE='alpine'\n", "Alpine"),
        ("ID=arch\n", "Arch"),
        # ID comes first, wherever it stands; BUILD_ID and VARIANT_ID are others.
        ('ID_LIKE="debian"\nID=alpine\nBUILD_ID=arch\n', "Alpine"),
        ("ID=nothing-of-it\n", "Debian"),
        ('NAME="it\'s"\n', "Debian"),
        ("", "Debian"),
    ],
)
def test_family_is_told_by_os_release(os_release: str, name: str) -> None:
    assert family_of(os_release).name == name


def test_every_family_has_the_packages_of_all_libraries() -> None:
    wanted = {DNSPYTHON, IDNA, LDAP3, PSYCOPG2, PYMYSQL}
    assert [family.name for family in FAMILIES if set(family.libraries) != wanted] == []


def test_no_word_tells_two_families() -> None:
    words = [word for family in FAMILIES for word in family.ids]
    assert sorted(set(words)) == sorted(words)


@pytest.mark.parametrize(
    ("name", "packages"),
    [
        ("Debian", ["python3-dnspython", "python3-idna", "python3-ldap3", "python3-psycopg2", "python3-pymysql"]),
        ("Red Hat", ["python3-dns", "python3-idna", "python3-ldap3", "python3-psycopg2", "python3-PyMySQL"]),
        ("SUSE", ["python3-dnspython", "python3-idna", "python3-ldap3", "python3-psycopg2", "python3-PyMySQL"]),
        ("Alpine", ["py3-dnspython", "py3-idna", "py3-ldap3", "py3-psycopg2", "py3-pymysql"]),
        ("Arch", ["python-dnspython", "python-idna", "python-ldap3", "python-psycopg2", "python-pymysql"]),
    ],
)
def test_libraries_have_the_name_of_the_family(name: str, packages: list[str]) -> None:
    (libraries,) = [family.libraries for family in FAMILIES if family.name == name]
    assert [libraries[library] for library in (DNSPYTHON, IDNA, LDAP3, PSYCOPG2, PYMYSQL)] == packages
