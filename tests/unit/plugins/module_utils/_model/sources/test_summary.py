# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import Reading
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.summary import (
    SourceSummary,
    by_domain,
    digest_of_addresses,
    summary_of,
)

AT = "2026-01-31T09:00:00Z"
READING = Reading(
    ("b@x.example", "a@bücher.example", "a@x.example", "b@xn--bcher-kva.example"),
    frozenset({"y.example"}),
    {"x.example": "why", "z.example": "nothing"},
    3,
)
EMPTY = hashlib.sha256(b"").hexdigest()


def summary(reading: Reading) -> SourceSummary:
    return summary_of(reading, by_domain(reading), AT)


def test_addresses_are_by_domain_whatever_its_form() -> None:
    assert by_domain(READING) == {
        "x.example": ["b@x.example", "a@x.example"],
        "bücher.example": ["a@bücher.example", "b@xn--bcher-kva.example"],
        "y.example": [],
        "z.example": [],
    }


def test_every_domain_is_told() -> None:
    told = summary(READING).told()
    assert told.keys() == {"domains", "count", "digest", "invalid", "complete", "read_at"}
    assert (told["count"], told["invalid"], told["complete"], told["read_at"]) == (4, 3, False, AT)
    assert told["domains"]["x.example"] == {
        "count": 2,
        "catch_all": False,
        "complete": False,
        "why_incomplete": "why",
        "digest": hashlib.sha256(b"a@x.example\nb@x.example").hexdigest(),
    }
    assert told["domains"]["y.example"] == {
        "count": 0,
        "catch_all": True,
        "complete": False,
        "why_incomplete": "the source has a catch-all for y.example, which so takes every address; list them there",
        "digest": hashlib.sha256(b"@y.example").hexdigest(),
    }


def test_declared_domains_are_told_and_the_others_counted() -> None:
    told = summary(READING).told(["xn--bcher-kva.example", "no.example"])
    assert told["domains"].keys() == {"xn--bcher-kva.example", "no.example"}
    assert told["domains"]["xn--bcher-kva.example"]["count"] == 2
    assert told["domains"]["no.example"] == {
        "count": 0,
        "catch_all": False,
        "complete": True,
        "why_incomplete": "",
        "digest": EMPTY,
    }
    assert told["undeclared"] == {"x.example": 2, "y.example": 0, "z.example": 0}
    assert (told["complete"], told["count"]) == (True, 4)


def test_what_is_said_of_every_domain_is_said_of_those_that_are_not_there() -> None:
    told = summary(Reading(("a@x.example",), incomplete={"": "why"})).told(["x.example", "no.example"])
    assert [domain["why_incomplete"] for domain in told["domains"].values()] == ["why", "why"]
    assert told["complete"] is False


def test_digest_does_not_depend_on_order_or_on_what_is_asked() -> None:
    turned = Reading(READING.addresses[::-1], READING.catch_alls)
    assert summary(turned).digest == summary(READING).digest
    assert summary(Reading(READING.addresses)).digest != summary(READING).digest
    assert digest_of_addresses(["b", "a"]) == hashlib.sha256(b"a\nb").hexdigest()


def test_summary_comes_back_from_text() -> None:
    found = summary(READING)
    assert SourceSummary.from_text(json.loads(json.dumps(asdict(found)))) == found


def test_failed_read_is_incomplete_for_each_domain() -> None:
    told = SourceSummary.failed("it is gone", AT).told(["x.example"])
    assert (told["complete"], told["count"], told["read_at"]) == (False, 0, AT)
    assert told["domains"]["x.example"]["why_incomplete"] == "it is gone"
    assert SourceSummary.failed("it is gone", AT).told()["complete"] is False
