#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: queue_watch
short_description: Watch a queue until it is empty, and report progress meanwhile
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Watches what is queued for some domains, or for all, until it is gone or the time is over. With O(flush), first
    makes Postfix retry it, as M(mxrelay.postfix.queue_flush) does, and again after each look at which none had gone.
  - While it runs, prints a line of progress at each look, with the messages that wait, those that are gone, the rate,
    and the time that is left at this rate. The controller prints it, so the task can't have C(async).
  - Watches the messages that were queued when it began. Those that arrive later are counted as RV(later). A message is
    gone when it was delivered, or returned to its sender.
  - Neither watches nor retries messages on hold.
  - Does not fail if messages stay in the queue. RV(waiting) tells how many do, and RV(reasons) tells why.
  - Returns no sender or recipient addresses.
  - Fails if the queue can't be read, or with O(flush) if mail is queued and Postfix is not running.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
attributes:
  check_mode:
    details:
      - Looks once, and does not wait.
  diff_mode:
    description: Changes no file, so there is nothing to show.
    support: N/A
  idempotent:
    description: Reports a change if O(flush) is set and mail is queued, because each run makes Postfix retry it.
    support: partial
    details:
      - If nothing is queued, nothing is done.
options:
  domains:
    description:
      - The domains whose mail to watch.
      - By default everything in the queue.
    type: list
    elements: str
    default: []
  flush:
    description: Whether to make Postfix retry this mail first.
    type: bool
    default: false
  wait:
    description: For how many seconds to watch. V(0) looks once.
    type: int
    default: 600
  interval:
    description: After how many seconds to look again and to print a line. At least V(1).
    type: int
    default: 10
  _look:
    description: Internal. When the watch began, and for how long to look.
    type: dict
seealso:
  - module: mxrelay.postfix.queue_flush
  - module: mxrelay.postfix.queue_info
  - module: mxrelay.postfix.queue_limits
"""

EXAMPLES = r"""
- name: Deliver what was queued during an outage, and watch it go
  mxrelay.postfix.queue_watch:
    domains: [customer.example]
    flush: true
    wait: 1800
  register: watched

- name: Fail if mail is still queued
  ansible.builtin.assert:
    that: watched.waiting == 0
    fail_msg: "{{ watched.lines }}"
"""

RETURN = r"""
start:
  description: The number of messages that were queued at the beginning.
  type: int
  returned: success
  sample: 1000
gone:
  description: How many of them have left the queue.
  type: int
  returned: success
  sample: 988
waiting:
  description: How many of them still wait.
  type: int
  returned: success
  sample: 12
domains:
  description: The number of these for each domain that has any. A message for several domains counts in each of them.
  type: dict
  returned: success
  sample:
    customer.example: 12
reasons:
  description: The most frequent reasons why they wait, at most 10, each with its number of recipients.
  type: list
  elements: dict
  returned: success
  sample:
    - reason: "host mail.customer.example[192.0.2.5] said: 450 4.2.1 greylisted"
      recipients: 12
later:
  description: The number of messages that arrived since the beginning, and wait.
  type: int
  returned: success
  sample: 0
held:
  description: The number of messages on hold for these domains.
  type: int
  returned: success
  sample: 0
seconds:
  description: For how many seconds it was watched.
  type: float
  returned: success
  sample: 102.4
rate:
  description: The number of messages a second that left the queue during the last minute of the watch.
  type: float
  returned: success
  sample: 9.8
lines:
  description: The outcome in words. If mail stays, the first line says how much, and each other line gives a reason.
  type: list
  elements: str
  returned: success
  sample:
    - 12 of 1000 messages are still queued after 600 s
    - "12 recipients: host mail.customer.example[192.0.2.5] said: 450 4.2.1 greylisted"
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.queue_watch import WATCH_SPEC, queue_watch
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(queue_watch, WATCH_SPEC)


if __name__ == "__main__":
    main()
