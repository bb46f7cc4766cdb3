# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outage.progress import Look, Progress

DOWN = {"reason": "connect to mail.x.example[192.0.2.5]:25: Connection refused", "recipients": 7}


def progress(start: int, *looks: tuple[float, int], reasons: tuple[dict[str, object], ...] = ()) -> Progress:
    found = Progress(start)
    for seconds, waiting in looks:
        found.add(Look(seconds, waiting, reasons))
    return found


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (
            progress(1000, (20.0, 800)),
            "800 of 1000 messages still wait, 200 gone after 20 s; 10.0 a second, about 80 s to go",
        ),
        (progress(1000, (20.0, 800), (110.0, 0)), "all 1000 messages are gone after 110 s"),
        (progress(1, (3.4, 0)), "all 1 message is gone after 3 s"),
        (
            progress(1000, (10.0, 1000), reasons=(DOWN,)),
            "1000 of 1000 messages still wait, 0 gone after 10 s; none goes at the moment "
            "(connect to mail.x.example[192.0.2.5]:25: Connection refused)",
        ),
        (progress(4), "4 of 4 messages still wait, 0 gone after 0 s; none goes at the moment"),
    ],
)
def test_line_of_a_look(found: Progress, line: str) -> None:
    assert found.line() == line


def test_reasons_are_told_of_mail_that_is_just_tried() -> None:
    found = progress(7, (0.0, 7), reasons=(DOWN,))
    found.add(Look(9.0, 7))
    assert found.reasons == (DOWN,)
    assert found.verdict() == [
        "7 of 7 messages are still queued after 9 s",
        "7 recipients: connect to mail.x.example[192.0.2.5]:25: Connection refused",
    ]


def test_rate_is_that_of_the_last_minute() -> None:
    found = progress(1000, (50.0, 1000), (100.0, 900), (150.0, 800))
    assert (found.rate, found.seconds_left) == (2.0, 400)


def test_rate_after_a_long_pause_is_that_of_the_pause() -> None:
    assert progress(1000, (10.0, 1000), (210.0, 800)).rate == 1.0


def test_mail_that_comes_back_from_hold_makes_no_negative_rate() -> None:
    assert progress(10, (5.0, 12)).rate == 0.0


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        (Progress(0), ["nothing was queued"]),
        (progress(2, (9.0, 0)), ["all 2 messages are gone after 9 s"]),
        (
            progress(9, (60.0, 7), reasons=(DOWN, {"reason": "greylisted", "recipients": 1})),
            [
                "7 of 9 messages are still queued after 60 s",
                "7 recipients: connect to mail.x.example[192.0.2.5]:25: Connection refused",
                "1 recipient: greylisted",
            ],
        ),
        (
            progress(9, (60.0, 9), reasons=tuple({"reason": f"r{n}", "recipients": 9} for n in range(7))),
            [
                "9 of 9 messages are still queued after 60 s",
                *(f"9 recipients: r{n}" for n in range(5)),
                "and 2 other reasons",
            ],
        ),
    ],
)
def test_verdict_gives_the_reasons_for_what_stays(found: Progress, lines: list[str]) -> None:
    assert found.verdict() == lines
