# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much a source may say, whatever its type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError

# As of a file with recipients: some eight million addresses.
MOST_BYTES = 256 << 20


def bounded(entries: Iterable[str], place: str, most: int = MOST_BYTES) -> Iterator[str]:
    """The entries. Raises SourceError once they have more than `most` characters together."""
    left = most
    for entry in entries:
        left -= len(entry)
        if left < 0:
            raise SourceError(f"{place} says more than {most} bytes; narrow down what is asked for")
        yield entry
