# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.filter.mx_shown import FilterModule

SHOWN = FilterModule().filters()["mx_shown"]


def test_findings_are_told_by_what_they_do_to_the_play() -> None:
    findings = [
        {"check": "open_relay", "severity": "error", "scope": "local", "text": "a"},
        {"check": "mx_record", "severity": "error", "scope": "dns", "text": "b"},
        {"check": "chroot", "severity": "warning", "scope": "local", "text": "c"},
        {"check": "accepts_any", "severity": "info", "scope": "local", "text": "d"},
    ]
    assert SHOWN(findings, ["local"]) == {"errors": ["a"], "others": ["b", "c"]}
    assert SHOWN(findings, ["local", "dns"]) == {"errors": ["a", "b"], "others": ["c"]}
    assert SHOWN([], ["local"]) == {"errors": [], "others": []}


@pytest.mark.parametrize("findings", [[{}], ["x"], [{"severity": "error", "scope": "local"}]])
def test_anything_else_is_refused_with_what_is_wanted(findings: list[Any]) -> None:
    with pytest.raises(AnsibleFilterError, match="^mx_shown: .*the findings that mx_info returns"):
        SHOWN(findings, ["local"])
