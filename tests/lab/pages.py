# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of guides that a word of ./run writes."""

from __future__ import annotations

import pathlib

END = "<!-- until here -->\n"


def write_between(document: pathlib.Path, word: str, text: str) -> None:
    """Put the text where the document says that the word writes it. Raises ValueError where it does not."""
    document.write_text(between(document.read_text(), word, text))


def part(document: pathlib.Path, word: str) -> str:
    """Return what the word has written there."""
    return document.read_text().partition(begin(word))[2].partition(END)[0]


def begin(word: str) -> str:
    """Return the mark after which the word writes."""
    return f"<!-- {word} writes what follows -->\n"


def between(document: str, word: str, text: str) -> str:
    """Return the document with this text between the marks of the word."""
    before, mark, rest = document.partition(begin(word))
    _old, end, after = rest.partition(END)
    if not mark or not end:
        raise ValueError(f"there is no place for what {word} writes")
    return f"{before}{mark}\n{text}{END}{after}"
