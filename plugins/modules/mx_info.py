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
    relay restrictions, DNS) and what it comes to, as a list of findings.
  - Changes nothing, and never fails because of a finding.
requirements:
  - python3-dnspython on the host, for what is judged by DNS; without it nothing is, and a finding says so
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.info
options:
  domains:
    description:
      - The domains to look at.
      - Empty means every domain that C(relay_domains) names, those in C(mydestination) excepted.
    type: list
    elements: str
    default: []
seealso:
  - module: mxrelay.postfix.mx_plan
  - module: mxrelay.postfix.postfix_info
"""

EXAMPLES = r"""
- name: Look at all relay domains
  mxrelay.postfix.mx_info:
  register: mx

- name: Stop where this host would lose, bounce or loop mail
  ansible.builtin.assert:
    that: mx.findings | selectattr('severity', 'eq', 'error') | selectattr('scope', 'eq', 'local') | length == 0
    fail_msg: "{{ mx.findings | map(attribute='text') }}"
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
      description: A short name of what was checked.
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
    text:
      description: All of it in one line.
      type: str
domains:
  description: The evidence for each domain.
  type: dict
  returned: always
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
    transport:
      description: The answer of C(transport_maps), with the member and the key that gave it; null where there is none.
      type: dict
    mx:
      description: The domain's MX records; null where DNS did not answer.
      type: list
      elements: dict
tables:
  description: The local tables in C(relay_domains), C(relay_recipient_maps) and C(transport_maps), each with the state
    of its index.
  type: list
  elements: dict
  returned: always
relay_restrictions:
  description: The effective C(smtpd_relay_restrictions).
  type: str
  returned: always
addresses:
  description: The addresses of this host's interfaces.
  type: list
  elements: str
  returned: always
dns:
  description: Whether the host has what is needed to ask DNS.
  type: bool
  returned: always
notes:
  description: What could not be asked.
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
