#!/usr/bin/python
# Copyright: the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: main_cf
short_description: Set parameters and list members in Postfix's main.cf
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Sets, extends and removes parameters in C(main.cf), in one step whatever their number.
  - Everything that is not asked for stays as it is to the byte. That holds for comments, the order of lines, the layout
    of long lists, and for owner, mode, ACL, SELinux context and symbolic links of the file.
  - A parameter that already says the same is not written again, so that the file keeps its inode and time of change.
    A list says the same whatever its separators and line breaks are, and whatever its order is where Postfix does not
    care, as in C(relay_domains) without V(!) members. Truth values, numbers and times say the same in any of their
    forms and units.
  - Values that Postfix would misread are refused, since C(postfix check) is silent about most of them. These are bad
    times, truth values and numbers, networks with bits beyond their mask, misspelled restrictions, and tables of a type
    that this host's Postfix does not have. A value that refers to other parameters is not judged.
  - The outcome is tried before it goes live. C(postconf), and outside check mode C(postfix check), must accept it in a
    scratch directory, with a queue of its own. What they say about unused and undefined parameters are warnings of the
    task.
  - Takes the lock that C(postconf -e) takes, so that a change made at the same time is not lost.
  - Of several definitions of a parameter, Postfix takes the last. Only this one is left when the parameter is changed
    by this module; for other parameters the module warns.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
options:
  parameters:
    description:
      - Parameters and the values that they are to have.
      - A list is joined with commas, and written one member a line when it is long. V(true) and V(false) become V(yes)
        and V(no).
      - An empty string sets an explicitly empty value. Null is refused.
      - A name that Postfix does not know is refused, see O(allow_unknown).
    type: dict
    default: {}
  absent:
    description:
      - Parameters to remove from the file, so that Postfix's default is in force again.
    type: list
    elements: str
    default: []
  add_items:
    description:
      - Names of list parameters, each with the members that the list must hold. What is missing is added at the end,
        in the layout that the list has. Other members and their order stay.
      - Where the parameter is not set, its default on this host is written first, for example V($mydestination) for
        C(relay_domains) at compatibility levels below 2.
      - C(mynetworks) is refused while it is not set, since Postfix computes it. Set it in O(parameters).
    type: dict
    default: {}
  remove_items:
    description:
      - Names of list parameters, each with the members that the list must not hold. Other members and their order stay.
      - A list whose last member is removed stays as an explicitly empty value.
    type: dict
    default: {}
  allow_unknown:
    description:
      - Whether to set parameters whose name neither Postfix knows nor C(main.cf) or C(master.cf) refers to, as the
        parameters of a service that is added to C(master.cf) afterwards.
    type: bool
    default: false
notes:
  - Does not reload Postfix. RV(reload_needed) and RV(restart_needed) tell what a running Postfix needs.
  - Other hard links of the file keep the old content, of which a warning tells. Symbolic links go on working.
seealso:
  - module: mxrelay.postfix.master_cf
  - module: mxrelay.postfix.postfix_info
  - name: postconf(5)
    description: All parameters of Postfix.
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

- name: Relay for one more domain, and no longer for another one
  mxrelay.postfix.main_cf:
    add_items:
      relay_domains: [x.example]
      relay_recipient_maps: ["hash:/etc/postfix/relay_recipients"]
    remove_items:
      relay_domains: [y.example]

- name: Return to the default of a parameter
  mxrelay.postfix.main_cf:
    absent: [soft_bounce]
"""

RETURN = r"""
path:
  description: The file.
  type: str
  returned: success
  sample: /etc/postfix/main.cf
changed_parameters:
  description:
    - The parameters that changed, or in check mode would change, with their value before and after.
    - The value is null where the parameter is not set, which tells a parameter at its default from one that is set to
      the same value.
  type: dict
  returned: success
  sample:
    relay_domains:
      before: $mydestination
      after: $mydestination, x.example
reload_needed:
  description: Whether a running Postfix has to be reloaded or restarted.
  type: bool
  returned: success
restart_needed:
  description: Whether Postfix has to be stopped and started, as C(inet_interfaces) and C(inet_protocols) demand.
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
