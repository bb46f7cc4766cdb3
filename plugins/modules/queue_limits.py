#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: queue_limits
short_description: Limit for a while how fast queued mail is delivered
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Keeps a mail host that comes back from being flooded, by C(TRANSPORT_destination_concurrency_limit) and
    C(TRANSPORT_destination_rate_delay) in main.cf, for the transports by which the domains' mail goes. They hold for
    each destination of these transports.
  - Takes these back again with O(state=absent), without leaving a trace in main.cf. If the run was killed, a transient
    timer of systemd takes them back after O(duration), or else the next run of the playbook queue_flush, or of the
    roles once they have expired. A value that somebody changed meanwhile is left alone, with a warning.
  - Leaves a limit alone that is stricter in main.cf.
  - Keeps a record C(.mxrelay-limits) and the program of the timer, C(.mxrelay-limits.py), in O(config_directory)
    meanwhile, both open to nobody but root. As long as the limits hold, they are no drift for the roles.
  - Replaces limits that are set already. Reloads Postfix if main.cf changes.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
attributes:
  idempotent:
    description: A second run with the same options changes nothing but the time at which the limits expire.
    support: full
options:
  domains:
    description:
      - The domains whose mail to limit.
      - By default those for which mail is queued.
    type: list
    elements: str
    default: []
  concurrency:
    description: How many deliveries to make at a time, at most. V(0) leaves this as it is.
    type: int
    default: 0
  rate_delay:
    description:
      - How many seconds to wait between two deliveries. Postfix then makes one at a time. V(0) leaves this as it is.
    type: int
    default: 0
  duration:
    description: After how many seconds the limits are taken back if nobody does it before.
    type: int
    default: 3600
  without_timer:
    description:
      - Whether to do without a timer if systemd does not run the host. Otherwise limits are refused there, since those
        of a run that is killed would stay until the next run.
    type: bool
    default: false
  expired:
    description: With O(state=absent), whether to take back only limits whose O(duration) is over.
    type: bool
    default: false
  state:
    description: Whether the limits are to be set, or taken back.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mxrelay.postfix.queue_watch
  - name: SCHEDULER_README
    description: How Postfix limits deliveries to one destination.
    link: https://www.postfix.org/SCHEDULER_README.html
"""

EXAMPLES = r"""
- name: Deliver what was queued during an outage, two messages at a time
  block:
    - name: Set the limit
      mxrelay.postfix.queue_limits:
        domains: [customer.example]
        concurrency: 2
        duration: 1900

    - name: Make Postfix retry the mail and watch it go
      mxrelay.postfix.queue_watch:
        domains: [customer.example]
        flush: true
        wait: 1800
  always:
    - name: Take the limit back
      mxrelay.postfix.queue_limits:
        state: absent
"""

RETURN = r"""
limits:
  description: The parameters that limit, with their values.
  type: dict
  returned: success
  sample:
    relay_destination_concurrency_limit: "2"
transports:
  description: The transports by which the mail goes.
  type: list
  elements: str
  returned: success
  sample: [relay]
expires:
  description: When the limits are taken back at the latest, in seconds since the epoch; null if none is set.
  type: int
  returned: success
  sample: 1795359466
timer:
  description: Whether a timer takes them back if the run is killed.
  type: bool
  returned: success
  sample: true
taken_back:
  description: The parameters that are as before again.
  type: list
  elements: str
  returned: success
  sample: []
changed_by_others:
  description: The parameters that were changed meanwhile, and so were not taken back.
  type: list
  elements: str
  returned: success
  sample: []
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.queue_limits import LIMITS_SPEC, queue_limits
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(queue_limits, LIMITS_SPEC)


if __name__ == "__main__":
    main()
