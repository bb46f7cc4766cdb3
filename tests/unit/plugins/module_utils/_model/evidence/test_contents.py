# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.contents import (
    ANY,
    Content,
    spoken_by_name,
)


@pytest.mark.parametrize(
    ("table", "results"),
    [
        ("static:OK", ["OK"]),
        ("static:{ reject_unauth_destination, permit }", ["reject_unauth_destination, permit"]),
        ("proxy:static:OK", ["OK"]),
        ("static:", [""]),
        ("static:OK}", ["OK}"]),
        ("static:{OK", ["{OK"]),
        ("randmap:{ OK, DUNNO reject }", ["OK", "DUNNO", "reject"]),
        ("randmap:{}", []),
    ],
)
def test_table_without_a_source_says_the_same_to_every_key(table: str, results: list[str]) -> None:
    assert spoken_by_name(table) == Content(tuple((ANY, result) for result in results))


@pytest.mark.parametrize("table", ["hash:/t", "inline:{ a=b }", "cidr:/c", ""])
def test_table_with_keys_is_not_told_by_its_name(table: str) -> None:
    assert spoken_by_name(table) is None
