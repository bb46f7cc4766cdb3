#!/usr/bin/python
# Copyright: the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postfix_info
short_description: Gather what there is of a Postfix instance
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Returns version, parameters, services and lookup tables of a Postfix instance, and which types of tables work there.
  - Where Postfix or the instance is missing, RV(installed) is V(false), and the rest is empty.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.info
options:
  parameters:
    description:
      - Names of the parameters to return in RV(parameters) and RV(explicit_parameters). Without any, all are returned.
    type: list
    elements: str
    default: []
seealso:
  - module: mxrelay.postfix.main_cf
  - module: mxrelay.postfix.master_cf
"""

EXAMPLES = r"""
- name: Look at Postfix
  mxrelay.postfix.postfix_info:
    parameters: [relay_domains, relayhost]
  register: postfix

- name: Say which tables need attention
  ansible.builtin.debug:
    msg: "{{ postfix.tables | rejectattr('index', 'in', ['current', 'none']) | map(attribute='reference') }}"
"""

RETURN = r"""
installed:
  description: Whether Postfix and this instance's C(main.cf) are there.
  type: bool
  returned: success
version:
  description: The value of C(mail_version).
  type: str
  returned: success
  sample: 3.10.13
instance:
  description: Directories, users and names of the instance, by the name of their parameter.
  type: dict
  returned: success
  sample:
    config_directory: /etc/postfix
    queue_directory: /var/spool/postfix
    mail_owner: postfix
    multi_instance_name: ""
instances:
  description: All instances of Postfix on this host, as C(postmulti -l) lists them. Without others it is the default one.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: The instance's name, empty where it has none, as the default instance may.
      type: str
      sample: ""
    group:
      description: The group that it belongs to, empty where there is none.
      type: str
      sample: ""
    enabled:
      description: Whether it starts together with the others.
      type: bool
      sample: true
    config_directory:
      description: Its configuration directory, which is the option O(config_directory) of every module here.
      type: str
      sample: /etc/postfix
table_types:
  description: Types of local lookup tables that work on this host, as building and querying one of each has shown.
  type: list
  elements: str
  returned: success
  sample: [hash, btree, texthash, regexp, cidr]
default_database_type:
  description: The type that a table has when none is named.
  type: str
  returned: success
  sample: hash
parameters:
  description: Parameters with the value that is in force, C($name) expanded where this Postfix can do that (2.10).
  type: dict
  returned: success
  sample:
    relay_domains: x.example, y.example
explicit_parameters:
  description: Parameters that C(main.cf) sets, with the value as it is written there.
  type: dict
  returned: success
  sample:
    relay_domains: $mydestination, x.example
services:
  description: The services in C(master.cf), in its order. Fields hold V(-) where the file does.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: Name.
      type: str
      sample: relay
    type:
      description: Type.
      type: str
      sample: unix
    private:
      description: V(y), V(n) or V(-).
      type: str
      sample: "-"
    unprivileged:
      description: V(y), V(n) or V(-).
      type: str
      sample: "-"
    chroot:
      description: V(y), V(n) or V(-).
      type: str
      sample: y
    wakeup:
      description: Seconds, or V(-).
      type: str
      sample: "-"
    process_limit:
      description: Largest number of processes, or V(-).
      type: str
      sample: "-"
    command:
      description: The program with its arguments, without overrides.
      type: str
      sample: smtp
    overrides:
      description: Parameters that are overridden for this service.
      type: dict
      sample:
        smtp_fallback_relay: ""
tables:
  description:
    - The local tables that parameters in C(main.cf), and overrides in C(master.cf), name. Aliases and caches are left
      out.
  type: list
  elements: dict
  returned: success
  contains:
    reference:
      description: Type and path, as C(main.cf) names them.
      type: str
      sample: hash:/etc/postfix/relay_recipients
    type:
      description: Type.
      type: str
      sample: hash
    path:
      description: Path of the source.
      type: str
      sample: /etc/postfix/relay_recipients
    parameters:
      description:
        - The parameters that name the table. An override has its service before it,
          such as C(submission/inet/smtpd_sender_login_maps).
      type: list
      elements: str
      sample: [relay_recipient_maps]
    entries:
      description: How many entries the source holds, or null where there is no source.
      type: int
      sample: 42
    modified:
      description: When the source was last written, in seconds since 1970, or null where there is no source.
      type: int
      sample: 1795359466
    index:
      description:
        - V(current), V(stale), V(missing) or V(unreadable), as a comparison of the index with its source has shown.
        - V(none) for types that have no index.
      type: str
      sample: current
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.configuration import instance_info
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(
        instance_info,
        {
            "parameters": {"type": "list", "elements": "str", "default": []},
            "config_directory": {"type": "path", "default": "/etc/postfix"},
        },
    )


if __name__ == "__main__":
    main()
