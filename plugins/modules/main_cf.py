#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: main_cf
short_description: Manage parameters and list members in Postfix's main.cf
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Sets, extends and removes parameters in C(main.cf), any number of them in one step. The format is that of
    postconf(5).
  - Leaves everything else unchanged, byte for byte. That includes comments, the order of lines and the layout of long
    lists, and the file's owner, mode, ACL, SELinux context and symbolic links.
  - Does not rewrite a parameter that already means the same, so an unchanged file keeps its inode and modification
    time. Lists mean the same regardless of their separators and line breaks, and regardless of their order if Postfix
    ignores it, as in C(relay_domains) without V(!) members. Truth values, numbers and times mean the same in any form
    and unit.
  - Refuses values that Postfix would misread, since C(postfix check) accepts most of them silently. These are invalid
    times, truth values and numbers, networks with bits beyond their mask, misspelled restrictions, and tables of a type
    that this host's Postfix does not have. A value that refers to other parameters is not checked.
  - Tests the result before it goes live. In a scratch directory with a queue of its own, C(postconf) must accept it,
    and outside check mode C(postfix check) must too. What they say about unused and undefined parameters becomes
    warnings of the task.
  - Takes the lock that C(postconf -e) takes, so a change made at the same time is not lost.
  - If a parameter is defined more than once, Postfix uses the last definition. The module keeps only that one when it
    changes the parameter, and warns about other parameters that are defined more than once.
  - Fails without changing the file if it refuses a name or a value, if Postfix does not accept the result, or if
    C(main.cf) is missing.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
options:
  parameters:
    description:
      - Parameters to set, with their values.
      - A list is joined with commas, and written with one member per line if it is long. V(true) and V(false) become
        V(yes) and V(no).
      - An empty string sets an explicitly empty value. Null is refused.
      - A name that Postfix does not know is refused unless O(allow_unknown=true).
    type: dict
    default: {}
  absent:
    description:
      - Parameters to remove from the file, which puts Postfix's default back in force.
    type: list
    elements: str
    default: []
  add_items:
    description:
      - Names of list parameters, each with the members that the list must contain. Missing members are added at the
        end, in the layout of the list. Other members and their order stay.
      - If the parameter is not set, its default on this host is written first, such as V($mydestination) for
        C(relay_domains) at compatibility levels below 2.
      - C(mynetworks) is refused while it is not set, because Postfix computes its default. Set it in O(parameters).
    type: dict
    default: {}
  remove_items:
    description:
      - Names of list parameters, each with the members that the list must not contain. Other members and their order
        stay.
      - A list that loses its last member stays as an explicitly empty value.
    type: dict
    default: {}
  allow_unknown:
    description:
      - Whether to set parameters that Postfix does not know and that neither C(main.cf) nor C(master.cf) refers to,
        such as the parameters of a service that is added to C(master.cf) later.
    type: bool
    default: false
notes:
  - Does not reload Postfix. RV(reload_needed) and RV(restart_needed) say what a running Postfix needs.
  - Other hard links to the file keep the old content, with a warning. Symbolic links keep working.
  - A directory that others than root can write to, on the way to the file, is refused.
seealso:
  - module: mxrelay.postfix.master_cf
  - module: mxrelay.postfix.postfix_info
  - name: postconf(5)
    description: All parameters of Postfix, and the format of main.cf.
    link: https://www.postfix.org/postconf.5.html
"""

EXAMPLES = r"""
- name: Refuse mail for other domains, and keep undelivered mail for 10 days
  mxrelay.postfix.main_cf:
    parameters:
      smtpd_relay_restrictions:
        - permit_mynetworks
        - permit_sasl_authenticated
        - reject_unauth_destination
      maximal_queue_lifetime: 10d

- name: Relay for one more domain, and stop relaying for another
  mxrelay.postfix.main_cf:
    add_items:
      relay_domains: [x.example]
      relay_recipient_maps: ["hash:/etc/postfix/relay_recipients"]
    remove_items:
      relay_domains: [y.example]

- name: Return a parameter to its default
  mxrelay.postfix.main_cf:
    absent: [soft_bounce]
"""

RETURN = r"""
path:
  description: The path of the file.
  type: str
  returned: success
  sample: /etc/postfix/main.cf
changed_parameters:
  description:
    - The parameters that changed, or in check mode would change, with their values before and after.
    - The value is null if the parameter is not set, which is different from being set to its default.
  type: dict
  returned: success
  sample:
    relay_domains:
      before: $mydestination
      after: $mydestination, x.example
reload_needed:
  description: Whether a running Postfix must be reloaded or restarted.
  type: bool
  returned: success
restart_needed:
  description: Whether Postfix must be stopped and started, as for C(inet_interfaces) and C(inet_protocols).
  type: bool
  returned: success
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.configuration import change_main_cf
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(
        change_main_cf,
        {
            "parameters": {"type": "dict", "default": {}},
            "absent": {"type": "list", "elements": "str", "default": []},
            "add_items": {"type": "dict", "default": {}},
            "remove_items": {"type": "dict", "default": {}},
            "allow_unknown": {"type": "bool", "default": False},
            "config_directory": {"type": "path", "default": "/etc/postfix"},
        },
    )


if __name__ == "__main__":
    main()
