# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.filter.mx_given import FilterModule

SPECIFICATION = {"verify_probe": {"type": "bool", "default": False}, "verify_outage": {"type": "str", "default": "5d"}}


def test_values_are_completed() -> None:
    found = FilterModule().filters()["mx_given"](SPECIFICATION, {"verify_probe": "yes", "verify_outage": " "})
    assert found == {"verify_probe": True, "verify_outage": "5d"}


def test_wrong_value_is_an_error_of_ansible() -> None:
    with pytest.raises(AnsibleFilterError, match="^argument 'verify_probe' is of type str"):
        FilterModule().filters()["mx_given"](SPECIFICATION, {"verify_probe": "perhaps"})
