# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import Problems
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.plain_list import ordinary_addresses
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.recipients import addresses_of

LINES = [
    b"a@x.example",
    b"A.B@X.Example",
    b"c+d@y.example",
    b"e@sub.x.example",
    b"# comment",
    b"",
    b"f@x.example # g",
    b"f@x.example\r",
    b" f@x.example",
    b"@x.example",
    b"-g@x.example",
    b"f@",
    b"f",
    b"f@x@y.example",
    b"f@.example",
    b"f@-x.example",
    b"f@x.example.",
    "\u00e4@x.example".encode(),
    b'"f g"@x.example',
    b"f@x_y.example",
    b"f@x.1",
    b"f@[192.0.2.1]",
    b"f@@y.example",
]


def test_what_is_taken_is_what_the_long_way_takes() -> None:
    chance = random.Random(2)
    taken = 0
    for _round in range(3000):
        lines = [chance.choice(LINES[: chance.choice([4, 6, len(LINES)])]) for _line in range(chance.randrange(5))]
        data = chance.choice([b"\n", b"\r\n"]).join(lines) + chance.choice([b"", b"\n"])
        found = ordinary_addresses(data)
        if found is not None:
            taken += 1
            problems = Problems()
            assert found == [text for text, _place in addresses_of(data, "list", problems)]
            assert problems.count == 0
    assert taken > 1000


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a@x.example", ["a@x.example"]),
        (b"\xef\xbb\xbf# head\r\n\r\nBob@X.example\r\n", ["bob@x.example"]),
        (b"# only a comment", []),
        (b"a@" + b"x" * 63 + b".example\n", ["a@" + "x" * 63 + ".example"]),
        (b"a@" + b"x" * 64 + b".example\n", None),
        (b"a@" + b"x." * 124 + b"example\n", None),
        (b"a@x.example\n\nb@x.example\n", None),
        (b"-a@x.example\n", None),
        (b".+@x.example\n", None),
        (b"a@x.example\n-b@x.example\n", None),
        (b"a-@x.example\n", ["a-@x.example"]),
        (b"a@x.example # the boss\n", None),
    ],
)
def test_only_ordinary_lines_are_taken(data: bytes, expected: list[str] | None) -> None:
    assert ordinary_addresses(data) == expected
