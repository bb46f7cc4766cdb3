# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each row of the guide for troubleshooting is one that a test makes on a host, and has a remedy that it can apply."""

from __future__ import annotations

import pytest

from lab import symptoms

TEXT = symptoms.GUIDE.read_text(encoding="utf-8")


def test_every_row_is_tried() -> None:
    assert len(symptoms.together(TEXT)) == len(symptoms.SYMPTOMS) == 38


def test_rows_without_a_remedy_are_no_symptoms() -> None:
    right = TEXT.partition("\n## What is right, and looks wrong\n")[2]
    assert right.count("\n| `") >= 4
    assert symptoms.rows(right) == []


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            "| `451 4.3.0 …` | its index | see `postfix status`; run the role, `postfix reload` |",
            ("run the role", "postfix reload"),
        ),
        (
            "| `fatal: x` | a value | `ansible-playbook a.b.c -i hosts.yml -e x=1` |",
            ("ansible-playbook a.b.c -i hosts.yml -e x=1",),
        ),
        ("| `fatal: x` | a value | ask somebody |", ()),
    ],
)
def test_commands_of_a_remedy_are_read_in_their_order(row: str, told: tuple[str, ...]) -> None:
    assert [found.remedy for found in symptoms.rows(row)] == [told]


@pytest.mark.parametrize("wrong", ["run the role", "450 4.1.1 <nobody@customer.example>"])
def test_row_that_no_test_makes_is_noticed(wrong: str) -> None:
    """A row whose remedy has lost its command, or whose line is another."""
    with pytest.raises(ValueError, match="not in the same order, or a row has no command"):
        symptoms.together(TEXT.replace(wrong, "somehow"))


def test_line_is_found_with_what_varies() -> None:
    seen = symptoms.pattern("said: 554 5.7.1 <alice@customer.example>; Client host […] blocked using …")
    assert seen.search(
        "host said: 554 5.7.1 <erin@flow.example>; Client host [192.0.2.1] blocked using dnsbl.test (in reply"
    )
    assert not seen.search("said: 554 5.7.1 <frank@flow.example>; Client host [192.0.2.1] blocked using dnsbl.test")
