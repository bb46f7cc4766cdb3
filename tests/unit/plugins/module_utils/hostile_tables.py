# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hypothesis strategies for sources of lookup tables, such as people and accidents write them, and for changes."""

from __future__ import annotations

from hypothesis import strategies as st

# Single characters and pairs that Postfix, Python or an editor treat in a way of their own.
ODD = (
    '"',
    '""',
    "\\",
    '\\"',
    "#",
    ":",
    "@",
    ".",
    "+",
    "<>",
    ",",
    "{",
    "}",
    "!",
    "$",
    "%",
    "'",
    "`",
    "|",
    "=",
    "/",
    "~",
    "ü",
    "Ü",
    "ß",
    "ẞ",
    "İ",
    "ı",
    "ς",
    "Σ",
    "ſ",
    "K",
    "ﬁ",
    "ŉ",
    "e\u0301",
    "\u200d",
    "\u200c",
    "日本",
    "\U0001f4e7",
    "\u00a0",
    "\u0085",
    "\u2028",
    "\u3000",
    "\ufeff",
    "\x00",
    "\x01",
    "\x1b",
    "\x1c",
    "\x7f",
)
BROKEN = (
    b"\xff",
    b"\xc3",
    b"\xe2\x82",
    b"\xed\xa0\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xc0\xaf",
    b"\x00",
    b"\xef\xbb\xbf",
)
SPACES = (b" ", b" ", b"\t", b"  ", b" \t ", b"\r", b"\v", b"\f")
ENDS = (b"\n", b"\n", b"\n", b"\n", b"\r\n", b" \n", b"\n\n", b"\\\n", b"")

_plain = st.text(alphabet="abcXYZ019@.-", min_size=1, max_size=8)
_odd = st.lists(st.one_of(_plain, st.sampled_from(ODD)), min_size=1, max_size=4).map("".join)
_quoted = st.text(alphabet="ab @.\\\t#ü", max_size=6).map(lambda text: f'"{text}"@x.example')
_few = st.sampled_from(("a@x.example", "A@X.example", "b@x.example", "@x.example", "x.example", "ü@x.example"))
_word = st.one_of(
    _plain.map(str.encode),
    _few.map(str.encode),
    _odd.map(str.encode),
    _quoted.map(str.encode),
    st.lists(st.one_of(_plain.map(str.encode), st.sampled_from(BROKEN)), min_size=1, max_size=3).map(b"".join),
)
_space = st.sampled_from(SPACES)
_end = st.sampled_from(ENDS)
_line = st.one_of(
    st.builds(lambda *parts: b"".join(parts), _word, _space, _word, _end),
    st.builds(lambda *parts: b"".join(parts), _word, _space, _word, _end),
    st.builds(lambda *parts: b"".join(parts), _word, _space, _word, _space, _word, _end),
    st.builds(lambda *parts: b"".join(parts), _word, _end),
    st.builds(lambda *parts: b"".join(parts), _space, _word, _space, _word, _end),
    st.builds(lambda *parts: b"".join(parts), st.sampled_from((b"#", b" #", b"\t# ", b"#\r")), _word, _end),
    st.builds(lambda *parts: b"".join(parts), st.sampled_from((b"", b" ", b"\t", b"\r", b" \t\v")), _end),
    st.binary(max_size=8),
)
_start = st.sampled_from((b"", b"", b"", b"", b"\xef\xbb\xbf", b" ", b"\n"))

sources = st.builds(lambda start, lines: start + b"".join(lines), _start, st.lists(_line, max_size=10))
"""The bytes of a file."""

valid_keys = st.one_of(
    _few,
    st.from_regex(r"\A[a-eA-Eü][a-cü]{0,3}@[xy]\.example\Z"),
    st.from_regex(r'\A"[a-c ]{1,3}"@x\.example\Z'),
)
valid_values = st.one_of(st.just("x"), st.from_regex(r"\A[A-Za-zü]{1,3}( [a-z]{1,3})?\Z"))


def _unfolded(entries: dict[str, str]) -> dict[str, str]:
    """One key of those that differ in upper and lower case alone."""
    return dict({key.casefold(): (key, value) for key, value in entries.items()}.values())


wanted_entries = st.dictionaries(valid_keys, valid_values, max_size=5).map(_unfolded)
"""Entries as the modules pass them on: valid, and no key twice."""

