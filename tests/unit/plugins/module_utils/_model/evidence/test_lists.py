# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lists import ListEvidence, SourceEvidence

EARLY, LATE = "2026-11-27T08:00:00Z", "2026-11-28T23:30:00Z"


def source(name: str, read_at: str, age: int | None) -> SourceEvidence:
    return SourceEvidence(name, "ldap", "localhost", read_at, age)


@pytest.mark.parametrize(
    ("listed_at", "age", "sources", "since", "oldest"),
    [
        (LATE, 60, [(LATE, 70), (LATE, 65)], LATE, 70),
        (LATE, 60, [(LATE, 70), (EARLY, 90000)], EARLY, 90000),
        (EARLY, 90000, [(LATE, 70)], EARLY, 90000),
        ("", None, [(LATE, 70)], "", None),
        (LATE, 60, [(LATE, 70), ("", None)], "", None),
    ],
)
def test_list_is_as_old_as_the_oldest_that_it_was_made_of(
    listed_at: str, age: int | None, sources: list[tuple[str, int | None]], since: str, oldest: int | None
) -> None:
    several = tuple(source(str(number), *read) for number, read in enumerate(sources))
    evidence = ListEvidence(several, listed_at, age)
    assert (evidence.since, evidence.oldest) == (since, oldest)
    assert evidence.names == ", ".join(str(number) for number in range(len(sources)))
