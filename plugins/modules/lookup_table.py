#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lookup_table
short_description: Manage entries of any local lookup table of Postfix
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Manages entries of a lookup table, such as one for access(5), virtual(5) or C(relay_domains), and its index.
  - Leaves entries and comments that are not declared unchanged, byte for byte.
  - Fails without changing the table if an entry would not be read back by postmap(1) as it is given, if a key is given
    with two values, if this host's Postfix can't use the table type, or if O(path) is not a lookup table, such as
    C(main.cf), an index or a file that C(alias_maps) names.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
  - mxrelay.postfix.table
attributes:
  diff_mode:
    support: full
    details:
      - Shows at most 500 entries of each side, and with O(secret=true) keys without their values.
options:
  entries:
    description:
      - The entries to add or update, or with O(state=absent) to remove.
      - Order counts in tables of type V(regexp), V(pcre) and V(cidr). New entries follow the existing ones, in the
        order given; existing entries that are in another order move to the end.
    type: list
    elements: dict
    required: true
    suboptions:
      key:
        description:
          - The left-hand side. Quote white space in it, as for postmap(1). Write a pattern with its delimiters and
            flags, such as C(/^user@/i).
        type: str
        required: true
      value:
        description:
          - The right-hand side, on one line. Required unless O(state=absent).
        type: str
  path:
    description:
      - The absolute path of the table's source.
    type: path
    required: true
  type:
    description:
      - The type of the table, as C(main.cf) names it before the colon, one of V(hash), V(btree), V(lmdb), V(cdb),
        V(texthash), and the pattern types V(regexp), V(pcre) and V(cidr), whose patterns are tested before they go
        live.
      - By default the type by which C(main.cf) names the table at O(path), or else C(default_database_type).
      - A type that this host's Postfix can't build and read is refused before anything changes. V(dbm) and V(sdbm) are
        refused because their two index files can't be replaced in one step.
    type: str
  secret:
    description:
      - Whether the values are secret, such as passwords. Secret values are neither shown in the diff nor logged, and
        only root can read a new table.
    type: bool
    default: false
  owner:
    description:
      - The user who owns source and index, by name or number.
      - By default an existing table keeps its owner, and a new one belongs to V(root).
    type: str
  group:
    description:
      - The group of source and index, by name or number.
      - By default an existing table keeps its group, and a new one gets V(postfix), or with O(secret=true) V(root).
    type: str
  mode:
    description:
      - The permission bits of source and index, as octal digits in quotes such as V('0640').
      - By default an existing table keeps its mode, and a new one gets V('0640'), or with O(secret=true) V('0600'),
        whatever the umask.
    type: raw
seealso:
  - module: mxrelay.postfix.relay_recipients
  - module: mxrelay.postfix.transport
  - name: DATABASE_README
    description: The types of tables, and what they are used for.
    link: https://www.postfix.org/DATABASE_README.html
  - name: postconf(5)
    description: The parameters that name tables.
    link: https://www.postfix.org/postconf.5.html
  - name: postmap(1)
    description: The format of a table's source, and the command that builds its index.
    link: https://www.postfix.org/postmap.1.html
"""

EXAMPLES = r"""
- name: Refuse two senders
  mxrelay.postfix.lookup_table:
    path: /etc/postfix/sender_access
    entries:
      - key: spam.example
        value: REJECT
      - key: noisy@x.example
        value: "REJECT please write less"

- name: Store passwords without showing them
  mxrelay.postfix.lookup_table:
    path: /etc/postfix/sasl_passwd
    secret: true
    entries:
      - key: "[smtp.x.example]:587"
        value: "relay:{{ lookup('ansible.builtin.password', '/dev/null') }}"

- name: List networks in the order in which Postfix tries them
  mxrelay.postfix.lookup_table:
    path: /etc/postfix/clients.cidr
    type: cidr
    entries:
      - key: 192.0.2.7
        value: REJECT
      - key: 192.0.2.0/24
        value: OK
"""

RETURN = r"""
path:
  description: The path of the table's source.
  returned: success
  type: str
  sample: /etc/postfix/sender_access
type:
  description: The type of the table.
  returned: success
  type: str
  sample: hash
reference:
  description: What a parameter in C(main.cf) must name to use the table.
  returned: success
  type: str
  sample: hash:/etc/postfix/sender_access
added:
  description: The keys of the entries that were added.
  returned: success
  type: list
  elements: str
  sample: [spam.example]
removed:
  description: The keys of the entries that were removed.
  returned: success
  type: list
  elements: str
  sample: []
updated:
  description: The keys of the entries whose values changed.
  returned: success
  type: list
  elements: str
  sample: []
total:
  description: The number of entries in the table.
  returned: success
  type: int
  sample: 3
index_rebuilt:
  description: Whether the index was rebuilt.
  returned: success
  type: bool
  sample: true
backup_file:
  description: The path of the copy of the source.
  returned: changed, O(backup=true) and the table existed before
  type: str
  sample: /etc/postfix/sender_access.2711.2026-01-31@09:00:00~
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.lookup_table import (
    keep_lookup_table,
    secret_values,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.tables import TABLE_SPEC

ENTRY_SPEC = {
    "key": {"type": "str", "required": True, "no_log": False},
    "value": {"type": "str"},
}


def main() -> None:
    run_module(
        keep_lookup_table,
        {
            **TABLE_SPEC,
            "path": {"type": "path", "required": True},
            "entries": {"type": "list", "elements": "dict", "required": True, "options": ENTRY_SPEC},
            "secret": {"type": "bool", "default": False},
        },
        secrets=secret_values,
    )


if __name__ == "__main__":
    main()
