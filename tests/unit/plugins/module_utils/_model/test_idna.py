# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import PREFIX, canonical, forms

U, A = "bücher.example", "xn--bcher-kva.example"

NOT_BY_2008 = frozenset({"♥", "a٣", "ab--ü", "ａ", "قa", "\u0301a", "xn--ä", "\x80", "\x82\x81\x80"})


def encode(label: str) -> str | None:
    """IDNA2008, which never maps a label to another, for the labels of these tests."""
    return None if label in NOT_BY_2008 else PREFIX + label.encode("punycode").decode()


@pytest.mark.parametrize(
    ("domain", "spellings"),
    [
        ("x.example", ("x.example",)),
        (U, (U, A)),
        (A, (A, U)),
        (f".{U}", (f".{U}", f".{A}")),
        ("bücher.xn--e1afmkfd", ("bücher.xn--e1afmkfd", "bücher.пример", "xn--bcher-kva.xn--e1afmkfd")),
        ("例え.テスト", ("例え.テスト", "xn--r8jz45g.xn--zckzah")),
        ("مثال.إختبار", ("مثال.إختبار", "xn--mgbh0fb.xn--kgbechtv")),
        ("דוגמה.טעסט", ("דוגמה.טעסט", "xn--6dbbec0c.xn--deba0ad")),
        ("한국.example", ("한국.example", "xn--3e0b707e.example")),
    ],
)
def test_both_forms_where_the_standards_agree(domain: str, spellings: tuple[str, ...]) -> None:
    assert forms(domain, encode) == (spellings, ())


@pytest.mark.parametrize(
    ("domain", "candidates"),
    [
        ("faß.example", ("xn--fa-hia.example", "fass.example")),
        ("xn--fa-hia.example", ("faß.example",)),
        ("βόλος.example", ("xn--nxasmm1c.example", "xn--nxasmq6b.example")),
        ("نامه\u200cای.example", ("xn--mgba3gch31f060k.example", "xn--mgba3gch31f.example")),
        ("♥.example", ("xn--g6h.example",)),
        ("a٣.example", ("xn--a-fqc.example",)),
        ("xn--g6h.example", ("♥.example",)),
        ("ab--ü.example", ("xn--ab---3ra.example",)),
        ("ａ.example", ("a.example",)),
        ("xn--mi7c.example", ()),
        ("قa.example", ()),
        ("\u0301a.example", ("xn--a-wbb.example",)),
        ("xn--ä.example", ()),
    ],
)
def test_candidates_where_they_differ(domain: str, candidates: tuple[str, ...]) -> None:
    assert forms(domain, encode) == ((domain,), candidates)


@pytest.mark.parametrize("label", ["xn--", "xn--99999999", "xn--abc", "xn--fass-", "xn--a-"])
def test_what_looks_like_an_a_label_and_stands_for_nothing_stays(label: str) -> None:
    assert forms(f"{label}.example", encode) == ((f"{label}.example",), ())


@pytest.mark.parametrize(
    ("domain", "expected"),
    [(U, A), (A, A), (f".{U}", f".{A}"), ("x.example", "x.example"), ("faß.example", "fass.example")],
)
def test_canonical_spelling(domain: str, expected: str) -> None:
    assert canonical(domain) == expected
