# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.http import read_http
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.ldap import read_ldap
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.read import READERS, read_source
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.sources.sql import read_sql
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import (
    DOVECOT,
    HTTP,
    LDAP,
    POSTFIX,
    SQL,
    TYPES,
    source_definition,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import Reading
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils._engine.sources.test_dovecot import Doveadm
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost

EMPTY = "the source is empty: it has no address and no catch-all"


def definition(**given: Any) -> dict[str, Any]:
    return source_definition(given)


def test_source_is_read_by_its_type(tmp_path: Path) -> None:
    host = FakeMxHost(str(tmp_path), "mydestination = x.example\n")
    (tmp_path / "list").write_text("a@x.example\n")
    postfix = read_source(definition(type="postfix", config_directory=str(tmp_path)), host, ["y.example"])
    assert postfix.addresses == ("postmaster@x.example", "mailer-daemon@x.example")
    assert postfix.incomplete.keys() == {"x.example", "y.example"}
    listed = definition(type="file", path=str(tmp_path / "list"))
    assert read_source(listed, host, ["y.example"]) == Reading(("a@x.example",))
    users = Doveadm(b"b@x.example\n", Result(0, "", ""))
    assert read_source(definition(type="dovecot"), users) == Reading(("b@x.example",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", EMPTY),
        ("\n# nobody\n", EMPTY),
        ("sip:a@x.example\n", EMPTY),
        (
            "a b\n",
            f"{EMPTY} (an entry contains white space; correct it at the source, "
            "or give the source default_domain or skip_invalid)",
        ),
    ],
)
def test_source_that_says_nothing_is_not_believed(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "list").write_text(text)
    with pytest.raises(SourceError) as caught:
        read_source(definition(type="file", path=str(tmp_path / "list")), FakeMxHost(str(tmp_path)))
    assert caught.value.message == message


def test_catch_all_alone_is_something(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("@x.example\n")
    source = definition(type="file", path=str(tmp_path / "list"))
    assert read_source(source, FakeMxHost(str(tmp_path))) == Reading((), frozenset({"x.example"}))


def test_every_type_has_its_reader() -> None:
    assert set(TYPES) == {*READERS, POSTFIX, DOVECOT}
    assert [READERS[kind] for kind in (HTTP, LDAP, SQL)] == [read_http, read_ldap, read_sql]
