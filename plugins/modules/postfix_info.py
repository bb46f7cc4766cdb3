#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postfix_info
short_description: Report the version, parameters, services and tables of a Postfix instance
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Returns version, parameters, services and lookup tables of a Postfix instance, and which table types work there.
  - If Postfix or the instance is missing, RV(installed) is V(false) and everything else is empty.
  - Fails if C(main.cf) or C(master.cf) can't be read.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.info
  - mxrelay.postfix.postfix.action_group
options:
  parameters:
    description:
      - The names of the parameters to return in RV(parameters) and RV(explicit_parameters). By default all are
        returned.
    type: list
    elements: str
    default: []
seealso:
  - module: mxrelay.postfix.main_cf
  - module: mxrelay.postfix.master_cf
  - name: postconf(1)
    description: The command that reads parameters and services.
    link: https://www.postfix.org/postconf.1.html
  - name: MULTI_INSTANCE_README
    description: Several instances of Postfix on one host.
    link: https://www.postfix.org/MULTI_INSTANCE_README.html
"""

EXAMPLES = r"""
- name: Read two parameters
  mxrelay.postfix.postfix_info:
    parameters: [relay_domains, relayhost]
  register: postfix

- name: Show the tables whose index does not match its source
  ansible.builtin.debug:
    msg: "{{ postfix.tables | rejectattr('index', 'in', ['current', 'none']) | map(attribute='reference') }}"
"""

RETURN = r"""
installed:
  description: Whether Postfix and the C(main.cf) of this instance exist.
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
  description:
    - All instances of Postfix on this host, as C(postmulti -l) lists them. With no others, only the default instance.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: The name of the instance, empty if it has none, as the default instance may.
      type: str
      sample: ""
    group:
      description: The group of the instance, empty if it has none.
      type: str
      sample: ""
    enabled:
      description: Whether it starts together with the others.
      type: bool
      sample: true
    config_directory:
      description: Its configuration directory, for the option O(config_directory) of every module in this collection.
      type: str
      sample: /etc/postfix
table_types:
  description:
    - The types of local lookup tables that work on this host, determined by building and querying a table of each.
  type: list
  elements: str
  returned: success
  sample: [hash, btree, texthash, regexp, cidr]
default_database_type:
  description: The type of a table for which none is named.
  type: str
  returned: success
  sample: hash
parameters:
  description: Parameters with the values in force, C($name) expanded.
  type: dict
  returned: success
  sample:
    relay_domains: x.example, y.example
explicit_parameters:
  description: Parameters that C(main.cf) sets, with the values as written there.
  type: dict
  returned: success
  sample:
    relay_domains: $mydestination, x.example
services:
  description: The services in C(master.cf), in the order of the file. A field is V(-) if it is V(-) in the file.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: The name.
      type: str
      sample: relay
    type:
      description: The type.
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
      description: A number of seconds, or V(-).
      type: str
      sample: "-"
    process_limit:
      description: The maximum number of processes, or V(-).
      type: str
      sample: "-"
    command:
      description: The program with its arguments, without overrides.
      type: str
      sample: smtp
    overrides:
      description: The parameters that are overridden for this service.
      type: dict
      sample:
        smtp_fallback_relay: ""
tables:
  description:
    - The local tables that parameters in C(main.cf) and overrides in C(master.cf) name, without aliases and caches.
  type: list
  elements: dict
  returned: success
  contains:
    reference:
      description: Type and path of the table, as C(main.cf) names them.
      type: str
      sample: hash:/etc/postfix/relay_recipients
    type:
      description: The type.
      type: str
      sample: hash
    path:
      description: The path of the source.
      type: str
      sample: /etc/postfix/relay_recipients
    parameters:
      description:
        - The parameters that name the table. An override is preceded by its service, as in
          C(submission/inet/smtpd_sender_login_maps).
      type: list
      elements: str
      sample: [relay_recipient_maps]
    entries:
      description: The number of entries in the source; null if there is no source.
      type: int
      sample: 42
    modified:
      description: When the source was last written, in seconds since the epoch; null if there is no source.
      type: int
      sample: 1795359466
    index:
      description:
        - V(current), V(stale), V(missing) or V(unreadable), determined by comparing the index with its source.
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
