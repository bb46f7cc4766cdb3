# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.both_forms import with_both_forms
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.edit import edit
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.guarded import (
    held_back,
    kept_apart,
    limited_removals,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.recipients import (
    declared_domains,
    edits_by_domain,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits

U, A = "bücher.example", "xn--bcher-kva.example"


def addresses(number: int, domain: str = "x.example", first: int = 0) -> list[str]:
    return [f"user{each:03}@{domain}" for each in range(first, first + number)]


def source(*keys: str) -> bytes:
    return "".join(f"{key} x\n" for key in keys).encode()


def wanted(*items: dict[str, object], known: bool = False) -> Edits:
    """The edits of items, of which the file is there."""
    found = edits_by_domain(declared_domains(items, lambda _path: b""), "x", False, known)
    return with_both_forms(found, True, lambda label: label.encode("idna").decode())


def item(recipients: Sequence[str], limit: str = "10%", name: str = "x.example") -> dict[str, object]:
    return {"name": name, "recipients": list(recipients), "max_removals": limit}


def losses(want: Edits, data: bytes) -> list[tuple[str, int, int]]:
    held = held_back(want, edit(data, "hash", want, True), True)
    return [(loss.domain, loss.removals, loss.of) for loss in held]


@pytest.mark.parametrize(
    ("had", "left", "limit", "held"),
    [
        (20, 18, "10%", []),
        (20, 17, "10%", [("x.example", 3, 20)]),
        (19, 17, "10%", [("x.example", 2, 19)]),
        (3, 2, "10%", []),
        (3, 1, "10%", [("x.example", 2, 3)]),
        (3, 2, "0%", [("x.example", 1, 3)]),
        (3, 2, "0", [("x.example", 1, 3)]),
        (9, 4, "5", []),
        (9, 3, "5", [("x.example", 6, 9)]),
        (20, 1, "100%", []),
    ],
)
def test_domain_that_would_lose_more_than_its_limit_is_held_back(
    had: int, left: int, limit: str, held: list[tuple[str, int, int]]
) -> None:
    assert losses(wanted(item(addresses(left), limit)), source(*addresses(had))) == held


def test_exchanged_list_is_held_back() -> None:
    data = source(*addresses(20))
    assert losses(wanted(item(addresses(20, first=3))), data) == [("x.example", 3, 20)]
    assert losses(wanted(item(addresses(20, first=2))), data) == []


def test_why_names_numbers_and_the_limit() -> None:
    want = wanted(item(addresses(1)))
    (held,) = held_back(want, edit(source(*addresses(20)), "hash", want, True), True)
    assert held.why == "19 of its 20 addresses would be removed, more than max_removals (10%) allows"


def test_postmaster_and_wildcard_do_not_count() -> None:
    data = source("@x.example", "postmaster@x.example", *addresses(3))
    assert losses(wanted(item(addresses(3), "0")), data) == []
    assert losses(wanted(item(addresses(2), "0")), data) == [("x.example", 1, 3)]


def test_only_the_domains_of_others_are_changed() -> None:
    data = source(*addresses(5), *addresses(5, "y.example"))
    want = wanted(item(["new@x.example"]), item(["new@y.example"], "100%", "y.example"))
    found = edit(data, "hash", want, True)
    held = held_back(want, found, True)
    assert [loss.domain for loss in held] == ["x.example"]
    after = edit(data, "hash", kept_apart(want, held, True), True)
    assert after.content == source(*addresses(5), "new@y.example")


def test_domain_without_a_limit_may_lose_all() -> None:
    assert losses(wanted({"name": "x.example", "state": "absent"}), source(*addresses(5))) == []


def test_addresses_of_subdomains_count_for_the_domain_that_has_them() -> None:
    data = source(*addresses(5), *addresses(5, "sub.x.example"), *addresses(5, "own.x.example"))
    wide = {**item(addresses(5), "5"), "subdomains": True}
    own = {"name": "own.x.example", "state": "absent"}
    assert losses(wanted(wide, own), data) == []
    assert losses(wanted({**wide, "max_removals": "4"}, own), data) == [("x.example", 5, 10)]


def test_address_of_an_international_domain_counts_once() -> None:
    data = source(*addresses(9, U), *addresses(9, A), f"postmaster@{U}", f"postmaster@{A}")
    assert losses(wanted(item(addresses(8, U), "1", U)), data) == []
    assert losses(wanted(item(addresses(7, U), "1", U)), data) == [(U, 2, 9)]


def test_both_forms_of_a_domain_are_held_back() -> None:
    data = source(*addresses(9, U), *addresses(9, A))
    want = wanted(item(addresses(1, U), "1", U))
    held = held_back(want, edit(data, "hash", want, True), True)
    assert edit(data, "hash", kept_apart(want, held, True), True).changed is False


@pytest.mark.parametrize(
    ("there", "held"),
    [
        ([], [("x.example", 0, 0)]),
        (["other@y.example", "a@sub.x.example"], [("x.example", 0, 0)]),
        (["@x.example"], []),
        (["postmaster@x.example"], []),
        (["old@x.example"], []),
    ],
)
def test_domain_without_entries_is_held_back_where_domains_are_to_be_known(
    there: list[str], held: list[tuple[str, int, int]]
) -> None:
    want = wanted({"name": "x.example", "recipients": ["a@x.example"]}, known=True)
    assert losses(want, source(*there)) == held


def test_limited_removals_are_those_of_domains_with_a_limit() -> None:
    want = wanted(item(["a@x.example"]), {"name": "y.example", "recipients": ["a@y.example"]})
    removed = [*addresses(3), "@x.example", "x.example", *addresses(5, "y.example"), *addresses(5, "z.example")]
    assert limited_removals(want, removed, True) == 4
    assert limited_removals(wanted({"name": "x.example", "state": "absent"}), removed, True) == 0


def test_limit_alone_does_not_hold_a_new_domain_back() -> None:
    assert losses(wanted(item(addresses(5))), source("old@y.example")) == []


def test_limit_of_one_domain_is_none_of_another_that_has_to_be_known() -> None:
    want = wanted(item(["a@x.example"]), {"name": "y.example", "recipients": ["a@y.example"]}, known=True)
    assert limited_removals(want, [*addresses(3), *addresses(5, "y.example")], True) == 3


def test_quoted_at_sign_is_no_part_of_the_domain() -> None:
    assert limited_removals(wanted(item(["a@x.example"])), ['"a@b"@x.example'], True) == 1


def test_address_with_a_value_of_several_words_counts() -> None:
    data = "".join(f"{address} x\ty z\n" for address in addresses(20)).encode()
    assert losses(wanted(item(addresses(17))), data) == [("x.example", 3, 20)]
