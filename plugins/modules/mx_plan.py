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
  - mxrelay.postfix.mx_plan
options:
  role:
    description:
      - The role that asks. It is the role of each domain that has none of its own, and messages name its variables.
    type: str
    choices: [secondary_mx, primary_mx, mx]
    default: mx
  peer:
    description:
      - What the other role declares for the same host, so that a domain in both, and settings of the whole host that
        contradict each other, are refused.
      - Ignored if its settings have another O(settings.config_directory).
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
        description: Its settings, named as in O(settings).
        type: dict
        default: {}
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
    settings:
      queue_lifetime: 10d
  register: plan

- name: Stop if the plan was refused
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
  description: Whether O(settings.verify) was asked for.
  type: bool
  returned: always
verify_fail_on:
  description: The value of O(settings.verify_fail_on).
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

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx import PLAN_SPEC, plan, plan_params
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(plan, PLAN_SPEC, reading=plan_params)


if __name__ == "__main__":
    main()
