#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: queue_flush
short_description: Make Postfix retry queued mail now
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Makes Postfix retry queued mail at once, for some domains or for all, as after an outage of a mail host.
  - Uses one C(postqueue -s) per domain for domains in C(fast_flush_domains) (by default those in C(relay_domains)), one
    C(postqueue -i) per message for other domains, and one C(postqueue -f) if no domains are given. See postqueue(1).
  - After a change of a transport table without a reload, waits until Postfix uses the new table, which takes up to 40
    seconds from the change. The roles reload Postfix, so nothing is waited for after them.
  - Returns once Postfix has accepted the request, unless O(wait) is set. Whether the mail is then delivered is up to
    the mail host; M(mxrelay.postfix.queue_info) reports what is still queued.
  - Leaves messages on hold, with a warning. What is kept of refused mail is M(mxrelay.postfix.queue_release)'s work.
  - Fails if mail is queued and Postfix is not running, or if the queue can't be read.
requirements:
  - Postfix 2.4 or later
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
attributes:
  diff_mode:
    description: Changes no file, so there is nothing to show.
    support: N/A
  idempotent:
    description: Reports a change as long as mail is queued, because each run makes Postfix retry it.
    support: partial
    details:
      - If nothing is queued, nothing is done.
options:
  domains:
    description:
      - The domains whose mail to retry.
      - By default everything in the queue.
    type: list
    elements: str
    default: []
  wait:
    description:
      - For how many seconds to wait until the messages that are retried have left the queue. Mail that comes in
        meanwhile is not waited for.
    type: int
    default: 0
seealso:
  - module: mxrelay.postfix.queue_info
  - module: mxrelay.postfix.queue_release
  - name: postqueue(1)
    description: The command that makes Postfix retry queued mail.
    link: https://www.postfix.org/postqueue.1.html
"""

EXAMPLES = r"""
- name: Retry the mail that was queued during an outage of this customer's mail host
  mxrelay.postfix.queue_flush:
    domains: [customer.example]
"""

RETURN = r"""
count:
  description: The number of messages that are retried, or in check mode would be.
  type: int
  returned: success
  sample: 2
domains:
  description:
    - The number of these messages for each domain that has any. A message for several domains counts in each of them.
  type: dict
  returned: success
  sample:
    customer.example: 2
held:
  description: The number of messages that stay on hold, for each domain that has any.
  type: dict
  returned: success
  sample: {}
left:
  description: The number of retried messages that are still in the queue.
  type: int
  returned: if O(wait) is set and mail was retried
  sample: 0
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.queue import FLUSH_SPEC, queue_flush
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(queue_flush, FLUSH_SPEC)


if __name__ == "__main__":
    main()
