#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mx_trust
short_description: Make a mail host trust its MX hosts for its own recipients
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - A mail host sees the mail that an MX host relays as other people's mail from a stranger, and may reject, greylist or
    limit it. This module exempts the MX hosts on a mail host that runs Postfix. The role
    P(mxrelay.postfix.trust_mx#role) uses it.
  - Writes the addresses to C(trusted_mx) in O(config_directory), a cidr table. The table comes first in each
    restriction list that may refuse an MX host, also where a service of C(master.cf) overrides one, and in
    C(postscreen_access_list) if postscreen is used. The addresses are added to
    C(smtpd_client_event_limit_exceptions).
  - In a list that checks recipients, the table comes after the last of these checks, so no MX host is exempt from them.
    Such a check is also one to which rows of an access table lead, by name or through a class. A table whose rows
    cannot be listed counts as one that leads to it.
  - C(mynetworks) and C(smtpd_relay_restrictions) are never changed.
  - Refuses, before anything changes, a host on which an MX host could relay, or on which it is not sure that it could
    not. That is so if C(smtpd_relay_restrictions) is empty, may permit foreign destinations, or refers to a list that
    needs the table, and if an MX host is in C(mynetworks). It also refuses a host that takes mail for no domain, a host
    that is itself one of the O(hosts), and a C(trusted_mx) that it did not write.
  - Changes only its own members of a list. What others have put there stays, byte for byte.
  - The outcome is tried first, made live by a reload, and taken back if that fails. A copy of the files from before
    stays in C(.mxrelay-undo) in O(config_directory) until O(state=settled) or O(state=undone).
  - One run at a time changes a host. If another one does, of this role or of an MX role, it is awaited for up to five
    minutes, then this one fails. What a run that was killed left behind is removed.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
options:
  state:
    description:
      - V(present) trusts the O(hosts), and no others that it trusted before.
      - V(absent) takes everything back.
      - V(probed) asks O(server) whether it relays for the host on which the module runs, up to C(RCPT). It needs no
        Postfix there, and is meant to be delegated to an MX host.
      - V(settled) removes the copies of the files from before the change, those of O(record).
      - V(undone) puts the files from before the change back, those of O(record). If others have changed one of them in
        the meantime, it does the same as V(absent).
    type: str
    default: present
    choices: [present, absent, probed, settled, undone]
  hosts:
    description:
      - The MX hosts. Each has a C(name), which is an address or a host of the inventory (C(in_inventory)).
      - The addresses of a host of the inventory are its C(addresses), else its C(facts) with its C(proxy_interfaces),
        else its C(ansible_host) if that is an address. If its name is an address, that one counts besides, unless there
        are C(addresses). Networks are refused.
      - One that did not answer (C(lost)) is refused unless it has C(addresses) or C(facts).
      - Required with O(state=present).
    type: list
    elements: dict
    default: []
  domains:
    description:
      - The domains that the MX hosts relay, if they are known. O(state=probed) asks about a recipient of the first one.
    type: list
    elements: str
    default: []
  server:
    description:
      - The name or address of the mail host.
      - Required with O(state=probed).
    type: str
  port:
    description: Its SMTP port. Used by O(state=probed).
    type: int
    default: 25
  helo:
    description: The name to say with EHLO, by default that of the host. Used by O(state=probed).
    type: str
    default: ""
  record:
    description:
      - The value of RV(record) that the change of this run has returned.
      - Required with O(state=settled) and O(state=undone).
    type: str
  _run:
    description: Internal. What the controller knows of this run and of another.
    type: dict
seealso:
  - module: mxrelay.postfix.main_cf
"""

EXAMPLES = r"""
- name: Trust two MX hosts
  mxrelay.postfix.mx_trust:
    hosts:
      - name: 192.0.2.25
      - name: 2001:db8::25
  register: change

- name: Ask the mail host whether it relays
  mxrelay.postfix.mx_trust:
    state: probed
    server: mail.customer.example
    domains: [customer.example]
  delegate_to: mx1.provider.example
  register: probe

- name: Put everything back if it does
  mxrelay.postfix.mx_trust:
    state: undone
    record: "{{ change.record }}"
  when: probe.proof.relays | length > 0
"""

RETURN = r"""
changes:
  description: What changed, or in check mode would change, one line each.
  type: list
  elements: str
  returned: with O(state=present) and O(state=absent)
  sample: ["smtpd_helo_restrictions: check_client_access cidr:/etc/postfix/trusted_mx, reject_invalid_helo_hostname"]
exempts:
  description: What the MX hosts are exempt from, one line for each list.
  type: list
  elements: str
  returned: with O(state=present) and O(state=absent)
untouched:
  description: What may still refuse or change mail of the MX hosts, and was left as it is.
  type: list
  elements: str
  returned: with O(state=present) and O(state=absent)
domains:
  description: Those of O(domains) for which the mail host takes mail.
  type: list
  elements: str
  returned: with O(state=present) and O(state=absent)
addresses:
  description: The addresses of each MX host, by its name.
  type: dict
  returned: with O(state=present) and O(state=absent)
record:
  description: The name of the copies of the files from before; empty if nothing changed, and in check mode.
  type: str
  returned: with O(state=present) and O(state=absent)
other_run:
  description: Another run that is changing this host, so nothing was changed.
  type: dict
  returned: if there is one
reload_needed:
  description: Whether Postfix was reloaded, or in check mode would be.
  type: bool
  returned: with O(state=present) and O(state=absent)
proof:
  description: What the mail host answered.
  type: dict
  returned: with O(state=probed)
  contains:
    server:
      description: Which host was asked.
      type: str
    proven:
      description: Whether it refused each recipient elsewhere.
      type: bool
    relays:
      description: The answers by which it relays.
      type: list
      elements: str
    unknown:
      description: What it answered about a recipient whom nobody has; empty if it was not asked.
      type: str
    problem:
      description: Why nothing is proven; empty if something is.
      type: str
undone:
  description: What was put back, one line each.
  type: list
  elements: str
  returned: with O(state=undone)
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.trust import REQUIRED_IF, TRUST_SPEC, trust


def main() -> None:
    run_module(trust, TRUST_SPEC, required_if=REQUIRED_IF)


if __name__ == "__main__":
    main()
