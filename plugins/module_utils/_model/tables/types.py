# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of tables that are files of this host. See DATABASE_README."""

from __future__ import annotations

INDEXED_TYPES = ("hash", "btree", "lmdb", "cdb")
# Their index is two files, which can't be replaced in one step.
UNSAFE_TYPES = ("dbm", "sdbm")
# What holds whole keys, and so can be edited by entry whatever the module.
KEYED_TYPES = (*INDEXED_TYPES, "texthash")
# Of these Postfix asks for whole addresses only (mail_addr_find(3)).
WHOLE_KEYS = frozenset({"cidr", "pcre", "randmap", "regexp", "tcp"})
