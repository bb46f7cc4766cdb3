#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: transport
short_description: Manage the table that decides where Postfix sends a domain's mail
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Manages entries of the lookup table in C(transport_maps), and its index. The format is that of transport(5).
  - Leaves entries and comments that are not declared unchanged, byte for byte.
  - Writes entries for an internationalised domain in both of its forms, as M(mxrelay.postfix.relay_recipients) does.
  - Fails without changing the table if an entry is not valid, if a pattern is given with two results, if this host's
    Postfix can't use the table type, or if C(transport_maps) names a table that another parameter uses as well.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
  - mxrelay.postfix.table
attributes:
  diff_mode:
    support: full
    details:
      - Shows at most 500 entries of each side.
requirements:
  - python3-idna on the host, for internationalised domains
options:
  entries:
    description:
      - The entries to add or update, or with O(state=absent) to remove.
      - With O(state=absent), only O(entries[].pattern) and O(entries[].subdomains) count.
    type: list
    elements: dict
    required: true
    suboptions:
      pattern:
        description:
          - A domain, a domain with a leading dot (its subdomains), a full address, or V(*) for all mail.
        type: str
        required: true
      transport:
        description:
          - The service in C(master.cf) that delivers the mail.
          - By default V(relay).
        type: str
      nexthop:
        description:
          - The host to send the mail to, a name or an IP address, on its own or as C([host]:port).
          - It is put in brackets, so Postfix does not look up its MX records, unless O(entries[].mx_lookup=true).
          - By default the transport decides. V(relay) uses the domain's MX records, whatever C(relayhost) says. An
            empty string is refused, because a blank survey answer would mean the same.
        type: str
      port:
        description:
          - The port of the host, from 1 to 65535.
          - By default the port of the transport, which is 25 for V(relay).
        type: int
      mx_lookup:
        description:
          - Whether Postfix looks up the MX records of O(entries[].nexthop). A host that is itself such an MX would
            bounce the mail.
        type: bool
        default: false
      subdomains:
        description:
          - Whether to write a second entry, with a leading dot, that does the same for all subdomains.
        type: bool
        default: false
      result:
        description:
          - A complete right-hand side C(transport:nexthop), for what the other fields do not cover, such as
            V(lmtp:unix:/run/lmtp) or V(error:5.1.2 no such domain). Can't be used with the other fields.
        type: str
  path:
    description:
      - The path of the table's source.
      - By default the one local indexed or V(texthash) table that C(transport_maps) names, with or without C(proxy:).
        If it names none, the default is C(transport) in O(config_directory). If it names several, this option is
        required.
    type: path
  type:
    description:
      - The type of the table, as C(main.cf) names it before the colon, one of V(hash), V(btree), V(lmdb), V(cdb) or
        V(texthash).
      - By default the type by which C(main.cf) names the table, or else C(default_database_type).
      - A type that this host's Postfix can't build and read is refused before anything changes. V(dbm) and V(sdbm) are
        refused because their two index files can't be replaced in one step.
    type: str
  owner:
    description:
      - The user who owns source and index, by name or number.
      - By default an existing table keeps its owner, and a new one belongs to V(root).
    type: str
  group:
    description:
      - The group of source and index, by name or number.
      - By default an existing table keeps its group, and a new one gets V(postfix).
    type: str
  mode:
    description:
      - The permission bits of source and index, as octal digits in quotes such as V('0640').
      - By default an existing table keeps its mode, and a new one gets V('0640'), whatever the umask.
    type: raw
seealso:
  - module: mxrelay.postfix.relay_recipients
  - name: transport(5)
    description: The format of the table.
    link: https://www.postfix.org/transport.5.html
  - name: postconf(5), transport_maps
    description: The parameter that names the table.
    link: https://www.postfix.org/postconf.5.html#transport_maps
  - name: postmap(1)
    description: The format of a table's source, and the command that builds its index.
    link: https://www.postfix.org/postmap.1.html
"""

EXAMPLES = r"""
- name: Send the mail of a domain and its subdomains to its mail host
  mxrelay.postfix.transport:
    entries:
      - pattern: x.example
        nexthop: mail.x.example
        subdomains: true
      - pattern: y.example
        nexthop: 192.0.2.7
        port: 2525

- name: Deliver by MX records despite a relayhost
  mxrelay.postfix.transport:
    entries:
      - pattern: z.example

- name: Write any other result that transport(5) allows
  mxrelay.postfix.transport:
    entries:
      - pattern: retired.example
        result: "error:5.1.2 this domain no longer receives mail"

- name: Remove the entry of a domain
  mxrelay.postfix.transport:
    entries:
      - pattern: y.example
    state: absent
"""

RETURN = r"""
path:
  description: The path of the table's source.
  returned: success
  type: str
  sample: /etc/postfix/transport
type:
  description: The type of the table.
  returned: success
  type: str
  sample: hash
reference:
  description: What C(transport_maps) in C(main.cf) must name to use the table.
  returned: success
  type: str
  sample: hash:/etc/postfix/transport
added:
  description: The keys of the entries that were added.
  returned: success
  type: list
  elements: str
  sample: [x.example]
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
  sample: /etc/postfix/transport.2711.2026-01-31@09:00:00~
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.tables import TABLE_SPEC
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.transport import keep_transport

ENTRY_SPEC = {
    "pattern": {"type": "str", "required": True},
    "transport": {"type": "str"},
    "nexthop": {"type": "str"},
    "port": {"type": "int"},
    "mx_lookup": {"type": "bool", "default": False},
    "subdomains": {"type": "bool", "default": False},
    "result": {"type": "str"},
}


def main() -> None:
    run_module(
        keep_transport,
        {
            **TABLE_SPEC,
            "entries": {"type": "list", "elements": "dict", "required": True, "options": ENTRY_SPEC},
        },
    )


if __name__ == "__main__":
    main()