_literals = st.one_of(st.from_regex(r"\A[a-c]{1,2}@[xy]\.example\Z"), st.just('a"b@x.example'))
_results = st.from_regex(r"\A[A-Z]{1,3}( [a-z]{1,3}){0,2}\Z")
_breaks = st.sampled_from((" ", "\t", "  ", "\n ", "\n\t", "\n# comment\n  ", " \r\n "))
_between = st.sampled_from(("", "", "", "\n", "# /comment/ x\n", " \n", "  # indented\n"))


def _pattern_rows(kind: str) -> st.SearchStrategy[str]:
    if kind == "cidr":
        return st.builds("192.0.2.{}{}".format, st.integers(0, 9), st.sampled_from(("", "/32")))
    return st.builds(
        lambda mark, literal, flags: mark + "^" + literal.replace(".", "\\.") + "$" + mark + flags,
        st.sampled_from("/|%,"),
        _literals,
        st.sampled_from(("", "i", "i")),
    )


def pattern_sources(kind: str) -> st.SearchStrategy[bytes]:
    """Tables of patterns (regexp, pcre, cidr), each of which matches what it was made from and nothing else."""
    row = st.builds(
        lambda between, pattern, space, result, end: f"{between}{pattern}{space}{result}{end}",
        _between,
        _pattern_rows(kind),
        _breaks,
        _results,
        st.sampled_from(("\n", "\n", " \n", "\r\n")),
    )
    block = st.lists(row, min_size=1, max_size=3).map("".join)
    if kind != "cidr":
        block = st.one_of(block, block.map("if /./\n{}endif\n".format), block.map("IF /@/\n{}ENDIF\n".format))
    return st.lists(block, min_size=1, max_size=4).map(lambda blocks: "".join(blocks).encode())


_plain_key = st.one_of(
    st.from_regex(r"\A[a-c]{1,2}@[xy]\.example\Z"),
    st.from_regex(r"\A[a-c]{1,2}@[xy]\.example\Z"),
    st.sampled_from(("@x.example", "a@sub.x.example", "A@x.example", "ü@x.example", '"a"@x.example', "a#b@x.example")),
)
_plain_head = st.sampled_from(("", "", "# ours\n", "# a b\n\n", "\n\n", " # indented\n", "#", "# x\r\n", "#\n#\n"))
_plain_tail = st.sampled_from(
    ("", "", "", "", "", "# tail\n", "\n", "a@x.example  x\n", "b@x.example x", " x\n", "c y\n", "x\n")
)

plain_sources = st.builds(
    lambda head, keys, value, tail: (head + "".join(f"{key} {value}\n" for key in keys) + tail).encode(),
    _plain_head,
    st.lists(_plain_key, max_size=8),
    st.sampled_from(("x", "x", "OK", "ü", "")),
    _plain_tail,
)
"""Sources of one value, as our own runs leave them, and sources that are nearly so."""

plain_edits = st.tuples(
    st.one_of(
        st.lists(_plain_key, max_size=5).map(lambda keys: _unfolded(dict.fromkeys(keys, "x"))),
        st.dictionaries(_plain_key, st.sampled_from(("x", "x", "x", "OK", "a b")), max_size=3).map(_unfolded),
    ),
    st.lists(_plain_key, max_size=3).map(tuple),
    st.booleans(),
    st.lists(st.sampled_from(("x.example", "Y.example", ".x.example", "sub.x.example")), max_size=2).map(tuple),
)
"""What edits of such a source are made of: entries to set, keys to remove, whether to purge, domains that are ours."""

_STAYS, _CHANGES, _GOES, _COMES, _THEIRS = range(5)


def _in_order(
    head: str, rows: list[tuple[str, int]], tail: str, purge: bool
) -> tuple[bytes, dict[str, str], set[str], bool]:
    body = "".join(f"{key} {'y' if fate == _CHANGES else 'x'}\n" for key, fate in rows if fate != _COMES)
    wanted = {key: "x" for key, fate in rows if fate not in (_GOES, _THEIRS)}
    return (head + body + tail).encode(), wanted, {key for key, fate in rows if fate == _GOES}, purge


lists_in_order = st.builds(
    _in_order,
    st.one_of(st.sampled_from(("", "# ours\n")), _plain_head),
    st.lists(
        st.tuples(
            st.from_regex(r"\A[a-d]{2}@[xy]\.example\Z"),
            st.sampled_from((*[_STAYS] * 40, *[_CHANGES, _GOES, _COMES] * 5, _THEIRS)),
        ),
        min_size=10,
        max_size=40,
        unique_by=lambda row: row[0],
    ),
    st.one_of(st.just(""), st.just(""), _plain_tail),
    st.booleans(),
)
"""Plain sources, most of them, and what a list in the same order wants of them: entries to set, keys to remove, whether
to purge."""
