# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owner, group and mode of a table's source and index."""

from __future__ import annotations

import grp
import pwd
from dataclasses import dataclass, replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import Metadata, metadata_of, reason


@dataclass(frozen=True)
class MetadataChange:
    """A file that is there, with the owner, group and mode that it has and is to have."""

    path: str
    before: Metadata
    after: Metadata


def described(metadata: Metadata) -> str:
    """Owner, group and mode for people, by name if there is one."""
    try:
        owner = pwd.getpwuid(metadata.uid).pw_name
    except KeyError:
        owner = str(metadata.uid)
    try:
        group = grp.getgrgid(metadata.gid).gr_name
    except KeyError:
        group = str(metadata.gid)
    return f"owner {owner}, group {group}, mode {metadata.mode:04o}"


def _is_number(text: str) -> bool:
    """Whether it is the number of a user or group; the highest of 32 bits stands for none."""
    return text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < (1 << 32) - 1


def uid_of(owner: str) -> int:
    """The number of a user given by name or number. Raises InvalidInput."""
    if _is_number(owner):
        return int(owner)
    try:
        return pwd.getpwnam(owner).pw_uid
    except KeyError:
        raise InvalidInput(f'"{owner}" (owner) is not a user of this host; create the user or correct it') from None


def gid_of(group: str) -> int:
    """The number of a group given by name or number. Raises InvalidInput."""
    if _is_number(group):
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise InvalidInput(f'"{group}" (group) is not a group of this host; create the group or correct it') from None


def mode_of(mode: str | int) -> int:
    """Permission bits given as an octal string (`"0640"`) or as the number that YAML makes of 0640."""
    if isinstance(mode, bool) or not isinstance(mode, (int, str)):
        raise InvalidInput(f"{mode} (mode) is not a mode; write octal digits in quotes, such as '0640'")
    try:
        number = mode if isinstance(mode, int) else int(mode, 8)
    except ValueError:
        raise InvalidInput(
            f"\"{mode}\" (mode) is not an octal mode; write octal digits in quotes, such as '0640'"
        ) from None
    if not 0 <= number <= 0o777:
        raise InvalidInput(f"\"{mode}\" (mode) is not a mode from 0000 to 0777; write it in quotes, such as '0640'")
    return number


def current_metadata(path: str) -> Metadata | None:
    """The metadata of the file, None if it is not there. Raises HostError."""
    try:
        return metadata_of(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HostError(f"{path}: {reason(error)}") from error


def new_metadata(owner: str, group: str, mode: str) -> Metadata:
    """What a table gets that is not there yet."""
    return Metadata(uid_of(owner), gid_of(group), mode_of(mode))


def with_options(metadata: Metadata, owner: str | None, group: str | None, mode: str | int | None) -> Metadata:
    """`metadata` with what the task asks for."""
    if owner:
        metadata = replace(metadata, uid=uid_of(owner))
    if group:
        metadata = replace(metadata, gid=gid_of(group))
    if mode not in (None, ""):
        metadata = replace(metadata, mode=mode_of(mode))
    return metadata
