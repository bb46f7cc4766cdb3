# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a regexp, pcre or cidr table: read in order, nothing folded. See regexp_table(5), cidr_table(5)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import (
    WHITE_SPACE,
    Entry,
    decode,
    entry_line,
    joined_warning,
    split_lines,
    table_lines,
    with_final_newline,
)

PATTERN_TYPES = ("regexp", "pcre", "cidr")
_BLOCK = re.compile(r"(?i:(?:if|endif)(?=[\s!/]|$))")


def split_pattern(text: str, delimited: bool) -> tuple[str, str]:
    """Pattern (with its delimiters, flags and a leading !) and result of one logical line.

    `delimited` patterns are those of regexp and pcre, where the first character after ! is the delimiter.
    """
    if not delimited:
        key, _separator, value = _at_white_space(text, 0)
        return key, value
    start = len(text) - len(text.lstrip("!" + WHITE_SPACE))
    end = start + 1
    while end < len(text) and text[end] != text[start]:
        end += 2 if text[end] == "\\" else 1
    key, _separator, value = _at_white_space(text, min(end, len(text)))
    return key, value


def _at_white_space(text: str, start: int) -> tuple[str, str, str]:
    for position in range(start, len(text)):
        if text[position] in WHITE_SPACE:
            return text[:position], text[position], text[position:].strip(WHITE_SPACE)
    return text, "", ""


@dataclass(frozen=True)
class PatternTable:
    """The source of a table of patterns; if and endif lines are kept where they are and are not entries.

    `warnings` are of lines that Postfix joins unseen; it warns itself of what it does not take. No pattern is folded,
    whether smtputf8_enable is on (`_utf8`) or not.
    """

    lines: list[bytes]
    entries: list[Entry]
    delimited: bool
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, data: bytes, table_type: str) -> PatternTable:
        delimited = table_type != "cidr"
        lines = split_lines(data)
        entries = []
        warnings = []
        for line in table_lines(lines):
            text = decode(line.text)
            if line.gaps:
                warnings.append(joined_warning(line.lines[0] + 1))
            if text[0] in WHITE_SPACE or _BLOCK.match(text):
                continue
            key, value = split_pattern(text, delimited)
            entries.append(Entry(key, value, line.lines[0] + 1, line.lines))
        return cls(lines, entries, delimited, warnings)

    def render(self) -> bytes:
        return b"".join(self.lines)

    def mapping(self, _utf8: bool) -> dict[str, str]:
        """Pattern to result as written; of equal patterns the first, which is the one that matches."""
        found: dict[str, str] = {}
        for entry in self.entries:
            found.setdefault(entry.key, entry.value)
        return found

    def duplicates(self, _utf8: bool) -> list[str]:
        """None: an equal pattern further down can be meant, inside another if."""
        return []

    def edited(self, set_: Mapping[str, str], remove: Collection[str], _utf8: bool = False) -> PatternTable:
        """The table with these patterns in this order and those removed.

        If the wanted ones are there in another order, all of them move to the end, in the order given.
        """
        present = [entry.key for entry in self.entries if entry.key in set_]
        in_order = list(dict.fromkeys(present)) == [key for key in set_ if key in set(present)]
        unwanted = set(remove) - set(set_)
        changed: dict[int, bytes] = {}
        seen = set()
        for entry in self.entries:
            if entry.key in unwanted or (entry.key in set_ and (entry.key in seen or not in_order)):
                changed.update(dict.fromkeys(entry.lines, b""))
            elif entry.key in set_:
                seen.add(entry.key)
                if entry.value != set_[entry.key]:
                    changed.update(dict.fromkeys(entry.lines, b""))
                    changed[entry.lines[0]] = entry_line(entry.key, set_[entry.key])
        new = [entry_line(key, value) for key, value in set_.items() if key not in seen]
        if not changed and not new:
            return self
        kept = b"".join(changed.get(index, line) for index, line in enumerate(self.lines))
        data = with_final_newline(kept, bool(new)) + b"".join(new)
        return PatternTable.parse(data, "regexp" if self.delimited else "cidr")


def checked_pattern(key: str, value: str, table_type: str, place: str) -> None:
    """Raises InvalidInput if Postfix would not read back exactly this pattern with this result."""
    read = PatternTable.parse(entry_line(key, value), table_type)
    if len(read.entries) != 1 or read.entries[0][:2] != (key, value):
        raise InvalidInput(
            f'"{key}" ({place}) would not be read back as a pattern of type {table_type}; '
            "write it with its delimiters, such as /^user@/, without white space outside of them"
        )
