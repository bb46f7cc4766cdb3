# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of recipients on their way to a host, apart from the task, whose arguments are logged and shown.

Addresses are personal data. The action plugin takes them out of the task here, and gives the module the path of a
private file instead, which `transfer` makes, or a short list as an argument that is neither logged nor shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.recipients import (
    PRESENT,
    ReadFile,
    as_items,
    as_paths,
    listed_addresses,
    task_addresses,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.task_name import digest_of
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.list_files import find_list, folders_of


@dataclass(frozen=True)
class RecipientLists:
    """Domain items without their addresses, and the addresses.

    `addresses` are those of each item, None if it listed none for this file; `content` is the file, one a line.
    """

    items: list[dict[str, Any]]
    addresses: list[list[str] | None]

    @property
    def listing(self) -> bool:
        """Whether there is anything to transfer."""
        return any(found is not None for found in self.addresses)

    @property
    def content(self) -> bytes:
        return _content([address for found in self.addresses for address in found or []])

    def for_module(self, path: str) -> list[dict[str, Any]]:
        """The items as the module takes them with `remote_src: true`, the content being at `path` of the host."""
        return [
            item if not found else dict(item, recipients_file=[*item.get("recipients_file", []), path])
            for item, found in zip(self.items, self.addresses, strict=True)
        ]


def take_from_items(items: object, read: ReadFile, remote_src: bool = False, place: str = "domains") -> RecipientLists:
    """Takes the addresses out of domain items: `recipients`, and `recipients_file` unless that is on the host.

    Other keys stay as they are. Raises InvalidInput for a bad address or name, with its place.
    """
    given = [dict(item) for item in as_items(items, place)]
    local = [{**item, "recipients_file": None} for item in given] if remote_src else given
    addresses = listed_addresses(local, read, place)
    kept = []
    for item in given:
        files = as_paths(item.pop("recipients_file", None), f"{place}.recipients_file")
        item.pop("recipients", None)
        kept.append(dict(item, recipients_file=files) if remote_src and files else item)
    return RecipientLists(kept, addresses)


def take_from_entries(recipients: object, files: object, read: ReadFile, state: object = PRESENT) -> bytes:
    """The content of the file for the by-entry form. Raises InvalidInput for a bad address, with its place."""
    return _content(dict.fromkeys(task_addresses(recipients, files, read, state)))


def _content(addresses: Iterable[str]) -> bytes:
    return "".join(f"{address}\n" for address in addresses).encode()


def reader(action: ActionBase, variables: Mapping[str, Any], otherwise: str = "") -> ReadFile:
    """Reads a file of the controller; vaulted ones are decrypted. `otherwise` is a remedy if there is none."""
    folders = folders_of(action, variables)

    def read(path: str) -> bytes:
        found = find_list(path, folders, otherwise)
        try:
            real = action._loader.get_real_file(found)
        except AnsibleError as error:
            raise InvalidInput(
                f"{found} (recipients_file) can't be read on the controller ({error}); let Ansible's user read it"
            ) from None
        try:
            return read_file(real) or b""
        finally:
            action._loader.cleanup_tmp_file(real)

    return read


def remembering(read: ReadFile, lengths: dict[str, int]) -> ReadFile:
    """Like `read`, but reads each file once, and puts the number of its bytes into `lengths`."""
    known: dict[str, bytes] = {}

    def read_once(path: str) -> bytes:
        if path not in known:
            known[path] = read(path)
            lengths[path] = len(known[path])
        return known[path]

    return read_once


def transfer(action: ActionBase, content: bytes) -> str:
    """Puts `content` on the host, readable by the remote user alone, under its digest; returns its path there."""
    shell = action._connection._shell
    directory = shell.tmpdir or action._make_tmp_path()
    name = f"recipients-{digest_of(content)}"
    path = str(shell.join_path(directory, name))
    action._transfer_data(path, content)
    done = action._remote_chmod([path], "0600")
    if done["rc"] != 0:
        raise HostError(f"{path}: the transferred list can't be made private: {done.get('stderr', '').strip()}")
    action._fixup_perms2([directory, path], execute=False)
    return path
