#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mx_info
short_description: Report what a host does with the mail of its relay domains, and what is wrong
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - For relay domains, returns the evidence (address classes, recipients, the answer of C(transport_maps), indexes,
    relay restrictions, DNS, and on request the answers of mail hosts) and a list of findings, each with a remedy.
  - Follows the section "Configuring Postfix as primary or backup MX host for a remote site" of Postfix's
    STANDARD_CONFIGURATION_README, and RFC 5321 and RFC 8461 (MTA-STS) for what DNS publishes.
  - Changes nothing, and does not fail because of a finding. Fails if Postfix is missing, unless O(probe_server) is
    given, or if an option is not valid.
  - With O(probe_server), looks only at what that server tells a stranger. Delegate such a task to a host outside the
    server's C(mynetworks), or to the controller.
requirements:
  - python3-dnspython on the host, for the checks that use DNS. If it is missing, they are skipped, and a finding says
    so.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.info
  - mxrelay.postfix.postfix.action_group
options:
  domains:
    description:
      - The domains to examine.
      - By default every domain that C(relay_domains) names, except those that it takes over from C(mydestination).
      - Required with O(probe_server).
    type: list
    elements: str
    default: []
  declared:
    description:
      - What the inventory declares, to be compared with what the host does. A declared domain that is not relayed, or
        for which this host has the other role, and a relayed domain that is not declared are findings.
      - With an empty list nothing is declared, so each relayed domain is a finding. By default nothing is compared.
      - Without O(domains), the declared domains are examined as well.
    type: list
    elements: dict
    suboptions:
      name:
        description: The mail domain.
        type: str
        required: true
      role:
        description: The role of this host for it.
        type: str
        choices: [primary, secondary]
        required: true
      state:
        description: Whether the host is to relay it.
        type: str
        choices: [present, absent]
        default: present
      required:
        description: Whether the host has to relay it. With V(false) it may.
        type: bool
        default: true
  host_name:
    description:
      - The name by which the world reaches this host, for the remedies. By default, or if it is not a full name,
        C(myhostname).
    type: str
  resolver:
    description:
      - The addresses of the name servers to ask about MX records and policies. By default those of the system.
      - The names of mail hosts are resolved by the system, as Postfix does it, whatever this says.
    type: list
    elements: str
    default: []
  outage:
    description:
      - The longest outage of a mail host that mail must survive here, as a Postfix time value such as V(5d); seconds if
        it has no unit. A shorter C(maximal_queue_lifetime) is then a finding.
      - By default the queue lifetime is not judged.
    type: str
  outage_volume:
    description:
      - How much mail comes in a day of O(outage), as RV(mxrelay.postfix.mx_outage#module:volume) tells it. C(size) is
        in bytes, and C(messages) may be left out. The room of the queue is held against it.
      - By default only what Postfix needs to accept mail at all is judged.
    type: dict
  list_max_age:
    description:
      - How old a list of recipients that follows sources may be, as a Postfix time value; hours if it has no unit.
        One that has not been made of its sources for longer is a finding.
    type: str
    default: 1d
  unproven:
    description:
      - What the finding C(relay_unproven) is, which names a place that cannot be shown to keep strangers from relaying.
    type: str
    choices: [warn, fail]
    default: warn
  certificate_days:
    description:
      - If the certificate that this host shows to senders expires within so many days, that is a finding.
    type: int
    default: 14
  accepted:
    description:
      - Findings that you have looked at and accept. They become information that says why. Each item has the C(check)
        and the C(subject) of the finding (its domain, if it has no subject), the C(reason), and, if it is not for good,
        the day C(until) which it holds, such as 2026-12-31.
      - A proven opening can't be accepted.
    type: list
    elements: dict
    default: []
  canary:
    description:
      - Whether to judge what became of the last canaries of M(mxrelay.postfix.mx_canary). The roles do not, since a run
        may be what mends it.
    type: bool
    default: false
  probe:
    description:
      - Whether to ask the mail host of each domain over SMTP, from this host, if it accepts the mail. The module names
        one listed recipient and one that does not exist in C(RCPT), then sends C(RSET) and C(QUIT), never C(DATA).
      - Of a list that follows sources, up to five addresses that are drawn at random, and up to five that it has lost,
        are named by a connection of their own, if the mail host refuses the one that does not exist.
      - Covers at most 20 domains and takes at most a minute.
    type: bool
    default: false
  probe_server:
    description:
      - The name or address of a server to ask as a stranger. Nothing else is examined then, and Postfix need not be
        installed where the module runs.
      - For each of O(domains), the module names its recipient in O(probe_recipients), its postmaster and a recipient
        that does not exist in C(RCPT), then recipients elsewhere in several spellings. It never sends C(DATA).
      - Recipients elsewhere are named again by XCLIENT, if the server offers that, and by the PROXY protocol, if the
        server takes the connection and greets nobody.
      - Covers at most 20 domains and takes at most a minute.
    type: str
  probe_port:
    description: The SMTP port of O(probe_server).
    type: int
    default: 25
  probe_ports:
    description:
      - Other ports of O(probe_server) on which to name recipients elsewhere, such as RV(ports) of an earlier task. Each
        item has a C(port), and C(tls) if TLS is used from the first byte. One on which nobody answers is no finding.
    type: list
    elements: dict
    default: []
  probe_recipients:
    description:
      - For each of O(domains), by its name, a recipient that O(probe_server) must accept, such as
        RV(domains.probe_recipient) of an earlier task.
    type: dict
    default: {}
  show_recipients:
    description:
      - Whether findings and answers of servers name recipients. By default C([a recipient]) stands for an address that
        a table of the host lists or rewrites.
    type: bool
    default: false
  probe_senders:
    description:
      - Domains of yours from which a probe asks besides C(<>); of an address, its domain counts. The local part is a
        fresh one each time, since greylisting knows the others.
      - C(ordinary) is for an ordinary sender. With O(probe=true) it is by default RV(own_mail_domain). With
        O(probe_server) it has no default.
      - C(spf_fail) is one whose SPF record excludes this host, as it does for all mail that a backup MX forwards. Only
        mail hosts are asked from it. Without it they are not asked about SPF.
    type: dict
    default: {}
seealso:
  - module: mxrelay.postfix.mx_plan
  - module: mxrelay.postfix.mx_canary
  - module: mxrelay.postfix.postfix_info
  - name: STANDARD_CONFIGURATION_README
    description: Postfix's own description of primary and backup MX hosts.
    link: https://www.postfix.org/STANDARD_CONFIGURATION_README.html#backup
  - name: ADDRESS_CLASS_README
    description: Why a domain can be in only one address class.
    link: https://www.postfix.org/ADDRESS_CLASS_README.html
"""

EXAMPLES = r"""
- name: Examine all relay domains, and ask their mail hosts
  mxrelay.postfix.mx_info:
    probe: true
    outage: 5d
  register: mx

- name: Ask this host as a stranger would
  mxrelay.postfix.mx_info:
    probe_server: "{{ inventory_hostname }}"
    domains: "{{ mx.domains.keys() | list }}"
    probe_recipients: "{{ dict(mx.domains.keys() | zip(mx.domains.values() | map(attribute='probe_recipient'))) }}"
    probe_ports: "{{ mx.ports }}"
    probe_senders:
      ordinary: "{{ mx.own_mail_domain }}"
  delegate_to: localhost
  register: outside

- name: Fail on errors
  ansible.builtin.assert:
    that: (mx.findings + outside.findings) | selectattr('severity', 'eq', 'error') | length == 0
    fail_msg: "{{ (mx.findings + outside.findings) | map(attribute='text') }}"
"""

RETURN = r"""
findings:
  description: What is wrong or worth knowing; empty if all is well.
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
      description:
        - V(error) for what loses, bounces, loops or openly relays mail, V(warning) for what is worth a look, V(info)
          for what was probably meant.
      type: str
    scope:
      description: Where to fix it, one of V(local) (this host), V(dns) and V(remote) (another host).
      type: str
    message:
      description: What was found.
      type: str
    remedy:
      description: What to do about it.
      type: str
    place:
      description:
        - Where on the path of the domain's mail it is, one of V(sender), V(mx), V(host), V(recipients), V(nexthop) and
          V(mail_host).
      type: str
    text:
      description: All of it on one line.
      type: str
domains:
  description: The evidence for each domain, by its name.
  type: dict
  returned: without O(probe_server)
  contains:
    relayed:
      description: The member of C(relay_domains) that matches the domain, empty if there is none.
      type: str
    declared:
      description:
        - The role by which O(declared) has it, or V(absent); empty if it does not have it. Null without O(declared).
      type: str
    role:
      description:
        - The role of this host for it. It is V(primary) if a transport row names the host that gets its mail, else
          V(secondary).
      type: str
    classes:
      description: Other class parameters that match the domain, each with its member.
      type: dict
    recipients:
      description: The number of its addresses in the local tables of C(relay_recipient_maps).
      type: int
    recipients_digest:
      description:
        - A digest of these addresses without those of postmaster and abuse, by which the lists of several hosts can be
          compared. Empty if there are none.
      type: str
    recipients_policy:
      description:
        - How recipients are told from unknown ones, one of V(listed), V(verify) (the mail host is asked) and V(any)
          (every recipient is accepted).
      type: str
    listed_at:
      description:
        - If its list follows sources, when it was last made what they say, as C(YYYY-MM-DDTHH:MM:SSZ); empty for
          never.
      type: str
    list_kept:
      description: Why the last run left its list as it was; empty if it did not.
      type: str
    sources:
      description:
        - The sources that its list follows, each with its C(name), its C(type), the C(host) where it is read, when it
          was last read (C(read_at)), how many seconds ago that is (C(age), null for never) and how many addresses it
          had (C(count)). If it could not be read since, C(problem) says why, and C(failed_at) when.
      type: list
      elements: dict
    list_drift:
      description:
        - With O(probe=true), what the C(server) said of addresses of a list that follows sources. Of the C(listed) ones
          that were asked it does not know C(unknown), and of the C(vanished) ones it takes C(known). With
          O(show_recipients=true), C(unknown_recipients) and C(known_recipients) name them. Null if it was not asked, or
          can't tell.
      type: dict
    wildcard:
      description: Whether a row accepts every address of the domain, and no other table lists its recipients.
      type: bool
    other_maps:
      description: Whether C(relay_recipient_maps) has maps whose rows can't be listed.
      type: bool
    verified:
      description: Whether a table in the recipient restrictions makes Postfix ask the mail host about each recipient.
      type: bool
    transport:
      description:
        - The answer of C(transport_maps), with the C(member) and the C(key) that gave it and its C(result); null if
          there is none.
      type: dict
    nexthop:
      description:
        - The host that the domain's mail is sent to, by that answer or by its MX records; empty if that is not known.
      type: str
    nexthop_addresses:
      description: The addresses of the host, if that answer names it.
      type: list
      elements: str
    probe_recipient:
      description: With O(probe=true), one of its listed recipients.
      type: str
    canary:
      description:
        - With O(canary=true), what became of the last canary (C(outcome), C(reason)), when (C(time)), and how many
          seconds ago (C(age)); null if none was sent.
      type: dict
    mail_host:
      description:
        - With O(probe=true), what its mail host answered (C(server), C(failure), C(banner), C(mail), C(recipients),
          C(extensions), to a recipient with something behind each of the C(delimiters)), and the address of this host
          that it was asked from (C(client)); null if it was not asked.
      type: dict
    other_mail_hosts:
      description:
        - With O(probe=true), the same of the mail hosts that its route names after the first.
      type: list
      elements: dict
    mx:
      description:
        - The domain's MX records, each with its C(host), C(preference), C(addresses), whether the name is an C(alias)
          and whether it is C(this_host); null if DNS did not answer.
      type: list
      elements: dict
tables:
  description:
    - The local tables in C(relay_domains), C(relay_recipient_maps) and C(transport_maps).
    - Also others of C(relay_domains) and C(transport_maps) that can't be asked.
  type: list
  elements: dict
  returned: without O(probe_server)
  contains:
    parameter:
      description: The parameter that names the table.
      type: str
    reference:
      description: Type and path of the table, as C(main.cf) names them.
      type: str
    index:
      description:
        - The state of the index, one of V(current), V(stale), V(missing) and V(unreadable). V(none) for types that have
          no index, V(without a source) if there is no source, V(type) if this Postfix does not support the type,
          V(unreachable) if a table without an index can't be asked.
      type: str
    entries:
      description: The number of entries.
      type: int
    modified:
      description: When the source was last written, in seconds since the epoch; null if there is no source.
      type: int
relay_restrictions:
  description: The effective value of C(smtpd_relay_restrictions).
  type: str
  returned: without O(probe_server)
message_size_limit:
  description: The value of C(message_size_limit) in bytes, 0 for no limit; null if it is not a number.
  type: int
  returned: without O(probe_server)
smtputf8:
  description: Whether the host takes addresses that are not ASCII (C(smtputf8_enable)).
  type: bool
  returned: without O(probe_server)
addresses:
  description: The addresses of this host's interfaces.
  type: list
  elements: str
  returned: without O(probe_server)
dns:
  description: Whether the host has what it needs to ask DNS.
  type: bool
  returned: without O(probe_server)
ports:
  description: The ports at which strangers can talk SMTP to this host, each with its C(port) and whether it is C(tls).
  type: list
  elements: dict
  returned: without O(probe_server)
own_mail_domain:
  description: A mail domain of this host's own that it does not relay; empty if there is none.
  type: str
  returned: without O(probe_server)
queue_space:
  description:
    - What the file system of the queue has free for those who are not root, in C(bytes) and C(inodes), which is null if
      it has no limit of those; null if there is no queue.
  type: dict
  returned: without O(probe_server)
  sample:
    bytes: 10737418240
    inodes: 6553600
tried:
  description: Where and from which senders a probe asked, and what it did not ask.
  type: list
  elements: str
  returned: always
probes:
  description:
    - What O(probe_server) answered, one item for each sender in a conversation, with its C(port) and C(guise)
      (V(XCLIENT), V(PROXY) or empty).
  type: list
  elements: dict
  returned: with O(probe_server)
notes:
  description: What could not be asked, or did not answer within a minute. Each is also a warning.
  type: list
  elements: str
  returned: always
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx_info import INFO_SPEC, info, nothing_secret
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(info, INFO_SPEC, secrets=nothing_secret)


if __name__ == "__main__":
    main()
