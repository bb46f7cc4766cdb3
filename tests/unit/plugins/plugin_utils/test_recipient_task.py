# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task on its way to the host: what makes its name, and what of it travels."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.plugin_utils import recipient_task
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.recipient_task import (
    code_digest,
    passed_on,
    request_name,
    taken_apart,
    without_lists,
)

LAYERS = ("_model", "_ports", "_engine", "_ansible")
FILES = sorted(
    path.relative_to(recipient_task.PLUGINS).as_posix()
    for layer in LAYERS
    for path in (recipient_task.PLUGINS / "module_utils" / layer).rglob("*.py")
)


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("collection") / "plugins"
    shutil.copytree(recipient_task.PLUGINS, copy)
    return copy


def no_files(path: str) -> bytes:
    raise AssertionError(path)


def _fresh_digest(folder: Path) -> str:
    code_digest.cache_clear()
    return code_digest(folder)


@pytest.mark.parametrize("file", FILES)
def test_changed_code_anywhere_in_the_layers_makes_another_digest(plugins: Path, file: str) -> None:
    before, content = _fresh_digest(plugins), (plugins / file).read_bytes()
    (plugins / file).write_bytes(content + b"\n")
    after = _fresh_digest(plugins)
    (plugins / file).write_bytes(content)
    assert after != before
    assert _fresh_digest(plugins) == before


def test_code_that_moves_makes_another_digest(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    before = _fresh_digest(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.py").rename(tmp_path / "sub" / "a.py")
    assert _fresh_digest(tmp_path) != before


def test_what_is_compiled_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    before = _fresh_digest(tmp_path)
    (tmp_path / "a.pyc").write_bytes(b"compiled")
    assert _fresh_digest(tmp_path) == before


def test_name_of_a_request_depends_on_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"recipients": ["alice@x.example"]}
    before = request_name(given, no_files)
    monkeypatch.setattr(recipient_task, "code_digest", lambda: "other code")
    after = request_name(given, no_files)
    assert after != before


LISTS = {"list": b"alice@x.example\n", "other": b"z@y.example\n"}
X = {"name": "x.example", "recipients_file": "list"}


def read(path: str) -> bytes:
    return LISTS[path]


@pytest.mark.parametrize(
    "given",
    [
        {"recipients": ["a@x.example"]},
        {"domains": [{"name": "x.example", "recipients_policy": "any"}]},
        {"recipients_file": "/on/host", "remote_src": True},
        {"domains": [X], "remote_src": "yes"},
        {"recipients": ["a@x.example"], "recipients_file": "/on/host", "remote_src": True},
    ],
)
def test_name_is_made_without_lists_that_are_not_here(given: dict[str, Any]) -> None:
    assert len(request_name(given, no_files)) == 64


def test_name_is_that_of_options_and_bytes() -> None:
    name = request_name({"recipients_file": "list", "purge": True}, read)
    assert request_name({"purge": True, "recipients_file": "list", "_request": {"name": "old"}}, read) == name
    assert request_name({"recipients_file": "list", "purge": False}, read) != name
    assert request_name({"recipients_file": "list", "purge": True}, lambda _path: b"bob@x.example\n") != name


def test_name_does_not_depend_on_where_a_list_is_or_when_it_was_read() -> None:
    source = {"name": "ad", "type": "ldap", "host": "localhost", "read_at": "2026-01-31T09:00:00Z", "count": 1}
    item = {**X, "recipients_policy": "listed", "why": None, "sources": [source]}
    name = request_name({"domains": [item]}, read)
    again = {
        **source,
        "read_at": "2026-01-31T09:05:00Z",
        "count": 2,
        "digest": "d",
        "failed_at": "",
        "problem": "it failed",
    }
    moved = {**item, "recipients_file": ["/elsewhere"], "sources": [again], "why": "it failed"}
    assert request_name({"domains": [moved]}, lambda _path: LISTS["list"]) == name
    others: list[dict[str, Any]] = [
        {"sources": [{**source, "host": "other.example"}]},
        {"sources": [source, source]},
        {"sources": None},
        {"sources": ["no mapping"]},
        {"recipients_policy": "kept"},
        {"max_removals": "10%"},
    ]
    assert name not in [request_name({"domains": [{**item, **other}]}, read) for other in others]


def test_host_is_asked_about_domains_of_which_something_is_to_be_said() -> None:
    follows = {
        "name": "x.example",
        "recipients": ["a@x.example"],
        "recipients_file": "list",
        "sources": [{"name": "ad"}],
    }
    kept = {"name": "y.example", "recipients_policy": "kept", "why": "ad failed"}
    given = {"domains": [follows, kept, {"name": "z.example", "recipients": ["a@z.example"]}], "path": "/p"}
    assert without_lists(given) == {"path": "/p", "domains": [{"name": "x.example", "sources": [{"name": "ad"}]}, kept]}


def test_host_is_asked_without_lists() -> None:
    given = {"domains": [X], "recipients": None, "recipients_file": "list", "remote_src": True, "path": "/p"}
    assert without_lists(given) == {"path": "/p", "recipients_file": []}


def test_entries_are_taken_out_and_named_by_their_file() -> None:
    task = taken_apart({"recipients": ["Bob@x.example"], "recipients_file": "list", "state": "absent"}, read)
    assert task.content == b"bob@x.example\nalice@x.example\n"
    assert task.arguments("/tmp/l") == {"state": "absent", "recipients_file": ["/tmp/l"], "remote_src": True}


def test_files_of_the_host_stay_beside_addresses_that_travel() -> None:
    given = {"recipients": ["bob@x.example"], "recipients_file": ["/on/host"], "remote_src": True}
    task = taken_apart(given, no_files)
    assert task.content == b"bob@x.example\n"
    assert task.arguments("/tmp/l") == {"recipients_file": ["/on/host", "/tmp/l"], "remote_src": True}


@pytest.mark.parametrize(
    "given",
    [
        {"recipients_file": ["/on/host"], "remote_src": True},
        {"domains": [{"name": "x.example", "recipients_policy": "any"}]},
    ],
)
def test_task_without_lists_of_the_controller_stays_as_it_is(given: dict[str, Any]) -> None:
    task = taken_apart(given, no_files)
    assert (task.content, task.arguments("/tmp/l")) == (None, given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"recipients": None, "recipients_file": ""},
            "neither recipients nor recipients_file nor domains has a value; give one of them",
        ),
        (
            {"domains": [X], "recipients": ["a@x.example"]},
            "domains can't be given with recipients or recipients_file; use one of the two forms",
        ),
    ],
)
def test_task_in_no_form_or_in_two_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        taken_apart(given, read)
    assert caught.value.message == message


