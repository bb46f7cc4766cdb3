# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from lab.checkout import ROOT
from lab.model_mutants import MODEL, equivalent, mutants_of


def changes(source: str) -> list[tuple[str, str, str]]:
    """The function, what is there and what comes instead, of each mutant."""
    return [(mutant.function, mutant.before, mutant.after) for mutant in mutants_of("a.py", source)]


@pytest.mark.parametrize(
    ("source", "after"),
    [
        ("a = b < c", ["a = b <= c"]),
        ("a = b in c", ["a = b not in c"]),
        ("a = b and c", ["a = b or c"]),
        ("a = not b", ["a = b"]),
        ("a = 1", ["a = 2"]),
        ("a = True", ["a = False"]),
        ("a = b - c", ["a = b + c"]),
        ("a = any(b)", ["a = all(b)"]),
        ("a = sorted(b)", ["a = list(b)"]),
        ("a = sorted(b, key=c)", []),
        ("a = b.rpartition(c)", ["a = b.partition(c)"]),
        ("a = b.strip()", ["a = b"]),
        ("a = b if c else d", ["a = b if True else d", "a = b if False else d"]),
        ("a = [b for b in c if d]", ["a = [b for b in c if True]"]),
        ("a.b(c)", ["pass"]),
        ("a += b", ["pass", "a -= b"]),
        ("raise a", ["pass"]),
        ("a = 'text'", []),
        ("a: Literal[1] = b", []),
        ("'what it is for'", []),
    ],
)
def test_each_decision_is_changed(source: str, after: list[str]) -> None:
    assert changes(source) == [("", source, line) for line in after]


def test_change_is_named_by_its_function_and_the_head_of_its_statement() -> None:
    source = "class A:\n    @decorated\n    def b(self):\n        if c:\n            return d\n        return None\n"
    assert changes(source) == [
        ("A.b", "if c:", "if True:"),
        ("A.b", "if c:", "if False:"),
        ("A.b", "return d", "return None"),
    ]


def test_what_is_around_a_change_is_cut_short() -> None:
    ((_function, before, after),) = changes(f"a = [{'b, ' * 40}1, {'c, ' * 40}d]")
    assert before == f"… {('b, ' * 40)[-60:]}1{', ' + ('c, ' * 40)[:58]} …"
    assert after == before.replace("1", "2")


def test_code_of_a_mutant_is_changed_in_this_place_alone() -> None:
    (less,) = [mutant for mutant in mutants_of("a.py", "a = 1 < 1\nb = 2 < 2\n") if mutant.after == "a = 1 <= 1"]
    told: dict[str, bool] = {}
    exec(less.code(), told)
    assert (told["a"], told["b"]) == (True, False)
    assert str(less) == "a.py:1 : a = 1 < 1  →  a = 1 <= 1"


def test_every_equivalent_mutant_is_one_and_has_a_reason() -> None:
    known = equivalent()
    made = {
        mutant.key
        for file in {key[0] for key in known}
        for mutant in mutants_of(file, (ROOT / MODEL / file).read_text(encoding="utf-8"))
    }
    assert sorted(known.keys() - made) == []
    assert [key for key, reason in known.items() if not reason] == []
