# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables.reference import (
    PathNeeded,
    TableReference,
    local_members,
    read_settings,
    reference_at,
    resolve,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import FakeHost


@pytest.fixture(name="host")
def fixture_host(tmp_path: pathlib.Path) -> FakeHost:
    return FakeHost(str(tmp_path))


def found(host: FakeHost, members: str, path: str | None = None, table_type: str | None = None) -> str:
    host.parameters["relay_recipient_maps"] = members
    return str(resolve(host.postfix(), "relay_recipient_maps", "relay_recipients", path, table_type))


def test_members_of_a_list_that_are_files() -> None:
    value = "proxy:hash:/a, ldap:/etc/ldap.cf\tregexp:/r {inline:{a = b}} inline:{{a = b},{c = hash:/c}} $x static:all "
    value += "unix:passwd.byname hash:rel { check_client_access cdb:/a }"
    assert local_members(value) == [
        TableReference("hash", "/a"),
        TableReference("regexp", "/r"),
        TableReference("cdb", "/a"),
    ]


@pytest.mark.parametrize(
    ("members", "path", "table_type", "reference"),
    [
        ("", None, None, "hash:{}/relay_recipients"),
        ("", None, "lmdb", "lmdb:{}/relay_recipients"),
        ("ldap:/l pcre:/p", None, None, "hash:{}/relay_recipients"),
        ("proxy:btree:/etc/rr ldap:/l", None, None, "btree:/etc/rr"),
        ("texthash:/etc/rr", None, None, "texthash:/etc/rr"),
        ("hash:/a hash:/a", None, None, "hash:/a"),
        ("hash:/a cdb:/b", None, "cdb", "cdb:/b"),
        ("hash:/a", None, "lmdb", "lmdb:/a"),
        ("hash:/a cdb:/b", "/b", None, "cdb:/b"),
        ("hash:/a", "/c", None, "hash:/c"),
        ("hash:/a", "/a", "lmdb", "lmdb:/a"),
    ],
)
def test_table_that_is_meant(
    host: FakeHost, members: str, path: str | None, table_type: str | None, reference: str
) -> None:
    assert found(host, members, path, table_type) == reference.format(host.config_directory)


@pytest.mark.parametrize("members", ["hash:/a", "ldap:/l, proxy:lmdb:/a"])
def test_table_whose_answers_mean_something_elsewhere_is_refused(host: FakeHost, members: str) -> None:
    host.parameters["virtual_alias_maps"] = "lmdb:/a"
    with pytest.raises(PathNeeded) as caught:
        found(host, members, None, None)
    assert "/a, which virtual_alias_maps uses too" in caught.value.message
    assert found(host, members, "/b", "hash") == "hash:/b"


