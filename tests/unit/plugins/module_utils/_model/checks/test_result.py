# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Finding


@pytest.mark.parametrize(("domain", "whom"), [("x.example", "x.example"), ("", "this host")])
def test_finding_says_everything_in_one_line(domain: str, whom: str) -> None:
    finding = Finding(domain, "class", "error", "local", "it is bad", "mend it")
    assert finding.as_result() == {
        "domain": domain,
        "check": "class",
        "severity": "error",
        "scope": "local",
        "message": "it is bad",
        "remedy": "mend it",
        "place": "host",
        "subject": "",
        "accepted": "",
        "text": f"{whom} (class): it is bad; mend it",
    }
