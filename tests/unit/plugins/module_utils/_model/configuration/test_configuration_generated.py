# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits of generated main.cf and master.cf, and of those in Debian's packages: an edit and its undo give the bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf, split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import (
    MasterCf,
    ServiceRequest,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils import configuration_strategies as generated

FIXTURES = Path(__file__).parents[4] / "fixtures"
MAIN_CF = sorted(FIXTURES.glob("*/main.cf.*"))
MASTER_CF = sorted(FIXTURES.glob("*/master.cf.*"))
NEW = "mxrelay_new"
EXAMPLES = settings(max_examples=60, deadline=None)


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def other_values(text: str, *names: str) -> dict[str, str]:
    return {name: value for name, value in MainCf(text).values.items() if name not in names}


def lists_of(text: str) -> list[str]:
    """Parameters whose members are none of them there twice, and that have only one definition."""
    file = MainCf(text)
    return [
        name
        for name, value in sorted(file.values.items())
        if len(set(split_items(value))) == len(split_items(value)) and name not in file.duplicates
    ]


@EXAMPLES
@given(generated.main_cf())
def test_generated_main_cf_is_kept_to_the_byte(text: str) -> None:
    assert str(MainCf(text)) == text


@EXAMPLES
@given(generated.main_cf())
@example("a = b")
def test_parameter_that_is_added_and_removed_leaves_the_bytes(text: str) -> None:
    file = MainCf(text)
    file.set(NEW, "x, y")
    assert file.values == {**MainCf(text).values, NEW: "x, y"}
    file.remove(NEW)
    assert str(file) == text


@EXAMPLES
@given(generated.main_cf(), st.data())
def test_value_that_is_set_is_read_and_others_stay(text: str, data: st.DataObject) -> None:
    names = sorted(MainCf(text).values)
    assume(names)
    name = data.draw(st.sampled_from(names))
    file = MainCf(text)
    file.set(name, "q r")
    assert MainCf(str(file)).values == {**other_values(text, name), name: "q r"}
    once = str(file)
    file.set(name, "q r")
    assert str(file) == once


@EXAMPLES
@given(generated.main_cf(), st.data())
def test_member_that_is_added_and_removed_leaves_the_bytes(text: str, data: st.DataObject) -> None:
    names = lists_of(text)
    assume(names)
    name = data.draw(st.sampled_from(names))
    members = split_items(MainCf(text).values[name])
    file = MainCf(text)
    file.add_items(name, ["new.example", "hash:/new"])
    assert split_items(MainCf(str(file)).values[name]) == [*members, "new.example", "hash:/new"]
    file.remove_items(name, ["new.example", "hash:/new"])
    assert str(file) == text


@EXAMPLES
@given(generated.main_cf(), st.data())
def test_removed_parameter_takes_no_comment_and_no_neighbour(text: str, data: st.DataObject) -> None:
    names = sorted(MainCf(text).values)
    assume(names)
    name = data.draw(st.sampled_from(names))
    file = MainCf(text)
    file.remove(name)
    assert MainCf(str(file)).values == other_values(text, name)
    assert [line for line in text.split("\n") if line.strip().startswith("#")] == [
        line for line in str(file).split("\n") if line.strip().startswith("#")
    ]


@pytest.mark.parametrize("path", MAIN_CF, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_main_cf_of_debian_survives_every_edit_and_its_undo(path: Path) -> None:
    text = read(path)
    file = MainCf(text, str(path))
    assert str(file) == text
    for name, value in file.values.items():
        edited = MainCf(text)
        edited.set(name, "other")
        edited.set(name, value)
        assert MainCf(str(edited)).values == file.values
        if name not in file.duplicates:
            edited = MainCf(text)
            edited.add_items(name, ["new.example"])
            assert str(edited) != text
            edited.remove_items(name, ["new.example"])
            assert str(edited) == text
    edited = MainCf(text)
    edited.set(NEW, "x")
    edited.remove(NEW)
    assert str(edited) == text


def test_there_are_files_of_four_releases() -> None:
    releases = ["bookworm", "bullseye", "sid", "trixie"]
    assert sorted({path.parent.name for path in MAIN_CF}) == releases
    assert [path.parent.name for path in MASTER_CF] == releases


def change(text: str, **fields: Any) -> str:
    file = MasterCf(text)
    file.apply(ServiceRequest(**{"name": "mxnew", "type": "unix", **fields}), lambda: "n", lambda: True)
    return str(file)


@EXAMPLES
@given(generated.master_cf())
def test_generated_master_cf_is_kept_to_the_byte(text: str) -> None:
    assert str(MasterCf(text)) == text


@EXAMPLES
@given(generated.master_cf())
def test_service_that_is_added_and_removed_leaves_the_bytes(text: str) -> None:
    added = change(text, command="pipe", overrides={"a": "b c"})
    assert MasterCf(added).services[:-1] == MasterCf(text).services
    assert MasterCf(added).services[-1].overrides == {"a": "b c"}
    assert change(added, state="absent") == text


@EXAMPLES
@given(generated.master_cf(), st.data())
def test_override_that_is_added_and_removed_leaves_the_bytes(text: str, data: st.DataObject) -> None:
    file = MasterCf(text)
    services = [service for service in file.services if service.key not in file.duplicates]
    assume(services)
    service = data.draw(st.sampled_from(services))
    added = change(text, name=service.name, type=service.type, overrides={NEW: "x y"})
    found = MasterCf(added).find(service.name, service.type)
    assert found is not None
    assert found.overrides == {**service.overrides, NEW: "x y"}
    assert found.command == service.command
    removed = change(added, name=service.name, type=service.type, overrides={NEW: None})
    assert MasterCf(removed).services == file.services
    assert removed == text


@EXAMPLES
@given(generated.master_cf(), st.data())
def test_field_that_is_set_is_read_and_everything_else_stays(text: str, data: st.DataObject) -> None:
    file = MasterCf(text)
    services = [service for service in file.services if service.key not in file.duplicates]
    assume(services)
    service = data.draw(st.sampled_from(services))
    changed = change(text, name=service.name, type=service.type, chroot=True, process_limit="7")
    wanted = [
        replace(other, chroot="y", process_limit="7") if other.key == service.key else other for other in file.services
    ]
    assert MasterCf(changed).services == wanted
    assert change(changed, name=service.name, type=service.type, chroot=True, process_limit="7") == changed


@pytest.mark.parametrize("path", MASTER_CF, ids=lambda path: path.parent.name)
def test_master_cf_of_debian_survives_every_edit_and_its_undo(path: Path) -> None:
    text = read(path)
    services = MasterCf(text).services
    assert len(services) > 20
    for service in services:
        added = change(text, name=service.name, type=service.type, overrides={NEW: "x"})
        assert MasterCf(added).services != services
        assert change(added, name=service.name, type=service.type, overrides={NEW: None}) == text
