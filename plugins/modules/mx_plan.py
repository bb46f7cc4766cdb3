#!/usr/bin/python
# Copyright: the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mx_plan
short_description: Plan what makes a host the primary or secondary MX of mail domains
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - For declared mail domains and the state of the host, returns the complete change (packages, rows of lookup tables,
    parameters and items of C(main.cf), overrides in C(master.cf)) and every reason not to make it.
  - Only reads. The roles P(mxrelay.postfix.secondary_mx#role), P(mxrelay.postfix.primary_mx#role) and
    P(mxrelay.postfix.mx#role) carry the plan out.
  - Follows the section "Configuring Postfix as primary or backup MX host for a remote site" of Postfix's
    STANDARD_CONFIGURATION_README.
  - Lists of recipients are read on the controller. The host gets their number and a digest, never an address.
  - Never fails because Postfix is missing, and never fails for a refusal; see RV(refusals).
requirements:
  - python3-dnspython on the host, for what is judged by DNS; without it nothing is, and a finding says so
  - python3-idna on the host, for internationalised domains; where it is missing it is among the packages to install
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.info
options:
  role:
    description:
      - The role that asks. It is the role of each domain that has none of its own, and messages name its variables.
    type: str
    choices: [secondary_mx, primary_mx, mx]
    default: mx
  domains:
    description:
      - The mail domains to relay, or to relay no longer.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The mail domain.
        type: str
        required: true
      role:
        description: Whether this host is the domain's primary (gateway) or a secondary (backup) MX.
        type: str
        choices: [primary, secondary]
      state:
        description: V(absent) takes the domain's own rows and members away again. Parameters of the whole host stay.
        type: str
        choices: [present, absent]
        default: present
      recipients:
        description: The domain's valid addresses. Read on the controller.
        type: list
        elements: str
      recipients_file:
        description: Files of the controller with the domain's valid addresses, one a line, C(#) starting a comment.
        type: list
        elements: str
      recipients_policy:
        description:
          - V(listed) accepts exactly the listed addresses; it is the default where there is a list.
          - V(any) accepts every address of the domain.
          - V(verify) accepts every address that the domain's mail host takes, or that it can't be asked about.
          - V(external) leaves the rows to another map of C(relay_recipient_maps).
        type: str
        choices: [listed, any, verify, external]
      probe_recipient:
        description: With O(domains[].recipients_policy=external), an address that the other map has to know.
        type: str
      subdomains:
        description: Relay for the subdomains as well.
        type: bool
        default: false
      force:
        description: With O(domains[].state=absent), go on although DNS still names this host as MX of the domain.
        type: bool
        default: false
      mail_host:
        description: The host that keeps the domain's mailboxes. Required where this host is the primary MX.
        type: str
      port:
        description: The port of O(domains[].mail_host).
        type: int
      mx_lookup:
        description: Deliver to the MX hosts of O(domains[].mail_host) instead of its own addresses.
        type: bool
        default: false
      has_list:
        description: Whether the item gives a list. Set by the action plugin.
        type: bool
        default: false
      recipients_count:
        description: How many addresses it lists. Set by the action plugin.
        type: int
        default: 0
      recipients_digest:
        description: A digest of the addresses without the postmaster's. Set by the action plugin.
        type: str
      lists_postmaster:
        description: Whether the postmaster's address is in the list. Set by the action plugin.
        type: bool
        default: false
  peer:
    description:
      - What the other role declares for the same host, so that a domain in both, and settings of the whole host that
        contradict each other, are refused.
      - Ignored where its settings name another O(config_directory).
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
        description: Its settings, by the names of this module's options.
        type: dict
        default: {}
  recipient_check:
    description:
      - V(table) accepts the recipients that C(relay_recipient_maps) has.
      - V(none) makes C(relay_recipient_maps) explicitly empty, which accepts every recipient of every relay domain.
      - V(table) is taken where the option is not given.
    type: str
    choices: [table, none]
  proxy_interfaces:
    description: The addresses by which the world sees this host, behind NAT or a proxy.
    type: list
    elements: str
  inet_interfaces:
    description: The value of C(inet_interfaces); left as it is where not given.
    type: str
  table_type:
    description: The type of the lookup tables. Where not given, that of the table C(main.cf) names, else Postfix's
      default.
    type: str
  table_directory:
    description: The directory of the lookup tables. Where not given, that of the table C(main.cf) names, else
      O(config_directory).
    type: path
  queue_lifetime:
    description: The value of C(maximal_queue_lifetime), a Postfix time value; left as it is where not given.
    type: str
  mail_host_tls:
    description:
      - TLS to the mail hosts, as C(smtp_tls_security_level) of the service C(relay).
      - Where not given, V(may) if nobody has set that parameter.
    type: str
    choices: [none, may, dane, secure]
  mail_host_concurrency:
    description: The value of C(relay_destination_concurrency_limit); left as it is where not given.
    type: str
  message_size_limit:
    description: The value of C(message_size_limit), in bytes; left as it is where not given.
    type: str
  relay_restrictions:
    description: The members of C(smtpd_relay_restrictions). Refused where a stranger could relay through them.
    type: list
    elements: str
  client_restrictions:
    description: The members of C(smtpd_client_restrictions); left as they are where not given.
    type: list
    elements: str
  etrn_restrictions:
    description:
      - The members of C(smtpd_etrn_restrictions).
      - Where not given, V(permit_mynetworks) and V(reject) if C(main.cf) has none.
    type: list
    elements: str
  smtputf8:
    description: Whether C(smtputf8_enable) is on; left as it is where not given.
    type: bool
  ipv6:
    description: Whether C(inet_protocols) is V(all), or V(ipv4); left as it is where not given.
    type: bool
  postmaster:
    description: Accept C(postmaster) of each listed domain. V(true) where not given.
    type: bool
  undeclared_domains:
    description:
      - What to do where the host relays other domains while C(relay_recipient_maps) is empty, so that a first table
        would refuse all their recipients.
      - V(refuse), taken where the option is not given, is a refusal. V(any) adds a wildcard row for each of them.
    type: str
    choices: [refuse, any]
  remove_undeclared:
    description: Relay no longer what no role declares. V(false) where not given.
    type: bool
  manage_package:
    description: Whether missing packages may be installed. V(true) where not given.
    type: bool
  manage_service:
    description: Whether the service may be started and enabled. V(true) where not given.
    type: bool
  run_tags:
    description: The tags of the run (C(ansible_run_tags)), so that a run of one phase that would rely on another is
      refused.
    type: list
    elements: str
    default: [all]
  skip_tags:
    description: The tags that the run skips (C(ansible_skip_tags)).
    type: list
    elements: str
    default: []
  after_install:
    description: Say V(true) after packages have been installed; what is missing then is a refusal.
    type: bool
    default: false
  verify:
    description:
      - Where nothing would change, return the findings of M(mxrelay.postfix.mx_info) for the declared domains as well,
        so that it need not be run.
    type: bool
    default: false
  verify_fail_on:
    description:
      - The scopes of which an error will count. With O(verify), V(dns) and V(remote) have DNS asked about every domain,
        which takes about a second for some hundred of them.
      - Returned as it is given.
    type: list
    elements: str
    choices: [local, dns, remote]
    default: [local]
seealso:
  - module: mxrelay.postfix.mx_info
  - name: STANDARD_CONFIGURATION_README
    description: Postfix's own description of primary and backup MX hosts.
    link: https://www.postfix.org/STANDARD_CONFIGURATION_README.html#backup
"""

EXAMPLES = r"""
- name: See what would make this host the backup MX of a domain
  mxrelay.postfix.mx_plan:
    role: secondary_mx
    domains:
      - name: customer.example
        recipients: [info@customer.example, sales@customer.example]
  register: plan

- name: Stop where something speaks against it
  ansible.builtin.assert:
    that: plan.refusals | length == 0
    fail_msg: "{{ plan.refusals }}"
"""

RETURN = r"""
installed:
  description: Whether Postfix and this instance's configuration are there.
  type: bool
  returned: always
ready:
  description: Whether the phases after the installation can run.
  type: bool
  returned: always
version:
  description: The release of Postfix, empty where it is missing.
  type: str
  returned: always
  sample: 3.10.13
refusals:
  description: Every reason not to make the change. Empty where there is none.
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
      description: What speaks against the change.
      type: str
    remedy:
      description: What to do about it.
      type: str
  sample:
    - domain: customer.example
      check: class
      cause: mydestination has it too (customer.example), and a domain has one class
      remedy: remove it from mydestination, or leave it out here
changes:
  description: What would change, one line each, without anybody's address.
  type: list
  elements: str
  returned: always
  sample: ["main.cf: relay_domains gets customer.example"]
notes:
  description: What a person should know but need not act on.
  type: list
  elements: str
  returned: always
packages:
  description: The packages to install.
  type: list
  elements: str
  returned: always
domains:
  description: The declared domains that are to be relayed, as Postfix looks them up.
  type: list
  elements: str
  returned: always
pending:
  description: Whether anything would change.
  type: bool
  returned: always
judge:
  description: Whether O(verify) was asked for.
  type: bool
  returned: always
verify_fail_on:
  description: The value of O(verify_fail_on).
  type: list
  elements: str
  returned: always
findings:
  description: The findings of M(mxrelay.postfix.mx_info); null where they were not asked for, or something would
    change.
  type: list
  elements: dict
  returned: always
undeclared:
  description: Domains that are relayed here and declared by no role.
  type: list
  elements: str
  returned: always
recipients:
  description: The table of recipients, whether anything in it would change, and if so its domains with their policies.
  type: dict
  returned: always
subdomains:
  description: The table of patterns for recipients at subdomains, whether anything in it would change, and if so its
    rows.
  type: dict
  returned: always
transport:
  description: The transport table, whether anything in it would change, and if so its rows.
  type: dict
  returned: always
verify:
  description: The table of domains whose mail host is asked about each recipient.
  type: dict
  returned: always
removal:
  description: The rows to remove after C(main.cf) has let go of their domains.
  type: dict
  returned: always
main_cf:
  description: Options for M(mxrelay.postfix.main_cf), and whether they would change anything.
  type: dict
  returned: always
master_cf:
  description: Options for M(mxrelay.postfix.master_cf), and whether they would change anything.
  type: dict
  returned: always
service:
  description: The service of the instance, whether it runs and starts at boot, and whether that would change.
  type: dict
  returned: always
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx import PLAN_SPEC, plan
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(plan, PLAN_SPEC)


if __name__ == "__main__":
    main()
