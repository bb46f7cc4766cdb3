# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SELinux on this host. See selinux(8)."""

from __future__ import annotations

ENFORCE = "/sys/fs/selinux/enforce"


def is_enforcing() -> bool:
    """Whether the kernel refuses what SELinux's policy does not allow, and not only logs it."""
    try:
        with open(ENFORCE, encoding="ascii") as stream:
            return stream.read().strip() == "1"
    except OSError:
        return False
