# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of guides that a word of ./run writes."""

from __future__ import annotations

import pathlib

END = "<!-- until here -->\n"


def write_between(document: pathlib.Path, word: str, text: str) -> None:
    """Put the text where the document says that the word writes it. Raises ValueError where it does not."""
    document.write_text(between(document.read_text(), word, text))


def between(document: str, word: str, text: str) -> str:
    """Return the document with this text between the marks of the word."""
    begin = f"<!-- {word} writes what follows -->\n"
    before, mark, rest = document.partition(begin)
    _old, end, after = rest.partition(END)
    if not mark or not end:
        raise ValueError(f"there is no place for what {word} writes")
    return f"{before}{begin}\n{text}{END}{after}"
