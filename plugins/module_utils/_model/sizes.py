# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes in words."""

from __future__ import annotations


def told_size(size: float) -> str:
    """Bytes as a person is told of them."""
    power = next((power for power in range(4) if size < 1 << 10 * (power + 1)), 4)
    amount, unit = size / (1 << 10 * power), ("bytes", "KiB", "MiB", "GiB", "TiB")[power]
    return f"{amount:.1f} {unit}" if power and amount < 100 else f"{amount:.0f} {unit}"
