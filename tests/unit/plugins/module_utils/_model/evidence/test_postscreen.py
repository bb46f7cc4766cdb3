# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import Service
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.postscreen import (
    addresses_let_in,
    is_ours,
)


@pytest.mark.parametrize(
    ("cache", "ours"),
    [
        ("lmdb:$data_directory/mxrelay_postscreen", True),
        ("btree:/var/lib/postfix/postscreen_cache", False),
        ("", False),
    ],
)
def test_entry_of_a_run_is_known_by_its_cache(cache: str, ours: bool) -> None:
    overrides = {"postscreen_cache_map": cache} if cache else {}
    assert is_ours(Service("smtp", "inet", "n", "-", "y", "-", "1", "postscreen", overrides)) == ours


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        ("permit_mynetworks", []),
        ("permit_mynetworks,inline:{192.0.2.1=permit,2001:db8::1=permit}", ["192.0.2.1", "2001:db8::1"]),
        ("inline:{192.0.2.1=reject, name=permit, 192.0.2.3 = permit}", []),
        ("cidr:/etc/postfix/who", []),
    ],
)
def test_addresses_of_inline_tables_are_read(value: str, addresses: list[str]) -> None:
    assert addresses_let_in(value) == addresses
