# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.idna import PREFIX
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables import both_forms
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.both_forms import (
    KeyForms,
    canonical_key,
    with_both_forms,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.recipients import (
    declared_domains,
    edits_by_domain,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Edits

U, A = "bücher.example", "xn--bcher-kva.example"


def encode(label: str) -> str | None:
    return PREFIX + label.encode("punycode").decode()


def nothing(path: str) -> bytes:
    raise AssertionError(path)


def test_entries_are_set_and_removed_in_both_forms() -> None:
    want = Edits(set={f"a@{U}": "x", f"jürgen@{A}": "x", "ö@x.example": "x"}, remove=[f"b@{A}"], owned=(U, f".{A}"))
    assert with_both_forms(want, True, encode) == Edits(
        set={
            f"a@{U}": "x",
            f"jürgen@{A}": "x",
            "ö@x.example": "x",
            f"a@{A}": "x",
            f"jürgen@{U}": "x",
        },
        remove=(f"b@{A}", f"b@{U}"),
        owned=(U, A, f".{A}", f".{U}"),
    )


def test_other_keys_stay_the_same_object() -> None:
    rows = {"a@x.example": "x", "xn--@x.example": "x", "ö@x.example": "x"}
    assert with_both_forms(Edits(set=rows), True, encode).set is rows


def test_without_smtputf8_entries_stay_and_what_no_mail_names_is_told_once_a_domain() -> None:
    want = Edits(set={f"a@{U}": "x", f"b@{U}": "x", f"a@{A}": "x", "a@faß.example": "x"})
    assert with_both_forms(want, False, encode) == replace(
        want,
        warnings=(
            f"mail never names {U} in this form, since smtputf8_enable is no; give it as DNS has it, "
            f"such as {A}, or set smtputf8_enable = yes",
            "mail never names faß.example in this form, since smtputf8_enable is no; "
            "give it as DNS has it, such as fass.example, or set smtputf8_enable = yes",
        ),
    )


@pytest.mark.parametrize(
    ("key", "others"),
    [
        ("a@faß.example", "a@xn--fa-hia.example or a@fass.example"),
        ("a@xn--fa-hia.example", "a@faß.example"),
        ("@faß.example", "@xn--fa-hia.example or @fass.example"),
        (".faß.example", ".xn--fa-hia.example or .fass.example"),
    ],
)
def test_where_the_standards_differ_both_forms_must_be_given(key: str, others: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        with_both_forms(Edits(set={key: "x", "b@xn--fa-hia.example": "x"}), True, encode)
    assert caught.value.message == (
        f'"{key}" would be looked up in another form too, and IDNA2003 and IDNA2008 differ on that; '
        f"give the form that DNS has as well: {others}"
    )


def test_both_forms_given_are_taken_as_given() -> None:
    want = Edits(set={"a@faß.example": "x", "a@xn--fa-hia.example": "x"})
    assert with_both_forms(want, True, encode) == want


def test_two_values_for_one_domain_are_refused() -> None:
    with pytest.raises(InvalidInput, match="are two forms of one domain with two values"):
        with_both_forms(Edits(set={U: "relay:[a]", A: "relay:[b]"}), True, encode)


def test_domain_declared_in_both_forms_must_be_declared_alike() -> None:
    items = [{"name": U, "recipients": [f"a@{U}"]}, {"name": A, "recipients": [f"a@{A}"]}]
    want = with_both_forms(edits_by_domain(declared_domains(items, nothing), "x", False), True, encode)
    assert (want.set, want.owned) == ({f"a@{U}": "x", f"a@{A}": "x"}, (U, A))
    items[1]["recipients"] = [f"b@{A}"]
    with pytest.raises(InvalidInput) as caught:
        declared_domains(items, nothing)
    assert caught.value.message == (
        f'"{A}" (domains[1].name) is {U} in its other form, declared differently; '
        "declare it once; its entries are written in both forms"
    )


@pytest.mark.parametrize(
    ("key", "canonical"),
    [
        (f"a@{U}", f"a@{A}"),
        (f'"a@b"@{U}', f'"a@b"@{A}'),
        (f"a@{A}", f"a@{A}"),
        ("A@x.example", "A@x.example"),
        (U, A),
    ],
)
def test_canonical_key_has_its_domain_as_dns_has_it(key: str, canonical: str) -> None:
    assert canonical_key(key) == canonical


def test_each_domain_is_asked_once() -> None:
    asked = []

    def count(label: str) -> str | None:
        asked.append(label)
        return encode(label)

    known = KeyForms(count)
    once = known.of(f"a@{U}")
    labels = list(asked)
    assert (once.spellings, known.of(f"b@{U}").spellings) == ((f"a@{U}", f"a@{A}"), (f"b@{U}", f"b@{A}"))
    assert labels
    assert asked == labels


def test_international_key_is_found_behind_many_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(both_forms, "_PIECE_KEYS", 1)
    want = Edits(set={"a@x.example": "x", f"a@{U}": "x"})
    assert with_both_forms(want, True, encode).set == {"a@x.example": "x", f"a@{U}": "x", f"a@{A}": "x"}


def test_without_smtputf8_ascii_keys_are_told_nothing_about() -> None:
    want = Edits(set={"a@x.example": "x"})
    assert with_both_forms(want, False, encode) == want


def test_quoted_at_sign_is_no_part_of_the_domain_that_is_told() -> None:
    (warning,) = with_both_forms(Edits(set={f'"a@b"@{U}': "x"}), False, encode).warnings
    assert warning.startswith(f"mail never names {U} in this form, ")
