# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.filter.mx_differences import FilterModule

DIFFERENCES = FilterModule().filters()["mx_differences"]
ACCEPTED = {"check": "mx_disagree", "subject": "x smtputf8_enable", "reason": "a move", "until": "2026-11-28"}


def result(smtputf8: bool = True, directory: str = "/etc/postfix", **instance: Any) -> dict[str, Any]:
    domain = {
        "relayed": "x",
        "recipients": 2,
        "recipients_digest": "d1",
        "recipients_policy": "listed",
        "other_maps": False,
    }
    item = {"config_directory": directory, "accepted": [], **instance}
    return {"item": item, "domains": {"x": domain}, "message_size_limit": 1, "smtputf8": smtputf8}


def severities(found: dict[str, list[list[dict[str, Any]]]]) -> dict[str, list[list[str]]]:
    return {host: [[told["severity"] for told in each] for each in several] for host, several in found.items()}


def test_each_instance_of_each_host_has_its_findings() -> None:
    evidence = {"mx1": [result(), result(directory="/etc/postfix-out")], "mx2": [result(False)]}
    found = DIFFERENCES(evidence)
    assert severities(found) == {"mx1": [["warning"], ["warning"]], "mx2": [["warning"]]}
    assert "(yes on mx1 (/etc/postfix), mx1 (/etc/postfix-out); no on mx2)" in found["mx1"][1][0]["message"]
    assert DIFFERENCES({"mx1": [], "mx2": [result(False)]}) == {"mx1": [], "mx2": [[]]}


def test_what_an_instance_accepts_or_what_is_accepted_everywhere_is_information() -> None:
    evidence = {"mx1": [result(accepted=[ACCEPTED])], "mx2": [result(False)]}
    assert severities(DIFFERENCES(evidence, today="2026-11-28")) == {"mx1": [["info"]], "mx2": [["warning"]]}
    assert severities(DIFFERENCES(evidence, [ACCEPTED], "2026-11-28")) == {"mx1": [["info"]], "mx2": [["info"]]}
    assert severities(DIFFERENCES(evidence, today="2026-11-29")) == {"mx1": [["warning"]], "mx2": [["warning"]]}
    lasting = {**ACCEPTED, "until": time.strftime("%Y-%m-%d")}
    assert severities(DIFFERENCES(evidence, [lasting])) == {"mx1": [["info"]], "mx2": [["info"]]}


@pytest.mark.parametrize("wrong", [{"mx1": [{}]}, {"mx1": None}, [1], {"mx1": [{"item": {"accepted": []}}]}])
def test_anything_else_is_refused_with_what_is_wanted(wrong: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="^mx_differences: .*the results of a loop of mx_info"):
        DIFFERENCES(wrong)


def test_what_can_not_be_accepted_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match=r"^mx_differences: accepted\[0\].check is "):
        DIFFERENCES({"mx1": [result()]}, [{"check": "odd"}])
