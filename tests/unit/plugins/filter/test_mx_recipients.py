# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mxrelay.postfix.plugins.filter.mx_recipients import FilterModule

FILTERS = FilterModule().filters()
REQUEST = {"recipients_domain": "x.example", "recipients_addresses": "B@x.example\na@x.example\n"}


def test_request_is_planned_listed_and_told() -> None:
    items = {"secondary_mx_domains": [{"name": "x.example", "recipients_policy": "external"}]}
    assert FILTERS["mx_recipients_plan"](REQUEST, items, ["secondary_mx"])["declared"] is True
    assert FILTERS["mx_recipients_listed"](REQUEST) == ["b@x.example", "a@x.example"]
    assert FILTERS["mx_recipients_told"]({"added_recipients": ["a@x.example"]}, REQUEST)["text"] == (
        "x.example: 1 added, 1 was there already"
    )


@pytest.mark.parametrize("name", ["mx_recipients_listed", "mx_recipients_told"])
def test_bad_request_is_an_error_of_ansible(name: str) -> None:
    arguments = [{}, {}] if name == "mx_recipients_told" else [{}]
    with pytest.raises(AnsibleFilterError, match=f"^{name}: recipients_domain is empty; give the name of one domain$"):
        FILTERS[name](*arguments)
