# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff, Outcome


def test_diff_has_its_header_on_both_sides() -> None:
    assert Diff("/etc/postfix/main.cf", "a = 1\n", "a = 2\n").for_ansible() == {
        "before_header": "/etc/postfix/main.cf",
        "after_header": "/etc/postfix/main.cf",
        "before": "a = 1\n",
        "after": "a = 2\n",
    }


def test_outcomes_share_nothing() -> None:
    first = Outcome()
    first.warnings.append("soft_bounce is set on lines 1, 2")
    first.results["count"] = 1
    first.diffs.append(Diff("main.cf", "", "a = 1\n"))
    assert Outcome() == Outcome(changed=False, diffs=[], warnings=[], results={})
