# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Capture
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lookups import RecipientLookups
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.people import people_of, unnamed
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.quoted import SOMEBODY

PEOPLE = frozenset({"bob@x.example", '"bob smith"@x.example', "bob.b@x.example"})


def test_people_are_those_that_tables_list_or_rewrite() -> None:
    lookups = RecipientLookups(
        "nobody",
        {"x.example": "Alice@x.example"},
        {"hash:/v": {"carl@x.example": "dora@y.example, erin@y.example", "@x.example": "x"}},
        rewritten={"hash:/w": {"postmaster@x.example": "frank@y.example", "abuse@x.example": "x"}},
    )
    assert people_of(lookups, [DomainEvidence("x.example", probe_recipient="gina@x.example")]) == {
        "alice@x.example",
        "carl@x.example",
        "dora@y.example",
        "erin@y.example",
        "frank@y.example",
        "gina@x.example",
        "x",
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mail for bob@x.example is refused (550 <Bob@X.example>: no)", "mail for {} is refused (550 <{}>: no)"),
        ("to bob@x.example, bob.b@x.example.", "to {}, {}."),
        ('to "bob smith"@x.example; mend it', "to {}; mend it"),
        ("ben.bob@x.example, bob@x.example.net and the row @x.example", None),
        ("postmaster@x.example, x@[192.0.2.1] and x@", None),
        ("", None),
    ],
)
def test_addresses_of_people_alone_are_left_out(text: str, told: str | None) -> None:
    assert unnamed(text, PEOPLE) == (text if told is None else told.replace("{}", SOMEBODY))


def test_everybody_is_left_out_if_nobody_is_named() -> None:
    told = 'the row @x.example, "bob smith"@x.example and erin@y.example'
    assert unnamed(told) == f"the row @x.example, {SOMEBODY} and {SOMEBODY}"


def test_results_are_searched_wherever_they_have_text() -> None:
    answers = {
        "recipients": {"bob@x.example": (550, "bob@x.example")},
        "mail": None,
        "size": 5,
        "all": ["bob@x.example"],
    }
    assert unnamed(answers, PEOPLE) == {
        "recipients": {SOMEBODY: [550, SOMEBODY]},
        "mail": None,
        "size": 5,
        "all": [SOMEBODY],
    }
    assert unnamed(answers, frozenset())["recipients"] == {"bob@x.example": [550, "bob@x.example"]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("to='jane@x.example'", "to='[a recipient]'"),
        ("to=jane@x.example refused", "to=[a recipient] refused"),
        ("[jane@x.example]: no", "[[a recipient]]: no"),
        ("notjane@x.example", "notjane@x.example"),
    ],
)
def test_address_is_left_out_whatever_stands_beside_it(text: str, told: str) -> None:
    assert unnamed(text, {"jane@x.example"}) == told


def test_recipients_with_something_behind_a_delimiter_are_people_at_each_mail_host() -> None:
    answer = Capture("hash:/t", "x.example", "relay:[a.example],[b.example]")
    domain = DomainEvidence("x.example", answer=answer).with_others()
    domain.others[0].tagged = {"+": "jane+mxrelay-probe@x.example"}
    assert people_of(RecipientLookups(), [domain]) == {"jane+mxrelay-probe@x.example"}
