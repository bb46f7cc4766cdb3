# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.logical_lines import (
    LogicalLine,
    physical_lines,
    read_blocks,
    words,
)

AWKWARD = [
    "",
    "\n",
    "a = b",
    "a = b\n",
    "# only a comment",
    "a = b\n c\n# inner\n\n\td\ne = f\n# end\n",
    " lead = x\n y\na = b\n",
    "a = b\r\n  c\r\n",
    "a = \u2028b\x0cc\x85\n d\n",
]


@pytest.mark.parametrize("text", AWKWARD)
def test_blocks_joined_are_the_file_again(text: str) -> None:
    assert "".join(block.raw for block in read_blocks(text)) == text
    assert "".join(physical_lines(text)) == text


def test_continuation_reaches_across_comments_and_empty_lines() -> None:
    lines = [block for block in read_blocks(AWKWARD[5]) if isinstance(block, LogicalLine)]
    assert [(line.number, line.text) for line in lines] == [(1, "a = b c\td"), (6, "e = f")]


def test_text_that_continues_nothing_is_marked_as_ignored() -> None:
    lines = [block for block in read_blocks(AWKWARD[6]) if isinstance(block, LogicalLine)]
    assert [(line.text, line.ignored) for line in lines] == [(" lead = x y", True), ("a = b", False)]


def test_only_a_newline_ends_a_line() -> None:
    lines = [block for block in read_blocks(AWKWARD[8]) if isinstance(block, LogicalLine)]
    assert [line.text for line in lines] == ["a = \u2028b\x0cc\x85 d"]


def test_offsets_are_found_in_the_physical_lines() -> None:
    line = LogicalLine("a = b\n# x\n c\n", 1)
    assert line.text == "a = b c"
    assert [line.line_of(offset) for offset in range(7)] == [0, 0, 0, 0, 0, 1, 1]
    # The end of the text is on the last line.
    assert line.lines_of(range(8)) == [0, 0, 0, 0, 0, 1, 1, 1]
    assert line.raw[line.raw_position(6)] == "c"
    assert line.raw_end(5) == 5
    assert line.raw[slice(*line.raw_line(1))] == " c\n"
    assert line.comments() == "# x\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a, b\tc", ["a", "b", "c"]),
        (" ,a,,b, ", ["a", "b"]),
        ("{ a, b } c", ["{ a, b }", "c"]),
        ("${{$x} < {2} ? {a, b} : {}} c", ["${{$x} < {2} ? {a, b} : {}}", "c"]),
        ("a} b", ["a}", "b"]),
        ("{a b", ["{a b"]),
        ("", []),
    ],
)
def test_braces_hold_a_word_together(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in words(text, ", \t")] == found
