# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles that make a host an MX, and for which of them the variables of a host count."""

from __future__ import annotations

from collections.abc import Collection

DEFAULT_DIRECTORY = "/etc/postfix"
ROLES = ("primary_mx", "secondary_mx", "mx")


def roles_of(groups: Collection[str]) -> list[str]:
    """The roles whose variables hold for a host of these groups."""
    return [role for role in ROLES if role == "mx" or role in groups]
