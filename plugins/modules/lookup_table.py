#!/usr/bin/python
# Copyright: the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lookup_table
short_description: Keep entries of any local lookup table of Postfix
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Keeps entries of a lookup table such as those of access(5), virtual(5), or C(relay_domains) as a table, and its index.
  - Entries and comments that aren't declared stay as they are, to the byte.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.table
options:
  entries:
    description:
      - The entries that are to be there, or with O(state=absent) are not to be there.
      - For tables of type V(regexp), V(pcre) and V(cidr), where order counts, new entries follow those that are there, in
        the order given; entries that are there in another order move to the end.
    type: list
    elements: dict
    required: true
    suboptions:
      key:
        description:
          - The left-hand side. White space in it is written in quotes, as postmap(1) reads it; a pattern is written with its
            delimiters and flags, such as C(/^user@/i).
        type: str
        required: true
      value:
        description:
          - The right-hand side, on one line. Needed unless O(state=absent).
        type: str
  path:
    description:
      - The source of the table, an absolute path.
    type: path
    required: true
  type:
    description:
      - When not given, it is the type by which C(main.cf) names the table at O(path), else C(default_database_type).
      - Tables of patterns, V(regexp), V(pcre) and V(cidr), can be kept as well. Their patterns are tried before they go
        live.
  secret:
    description:
      - Whether the values are secret, such as passwords. They are then neither shown in the diff nor logged, and a new table
        is readable by root alone.
    type: bool
    default: false
  owner:
    description:
      - A new table is owned by V(root).
  group:
    description:
      - A new table has the group V(postfix), with O(secret=true) V(root).
  mode:
    description:
      - A new table has the mode V('0640'), with O(secret=true) V('0600'), whatever the umask.
seealso:
  - module: mxrelay.postfix.relay_recipients
  - module: mxrelay.postfix.transport
  - name: DATABASE_README
    description: The types of tables and what they are used for.
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

- name: Passwords, shown to nobody
  mxrelay.postfix.lookup_table:
    path: /etc/postfix/sasl_passwd
    secret: true
    entries:
      - key: "[smtp.x.example]:587"
        value: "relay:{{ lookup('ansible.builtin.password', '/dev/null') }}"

- name: Networks, in the order in which they are looked at
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
  description: The source of the table.
  returned: success
  type: str
  sample: /etc/postfix/sender_access
type:
  description: The type of the table.
  returned: success
  type: str
  sample: hash
reference:
  description: What a parameter of C(main.cf) must name for the table to be used.
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
  description: The keys of the entries that got another value.
  returned: success
  type: list
  elements: str
  sample: []
total:
  description: How many entries the table has.
  returned: success
  type: int
  sample: 3
index_rebuilt:
  description: Whether the index was built anew.
  returned: success
  type: bool
  sample: true
backup_file:
  description: The copy of the source.
  returned: changed and O(backup=true) and the table was there
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
