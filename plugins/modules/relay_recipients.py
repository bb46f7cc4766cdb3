#!/usr/bin/python
# Copyright: the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: relay_recipients
short_description: Keep the table of recipients for which Postfix relays mail
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Keeps the lookup table of C(relay_recipient_maps), by single addresses with O(recipients) or by whole domains with
    O(domains), and its index.
  - Entries and comments that aren't declared stay as they are, to the byte.
  - An internationalised domain has two forms, such as V(bücher.example) and V(xn--bcher-kva.example), which are different
    keys to Postfix. Given in one form, its entries are written in both where C(smtputf8_enable) is on and IDNA2003 and
    IDNA2008 agree on the domain. Where they differ, as on V(faß.example), both forms must be given.
  - Addresses are personal data. They travel to the host apart from the other arguments, a list of more than 64 KiB as a
    private file, and are not part of the module's log, result or diff, unless O(show_recipients=true).
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.table
requirements:
  - python3-idna on the host, for internationalised domains
options:
  recipients:
    description:
      - Full addresses whose entries are to be there, or with O(state=absent) are not to be there.
      - Upper case is lowered, as Postfix does. A local part with white space is written in quotes.
      - Can't be used with O(domains).
    type: list
    elements: str
  recipients_file:
    description:
      - Files with addresses like O(recipients), one a line. Blank lines, and what follows C(#) at the start of a line
        or after white space, are ignored.
      - They are on the controller, where they are looked for as the C(src) of M(ansible.builtin.copy) is, and can be
        encrypted with Ansible Vault. With O(remote_src=true) they are on the host.
      - Can't be used with O(domains).
    type: list
    elements: path
  domains:
    description:
      - Domains whose entries become exactly what is declared. The entries of other domains stay, unless O(purge=true).
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - The domain.
        type: str
        required: true
      recipients:
        description:
          - Full addresses of the domain. Together with the addresses of O(domains[].recipients_file) they are its list.
          - A present domain with an empty list is refused, since all its mail would be refused.
        type: list
        elements: str
      recipients_file:
        description:
          - Files with addresses, as in O(recipients_file). Several domains can name the same file. Each takes its own
            addresses from it, and an address of a domain that doesn't name the file is refused.
        type: list
        elements: path
      recipients_policy:
        description:
          - With V(listed) the domain has exactly the listed recipients.
          - With V(any) it has one entry C(@domain), with which every address of the domain is accepted.
        type: str
        choices: [listed, any]
        default: listed
      subdomains:
        description:
          - Whether addresses of subdomains can be listed, and the entries of all subdomains are the domain's own.
          - The entry C(@domain) of V(any) matches no subdomain, so that the two can't be used together.
        type: bool
        default: false
      state:
        description:
          - V(absent) removes every entry of the domain.
        type: str
        choices: [present, absent]
        default: present
  remote_src:
    description:
      - Whether O(recipients_file) and O(domains[].recipients_file) are on the host.
    type: bool
    default: false
  value:
    description:
      - The right-hand side of the entries. Postfix does not look at it.
    type: str
    default: x
  show_recipients:
    description:
      - Whether addresses are shown in the diff and returned. Without it there are only counts.
    type: bool
    default: false
  path:
    description:
      - The source of the table.
      - When not given, it is the one local indexed or V(texthash) table that C(relay_recipient_maps) names, C(proxy:)
        stripped. When it names none, it is C(relay_recipients) in O(config_directory). When it names several, the module
        fails and asks for this option.
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
  _request:
    description:
      - The digest by which the controller names this request, so that lists travel only to a host that does not
        know it. The action plugin sets it; it is not for playbooks.
    type: dict
  _lists:
    description:
      - A short list of addresses, which the action plugin sends with the task. It is not for playbooks.
    type: str
seealso:
  - module: mxrelay.postfix.transport
  - name: postconf(5), relay_recipient_maps
    description: The parameter that names the table.
    link: https://www.postfix.org/postconf.5.html#relay_recipient_maps
  - name: postmap(1)
    description: The format of a table's source, and the command that builds its index.
    link: https://www.postfix.org/postmap.1.html
  - name: Configuring Postfix as primary or backup MX host for a remote site
    description: What the table is for.
    link: https://www.postfix.org/STANDARD_CONFIGURATION_README.html#backup
"""

EXAMPLES = r"""
- name: The recipients of two domains, exactly these
  mxrelay.postfix.relay_recipients:
    domains:
      - name: x.example
        recipients:
          - alice@x.example
          - bob@x.example
      - name: y.example
        recipients_policy: any

- name: A long list from the controller, of which no more than a tenth may vanish
  mxrelay.postfix.relay_recipients:
    domains:
      - name: z.example
        recipients_file: z.example.recipients
    max_removals: 10%

- name: One more address, nothing else touched
  mxrelay.postfix.relay_recipients:
    recipients:
      - carol@x.example

- name: No entry of a domain any more
  mxrelay.postfix.relay_recipients:
    domains:
      - name: y.example
        state: absent
"""

RETURN = r"""
path:
  description: The source of the table.
  returned: success
  type: str
  sample: /etc/postfix/relay_recipients
type:
  description: The type of the table.
  returned: success
  type: str
  sample: hash
reference:
  description: What C(relay_recipient_maps) in C(main.cf) must name for the table to be used.
  returned: success
  type: str
  sample: hash:/etc/postfix/relay_recipients
added:
  description: How many entries were added.
  returned: success
  type: int
  sample: 1
removed:
  description: How many entries were removed.
  returned: success
  type: int
  sample: 0
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
added_recipients:
  description: The keys that were added.
  returned: success and O(show_recipients=true)
  type: list
  elements: str
  sample: [carol@x.example]
removed_recipients:
  description: The keys that were removed.
  returned: success and O(show_recipients=true)
  type: list
  elements: str
  sample: []
backup_file:
  description: The copy of the source.
  returned: changed and O(backup=true) and the table was there
  type: str
  sample: /etc/postfix/relay_recipients.2711.2026-01-31@09:00:00~
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.relay_recipients import keep_relay_recipients
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.tables import TABLE_SPEC

LIST_SPEC = {
    "recipients": {"type": "list", "elements": "str", "no_log": True},
    "recipients_file": {"type": "list", "elements": "path"},
}
DOMAIN_SPEC = {
    **LIST_SPEC,
    "name": {"type": "str", "required": True},
    "recipients_policy": {"type": "str", "choices": ["listed", "any"], "default": "listed"},
    "subdomains": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def main() -> None:
    run_module(
        keep_relay_recipients,
        {
            **TABLE_SPEC,
            **LIST_SPEC,
            "domains": {"type": "list", "elements": "dict", "options": DOMAIN_SPEC},
            "remote_src": {"type": "bool", "default": False},
            "value": {"type": "str", "default": "x"},
            "show_recipients": {"type": "bool", "default": False},
            "_request": {"type": "dict"},
            "_lists": {"type": "str", "no_log": True},
        },
        mutually_exclusive=[("domains", "recipients"), ("domains", "recipients_file")],
        required_one_of=[("domains", "recipients", "recipients_file")],
    )


if __name__ == "__main__":
    main()
