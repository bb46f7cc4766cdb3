#!/usr/bin/python
# Copyright: the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: master_cf
short_description: Manage services and their overrides in Postfix's master.cf
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Adds, changes and removes services in C(master.cf), in one step whatever their number.
  - Only the fields and overrides that are given are managed. Everything else stays as it is to the byte, as do owner,
    mode, ACL, SELinux context and symbolic links of the file.
  - A field that already means the same is left alone. V(-) means the default that this host's Postfix gives it.
  - A file that Postfix could not read is reported with its line, and left alone.
  - Values of overrides that Postfix would misread are refused, and the outcome is tried before it goes live, as
    M(mxrelay.postfix.main_cf) does.
  - Takes the lock that C(postconf -M) and C(postconf -P) take, so that a change made at the same time is not lost.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
options:
  services:
    description:
      - The services.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the service as C(master.cf) has it, for example V(smtp), V(127.0.0.1:10025) or V(relay).
        type: str
        required: true
      type:
        description:
          - Type of the service. A name may stand for a service of each type.
        type: str
        required: true
        choices: [inet, unix, unix-dgram, fifo, pass]
      command:
        description:
          - The program with its arguments, without C(-o) options, which belong in O(services[].overrides).
          - Required for a service that is not there yet.
        type: str
      private:
        description:
          - Whether the service is for Postfix alone. Services of type V(inet) can't be private.
        type: bool
      unprivileged:
        description:
          - Whether the service runs as the mail owner, and not as root.
        type: bool
      chroot:
        description:
          - Whether the service runs in the queue directory.
        type: bool
      wakeup:
        description:
          - After how many seconds the service is woken up. V(?) after the number means only if it is in use.
        type: str
      process_limit:
        description:
          - The largest number of processes. V(0) means no limit, V(-) the value of C(default_process_limit).
        type: str
      overrides:
        description:
          - Parameters with the value that they have for this service alone, as C(-o name=value) sets it.
          - Null removes an override. Others stay.
          - Lists and truth values are written as O(mxrelay.postfix.main_cf#module:parameters) writes them. Values with
            white space need Postfix 3.0 or later.
        type: dict
        default: {}
      state:
        description:
          - Whether the service is to be there.
        type: str
        choices: [present, absent]
        default: present
notes:
  - Does not reload Postfix. RV(reload_needed) tells whether a running Postfix has to be reloaded.
seealso:
  - module: mxrelay.postfix.main_cf
  - name: master(5)
    description: The format of master.cf.
    link: https://www.postfix.org/master.5.html
"""

EXAMPLES = r"""
- name: Keep the relay service from using a fallback relay
  mxrelay.postfix.master_cf:
    services:
      - name: relay
        type: unix
        overrides:
          smtp_fallback_relay: ""

- name: Offer submission to authenticated users
  mxrelay.postfix.master_cf:
    services:
      - name: submission
        type: inet
        command: smtpd
        overrides:
          syslog_name: postfix/submission
          smtpd_sasl_auth_enable: true
          smtpd_relay_restrictions: [permit_sasl_authenticated, reject]

- name: Remove a service, and one override of another
  mxrelay.postfix.master_cf:
    services:
      - name: "127.0.0.1:10025"
        type: inet
        state: absent
      - name: relay
        type: unix
        overrides:
          smtp_helo_timeout:
"""

RETURN = r"""
path:
  description: The file.
  type: str
  returned: success
  sample: /etc/postfix/master.cf
changed_services:
  description:
    - The services that changed, or in check mode would change, with their lines before and after.
    - The lines are null where the service is not there.
  type: dict
  returned: success
  sample:
    relay/unix:
      before: |
        relay unix - - n - - smtp
      after: |
        relay unix - - n - - smtp
          -o smtp_fallback_relay=
reload_needed:
  description: Whether a running Postfix has to be reloaded.
  type: bool
  returned: success
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.configuration import (
    SERVICE_SPEC,
    change_master_cf,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(
        change_master_cf,
        {
            "services": {"type": "list", "elements": "dict", "required": True, "options": SERVICE_SPEC},
            "config_directory": {"type": "path", "default": "/etc/postfix"},
        },
    )


if __name__ == "__main__":
    main()
