# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are ours alone, such as the units of our programs: how they differ, and how they are put."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    Metadata,
    read_file,
    remove_file,
    replace_file,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.places import refuse_open_place

READABLE = 0o644
EXECUTABLE = 0o755


def own_file_diffs(contents: Mapping[str, bytes | None], digested: Mapping[str, str]) -> tuple[Diff, ...]:
    """Which files differ from what they are to hold, None for none. `digested` names what is not shown as text."""
    before = {path: read_file(path) for path in contents}
    differ = [path for path in contents if contents[path] != before[path]]
    return tuple(
        Diff(path, *(_shown(text, digested.get(path, "")) for text in (before[path], contents[path])))
        for path in differ
    )


def _shown(text: bytes | None, digested: str) -> str:
    if text is None:
        return ""
    if digested:
        return f"{digested} with the SHA-256 {hashlib.sha256(text).hexdigest()}\n"
    return text.decode("utf-8", "replace")


def put_own_file(path: str, content: bytes | None, mode: int = READABLE) -> None:
    """Puts `content` at `path` unless it is there, None removes the file. Raises HostError."""
    refuse_open_place(path)
    if content is None:
        remove_file(path)
    elif read_file(path) != content:
        replace_file(path, content, Metadata(os.geteuid(), os.getegid(), mode))
