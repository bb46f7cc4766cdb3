# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logical lines as Postfix's readlline(3) reads them, without losing a byte of the file.

A logical line starts with text; a physical line that starts with white space continues it, also across comments
and empty lines. Comments and empty lines are dropped, wherever they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError

# isspace(3) in the C locale; Postfix limits it to ASCII.
WHITE_SPACE = " \t\n\v\f\r"


class Gap:
    """Comments and empty lines between logical lines."""

    def __init__(self, raw: str) -> None:
        self.raw = raw


class LogicalLine:
    """One logical line: `raw` is its physical lines with what is between them, `text` what Postfix reads.

    `number` is that of its first physical line, counted from 1, as the file was read. `ignored` is true for text that
    continues nothing, which Postfix skips with a warning. Offsets that the methods take are offsets in `text`.
    """

    def __init__(self, raw: str, number: int) -> None:
        self.number = number
        self.rewrite(raw)

    def rewrite(self, raw: str) -> None:
        """Takes other physical lines; the first one carries text, and the last one does."""
        self.raw = raw
        self._pieces: list[tuple[int, int, str]] = []
        text_offset = raw_offset = 0
        for line in physical_lines(raw):
            content = line[:-1] if line.endswith("\n") else line
            if not is_comment(line):
                self._pieces.append((text_offset, raw_offset, content))
                text_offset += len(content)
            raw_offset += len(line)
        self.text = "".join(content for _text, _raw, content in self._pieces)
        self.ignored = self.text.startswith(tuple(WHITE_SPACE))

    def check_null(self, path: str) -> None:
        """Raises HostError for a null byte: Postfix ignores what comes after it on that line."""
        if "\0" in self.text:
            raise HostError(f"{path}, line {self.number}: null byte, after which Postfix ignores text; remove it")

    def line_of(self, offset: int) -> int:
        """Which of the physical lines that carry text holds the character at `offset`, counted from 0."""
        return self.lines_of([offset])[0]

    def lines_of(self, offsets: Iterable[int]) -> list[int]:
        """line_of for many offsets in ascending order, in one pass."""
        found = []
        index = 0
        for offset in offsets:
            while index < len(self._pieces) - 1 and offset >= self._pieces[index][0] + len(self._pieces[index][2]):
                index += 1
            found.append(index)
        return found

    def line_start(self, index: int) -> int:
        """Offset of the first character of physical line `index`."""
        return self._pieces[index][0]

    def line_text(self, index: int) -> str:
        """Physical line `index`, without its newline."""
        return self._pieces[index][2]

    def raw_position(self, offset: int) -> int:
        """Where the character at `offset` is in `raw`."""
        start, raw_start, _content = self._pieces[self.line_of(offset)]
        return raw_start + offset - start

    def raw_end(self, offset: int) -> int:
        """Where text that ends before `offset` ends in `raw`: on the line of its last character."""
        return self.raw_position(offset - 1) + 1 if offset else self._pieces[0][1]

    def raw_line(self, index: int) -> tuple[int, int]:
        """The span in `raw` of physical line `index`, its newline included."""
        raw_start, content = self._pieces[index][1:]
        end = raw_start + len(content)
        return raw_start, end + (1 if self.raw[end : end + 1] == "\n" else 0)

    def comments(self) -> str:
        """The comments and empty lines between the physical lines."""
        return "".join(line for line in physical_lines(self.raw) if is_comment(line))


def physical_lines(text: str) -> list[str]:
    """The lines of `text`, newlines kept. Only a newline ends a line, whatever else str.splitlines takes for one."""
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return lines + [last] if last else lines


def is_comment(line: str) -> bool:
    """Whether a physical line is empty, white space, or a comment."""
    stripped = line.strip(WHITE_SPACE)
    return not stripped or stripped.startswith("#")


def read_blocks(text: str) -> list[Gap | LogicalLine]:
    """The file as logical lines and what is between them; their `raw` joined is `text` again."""
    blocks: list[Gap | LogicalLine] = []
    pending = ""
    current = ""
    first = 0
    for number, line in enumerate(physical_lines(text), start=1):
        if is_comment(line):
            pending += line
        elif current and line[0] in WHITE_SPACE:
            current += pending + line
            pending = ""
        else:
            blocks.extend(_blocks(current, first, pending))
            current, first, pending = line, number, ""
    blocks.extend(_blocks(current, first, pending))
    return blocks


def _blocks(current: str, first: int, pending: str) -> Iterator[Gap | LogicalLine]:
    if current:
        yield LogicalLine(current, first)
    if pending:
        yield Gap(pending)


def append_line(blocks: list[Gap | LogicalLine], raw: str) -> LogicalLine:
    """Adds a logical line, whose `raw` ends with a newline. A file that did not end with one does not then either."""
    if blocks and not blocks[-1].raw.endswith("\n"):
        blocks[-1].raw += "\n"
        raw = raw[:-1]
    line = LogicalLine(raw, 0)
    blocks.append(line)
    return line


def drop_line(blocks: list[Gap | LogicalLine], line: LogicalLine) -> None:
    """Takes a logical line out, the comments inside it stay. A file that did not end with a newline still does not."""
    index = blocks.index(line)
    comments = line.comments()
    blocks[index : index + 1] = [Gap(comments)] if comments else []
    if index >= len(blocks) - 1 and blocks and not line.raw.endswith("\n"):
        blocks[-1].raw = blocks[-1].raw[:-1]


def words(text: str, separators: str, start: int = 0) -> list[tuple[int, int]]:
    """Spans of the words of `text` from `start` on, as mystrtokq(3) finds them: braces hold a word together."""
    if "{" not in text:
        return [word.span() for word in re.compile(f"[^{re.escape(separators)}]+").finditer(text, start)]
    found = []
    begin = -1
    depth = 0
    for offset in range(start, len(text)):
        character = text[offset]
        if depth == 0 and character in separators:
            if begin >= 0:
                found.append((begin, offset))
                begin = -1
            continue
        if begin < 0:
            begin = offset
        if character == "{":
            depth += 1
        elif character == "}" and depth:
            depth -= 1
    if begin >= 0:
        found.append((begin, len(text)))
    return found


def without(raw: str, spans: Iterable[tuple[int, int]]) -> str:
    """`raw` less the spans, which may overlap."""
    kept = []
    position = 0
    for start, end in sorted(spans):
        if start > position:
            kept.append(raw[position:start])
        position = max(position, end)
    kept.append(raw[position:])
    return "".join(kept)
