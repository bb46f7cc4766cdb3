# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the modules for lookup tables have in common."""

    DOCUMENTATION = r"""
options:
  state:
    description:
      - Whether the given entries must exist or must not.
    type: str
    choices: [present, absent]
    default: present
  purge:
    description:
      - Whether to remove every entry that is not declared. Comments stay.
      - Can't be used with O(state=absent) or with an empty list.
    type: bool
    default: false
  max_removals:
    description:
      - Fail instead of removing more than this number of entries, or more than this percentage of the existing entries,
        such as V(10) or V(10%).
      - By default there is no limit.
    type: str
  backup:
    description:
      - Whether to copy the source before it is replaced. The path of the copy is returned as RV(backup_file).
    type: bool
    default: false
  remove_old_index:
    description:
      - Whether to remove indexes that another table type left beside the source. An index that C(main.cf) or
        C(master.cf) still names stays, with a warning.
    type: bool
    default: false
notes:
  - Every lookup finds the old table or the new one. The index is built in a private directory beside the table, read
    back, and renamed into place before the source is. No task has to run C(postmap) afterwards.
  - To change the type of a table, run the module with the new O(type), name RV(reference) in C(main.cf) instead of the
    old table, reload Postfix, and then run the module with O(remove_old_index=true). Every lookup finds one index or
    the other. The indexes of V(hash) and V(btree) have the same name, so neither can replace the other at the same
    O(path).
  - Runs on the same host wait for each other, for at most 60 seconds. After that the module fails without changing
    anything. Their lock is C(/var/run/mxrelay.lock).
  - A directory that others than root can write to, on the way to the table, is refused, since they could make root
    change other files. The owner, group and mode of what a symbolic link names are not changed.
  - An index that is missing, unreadable or does not match its source is rebuilt and reported as a change, even if the
    source needs none.
  - A file C(.NAME.mxrelay) beside the table, readable only by root, records the digests of source and index when they
    last matched. It makes unchanged runs fast, is ignored once either file differs, and can be deleted at any time.
  - Postfix is reloaded only if its daemons would not notice the change by themselves. That is so if the index was
    missing or unreadable, for types without an index, and if C(main.cf) or C(master.cf) names the table with C(proxy:).
requirements:
  - Postfix 2.0 or later; C(docs/releases.md) of the collection tells which releases were run
"""
