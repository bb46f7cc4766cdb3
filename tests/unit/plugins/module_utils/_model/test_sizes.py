# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sizes import told_size


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1536, "1.5 KiB"),
        (100 << 10, "100 KiB"),
        (500 << 20, "500 MiB"),
        (3 << 40, "3.0 TiB"),
    ],
)
def test_size_is_told(size: int, told: str) -> None:
    assert told_size(size) == told