@pytest.mark.parametrize(
    ("members", "path", "table_type", "message"),
    [
        (
            "hash:/a cdb:/b",
            None,
            None,
            "relay_recipient_maps names several tables (hash:/a, cdb:/b); give the option path to say which",
        ),
        (
            "hash:/a hash:/b cdb:/c",
            None,
            "hash",
            "relay_recipient_maps names several tables (hash:/a, hash:/b); give the option path to say which",
        ),
        (
            "dbm:/a",
            None,
            None,
            '"dbm" (relay_recipient_maps) keeps its index in two files, which can\'t be replaced in one step; '
            "give the option type, one of hash, btree, lmdb, cdb, and name that table in main.cf instead",
        ),
        (
            "",
            None,
            "mysql",
            '"mysql" (type) is not a type of local table that can be edited here; '
            "use one of hash, btree, lmdb, cdb, texthash",
        ),
        (
            "regexp:/a",
            "/a",
            None,
            '"regexp" (as main.cf names it) is not a type of local table that can be edited here; '
            "use one of hash, btree, lmdb, cdb, texthash",
        ),
        (
            "",
            None,
            "inline",
            '"inline" (type) keeps its entries in main.cf itself; edit that parameter with mxrelay.postfix.main_cf, '
            "or use a table of type texthash",
        ),
        ("", "rr", None, '"rr" (path) is not absolute; start it with /'),
        ("", "hash:/rr", None, '"hash:/rr" (path) names the type as well; write type: hash and path: /rr'),
        ("", "proxy:lmdb:/rr", None, '"proxy:lmdb:/rr" (path) names the type as well; write type: lmdb and path: /rr'),
        ("", "/a b", None, '"/a b" (path) can\'t be named in main.cf; use a path without spaces, commas and braces'),
        ("", "/a/", None, '"/a/" (path) can\'t be named in main.cf; use a path without spaces, commas and braces'),
        ("", "/a\n", None, '"/a\\n" (path) contains a newline; remove it'),
        ("", "", None, '"" (path) is empty; give an absolute path'),
    ],
)
def test_table_that_cannot_be_meant_is_refused(
    host: FakeHost, members: str, path: str | None, table_type: str | None, message: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        found(host, members, path, table_type)
    assert caught.value.message == message


def test_default_type_that_is_no_local_table_is_named(host: FakeHost) -> None:
    host.parameters["default_database_type"] = "sdbm"
    with pytest.raises(InvalidInput, match=r'^"sdbm" \(default_database_type\) keeps its index in two files'):
        found(host, "")


def test_same_path_by_another_name_has_the_type_of_main_cf(host: FakeHost, tmp_path: pathlib.Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "rr")
    assert found(host, f"cdb:{tmp_path}/rr", f"{tmp_path}/link") == f"cdb:{tmp_path}/link"


def test_any_table_has_the_type_by_which_any_parameter_names_it(host: FakeHost) -> None:
    host.parameters["smtpd_sender_restrictions"] = "check_sender_access pcre:/etc/senders, permit"
    postfix = host.postfix()
    settings = read_settings(postfix)
    assert str(reference_at(postfix, "/etc/senders", None, settings)) == "pcre:/etc/senders"
    assert str(reference_at(postfix, "/etc/senders", "cidr", settings)) == "cidr:/etc/senders"
    assert str(reference_at(postfix, "/etc/other", "", settings)) == "hash:/etc/other"
    with pytest.raises(InvalidInput, match="use one of hash, btree, lmdb, cdb, texthash, regexp, pcre, cidr"):
        reference_at(postfix, "/etc/other", "ldap", settings)


@pytest.mark.parametrize(("name", "module"), [("main.cf", "main_cf"), ("master.cf", "master_cf")])
def test_configuration_file_is_no_table(host: FakeHost, name: str, module: str) -> None:
    path = f"{host.config_directory}/./{name}"
    message = f'"{path}" (path) is not a table; use mxrelay.postfix.{module} for it'
    with pytest.raises(InvalidInput) as caught:
        reference_at(host.postfix(), path, "texthash", read_settings(host.postfix()))
    assert caught.value.message == message
    with pytest.raises(InvalidInput) as caught:
        found(host, "", path)
    assert caught.value.message == message


@pytest.mark.parametrize("suffix", [".db", ".lmdb", ".cdb", ".dir", ".pag"])
def test_name_of_an_index_is_no_source(host: FakeHost, tmp_path: pathlib.Path, suffix: str) -> None:
    path = tmp_path / "access"
    message = (
        f'"{path}{suffix}" (path) is the name of an index, which postmap makes; give the path of its source, {path}'
    )
    for ask in (
        lambda: found(host, "", f"{path}{suffix}"),
        lambda: reference_at(host.postfix(), f"{path}{suffix}", "hash", read_settings(host.postfix())),
    ):
        with pytest.raises(InvalidInput) as caught:
            ask()
        assert caught.value.message == message
    # Some have such names, and main.cf tells.
    assert found(host, f"hash:{path}{suffix}", f"{path}{suffix}") == f"hash:{path}{suffix}"
    path.touch()
    with pytest.raises(InvalidInput) as caught:
        found(host, f"hash:{path}{suffix}", f"{path}{suffix}")
    assert caught.value.message == message


def test_aliases_are_no_table(host: FakeHost) -> None:
    host.parameters["alias_maps"] = "hash:/etc/aliases"
    with pytest.raises(InvalidInput) as caught:
        reference_at(host.postfix(), "/etc/aliases", "hash", read_settings(host.postfix()))
    assert caught.value.message == (
        '"/etc/aliases" (path) is named by alias_maps, and aliases(5) have a format of their own; '
        "edit it with another module and run newaliases"
    )


def test_one_call_of_postconf_gives_everything(host: FakeHost) -> None:
    settings = read_settings(host.postfix(), ["transport_maps"])
    assert (settings.default_type, settings.utf8, settings.redirected, settings.version) == (
        "hash",
        True,
        False,
        (3, 10),
    )
    assert host.names() == ["postconf"]
