#!/usr/bin/python
# Copyright the mxrelay.postfix authors
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
  - Adds, changes and removes services in C(master.cf), any number of them in one step. The format is that of master(5).
  - Manages only the fields and overrides that are given. Everything else stays unchanged, byte for byte, as do the
    file's owner, mode, ACL, SELinux context and symbolic links.
  - Leaves a field alone if it already means the same. V(-) means the default of this host's Postfix.
  - Refuses override values that Postfix would misread, and tests the result before it goes live, as
    M(mxrelay.postfix.main_cf) does.
  - Refuses a new service of type V(inet) whose port is taken, as a reload would then end Postfix. To find out, the
    port is bound for a moment.
  - Takes the lock that C(postconf -M) and C(postconf -P) take, so a change made at the same time is not lost.
  - Fails without changing the file if it refuses a value, if Postfix does not accept the result, if C(master.cf) is
    missing, or if Postfix could not read it; the message then names the line.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
options:
  services:
    description:
      - The services to manage.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - The name of the service in C(master.cf), such as V(smtp), V(127.0.0.1:10025) or V(relay).
        type: str
        required: true
      type:
        description:
          - The type of the service. Services of different types can have the same name.
        type: str
        required: true
        choices: [inet, unix, unix-dgram, fifo, pass]
      command:
        description:
          - The program with its arguments, without C(-o) options, which belong in O(services[].overrides).
          - Required for a service that does not exist yet.
        type: str
      private:
        description:
          - Whether only Postfix can use the service. Services of type V(inet) can't be private.
        type: bool
      unprivileged:
        description:
          - Whether the service runs as the mail owner instead of root.
        type: bool
      chroot:
        description:
          - Whether the service runs chrooted to the queue directory.
        type: bool
      wakeup:
        description:
          - The number of seconds after which the service is woken up. V(?) after the number means only if the service
            is in use.
        type: str
      process_limit:
        description:
          - The maximum number of processes. V(0) means no limit, V(-) the value of C(default_process_limit).
        type: str
      overrides:
        description:
          - Parameters with their values for this service only, as C(-o name=value) sets them.
          - Null removes an override. Other overrides stay.
          - Lists and truth values are written as in O(mxrelay.postfix.main_cf#module:parameters). Values with white
            space need Postfix 3.0 or later.
        type: dict
        default: {}
      state:
        description:
          - Whether the service must exist or must not.
        type: str
        choices: [present, absent]
        default: present
      renamed_from:
        description:
          - Another service, as name and type, such as V(smtp/inet). If it runs O(services[].command) and this one does
            not, it becomes this one, with its fields, overrides and comments, and takes its place.
          - A service that is renamed back has the bytes that it had.
        type: str
notes:
  - Does not reload Postfix. RV(reload_needed) says whether a running Postfix must be reloaded.
  - A directory that others than root can write to, on the way to the file, is refused.
seealso:
  - module: mxrelay.postfix.main_cf
  - name: master(5)
    description: The format of master.cf.
    link: https://www.postfix.org/master.5.html
"""

EXAMPLES = r"""
- name: Stop the relay service from using a fallback relay
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

- name: Remove one service, and one override of another
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
  description: The path of the file.
  type: str
  returned: success
  sample: /etc/postfix/master.cf
changed_services:
  description:
    - The services that changed, or in check mode would change, with their lines before and after.
    - The lines are null if the service does not exist.
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
  description: Whether a running Postfix must be reloaded.
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
