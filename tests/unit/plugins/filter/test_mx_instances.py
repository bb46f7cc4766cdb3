# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.filter.mx_instances import FilterModule

FILTERS = FilterModule().filters()


def test_filters_take_what_playbooks_give_them() -> None:
    (found,) = FILTERS["mx_instances"]({"mx_domains": [{"name": "x.example", "role": "primary"}]}, [], "")
    assert found["declared"] == [{"name": "x.example", "role": "primary", "state": "present", "required": True}]
    assert FILTERS["mx_scopes"]("dns", "verify_fail_on") == ["dns"]


def test_errors_name_the_variable() -> None:
    with pytest.raises(AnsibleFilterError, match="^mx_instances: mx_domains is not a list of domains"):
        FILTERS["mx_instances"]({"mx_domains": "x.example"}, [])
    with pytest.raises(AnsibleFilterError, match='^mx_scopes: verify_fail_on has "x"'):
        FILTERS["mx_scopes"]("x", "verify_fail_on")
