#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mx_outage
short_description: Prepare an MX host for an outage of mail hosts
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Measures how much mail comes for domains whose mail host goes away, and what room the queue has. Raises
    C(maximal_queue_lifetime) until the outage is over, and takes it back. The playbooks C(outage_begin) and
    C(outage_end) use it.
  - The raise stands in C(.mxrelay-outage) in O(config_directory), a JSON file that only root can read, with the value
    from before. While it stands, the roles P(mxrelay.postfix.secondary_mx#role), P(mxrelay.postfix.primary_mx#role) and
    P(mxrelay.postfix.mx#role) do not make the lifetime shorter. The first run of a role after the last outage was to be
    over takes it back.
  - Of several outages the longest lifetime holds until the last one is over.
  - A value that somebody has changed meanwhile is not taken back. RV(lines) says so.
  - If the change fails, everything is as it was.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
attributes:
  diff_mode:
    description: Shows the change of main.cf and of the record.
    support: full
options:
  state:
    description:
      - V(checked) changes nothing, and tells how much mail is expected.
      - V(begun) raises C(maximal_queue_lifetime) to O(lifetime) for O(length), if it is shorter, and makes Postfix read
        it. The length of an outage that stands already counts from its beginning.
      - V(ended) takes the raise back once no other domain needs it. Without O(domains), for all domains.
      - V(forgotten) removes the record if its outages are over, and leaves main.cf as it is. The roles use it.
    type: str
    choices: [checked, begun, ended, forgotten]
    default: checked
  domains:
    description:
      - The domains whose mail host goes away. Those that this host does not relay are left out.
      - Required with O(state=begun).
    type: list
    elements: str
    default: []
  length:
    description:
      - How long the outage is to last, as a Postfix time value such as V(12h) or V(3d), V(100d) at the most.
      - Required with O(state=begun).
    type: str
  lifetime:
    description:
      - How long mail is to wait in the queue meanwhile, as a Postfix time value, V(100d) at the most.
      - Required with O(state=begun).
    type: str
  force:
    description:
      - With O(state=ended), whether to take the raise back although messages have waited longer than the value from
        before allows. They are returned to their senders at their next failed try.
    type: bool
    default: false
  volume:
    description:
      - With O(state=checked), how much mail comes for all O(domains) together in a day, such as V(500M) or V(2G).
        Without it, it is measured from the mail log.
    type: str
seealso:
  - module: mxrelay.postfix.mx_info
  - module: mxrelay.postfix.mx_plan
  - name: maximal_queue_lifetime
    description: The parameter that is raised.
    link: https://www.postfix.org/postconf.5.html#maximal_queue_lifetime
"""

EXAMPLES = r"""
- name: Let mail for a domain wait for ten days while its mail host is away for three
  mxrelay.postfix.mx_outage:
    state: begun
    domains: [customer.example]
    length: 3d
    lifetime: 10d

- name: Take the raise back
  mxrelay.postfix.mx_outage:
    state: ended
    domains: [customer.example]
"""

RETURN = r"""
domains:
  description: Those of O(domains) that this host relays.
  type: list
  elements: str
  returned: if O(state) is V(checked) or V(begun)
  sample: [customer.example]
elsewhere:
  description: Those of O(domains) that it does not.
  type: list
  elements: str
  returned: if O(state) is V(checked) or V(begun)
raise:
  description: The record of the raise as it is then; null if there is none.
  type: dict
  returned: success
  contains:
    parameter:
      description: The parameter that is raised.
      type: str
    before:
      description: What main.cf said before; null if it did not set the parameter.
      type: str
    value:
      description: What main.cf says meanwhile.
      type: str
    outages:
      description:
        - The outages by domain, each with C(began) and C(expiry), in seconds since the epoch, and with C(length) and
          C(lifetime).
      type: dict
  sample:
    parameter: maximal_queue_lifetime
    before: 5d
    value: 10d
    outages:
      customer.example:
        began: 1795359466
        length: 3d
        lifetime: 10d
        expiry: 1795618666
volume:
  description:
    - How much mail is expected in a day for all RV(domains) together. C(size), in bytes, and C(messages) are null if
      that is not known. C(days) is how long the part of the log is that was read, null if the volume was given;
      C(domains) has the same for each domain.
  type: dict
  returned: if O(state) is V(checked)
  sample:
    size: 524288000
    messages: 12000
    days: 6.8
    domains:
      customer.example:
        size: 524288000
        messages: 12000
expected:
  description: The same in words.
  type: list
  elements: str
  returned: if O(state) is V(checked)
  sample:
    - "expected in a day: 500 MiB in 12000 messages, as the last 6.8 days of the log tell"
lines:
  description: What became of the raise, in words.
  type: list
  elements: str
  returned: success
  sample:
    - maximal_queue_lifetime is 10d until 2026-11-26 21:37 UTC, then 5d again
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx_outage import OUTAGE_SPEC, outage
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(
        outage,
        OUTAGE_SPEC,
        required_if=[("state", "begun", ["domains", "length", "lifetime"])],
    )


if __name__ == "__main__":
    main()
