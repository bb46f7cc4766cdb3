# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a relative path of a list leads, for a playbook and inventories that are real folders."""

from __future__ import annotations

import pathlib
from typing import Any
from unittest import mock

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.plugin_utils import list_files
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.list_files import find_list, folders_of

# The nearest first.
PLACES = (
    "roles/own/files",
    "roles/own",
    "inventory/host_vars/mx2",
    "inventory/host_vars",
    "inventory/group_vars/secondary_mx",
    "inventory/group_vars/europe",
    "inventory/group_vars/all",
    "inventory/group_vars",
    "inventory",
    "other/host_vars/mx2",
    "other",
    "play/group_vars",
    "play",
    "play/files",
    "cwd",
)


@pytest.fixture(name="root")
def fixture_root(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    for place in PLACES:
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
    (tmp_path / "other" / "hosts").write_text("mx2\n")
    monkeypatch.chdir(tmp_path / "cwd")
    arguments = {"inventory": (str(tmp_path / "inventory"), str(tmp_path / "other" / "hosts"), "a,b")}
    monkeypatch.setattr(list_files.context, "CLIARGS", arguments)
    return tmp_path


def folders(root: pathlib.Path, *roles: pathlib.Path, **variables: Any) -> list[str]:
    action = mock.MagicMock()
    playbook = str(variables.pop("playbook", root / "play"))
    action._loader.get_basedir.return_value = playbook
    action._task.get_search_path.return_value = [*map(str, roles or [root / "roles" / "own"]), playbook]
    told = {"inventory_dir": str(root / "inventory"), "inventory_hostname": "mx2"}
    return folders_of(action, {**told, "group_names": ["europe", "secondary_mx"], **variables})


@pytest.mark.parametrize("place", PLACES)
def test_nearest_file_is_taken(root: pathlib.Path, place: str) -> None:
    for further in PLACES[PLACES.index(place) :]:
        (root / further / "x.txt").write_text("")
    assert find_list("x.txt", folders(root), "") == str(root / place / "x.txt")


def test_path_may_lead_down_and_up(root: pathlib.Path) -> None:
    (root / "lists").mkdir()
    (root / "lists" / "x.txt").write_text("")
    assert pathlib.Path(find_list("../lists/x.txt", folders(root), "")).resolve() == root / "lists" / "x.txt"


def test_folders_of_our_own_roles_and_playbooks_hold_nobodys_lists(root: pathlib.Path) -> None:
    roles, playbooks = list_files.OURS
    found = folders(root, roles / "mx", roles / "mx" / "tasks", playbook=playbooks)
    assert found[0] == str(root / "inventory" / "host_vars" / "mx2")
    assert not [folder for folder in found if folder.startswith(str(list_files.COLLECTION))]


@pytest.mark.parametrize("inventory", [None, ""])
def test_host_of_no_inventory_file_has_the_others(root: pathlib.Path, inventory: str | None) -> None:
    assert str(root / "inventory") in folders(root, inventory_dir=inventory)


def test_missing_file_is_told_with_the_folders_that_there_are(root: pathlib.Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        find_list("lists/x.txt", [str(root / "cwd"), str(root / "nowhere"), str(root / "play")], ", or else")
    assert caught.value.message == (
        f"lists/x.txt (recipients_file) is not a file of the controller: it is in none of {root}/cwd, {root}/play; "
        "correct the path, or else"
    )


def test_absolute_path_is_looked_for_nowhere_else(root: pathlib.Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        find_list(f"{root}/play", folders(root), "")
    assert caught.value.message == (f"{root}/play (recipients_file) is not a file of the controller; correct the path")
