#!/usr/bin/python
# Copyright the mxrelay.postfix authors
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
  - Waits up to five minutes for another run that is changing the host, and refuses if it has not finished by then.
  - Does not fail because Postfix is missing or the change is refused; see RV(refusals). Fails if a list of recipients
    is not valid, or if the configuration of Postfix can't be read.
requirements:
  - python3-dnspython on the host, for the checks that use DNS. If it is missing, they are skipped, and it is among
    RV(packages).
  - python3-idna on the host, for internationalised domains. If it is missing, it is among RV(packages).
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.info
  - mxrelay.postfix.postfix.action_group
  - mxrelay.postfix.mx_plan
options:
  role:
    description:
      - The role that asks. It applies to each domain without a role of its own, and messages name its variables. With
        V(mx), each domain needs a role of its own.
    type: str
    choices: [secondary_mx, primary_mx, mx]
    default: mx
  peer:
    description:
      - What the other role declares for the same host. A domain that both declare is refused, and so are host-wide
        settings that contradict each other.
      - Ignored if its settings name another configuration directory.
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
  host_name:
    description:
      - The name by which the world reaches this host, for the remedies. By default, or if it is not a full name,
        C(myhostname).
    type: str
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
  record:
    description:
      - The name of this run's own copies, from M(mxrelay.postfix.mx_undo), if it has made them already.
    type: str
  _run:
    description: Internal. What the controller knows of this run and of another.
    type: dict
  _followed:
    description: Internal. What the sources that domains follow make of their lists.
    type: dict
  _peer:
    description: Internal. The arguments of the other role, if it comes next.
    type: dict
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
  description: The reasons to refuse the change, at most 20; empty if there is none.
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
refusals_left:
  description: How many more reasons there are, by their check.
  type: dict
  returned: always
  sample:
    no_recipients: 2980
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
run:
  description: The controller and the process of this run.
  type: dict
  returned: always
other_run:
  description: Another run that is changing this host, so nothing was planned; null if there is none.
  type: dict
  returned: always
unread:
  description:
    - Whether domains have O(domains[].recipients_from) and their sources are still to be read, as the roles do. Then
      nothing was planned.
  type: bool
  returned: if they are
limits_over:
  description:
    - Whether limits of M(mxrelay.postfix.queue_limits) are to be taken back, because they have expired. As long as they
      hold, their parameters are not changed.
  type: bool
  returned: always
raise_over:
  description:
    - Whether the outages are over for which M(mxrelay.postfix.mx_outage) raised C(maximal_queue_lifetime), so its
      record is to be removed. While they last, no setting makes the lifetime shorter.
  type: bool
  returned: always
left_behind:
  description: Whether a run that was cut off left copies of files behind, which are to be removed.
  type: bool
  returned: always
mark:
  description: What differs once another run has begun or ended on the host.
  type: str
  returned: always
peer_plan:
  description:
    - The plan of the other role (C(plan)), with what tells whether it is the one that this role asks for, if that role
      is the next one in the C(roles) of the play and nothing would change before it. Null otherwise. It takes this plan
      in place of looking at the host again.
  type: dict
  returned: if the host was looked at
acts:
  description: Whether the tags of the run include a phase that changes the host.
  type: bool
  returned: always
pending:
  description: Whether anything would change.
  type: bool
  returned: always
judge:
  description: The value of O(settings.verify).
  type: bool
  returned: always
verify_fail_on:
  description: The value of O(settings.verify_fail_on).
  type: list
  elements: str
  returned: always
findings:
  description:
    - The findings of M(mxrelay.postfix.mx_info). Null unless O(settings.verify=true), and null if something would
      change or the change is refused.
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
      change (C(changed)), and if so its C(domains) with their policies. C(max_removals) is the option of
      M(mxrelay.postfix.relay_recipients) that holds it to O(settings.max_removals).
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
filters:
  description:
    - The table that makes of a mail host's final refusal one for now, with the keys of RV(transport).
  type: dict
  returned: always
probes:
  description:
    - The table of the transports by which a mail host is asked about recipients, with the keys of RV(transport).
  type: dict
  returned: always
refused:
  description:
    - The table of patterns by which the reports of refused mail are kept from strangers, with the keys of
      RV(transport).
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
standby:
  description:
    - Options for M(mxrelay.postfix.mx_standby), whether they would change anything (C(changed)), and whether the
      service goes once C(main.cf) no longer refers to it (C(removed)).
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
      (C(active)), starts at boot (C(enabled)), has yet to read its files (C(reload)) and is still the release from
      before an upgrade (C(restart)), and whether that would change (C(changed)). Where systemd has no unit for it,
      C(command) is the command that starts, stops and reloads it. C(manager) is C(systemd) where systemd runs the
      host, else C(auto), as the option C(use) of M(ansible.builtin.service) takes it.
  type: dict
  returned: always
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx_plan import PLAN_SPEC, plan, plan_params
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(plan, PLAN_SPEC, reading=plan_params)


if __name__ == "__main__":
    main()
