# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import DomainRows
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.recipient_digest import (
    rows_by_domain,
    rows_digest,
)

NONE: frozenset[str] = frozenset()


def test_digest_knows_keys_and_values_but_no_order() -> None:
    assert rows_digest({}) == ""
    assert rows_digest({"a@x": "x", "b@x": "x"}) == rows_digest({"b@x": "x", "a@x": "x"})
    assert rows_digest({"a@x": "x"}) != rows_digest({"a@x": "OK"})
    assert rows_digest({"a@x": "x"}) != rows_digest({"b@x": "x"})


def test_rows_are_grouped_by_domain_apart_from_wildcard_and_postmaster() -> None:
    rows = {"a@x.example": "x", "postmaster@x.example": "x", "@y.example": "x", "user": "x"}
    assert rows_by_domain(rows, NONE, NONE) == {
        "x.example": DomainRows(1, rows_digest({"a@x.example": "x"}), True, False, True),
        "y.example": DomainRows(0, "", False, True, True),
    }


def test_role_of_a_subdomain_is_an_address_like_others() -> None:
    rows = {"abuse@x.example": "x", "abuse@sub.x.example": "x", "postmaster@sub.x.example": "x"}
    others = dict.fromkeys(list(rows)[1:], "x")
    assert rows_by_domain(rows, NONE, frozenset({"x.example"})) == {
        "x.example": DomainRows(2, rows_digest(others), abuse=True)
    }
    assert DomainRows(2, "d", postmaster=True, abuse=True).addresses == 4


def test_rows_of_subdomains_count_for_a_domain_that_has_them() -> None:
    rows = {"a@sub.x.example": "x", "a@x.example": "x"}
    found = rows_by_domain(rows, NONE, frozenset({"x.example"}))
    assert found == {"x.example": DomainRows(2, rows_digest(rows), False, False, True)}
    declared = frozenset({"x.example", "sub.x.example"})
    assert set(rows_by_domain(rows, NONE, frozenset({"x.example"}), declared)) == declared


def test_repeated_rows_and_other_values_are_not_tidy() -> None:
    assert rows_by_domain({"a@x.example": "x"}, frozenset({"a@x.example"}), NONE)["x.example"].tidy is False
    assert rows_by_domain({"@x.example": "OK"}, NONE, NONE)["x.example"].tidy is False
    assert rows_by_domain({"a@x.example": "x"}, frozenset({"b@x.example"}), NONE)["x.example"].tidy is True
