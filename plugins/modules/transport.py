#!/usr/bin/python
# Copyright: the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: transport
short_description: Keep the table that says where Postfix sends the mail of a domain
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Keeps entries of the lookup table of C(transport_maps), and its index.
  - Entries and comments that aren't declared stay as they are, to the byte.
  - Entries for an internationalised domain are written in both of its forms, as M(mxrelay.postfix.relay_recipients) does it.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.table
requirements:
  - python3-idna on the host, for internationalised domains
options:
  entries:
    description:
      - The entries that are to be there, or with O(state=absent) are not to be there.
      - With O(state=absent) only O(entries[].pattern) and O(entries[].subdomains) are looked at.
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
          - The service of C(master.cf) that delivers the mail.
          - When not given, it is V(relay).
        type: str
      nexthop:
        description:
          - The host to send the mail to, a name or an IP address, as such or as C([host]:port).
          - It is put in brackets, with which Postfix makes no MX lookup, unless O(entries[].mx_lookup=true).
          - When not given, the transport decides by itself. For V(relay) these are the domain's MX records, whatever
            C(relayhost) says. An empty text is refused, since a blank answer of a survey would mean the same.
        type: str
      port:
        description:
          - The port of the host, from 1 to 65535.
          - When not given, it is that of the transport, 25 for V(relay).
        type: int
      mx_lookup:
        description:
          - Whether Postfix looks up the MX records of O(entries[].nexthop). A host that is itself such an MX would then
            bounce the mail.
        type: bool
        default: false
      subdomains:
        description:
          - Whether a second entry, with a leading dot, does the same for all subdomains.
        type: bool
        default: false
      result:
        description:
          - A whole right-hand side C(transport:nexthop), for what the other fields don't cover, such as
            V(lmtp:unix:/run/lmtp) or V(error:5.1.2 no such domain). Excludes the other fields.
        type: str
  path:
    description:
      - The source of the table.
      - When not given, it is the one local indexed or V(texthash) table that C(transport_maps) names, C(proxy:)
        stripped. When it names none, it is C(transport) in O(config_directory). When it names several, the module fails
        and asks for this option.
    type: path
  type:
    description:
      - When not given, it is the type by which C(main.cf) names the table, else C(default_database_type).
  owner:
    description:
      - A new table is owned by V(root).
  group:
    description:
      - A new table has the group V(postfix).
  mode:
    description:
      - A new table has the mode V('0640'), whatever the umask.
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
- name: Send the mail of a domain and of its subdomains to its mail host
  mxrelay.postfix.transport:
    entries:
      - pattern: x.example
        nexthop: mail.x.example
        subdomains: true
      - pattern: y.example
        nexthop: 192.0.2.7
        port: 2525

- name: By MX records, although there is a relayhost
  mxrelay.postfix.transport:
    entries:
      - pattern: z.example

- name: Anything else that transport(5) knows
  mxrelay.postfix.transport:
    entries:
      - pattern: retired.example
        result: "error:5.1.2 this domain has no mail any more"

- name: No entry for a domain any more
  mxrelay.postfix.transport:
    entries:
      - pattern: y.example
    state: absent
"""

RETURN = r"""
path:
  description: The source of the table.
  returned: success
  type: str
  sample: /etc/postfix/transport
type:
  description: The type of the table.
  returned: success
  type: str
  sample: hash
reference:
  description: What C(transport_maps) in C(main.cf) must name for the table to be used.
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
