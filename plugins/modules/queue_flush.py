#!/usr/bin/python
# Copyright: the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: queue_flush
short_description: Have Postfix deliver now what waits in its queue
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Has Postfix try at once to deliver what waits for some domains, or everything, as after an outage of a mail host.
  - For domains that C(fast_flush_domains) names (by default those in C(relay_domains)) this is one C(postqueue -s) for
    each domain, for others one C(postqueue -i) for each message, and without domains one C(postqueue -f).
  - Returns when Postfix has taken the request. Whether the mail is delivered is up to the mail host;
    M(mxrelay.postfix.queue_info) tells what waits afterwards.
  - Messages on hold stay where they are, and are warned of.
requirements:
  - Postfix 2.4 or later
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
attributes:
  diff_mode:
    description: Changes no file, so that there is nothing to show.
    support: N/A
  idempotent:
    description: Reports a change as long as something waits, since each run has it tried again.
    support: partial
    details:
      - Where nothing waits, nothing is done.
options:
  domains:
    description:
      - The domains whose mail is to be delivered.
      - Empty means everything in the queue.
    type: list
    elements: str
    default: []
seealso:
  - module: mxrelay.postfix.queue_info
"""

EXAMPLES = r"""
- name: Deliver what waited for this customer's mail host
  mxrelay.postfix.queue_flush:
    domains: [customer.example]
"""

RETURN = r"""
count:
  description: How many messages are tried again, or in check mode would be.
  type: int
  returned: success
  sample: 2
domains:
  description: How many for each domain that something waited for. A message for several domains counts in each of them.
  type: dict
  returned: success
  sample:
    customer.example: 2
held:
  description: How many messages stay on hold, for each domain that has some.
  type: dict
  returned: success
  sample: {}
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.queue import QUEUE_SPEC, queue_flush
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(queue_flush, QUEUE_SPEC)


if __name__ == "__main__":
    main()
