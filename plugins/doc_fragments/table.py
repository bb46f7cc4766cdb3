# Copyright: the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the modules for lookup tables have in common."""

    DOCUMENTATION = r"""
options:
  type:
    description:
      - The type of the table, as C(main.cf) names it before the colon, such as V(hash), V(btree), V(lmdb), V(cdb) or
        V(texthash).
      - A type that this host's Postfix can't build and read is refused before anything changes.
      - V(dbm) and V(sdbm) are refused, since their two index files can't be replaced in one step.
      - To go from one type to another, give the new type, then name RV(reference) in C(main.cf) instead of the old
        table and reload Postfix, then remove the old index with O(remove_old_index=true). Every lookup finds the one
        index or the other. Of V(hash) and V(btree), whose indexes have the same name, one can't replace the other at
        the same O(path).
    type: str
  state:
    description:
      - Whether the given entries are there or not.
    type: str
    choices: [present, absent]
    default: present
  purge:
    description:
      - Whether the table holds nothing but what is declared. Comments stay.
      - Can't be used with O(state=absent), nor with an empty list.
    type: bool
    default: false
  max_removals:
    description:
      - Refuse to remove more than this number of entries, or this percentage of the entries that are there,
        such as V(10) or V(10%).
      - When not given, there is no limit.
    type: str
  backup:
    description:
      - Whether to keep a copy of the source before it is replaced. Its path is returned as RV(backup_file).
    type: bool
    default: false
  remove_old_index:
    description:
      - Whether to remove the indexes that another type of table left beside the source. One that C(main.cf) or
        C(master.cf) still names stays, with a warning.
    type: bool
    default: false
  owner:
    description:
      - Name or number of the user who owns source and index.
      - When not given, what is there stays.
    type: str
  group:
    description:
      - Name or number of the group of source and index.
      - When not given, what is there stays.
    type: str
  mode:
    description:
      - Permission bits of source and index, as octal digits in quotes such as V('0640').
      - When not given, what is there stays.
    type: raw
notes:
  - Source and index are replaced so that every lookup finds the old table or the new one. The index is built in a
    private directory beside the table, read back, and renamed into place before the source is. Nothing has to call
    C(postmap) afterwards.
  - Runs on one host wait for each other, at most 60 seconds. Then the module fails, having changed nothing.
  - The module also reports a change, and repairs it, when the source was right and the index was missing, unreadable or
    did not hold what the source says.
  - Beside the table a file C(.NAME.mxrelay), readable by root alone, records the digests of source and index as they
    were last seen equal. It makes unchanged runs fast, is not believed when either file has other bytes, and can be
    deleted at any time.
  - Postfix is reloaded only where daemons would not notice the change by themselves, which is when the index had been
    missing or unreadable, for types without index, and when C(main.cf) names the table by C(proxy:).
requirements:
  - Postfix 2.10 or later
"""
