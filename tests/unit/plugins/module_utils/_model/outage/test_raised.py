# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.outage import (
    LifetimeRaise,
    Outage,
    RaiseEvidence,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.raised import (
    Verdict,
    judge_raise,
    raise_lines,
    raise_result,
    raise_text,
    read_raise,
    with_outages,
    without_outages,
)

NOW = 1_000_000
DAY = 86400
X = Outage(NOW, "3d", "10d")
RAISED = LifetimeRaise("5d", "10d", {"x.example": X})


def test_record_comes_back_from_its_file_as_it_went() -> None:
    assert read_raise(raise_text(RAISED)) == RAISED
    assert read_raise(raise_text(LifetimeRaise(None, None, {}))) == LifetimeRaise(None, None, {})
    assert raise_result(None) is None
    assert raise_result(RAISED) == {
        "parameter": "maximal_queue_lifetime",
        "before": "5d",
        "value": "10d",
        "outages": {"x.example": {"began": NOW, "length": "3d", "lifetime": "10d", "expiry": NOW + 3 * DAY}},
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps({"parameter": "relayhost", "before": "a", "value": "b", "outages": {}}),
        json.dumps({"parameter": "maximal_queue_lifetime", "before": "a", "value": "b", "outages": {"x": {}}}),
        json.dumps(
            {
                "parameter": "maximal_queue_lifetime",
                "before": "a",
                "value": "b",
                "outages": {"x": {"began": 1, "length": "long", "lifetime": "1d"}},
            }
        ),
    ],
)
def test_what_is_no_record_is_not_believed(text: str) -> None:
    with pytest.raises(ValueError):
        read_raise(text)


@pytest.mark.parametrize(
    ("written", "effective", "lifetime", "value"),
    [(None, "5d", "10d", "10d"), ("5d", "5d", "10d", "10d"), ("240h", "240h", "10d", "240h"), (None, "5d", "2d", None)],
)
def test_lifetime_is_raised_if_it_is_shorter(
    written: str | None, effective: str, lifetime: str, value: str | None
) -> None:
    outage = Outage(NOW, "3d", lifetime)
    made = with_outages(RaiseEvidence(now=NOW), written, effective, ["x.example"], outage)
    assert made == LifetimeRaise(written, value, {"x.example": outage})


def test_outage_that_stands_keeps_its_beginning() -> None:
    later = Outage(NOW + DAY, "3d", "10d")
    assert with_outages(RaiseEvidence(RAISED, NOW + DAY), "10d", "10d", ["x.example"], later) == RAISED


def test_longest_raise_holds_until_the_last_outage_is_over() -> None:
    second = Outage(NOW + DAY, "9d", "7d")
    both = with_outages(RaiseEvidence(RAISED, NOW + DAY), "10d", "10d", ["y.example"], second)
    assert both == LifetimeRaise("5d", "10d", {"x.example": X, "y.example": second})
    assert without_outages(both, ["x.example"], NOW + DAY) == LifetimeRaise("5d", "10d", {"y.example": second})
    assert without_outages(both, [], NOW + DAY) == LifetimeRaise("5d", "10d", {})
    assert without_outages(both, ["y.example"], NOW + 4 * DAY).outages == {}
    assert judge_raise(RaiseEvidence(both, NOW + 9 * DAY), "10d") == Verdict(holds=True)
    assert judge_raise(RaiseEvidence(both, NOW + 10 * DAY), "10d") == Verdict(back=True)
    longer = with_outages(RaiseEvidence(RAISED, NOW), "10d", "10d", ["y.example"], Outage(NOW, "1d", "20d"))
    assert (longer.before, longer.value) == ("5d", "20d")


def test_record_of_a_value_that_somebody_has_changed_is_begun_anew() -> None:
    made = with_outages(RaiseEvidence(RAISED, NOW), "7d", "7d", ["y.example"], X)
    assert made == LifetimeRaise("7d", "10d", {"y.example": X})


@pytest.mark.parametrize(
    ("written", "now", "overdue", "verdict"),
    [
        ("10d", NOW + 3 * DAY - 1, 0, Verdict(holds=True)),
        ("240h", NOW + 3 * DAY - 1, 0, Verdict(holds=True)),
        ("10d", NOW + 3 * DAY, 0, Verdict(back=True)),
        ("5d", NOW, 0, Verdict()),
        (
            "7d",
            NOW,
            0,
            Verdict(
                note="maximal_queue_lifetime is 7d, not 10d to which outage_begin raised it: somebody has changed it, "
                "so it does not go back to 5d"
            ),
        ),
        (
            "10d",
            NOW + 3 * DAY,
            2,
            Verdict(
                holds=True,
                note="the outages are over, but 2 message(s) have waited longer than 5d, to which "
                "maximal_queue_lifetime would go back: they would be returned at their next failed try, so it stays "
                "10d until they are gone; run queue_flush",
            ),
        ),
    ],
)
def test_raise_holds_goes_back_or_says_nothing_any_more(written: str, now: int, overdue: int, verdict: Verdict) -> None:
    assert judge_raise(RaiseEvidence(RAISED, now, overdue), written) == verdict


def test_value_that_is_not_set_counts_as_the_default_in_words() -> None:
    record = LifetimeRaise(None, "10d", {"x.example": X})
    note = judge_raise(RaiseEvidence(record, NOW), "7d").note
    assert note.endswith("so it does not go back to Postfix's default")
    assert judge_raise(RaiseEvidence(record, NOW), None) == Verdict()


def test_record_that_can_not_be_believed_is_told() -> None:
    assert judge_raise(RaiseEvidence(problem="no"), "5d") == Verdict(note="no")
    assert (RaiseEvidence().found, RaiseEvidence(problem="no").found, RaiseEvidence(RAISED).found) == (
        False,
        True,
        True,
    )


def test_raise_is_told_until_when_it_holds() -> None:
    assert raise_lines(None) == []
    assert raise_lines(RAISED) == [
        "maximal_queue_lifetime is 10d until 1970-01-15 13:46 UTC, then 5d again (x.example)"
    ]
    assert raise_lines(LifetimeRaise(None, None, {"x.example": X})) == [
        "maximal_queue_lifetime stays Postfix's default until 1970-01-15 13:46 UTC (x.example)"
    ]
