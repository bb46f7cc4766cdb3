# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.subdomain_patterns import (
    domain_of_pattern,
    patterns_by_domain,
    subdomain_pattern,
    subdomain_patterns,
)

LABELS = st.sampled_from(["a", "b", "ab", "abc", "a-b", "ba", "b1", "xn--a"])
BELOW = st.lists(LABELS, min_size=1, max_size=3).map(".".join)


@given(left_out=st.lists(BELOW, max_size=5), asked=st.lists(BELOW, min_size=1, max_size=20))
def test_pattern_matches_all_subdomains_but_those_left_out_and_what_is_below_them(
    left_out: list[str], asked: list[str]
) -> None:
    declared = [f"{name}.x.example" for name in left_out]
    pattern = re.compile(subdomain_pattern("x.example", [*declared, "b.other.example", "x.example"]).strip("/"))
    for name in [f"{name}.x.example" for name in [*asked, *left_out]]:
        expected = not any(name == other or name.endswith(f".{other}") for other in declared)
        assert bool(pattern.search(f"info@{name}")) is expected, name
    assert not pattern.search("info@x.example")


def test_pattern_without_anything_left_out_is_short() -> None:
    assert subdomain_pattern("x.example", ["y.example", "bücher.x.example"]) == "/@[^@]+\\.x\\.example$/"
    assert subdomain_pattern("x.example", ["s.x.example"]) == ("/@(([^@]+\\.)?([^.@s][^.@]*|s[^.@]+))\\.x\\.example$/")


@given(left_out=st.lists(BELOW, max_size=3))
def test_pattern_is_known_by_its_domain(left_out: list[str]) -> None:
    pattern = subdomain_pattern("x.example", [f"{name}.x.example" for name in left_out])
    others = [subdomain_pattern("a.x.example", ["b.a.x.example"]), subdomain_pattern("yx.example"), "/@x\\.example$/"]
    rows = dict.fromkeys([pattern, *others], "x")
    assert patterns_by_domain(rows) == {
        "x.example": [pattern],
        "a.x.example": [others[0]],
        "yx.example": [others[1]],
    }
    assert domain_of_pattern("/@x\\.example$/") == ""
    declared = [*(f"{name}.x.example" for name in left_out), "b.a.x.example", "z.example"]
    assert subdomain_patterns(["x.example", "a.x.example", "yx.example"], declared) == [
        subdomain_pattern(name, declared) for name in ("x.example", "a.x.example", "yx.example")
    ]
