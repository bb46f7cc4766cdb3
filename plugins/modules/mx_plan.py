#!/usr/bin/python
# Copyright: the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mx_plan
short_description: Plan how to make a host the primary or secondary MX of mail domains
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - From the declared mail domains and the state of the host, returns the complete change (packages, rows of lookup
    tables, parameters and list members in C(main.cf), overrides in C(master.cf)) and every reason to refuse it.
  - Only reads. The roles P(mxrelay.postfix.secondary_mx#role), P(mxrelay.postfix.primary_mx#role) and
    P(mxrelay.postfix.mx#role) carry the plan out.
  - Follows the section "Configuring Postfix as primary or backup MX host for a remote site" of Postfix's
    STANDARD_CONFIGURATION_README.
  - Reads lists of recipients on the controller. The host gets their number and a digest, never an address.
  - Does not fail because Postfix is missing or the change is refused; see RV(refusals). Fails if a list of recipients
    is not valid, or if the configuration of Postfix can't be read.
requirements:
  - python3-dnspython on the host, for the checks that use DNS. If it is missing, they are skipped, and it is among
    RV(packages).
  - python3-idna on the host, for internationalised domains. If it is missing, it is among RV(packages).
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.info
options:
  role:
    description:
      - The role that asks. It applies to each domain without a role of its own, and messages name its variables.
    type: str
    choices: [secondary_mx, primary_mx, mx]
    default: mx
  domains:
    description:
      - The mail domains to relay, or to stop relaying.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The mail domain.
        type: str
        required: true
      role:
        description:
          - Whether this host is the domain's primary (gateway) or a secondary (backup) MX. Required with O(role=mx).
        type: str
        choices: [primary, secondary]
      state:
        description: V(absent) removes the domain's own rows and list members. Host-wide parameters stay.
        type: str
        choices: [present, absent]
        default: present
      recipients:
        description: The domain's valid addresses. Read on the controller.
        type: list
        elements: str
      recipients_file:
        description: Files on the controller with the domain's valid addresses, one per line; C(#) starts a comment.
        type: list
        elements: str
      recipients_policy:
        description:
          - V(listed), the default if there is a list, accepts only the listed addresses.
          - V(any) accepts every address of the domain; mail for addresses that do not exist bounces.
          - V(verify) accepts every address that the domain's mail host accepts, and any address while it can't be
            asked.
          - V(external) leaves the rows to another map in C(relay_recipient_maps).
        type: str
        choices: [listed, any, verify, external]
      probe_recipient:
        description:
          - With O(domains[].recipients_policy=external), an address that C(relay_recipient_maps) must contain.
        type: str
      subdomains:
        description: Whether to relay for the domain's subdomains as well.
        type: bool
        default: false
      force:
        description:
          - With O(domains[].state=absent), whether to remove the domain even if DNS still names this host as its MX.
        type: bool
        default: false
      mail_host:
        description:
          - The host that keeps the domain's mailboxes, by name or address. Required if this host is the primary MX.
        type: str
      port:
        description: The port of O(domains[].mail_host). By default 25.
        type: int
      mx_lookup:
        description: Whether to deliver to the MX hosts of O(domains[].mail_host) instead of its own addresses.
        type: bool
        default: false
      has_list:
        description: Whether the item has a list. Set by the action plugin; not for playbooks.
        type: bool
        default: false
      recipients_count:
        description: The number of addresses in the list. Set by the action plugin; not for playbooks.
        type: int
        default: 0
      recipients_digest:
        description: A digest of the addresses without the postmaster's. Set by the action plugin; not for playbooks.
        type: str
      lists_postmaster:
        description: Whether the postmaster's address is in the list. Set by the action plugin; not for playbooks.
        type: bool
        default: false
  peer:
    description:
      - What the other role declares for the same host. A domain that both declare is refused, and so are host-wide
        settings that contradict each other.
      - Ignored if its settings name another O(config_directory).
    type: dict
    suboptions:
      role:
        description: The name of the other role.
        type: str
      domains:
        description: The names of its domains.
        type: list
        elements: str
        default: []
      settings:
        description: Its settings, under the names of this module's options.
        type: dict
        default: {}
  recipient_check:
    description:
      - V(table), the default, accepts the recipients in C(relay_recipient_maps).
      - V(none) sets C(relay_recipient_maps) to empty, so every recipient of every relay domain is accepted.
    type: str
    choices: [table, none]
  proxy_interfaces:
    description:
      - The addresses at which the world reaches this host, if it is behind NAT or a proxy (C(proxy_interfaces)). By
        default the parameter stays as it is.
    type: list
    elements: str
  inet_interfaces:
    description: The value of C(inet_interfaces). By default it stays as it is.
    type: str
  table_type:
    description:
      - The type of the lookup tables, such as V(lmdb). By default the type of the table that C(main.cf) already names,
        or else C(default_database_type).
    type: str
  table_directory:
    description:
      - The directory of the lookup tables, which must exist. By default the directory of the table that C(main.cf)
        already names, or else O(config_directory).
    type: path
  queue_lifetime:
    description:
      - The value of C(maximal_queue_lifetime), a Postfix time value such as V(10d); days if it has no unit. By default
        it stays as it is.
    type: str
  mail_host_tls:
    description:
      - TLS to the mail hosts, as C(smtp_tls_security_level) of the service C(relay).
      - By default V(may) if that parameter is not set, and otherwise it stays as it is.
    type: str
    choices: [none, may, dane, secure]
  mail_host_concurrency:
    description:
      - The value of C(relay_destination_concurrency_limit), a number of deliveries at a time, V(1) or more. By default
        it stays as it is.
    type: str
  message_size_limit:
    description:
      - The value of C(message_size_limit), in bytes; V(0) means no limit. By default it stays as it is.
    type: str
  relay_restrictions:
    description:
      - The complete value of C(smtpd_relay_restrictions). Restrictions that would let a stranger relay are refused.
      - By default it stays as it is, except that C(defer_unauth_destination) as the last member becomes
        C(reject_unauth_destination).
    type: list
    elements: str
  client_restrictions:
    description:
      - The complete value of C(smtpd_client_restrictions). By default it stays as it is.
    type: list
    elements: str
  etrn_restrictions:
    description:
      - The complete value of C(smtpd_etrn_restrictions).
      - By default V(permit_mynetworks) and V(reject) if C(main.cf) sets none, and otherwise it stays as it is.
    type: list
    elements: str
  smtputf8:
    description: Whether to turn on C(smtputf8_enable). By default it stays as it is.
    type: bool
  ipv6:
    description: Whether to set C(inet_protocols) to V(all), or to V(ipv4). By default it stays as it is.
    type: bool
  postmaster:
    description: Whether to accept mail for C(postmaster) at each domain that has a list. By default V(true).
    type: bool
  undeclared_domains:
    description:
      - What to do if the host relays other domains while C(relay_recipient_maps) is empty, because a first table would
        refuse all their recipients.
      - V(refuse), the default, refuses the change. V(any) adds a wildcard row for each of them.
    type: str
    choices: [refuse, any]
  remove_undeclared:
    description: Whether to stop relaying domains that no role declares. By default V(false).
    type: bool
  manage_package:
    description: Whether missing packages may be installed. By default V(true).
    type: bool
  manage_service:
    description: Whether the service may be started and enabled. By default V(true).
    type: bool
  run_tags:
    description:
      - The tags of the run (C(ansible_run_tags)). A run of one phase that relies on another, which is not part of the
        run, is refused.
    type: list
    elements: str
    default: [all]
  skip_tags:
    description: The tags that the run skips (C(ansible_skip_tags)).
    type: list
    elements: str
    default: []
  after_install:
    description: Whether packages have already been installed. Anything still missing is then a reason to refuse.
    type: bool
    default: false
  verify:
    description:
      - Whether to return the findings of M(mxrelay.postfix.mx_info) for the declared domains if nothing would change,
        which saves running that module.
    type: bool
    default: false
  verify_fail_on:
    description:
      - The scopes whose errors will count. With O(verify=true), V(dns) and V(remote) make the module ask DNS about
        every domain, which takes about a second for a few hundred of them.
      - Returned as given.
    type: list
    elements: str
    choices: [local, dns, remote]
    default: [local]
seealso:
  - module: mxrelay.postfix.mx_info
  - module: mxrelay.postfix.mx_undo
  - name: STANDARD_CONFIGURATION_README
    description: Postfix's own description of primary and backup MX hosts.
    link: https://www.postfix.org/STANDARD_CONFIGURATION_README.html#backup
  - name: ADDRESS_CLASS_README
    description: Why a domain can be in only one address class.
    link: https://www.postfix.org/ADDRESS_CLASS_README.html
"""

EXAMPLES = r"""
- name: Plan how to make this host the backup MX of a domain
  mxrelay.postfix.mx_plan:
    role: secondary_mx
    domains:
      - name: customer.example
        recipients: [info@customer.example, sales@customer.example]
  register: plan

- name: Stop if the plan was refused
  ansible.builtin.assert:
    that: plan.refusals | length == 0
    fail_msg: "{{ plan.refusals }}"
"""

RETURN = r"""
installed:
  description: Whether Postfix and the configuration of this instance exist.
  type: bool
  returned: always
ready:
  description: Whether the phases after the installation can run.
  type: bool
  returned: always
version:
  description: The release of Postfix, empty if it is missing.
  type: str
  returned: always
  sample: 3.10.13
refusals:
  description: Every reason to refuse the change; empty if there is none.
  type: list
  elements: dict
  returned: always
  contains:
    domain:
      description: The domain, or empty for the whole host.
      type: str
    check:
      description: A short name of what was checked.
      type: str
    cause:
      description: The reason.
      type: str
    remedy:
      description: What to do about it.
      type: str
  sample:
    - domain: customer.example
      check: class
      cause: it is also in mydestination (customer.example), but a domain can be in only one address class
      remedy: remove it from mydestination, or leave it out here
changes:
  description: What would change, one line each, without addresses.
  type: list
  elements: str
  returned: always
  sample: ["main.cf: relay_domains gets customer.example"]
notes:
  description: What is worth knowing but needs no action.
  type: list
  elements: str
  returned: always
packages:
  description: The packages to install.
  type: list
  elements: str
  returned: always
domains:
  description: The declared domains to relay, as Postfix looks them up.
  type: list
  elements: str
  returned: always
pending:
  description: Whether anything would change.
  type: bool
  returned: always
judge:
  description: The value of O(verify).
  type: bool
  returned: always
verify_fail_on:
  description: The value of O(verify_fail_on).
  type: list
  elements: str
  returned: always
findings:
  description:
    - The findings of M(mxrelay.postfix.mx_info). Null unless O(verify=true), and null if something would change or the
      change is refused.
  type: list
  elements: dict
  returned: always
undeclared:
  description: The domains that this host relays but no role declares.
  type: list
  elements: str
  returned: always
recipients:
  description:
    - The table of recipients (C(reference), C(path), C(type)), whether it needs repair (C(repair)), whether it would
      change (C(changed)), and if so its C(domains) with their policies.
  type: dict
  returned: always
subdomains:
  description:
    - The table of patterns for recipients at subdomains, with the keys of RV(transport).
  type: dict
  returned: always
transport:
  description:
    - The transport table (C(reference), C(path), C(type)), whether it needs repair (C(repair)), whether it would change
      (C(changed)), and if so its C(entries).
  type: dict
  returned: always
verify:
  description:
    - The table of domains whose mail host is asked about each recipient, with the keys of RV(transport).
  type: dict
  returned: always
removal:
  description:
    - The rows to remove from each table once C(main.cf) no longer relays their domains, and whether there are any
      (C(changed)).
  type: dict
  returned: always
main_cf:
  description: Options for M(mxrelay.postfix.main_cf), and whether they would change anything (C(changed)).
  type: dict
  returned: always
master_cf:
  description: Options for M(mxrelay.postfix.master_cf), and whether they would change anything (C(changed)).
  type: dict
  returned: always
service:
  description:
    - The service of the instance (C(name)), whether the roles manage it (C(managed)), whether it is running
      (C(active)), starts at boot (C(enabled)) and has yet to read its files (C(reload)), and whether that would change
      (C(changed)).
  type: dict
  returned: always
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx import PLAN_SPEC, plan
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(plan, PLAN_SPEC)


if __name__ == "__main__":
    main()
