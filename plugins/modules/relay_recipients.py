#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: relay_recipients
short_description: Manage the table of recipients for which Postfix relays mail
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Manages the lookup table in C(relay_recipient_maps) and its index, by single addresses with O(recipients) or by
    whole domains with O(domains).
  - Leaves entries and comments that are not declared unchanged, byte for byte.
  - An internationalised domain has two forms, such as V(bücher.example) and V(xn--bcher-kva.example), which are
    different keys to Postfix. Entries given in one form are written in both if C(smtputf8_enable) is on and IDNA2003
    and IDNA2008 agree on the domain. If they differ, as on V(faß.example), both forms must be given.
  - Addresses are personal data. They travel to the host apart from the other arguments, a list of more than 64 KiB as a
    private file. They are not in the module's log, result or diff unless O(show_recipients=true).
  - Fails without changing the table if an address is not valid, if a domain is declared in two ways or without
    recipients, if a file of addresses can't be read, or if this host's Postfix can't use the table type.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
  - mxrelay.postfix.table
attributes:
  diff_mode:
    support: full
    details:
      - Shows the numbers of entries, and with O(show_recipients=true) at most 500 entries of each side.
requirements:
  - python3-idna on the host, for internationalised domains
options:
  recipients:
    description:
      - Full addresses whose entries to add, or with O(state=absent) to remove.
      - Upper case becomes lower case, as in Postfix. Quote a local part with white space.
      - A pattern such as C(*@x.example) is refused, and so is an address whose mail Postfix refuses by default, with
        V(%), V(!) or a quoted V(@) in its local part, or V(-) as its first character. With O(state=absent) they are
        removed.
      - Can't be used with O(domains).
    type: list
    elements: str
  recipients_file:
    description:
      - Files of addresses as in O(recipients), one per line. Blank lines are ignored, and so is everything from a C(#)
        at the start of a line or after white space.
      - A file of more than 256 MiB is refused, and so is what is not a regular file.
      - They are on the controller, and can be encrypted with Ansible Vault. With O(remote_src=true) they are on the
        host.
      - A relative path is looked for in the role of the task and its C(files), beside the inventory and its files of
        variables, beside the playbook and its files of variables, in C(files) beside the playbook, and in the working
        directory.
      - Can't be used with O(domains).
    type: list
    elements: path
  domains:
    description:
      - Domains whose entries become exactly what is declared. The entries of other domains stay unless O(purge=true).
      - Can't be used with O(state=absent); set O(domains[].state=absent) instead.
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
          - Full addresses of the domain. Together with those in O(domains[].recipients_file) they are its list.
          - An empty list is refused if the domain is present, because all its mail would be refused.
        type: list
        elements: str
      recipients_file:
        description:
          - Files of addresses, as in O(recipients_file). Several domains can name the same file. Each takes its own
            addresses from it, and an address is refused if its domain does not name the file.
        type: list
        elements: path
      recipients_policy:
        description:
          - V(listed) gives the domain exactly the listed recipients.
          - V(any) gives it one entry, C(@domain), which accepts every address of the domain.
          - V(kept) leaves its entries as they are, also with O(purge=true), as where its list can't be believed.
        type: str
        choices: [listed, any, kept]
        default: listed
      why:
        description:
          - With V(kept), why the entries stay. It is returned in RV(kept).
        type: str
      max_removals:
        description:
          - How many addresses the domain's list may lose, as a number or as a percentage of those that it has in the
            table. With a percentage above zero, one address may always go.
          - A domain that would lose more keeps all its entries and gets none, and RV(kept) tells it. Other domains
            change.
          - What the domain loses does not count for O(max_removals). Its postmaster and abuse, and the entry
            C(@domain), do not count at all.
        type: str
      sources:
        description:
          - Where the list was read. It is noted with the table for M(mxrelay.postfix.mx_info), which is no change.
        type: list
        elements: dict
        suboptions:
          name:
            description:
              - The name of the source.
            type: str
            required: true
          type:
            description:
              - Its type, as M(mxrelay.postfix.recipients_info) has it.
            type: str
            required: true
          host:
            description:
              - The host on which it was read.
            type: str
            required: true
          read_at:
            description:
              - When it was read, in UTC, such as V(2026-01-31T09:00:00Z).
            type: str
          count:
            description:
              - How many addresses of the domain it has.
            type: int
          digest:
            description:
              - The digest of these addresses.
            type: str
          failed_at:
            description:
              - When it could not be read, or could not be believed, in UTC.
            type: str
          problem:
            description:
              - Why. What is noted of the last good read then stays.
            type: str
      subdomains:
        description:
          - Whether addresses of subdomains can be listed, which makes the entries of all subdomains the domain's own.
          - Can't be used with V(any), because the entry C(@domain) does not match subdomains.
        type: bool
        default: false
      state:
        description:
          - V(absent) removes every entry of the domain.
        type: str
        choices: [present, absent]
        default: present
  known_domains:
    description:
      - Whether domains that have no entry in the table yet are left out, and named in RV(left_out). Their first entries
        come from what makes Postfix relay them, such as P(mxrelay.postfix.secondary_mx#role).
    type: bool
    default: false
  remote_src:
    description:
      - Whether O(recipients_file) and O(domains[].recipients_file) are on the host.
    type: bool
    default: false
  value:
    description:
      - The right-hand side of the entries. Postfix ignores it.
    type: str
    default: x
  show_recipients:
    description:
      - Whether to show addresses in the diff and return them. By default only their numbers are shown and returned.
    type: bool
    default: false
  path:
    description:
      - The path of the table's source.
      - By default the one local indexed or V(texthash) table that C(relay_recipient_maps) names, with or without
        C(proxy:). If it names none, the default is C(relay_recipients) in O(config_directory). If it names several,
        it is the only one that belongs to root and is in O(config_directory); if that is not one either, this option is
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
  _request:
    description:
      - The digest by which the controller names this request, so lists travel only to a host that does not know it. Set
        by the action plugin; not for playbooks.
    type: dict
  _parts:
    description:
      - The digests of the parts of a long list, of which only those travel that the table lacks. Set by the action
        plugin; not for playbooks.
    type: str
  _lists:
    description:
      - A short list of addresses that travels with the task. Set by the action plugin; not for playbooks.
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
- name: Set the recipients of two domains
  mxrelay.postfix.relay_recipients:
    domains:
      - name: x.example
        recipients:
          - alice@x.example
          - bob@x.example
      - name: y.example
        recipients_policy: any

- name: Take a long list from the controller, and fail if more than a tenth of all entries would go
  mxrelay.postfix.relay_recipients:
    domains:
      - name: z.example
        recipients_file: z.example.recipients
    max_removals: 10%

- name: Take a list of the host, and leave the domain as it is if more than a tenth of its addresses would go
  mxrelay.postfix.relay_recipients:
    domains:
      - name: z.example
        recipients_file: /run/z.example.recipients
        max_removals: 10%
    remote_src: true

- name: Add one address
  mxrelay.postfix.relay_recipients:
    recipients:
      - carol@x.example

- name: Remove every entry of a domain
  mxrelay.postfix.relay_recipients:
    domains:
      - name: y.example
        state: absent
"""

RETURN = r"""
path:
  description: The path of the table's source.
  returned: success
  type: str
  sample: /etc/postfix/relay_recipients
type:
  description: The type of the table.
  returned: success
  type: str
  sample: hash
reference:
  description: What C(relay_recipient_maps) in C(main.cf) must name to use the table.
  returned: success
  type: str
  sample: hash:/etc/postfix/relay_recipients
added:
  description: The number of entries that were added.
  returned: success
  type: int
  sample: 1
removed:
  description: The number of entries that were removed.
  returned: success
  type: int
  sample: 0
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
kept:
  description:
    - The present domains that keep their entries, because of V(kept) in O(domains[].recipients_policy) or because of
      O(domains[].max_removals).
  returned: success
  type: dict
  contains:
    DOMAIN:
      description: One domain.
      type: dict
      contains:
        why:
          description: Why.
          type: str
        removals:
          description: How many of its addresses would have been removed.
          type: int
        of:
          description: How many addresses it has. Both numbers are 0 with V(kept).
          type: int
  sample:
    z.example:
      why: 30 of its 100 addresses would be removed, more than max_removals (10%) allows
      removals: 30
      of: 100
left_out:
  description: The domains that O(known_domains=true) left out.
  returned: success
  type: list
  elements: str
  sample: []
added_recipients:
  description: The keys of the entries that were added.
  returned: success and O(show_recipients=true)
  type: list
  elements: str
  sample: [carol@x.example]
removed_recipients:
  description: The keys of the entries that were removed.
  returned: success and O(show_recipients=true)
  type: list
  elements: str
  sample: []
backup_file:
  description: The path of the copy of the source.
  returned: changed, O(backup=true) and the table existed before
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
NOTED_SPEC = {
    **{name: {"type": "str", "required": True} for name in ("name", "type", "host")},
    **{name: {"type": "str"} for name in ("read_at", "digest", "failed_at", "problem")},
    "count": {"type": "int"},
}
DOMAIN_SPEC = {
    **LIST_SPEC,
    "name": {"type": "str", "required": True},
    "recipients_policy": {"type": "str", "choices": ["listed", "any", "kept"], "default": "listed"},
    "why": {"type": "str"},
    "max_removals": {"type": "str"},
    "sources": {"type": "list", "elements": "dict", "options": NOTED_SPEC},
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
            "known_domains": {"type": "bool", "default": False},
            "remote_src": {"type": "bool", "default": False},
            "value": {"type": "str", "default": "x"},
            "show_recipients": {"type": "bool", "default": False},
            "_request": {"type": "dict"},
            # Nothing secret, but too long for a log.
            "_parts": {"type": "str", "no_log": True},
            "_lists": {"type": "str", "no_log": True},
        },
        mutually_exclusive=[("domains", "recipients"), ("domains", "recipients_file")],
        required_one_of=[("domains", "recipients", "recipients_file")],
    )


if __name__ == "__main__":
    main()