def test_only_list_is_passed_on_as_it_is() -> None:
    y = {"name": "y.example", "recipients_policy": "any"}
    passed = passed_on({"domains": [X, y], "purge": True}, read)
    assert passed is not None
    path, task = passed
    assert (path, task.content) == ("list", LISTS["list"])
    assert task.arguments("/tmp/l") == {
        "domains": [{"name": "x.example", "recipients_file": ["/tmp/l"]}, y],
        "purge": True,
        "remote_src": True,
    }
    passed = passed_on({"recipients_file": ["list"], "path": "/p"}, read)
    assert passed is not None
    assert passed[1].arguments("/tmp/l") == {"recipients_file": ["/tmp/l"], "path": "/p", "remote_src": True}


@pytest.mark.parametrize(
    "given",
    [
        {"recipients_file": ["list", "other"]},
        {"recipients_file": "list", "recipients": ["a@x.example"]},
        {"recipients_file": "list", "remote_src": True},
        {"recipients_file": "list", "domains": [X]},
        {"domains": [X, {"name": "y.example", "recipients_file": "other"}]},
        {"domains": [{**X, "recipients": ["a@x.example"]}]},
        {"recipients": ["a@x.example"]},
    ],
)
def test_what_is_not_one_list_alone_is_not_passed_on(given: dict[str, Any]) -> None:
    assert passed_on(given, read) is None
