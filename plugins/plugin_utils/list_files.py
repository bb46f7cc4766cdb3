# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a list on the controller is: near what names it, which is most often the inventory or its variables."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible import context
from ansible.plugins.action import ActionBase

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput

COLLECTION = pathlib.Path(__file__).resolve().parents[2]
# They hold nobody's lists.
OURS = (COLLECTION / "roles", COLLECTION / "playbooks")


def folders_of(action: ActionBase, variables: Mapping[str, Any]) -> list[str]:
    """The folders in which a task's lists are looked for, the nearest first."""
    inventories = [variables.get("inventory_dir"), *map(_folder, context.CLIARGS.get("inventory") or ())]
    playbook = action._loader.get_basedir()
    return list(
        dict.fromkeys(
            [
                *_of_roles(path for path in action._task.get_search_path() if path != playbook),
                *(folder for base in inventories if base for folder in _of_variables(str(base), variables)),
                *(() if _is_ours(playbook) else [*_of_variables(playbook, variables), os.path.join(playbook, "files")]),
                os.getcwd(),
            ]
        )
    )


def _of_roles(paths: Iterable[str]) -> Iterator[str]:
    """The folders of the roles and files of tasks that led to this one, but not our own."""
    for path in paths:
        if not _is_ours(path):
            yield os.path.join(path, "files")
            yield path


def _is_ours(path: str) -> bool:
    found = pathlib.Path(path).resolve()
    return any(folder in (found, *found.parents) for folder in OURS)


def _folder(source: str) -> str | None:
    """The folder of an inventory that was named to Ansible; None for a list of hosts."""
    if os.path.isdir(source):
        return os.path.abspath(source)
    return os.path.dirname(os.path.abspath(source)) if os.path.exists(source) else None


def _of_variables(base: str, variables: Mapping[str, Any]) -> list[str]:
    """The folder of an inventory or a playbook, after those of the files of variables beside it."""
    groups = [*reversed(variables.get("group_names") or ()), "all"]
    below = [
        os.path.join("host_vars", str(variables.get("inventory_hostname", ""))),
        "host_vars",
        *(os.path.join("group_vars", group) for group in groups),
        "group_vars",
    ]
    return [*(os.path.normpath(os.path.join(base, folder)) for folder in below), os.path.normpath(base)]


def find_list(path: str, folders: Sequence[str], otherwise: str) -> str:
    """The file of that path. Raises InvalidInput, which names the folders, if there is none.

    `otherwise` is added to the remedy.
    """
    wanted = os.path.expanduser(path)
    found = next((name for name in (os.path.join(folder, wanted) for folder in folders) if os.path.isfile(name)), None)
    if found is not None:
        return found
    looked = "" if os.path.isabs(wanted) else f": it is in none of {', '.join(filter(os.path.isdir, folders))}"
    raise InvalidInput(f"{path} (recipients_file) is not a file of the controller{looked}; correct the path{otherwise}")
