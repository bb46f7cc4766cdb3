#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mx_standby
short_description: Manage the service by which a secondary MX host is a standby
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Installs, updates, starts or removes a policy service that tells Postfix whether a better MX host of a domain
    answers. The roles P(mxrelay.postfix.secondary_mx#role) and P(mxrelay.postfix.mx#role) use it, and have Postfix ask
    the service.
  - The service is a program with its configuration in O(config_directory), and a socket and a service unit of
    systemd. It runs as a user of its own that is there only while it runs, and can write nowhere.
  - Fails if the files can't be written, or if systemd can't start the service.
requirements:
  - systemd on the host, and no SELinux that is enforcing
  - python3-dnspython on the host. If it is missing, the service runs, and lets all mail in.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
attributes:
  diff_mode:
    support: full
    details:
      - Shows the program by its digest.
options:
  domains:
    description:
      - The domains to stand by for. An empty list removes the service.
    type: list
    elements: str
    required: true
  subdomains:
    description:
      - Those of O(domains) with all their subdomains.
    type: list
    elements: str
    default: []
  own:
    description:
      - The names and addresses by which the world knows this host, beside the addresses of its interfaces. Without any,
        C(myhostname).
    type: list
    elements: str
    default: []
  name:
    description:
      - The name by which the service greets other MX hosts. By default C(myhostname).
    type: str
seealso:
  - module: mxrelay.postfix.mx_plan
  - name: SMTPD_POLICY_README
    description: How Postfix asks a policy service.
    link: https://www.postfix.org/SMTPD_POLICY_README.html
"""

EXAMPLES = r"""
- name: Stand by for a domain
  mxrelay.postfix.mx_standby:
    domains: [customer.example]

- name: Remove the service
  mxrelay.postfix.mx_standby:
    domains: []
"""

RETURN = r"""
standby:
  description: V(present), or V(absent) without domains.
  type: str
  returned: success
  sample: present
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx_standby import STANDBY_SPEC, change_standby
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(change_standby, STANDBY_SPEC)


if __name__ == "__main__":
    main()
