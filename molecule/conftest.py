# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the assertions of every scenario share."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

pytest.register_assert_rewrite("lab.claims")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what is marked `long` to `./run molecule --long`, and upgrades to clones that go back far enough."""
    for marker, variable in (("long", "MXRELAY_LAB_LONG"), ("upgrade", "MXRELAY_LAB_PREVIOUS")):
        left: Sequence[pytest.Item] = [item for item in items if item.get_closest_marker(marker)]
        if left and not os.environ.get(variable):
            config.hook.pytest_deselected(items=left)
            items[:] = [item for item in items if item not in left]
