#!/usr/bin/python
# Copyright: the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: queue_info
short_description: Tell what waits in Postfix's queue, for which domains, how long and why
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Reads the queue of a Postfix instance with C(postqueue), and adds up what waits for each domain of recipients.
  - Returns no addresses of senders or recipients. In the reasons, addresses are reduced to their domain.
  - Fails where C(postqueue) prints nothing for 60 seconds, which waits for a daemon that can't start.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.info
options:
  domains:
    description:
      - The domains to tell about. One that nothing waits for is returned with a RV(domains.count) of 0.
      - Empty means every domain that mail waits for.
    type: list
    elements: str
    default: []
seealso:
  - module: mxrelay.postfix.queue_flush
  - module: mxrelay.postfix.mx_info
"""

EXAMPLES = r"""
- name: Look at the queue
  mxrelay.postfix.queue_info:
    domains: [customer.example]
  register: queue

- name: Say how long the oldest message has been waiting
  ansible.builtin.debug:
    msg: "{{ queue.domains['customer.example'].age }} seconds"
  when: queue.domains['customer.example'].count > 0
"""

RETURN = r"""
total:
  description: All messages together that wait for the given domains, with the keys of RV(domains).
  type: dict
  returned: success
  sample:
    count: 2
    recipients: 3
    size: 5120
    held: 0
    oldest: 1795359466
    age: 3600
    reasons:
      - reason: "connect to mail.customer.example[192.0.2.5]:25: Connection refused"
        recipients: 3
domains:
  description: What waits for each domain, by its name.
  type: dict
  returned: success
  contains:
    count:
      description: How many messages wait. A message for several domains counts in each of them.
      type: int
    recipients:
      description: For how many recipients they wait.
      type: int
    size:
      description: Bytes of these messages.
      type: int
    held:
      description: How many of them are on hold, and stay until an administrator releases them.
      type: int
    oldest:
      description: When the oldest arrived, in seconds since 1970; null where nothing waits.
      type: int
    age:
      description: Seconds since then; null where nothing waits.
      type: int
    reasons:
      description: The most frequent reasons why deliveries failed, at most 10, each with the number of recipients.
      type: list
      elements: dict
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.queue import QUEUE_SPEC, queue_info
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(queue_info, QUEUE_SPEC)


if __name__ == "__main__":
    main()
