# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.filter import mx_inputs
from ansible_collections.mxrelay.postfix.plugins.filter.mx_inputs import FilterModule

SPECIFICATION = {"verify_outage": {"type": "str", "required": True, "description": "The outage"}}


def test_unknown_variables_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(mx_inputs.Display, "warning", lambda _self, text: said.append(text))
    found = FilterModule().filters()["mx_inputs"](SPECIFICATION, {"verify_outage": "5d"}, ["verify_outages"])
    assert found == {"specification": SPECIFICATION, "given": {"verify_outage": "5d"}}
    assert said == ["no variable verify_outages; did you mean verify_outage?"]


def test_missing_variable_is_an_error_of_ansible() -> None:
    with pytest.raises(AnsibleFilterError, match="^verify_outage is not given; it is the outage$"):
        mx_inputs.mx_inputs(SPECIFICATION, {})


OPTIONAL = {"verify_probe": {"type": "bool", "default": False}, "verify_outage": {"type": "str", "default": "5d"}}


def test_values_are_completed() -> None:
    found = FilterModule().filters()["mx_given"](OPTIONAL, {"verify_probe": "yes", "verify_outage": " "})
    assert found == {"verify_probe": True, "verify_outage": "5d"}


def test_wrong_value_is_an_error_of_ansible() -> None:
    with pytest.raises(AnsibleFilterError, match="^argument 'verify_probe' is of type str"):
        FilterModule().filters()["mx_given"](OPTIONAL, {"verify_probe": "perhaps"})
