# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.plugin_utils.roles import roles_of


@pytest.mark.parametrize(
    ("groups", "roles"),
    [
        ([], ["mx"]),
        (["all", "secondary_mx"], ["secondary_mx", "mx"]),
        (["secondary_mx", "primary_mx"], ["primary_mx", "secondary_mx", "mx"]),
    ],
)
def test_host_does_what_the_roles_of_its_groups_declare(groups: list[str], roles: list[str]) -> None:
    assert roles_of(groups) == roles
