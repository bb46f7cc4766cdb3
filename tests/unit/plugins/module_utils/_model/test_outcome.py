# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff, Outcome, printable


def test_diff_has_its_header_on_both_sides() -> None:
    assert Diff("/etc/postfix/main.cf", "a = 1\n", "a = 2\n").for_ansible() == {
        "before_header": "/etc/postfix/main.cf",
        "after_header": "/etc/postfix/main.cf",
        "before": "a = 1\n",
        "after": "a = 2\n",
    }


def test_bytes_that_are_not_utf_8_are_shown_by_their_number_wherever_they_are() -> None:
    odd = b"caf\xe9 \xc3\xa9".decode("utf-8", "surrogateescape")
    assert printable({odd: [odd, (odd, 1)], "none": None, "lone": "\ud800"}) == {
        "caf\\xe9 \u00e9": ["caf\\xe9 \u00e9", ["caf\\xe9 \u00e9", 1]],
        "none": None,
        "lone": "\\ud800",
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\udc7f", "\\udc7f"),
        ("\udc80", "\\x80"),
        ("\udcff", "\\xff"),
        ("\udd00", "\\udd00"),
    ],
)
def test_only_what_a_byte_is_read_as_is_shown_as_a_byte(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_outcomes_share_nothing() -> None:
    first = Outcome()
    first.warnings.append("soft_bounce is set on lines 1, 2")
    first.results["count"] = 1
    first.diffs.append(Diff("main.cf", "", "a = 1\n"))
    assert Outcome() == Outcome(changed=False, diffs=[], warnings=[], results={})
