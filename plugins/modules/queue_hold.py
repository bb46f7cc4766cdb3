#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: queue_hold
short_description: Put queued mail of some domains on hold, or release it
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Puts what is queued for some domains on hold, where Postfix neither retries it nor returns it to its senders, or
    releases what is on hold for them. Uses C(postsuper -h) and C(postsuper -H), and so keeps the age of the messages.
  - Mail that arrives later is not put on hold; run the module again for that.
  - A delivery that is under way may end first, for up to 40 seconds. What is still tried then is put on hold, and
    counted in RV(lines); it may arrive all the same. The release removes what has arrived so, and counts it as well.
  - Releases whatever is on hold for the domains, and reports how much of it others had put there. Released mail is
    retried by the next queue run, or with O(flush) at once. What has expired meanwhile is returned to its sender if
    that fails.
  - Never touches reports of refused mail, which are M(mxrelay.postfix.queue_release)'s work.
  - Keeps the ids of what it put on hold in C(.mxrelay-held) in O(config_directory), open to nobody but root.
  - Returns no sender or recipient addresses.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
attributes:
  diff_mode:
    description: Shows how many messages are on hold for each domain, before and after.
    support: full
options:
  state:
    description:
      - V(held) puts the mail on hold.
      - V(released) releases it.
      - V(shown) counts what is on hold, and changes nothing.
    type: str
    choices: [shown, held, released]
    required: true
  domains:
    description:
      - The domains of the recipients.
      - Required unless O(all) is set or O(state=shown).
    type: list
    elements: str
    default: []
  all:
    description: Whether to do it for all domains.
    type: bool
    default: false
  subdomains:
    description: Whether to do it for the subdomains of O(domains) as well.
    type: bool
    default: false
  mixed:
    description:
      - Whether to do it also with messages that have recipients at other domains as well, for whom it is done then too.
        Otherwise they are left, and counted.
    type: bool
    default: false
  flush:
    description:
      - With O(state=released), whether to make Postfix retry what was released at once, by one C(postqueue -i) a
        message.
    type: bool
    default: false
seealso:
  - module: mxrelay.postfix.queue_info
  - module: mxrelay.postfix.queue_flush
  - module: mxrelay.postfix.queue_release
  - name: postsuper(1)
    description: The command that puts messages on hold and releases them.
    link: https://www.postfix.org/postsuper.1.html
"""

EXAMPLES = r"""
- name: Keep what is queued for a customer until the new mail host is ready
  mxrelay.postfix.queue_hold:
    state: held
    domains: [customer.example]

- name: Release it
  mxrelay.postfix.queue_hold:
    state: released
    domains: [customer.example]
"""

RETURN = r"""
state:
  description: What was done, or in check mode would be.
  type: str
  returned: success
  sample: released
count:
  description: The number of messages with which it was done.
  type: int
  returned: success
  sample: 12
domains:
  description: The number of these for each domain that has any. A message for several domains counts in each of them.
  type: dict
  returned: success
  sample:
    customer.example: 12
by_queue_hold:
  description: How many of them this module had put on hold.
  type: int
  returned: unless O(state=held)
  sample: 10
by_others:
  description: How many of them others had put on hold.
  type: int
  returned: unless O(state=held)
  sample: 2
left:
  description: The number of messages that were left because they also have recipients at other domains.
  type: int
  returned: success
  sample: 0
lines:
  description: The counts in words.
  type: list
  elements: str
  returned: success
  sample:
    - "customer.example: 12 messages released"
    - 10 of them put on hold by queue_hold, 2 by others
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.queue_hold import HOLD_SPEC, queue_hold
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(queue_hold, HOLD_SPEC)


if __name__ == "__main__":
    main()
