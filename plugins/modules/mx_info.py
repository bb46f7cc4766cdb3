#!/usr/bin/python
# Copyright: the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mx_info
short_description: Show and judge what a host does with the mail of its relay domains
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - For relay domains, returns the evidence (address classes, recipients, the answer of C(transport_maps), indexes,
    relay restrictions, DNS, and if asked for what mail hosts answer) and what it comes to, as a list of findings.
  - Changes nothing, and never fails because of a finding.
  - With O(probe_server) it looks at nothing but what that server tells a stranger. Delegate such a task to a host
    outside of the server's C(mynetworks), or to the controller.
requirements:
  - python3-dnspython on the host, for what is judged by DNS; without it nothing is, and a finding says so
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.info
options:
  domains:
    description:
      - The domains to look at.
      - Empty means every domain that C(relay_domains) names, except what it takes over from C(mydestination).
      - Required with O(probe_server).
    type: list
    elements: str
    default: []
  resolver:
    description:
      - The addresses of the name servers to ask about MX records and policies. Empty means those of the system.
      - Names of mail hosts are resolved as Postfix does it, by the system, whatever this says.
    type: list
    elements: str
    default: []
  outage:
    description:
      - The longest outage of a mail host that mail is to survive here, as a Postfix time value such as V(5d); a
        shorter C(maximal_queue_lifetime) is a finding then.
    type: str
  probe:
    description:
      - Ask the mail host of each domain over SMTP, from this host, whether it takes the mail. One listed recipient and
        one that nobody has are named in C(RCPT), then follow C(RSET) and C(QUIT), never C(DATA).
      - At most 20 domains are asked about, for at most a minute.
    type: bool
    default: false
  probe_server:
    description:
      - The name or address of a server to ask as a stranger. Nothing else is looked at then, and this module needs
        no Postfix where it runs.
      - For each of O(domains) its recipient in O(probe_recipients), its postmaster and a recipient that nobody has are
        named in C(RCPT), then recipients elsewhere in several spellings, among at most 20 domains and for at most a
        minute; never C(DATA).
    type: str
  probe_port:
    description: The SMTP port of O(probe_server).
    type: int
    default: 25
  probe_recipients:
    description:
      - For each of O(domains), by its name, a recipient that O(probe_server) has to take, such as
        RV(domains.probe_recipient) of an earlier task.
    type: dict
    default: {}
seealso:
  - module: mxrelay.postfix.mx_plan
  - module: mxrelay.postfix.postfix_info
"""

EXAMPLES = r"""
- name: Look at all relay domains, and ask their mail hosts
  mxrelay.postfix.mx_info:
    probe: true
    outage: 5d
  register: mx

- name: Ask this host as a stranger would
  mxrelay.postfix.mx_info:
    probe_server: "{{ inventory_hostname }}"
    domains: "{{ mx.domains.keys() | list }}"
    probe_recipients: "{{ dict(mx.domains.keys() | zip(mx.domains.values() | map(attribute='probe_recipient'))) }}"
  delegate_to: localhost
  register: outside

- name: Stop where this host would lose, bounce or loop mail
  ansible.builtin.assert:
    that: (mx.findings + outside.findings) | selectattr('severity', 'eq', 'error') | length == 0
    fail_msg: "{{ (mx.findings + outside.findings) | map(attribute='text') }}"
"""

RETURN = r"""
findings:
  description: What the evidence comes to; empty where all is well.
  type: list
  elements: dict
  returned: always
  contains:
    domain:
      description: The domain, or empty for the whole host.
      type: str
    check:
      description: A short name of what was checked. It stays the same from release to release.
      type: str
    severity:
      description: V(error) for what loses, bounces, loops or relays mail; V(warning) for what is worth a look;
        V(info) for what was probably meant.
      type: str
    scope:
      description: Whether this host (V(local)), V(dns) or another host (V(remote)) has to be put right.
      type: str
    message:
      description: What was found.
      type: str
    remedy:
      description: What to do about it.
      type: str
    place:
      description: Where on the way of the domain's mail it is, one of V(sender), V(mx), V(host), V(recipients),
        V(nexthop) and V(mail_host).
      type: str
    text:
      description: All of it in one line.
      type: str
domains:
  description: The evidence for each domain.
  type: dict
  returned: without O(probe_server)
  contains:
    relayed:
      description: The member of C(relay_domains) that names the domain, empty where there is none.
      type: str
    classes:
      description: Other class parameters that match the domain, each with its member.
      type: dict
    recipients:
      description: How many of its addresses the local tables in C(relay_recipient_maps) hold.
      type: int
    wildcard:
      description: Whether a row accepts every address of the domain.
      type: bool
    other_maps:
      description: Whether C(relay_recipient_maps) has maps whose rows can't be listed.
      type: bool
    verified:
      description: Whether a table of recipient restrictions has the mail host asked about each recipient.
      type: bool
    transport:
      description: The answer of C(transport_maps), with the member and the key that gave it; null where there is none.
      type: dict
    nexthop:
      description: The host that the domain's mail is sent to, by that answer or by its MX records; empty where that is
        not known.
      type: str
    nexthop_addresses:
      description: The addresses of a nexthop that the transport's answer names.
      type: list
      elements: str
    probe_recipient:
      description: With O(probe), one of its listed recipients.
      type: str
    mail_host:
      description: With O(probe), what its mail host answered (server, failure, banner, mail, recipients, extensions);
        null where it was not asked.
      type: dict
    mx:
      description: The domain's MX records, with host, preference, addresses, whether the name is an alias, and whether
        it is this host; null where DNS did not answer.
      type: list
      elements: dict
tables:
  description: The local tables in C(relay_domains), C(relay_recipient_maps) and C(transport_maps), each with the number
    of its entries, when its source was written (seconds of the clock) and the state of its index, which is V(type)
    where Postfix does not have the type.
  type: list
  elements: dict
  returned: without O(probe_server)
relay_restrictions:
  description: The effective C(smtpd_relay_restrictions).
  type: str
  returned: without O(probe_server)
addresses:
  description: The addresses of this host's interfaces.
  type: list
  elements: str
  returned: without O(probe_server)
dns:
  description: Whether the host has what is needed to ask DNS.
  type: bool
  returned: without O(probe_server)
probes:
  description: What O(probe_server) answered, one conversation each.
  type: list
  elements: dict
  returned: with O(probe_server)
notes:
  description: What could not be asked, or did not answer within a minute. Each is a warning, too.
  type: list
  elements: str
  returned: always
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx import INFO_SPEC, info
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(info, INFO_SPEC)


if __name__ == "__main__":
    main()
