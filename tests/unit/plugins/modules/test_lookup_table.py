# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.mxrelay.postfix.plugins.modules import lookup_table
from ansible_collections.mxrelay.postfix.tests.unit.plugins.modules.module_runner import ModuleRunner

SPAM = {"key": "spam.example", "value": "REJECT we know you"}
PASSWORD = {"key": "[smtp.example]:587", "value": "relay:sesame"}


@pytest.fixture(name="module")
def fixture_module(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> ModuleRunner:
    return ModuleRunner(lookup_table, tmp_path, monkeypatch, capsys)


def test_entries_are_added_and_removed(module: ModuleRunner) -> None:
    path = f"{module.directory}/access"
    result = module(path=path, entries=[SPAM, {"key": "a@b.example", "value": "OK"}])
    assert (result["reference"], result["added"], result["total"]) == (
        f"hash:{path}",
        ["a@b.example", "spam.example"],
        2,
    )
    assert result["diff"][0]["after"] == "a@b.example OK\nspam.example REJECT we know you\n"
    assert module(path=path, entries=[SPAM])["changed"] is False
    assert module(path=path, entries=[{"key": "SPAM.example"}], state="absent")["removed"] == ["spam.example"]
    assert module.text("access") == "a@b.example OK\n"


def test_secret_values_are_not_shown(module: ModuleRunner) -> None:
    path = f"{module.directory}/sasl_passwd"
    module(path=path, entries=[dict(PASSWORD, value="relay:open")], secret=True)
    result = module(path=path, entries=[PASSWORD], secret=True)
    assert result["updated"] == ["[smtp.example]:587"]
    assert (result["diff"][0]["before"], result["diff"][0]["after"]) == (
        "[smtp.example]:587 (old value)\n",
        "[smtp.example]:587 (new value)\n",
    )
    assert "sesame" not in str(result) and "relay:open" not in str(result)
    assert "sesame" not in str(module.logged) and "relay:open" not in str(module.logged)
    assert "sesame" in module.text("sasl_passwd")
    assert oct((module.directory / "sasl_passwd.db").stat().st_mode & 0o7777) == "0o600"


def test_secret_value_is_not_in_an_error(module: ModuleRunner) -> None:
    path = f"{module.directory}/sasl_passwd"
    assert module.refused(path=path, entries=[dict(PASSWORD, value="two\nlines")], secret=True) == (
        "the secret value (entries[0].value) contains a newline; remove it"
    )


def test_patterns_keep_the_order_given(module: ModuleRunner) -> None:
    path = f"{module.directory}/clients"
    entries = [{"key": "192.0.2.7", "value": "REJECT"}, {"key": "192.0.2.0/24", "value": "OK"}]
    result = module(path=path, type="cidr", entries=entries)
    assert (result["index_rebuilt"], result["reference"]) == (False, f"cidr:{path}")
    assert module.text("clients") == "192.0.2.7 REJECT\n192.0.2.0/24 OK\n"
    assert module(path=path, type="cidr", entries=entries)["changed"] is False


def test_type_is_that_of_main_cf(module: ModuleRunner) -> None:
    module.host.parameters["virtual_alias_maps"] = f"cdb:{module.directory}/virtual"
    assert module(path=f"{module.directory}/virtual", entries=[SPAM])["type"] == "cdb"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"entries": [SPAM]}, "missing required arguments: path"),
        ({"path": "access", "entries": [SPAM]}, '"access" (path) is not absolute; start it with /'),
        (
            {"path": "/access", "entries": [SPAM], "type": "sdbm"},
            '"sdbm" (type) keeps its index in two files, which can\'t be replaced in one step; '
            "give the option type, one of hash, btree, lmdb, cdb, and name that table in main.cf instead",
        ),
        (
            {"path": "/access", "entries": [{"key": "a"}]},
            "entries[0].value is null; give a value of at least one character",
        ),
        (
            {"path": "/access", "entries": [{"key": "a b", "value": "x"}]},
            '"a b" (entries[0].key) would not be read back by postmap as this key with this value; '
            "quote white space in the key, balance its quotes, don't start it with # and don't end it with a backslash",
        ),
        (
            {"path": "/access", "type": "pcre", "entries": [{"key": "/a", "value": "x"}]},
            '"/a" (entries[0].key) would not be read back as a pattern of type pcre; '
            "write it with its delimiters, such as /^user@/, without white space outside of them",
        ),
        (
            {"path": "/access", "entries": [SPAM, dict(SPAM, value="OK")]},
            '"spam.example" (entries[1].key) is given twice with different values; give it once',
        ),
        (
            {"path": "/access", "entries": [], "purge": True},
            "purge with an empty list of entries would empty the table; list the entries to keep",
        ),
    ],
)
def test_refusals(module: ModuleRunner, arguments: dict[str, object], message: str) -> None:
    assert module.refused(**arguments) == message
