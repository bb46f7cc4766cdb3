# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import DomainRows, HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lookups import RecipientLookups
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.after import domain_after
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.request import DomainItem
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.routes import Routes


@pytest.mark.parametrize(
    ("item", "rows", "listed", "expected"),
    [
        ({"policy": "listed", "listed_count": 2}, DomainRows(count=5, wildcard=True), {}, (2, False)),
        ({"policy": "any"}, DomainRows(count=5), {}, (0, True)),
        ({"policy": "verify"}, DomainRows(), {}, (0, True)),
        ({"policy": None}, DomainRows(), {}, (0, False)),
        ({"policy": "external"}, DomainRows(count=5, wildcard=True), {}, (5, True)),
        ({"policy": "external"}, DomainRows(), {"x.example": "a@x.example"}, (1, False)),
        ({"policy": "external"}, DomainRows(), {"y.example": "a@y.example"}, (0, False)),
    ],
)
def test_recipients_are_those_that_a_run_leaves(
    item: dict[str, Any], rows: DomainRows, listed: dict[str, str], expected: tuple[int, bool]
) -> None:
    state = HostState(recipient_rows={"x.example": rows}, lookups=RecipientLookups(listed=listed))
    domain = domain_after(DomainItem(0, "x.example", "secondary", **item), state, Routes())
    assert (domain.recipients, domain.wildcard) == expected
