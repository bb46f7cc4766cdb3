# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IP addresses as Postfix writes them."""

from __future__ import annotations

import ipaddress
from functools import lru_cache


@lru_cache(maxsize=4096)
def plain_address(text: str) -> str:
    """An IP address in its one canonical form; other text as it is, in lower case."""
    bare = text.strip().strip("[]").lower()
    bare = bare[5:] if bare.startswith("ipv6:") else bare
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return bare


def is_address(text: str) -> bool:
    """Whether it is an IP address, without brackets."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
