#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: queue_release
short_description: Deliver again, bounce or delete what is kept of refused mail
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Shows, delivers again, bounces or deletes the reports of refused mail that wait on hold, each with the message that
    could not be delivered. Domains with C(refused_mail=hold) have such.
  - Touches nothing else on hold. Only what bounce(8) of this host wrote, as its queue file proves, is a report.
  - Leaves a report that also concerns domains or causes that were not chosen, and says so.
  - Returns no sender or recipient addresses.
requirements:
  - Postfix 2.7 or later for O(action=deliver)
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
attributes:
  diff_mode:
    description: Shows how many reports are kept, by domain and cause, before and after.
    support: full
  idempotent:
    description: Reports a change as long as there are reports to act on.
    support: full
options:
  action:
    description:
      - V(show) counts the reports, and changes nothing.
      - V(deliver) gives each original message to Postfix again, for the recipients that did not get it, and then
        deletes the report. If the run is killed in between, the next run delivers that message twice. What the mail
        host still refuses is kept again.
      - V(bounce) releases each report to the sender of the message. If that was forged, a stranger gets the report.
      - V(delete) deletes each report with the message in it.
    type: str
    choices: [show, deliver, bounce, delete]
    default: show
  domains:
    description:
      - The domains of the recipients that did not get their mail.
      - Required unless O(all) is set or O(action=show).
    type: list
    elements: str
    default: []
  all:
    description: Whether to act on the reports of all domains.
    type: bool
    default: false
  subdomains:
    description: Whether recipients at subdomains of O(domains) are chosen as well.
    type: bool
    default: false
  causes:
    description:
      - Only reports for these causes, as RV(total.causes) names them, or their part before the colon alone.
      - V(refused) by the mail host for good, V(expired) in the queue, V(too large) for the mail host,
        V(SMTPUTF8 not offered) by the mail host, V(not sent) by this host for another reason, or V(delay notice).
      - By default any cause.
    type: list
    elements: str
    default: []
seealso:
  - module: mxrelay.postfix.queue_info
  - module: mxrelay.postfix.queue_flush
  - name: postsuper(1)
    description: The command that releases and deletes messages on hold.
    link: https://www.postfix.org/postsuper.1.html
"""

EXAMPLES = r"""
- name: Show what is kept
  mxrelay.postfix.queue_release:

- name: Deliver what the mail host refused before it trusted this host
  mxrelay.postfix.queue_release:
    action: deliver
    domains: [customer.example]
    causes: [refused]
"""

RETURN = r"""
action:
  description: What was done, or in check mode would be.
  type: str
  returned: success
  sample: deliver
total:
  description: The reports with which it was done.
  type: dict
  returned: success
  contains:
    count:
      description: The number of reports.
      type: int
    recipients:
      description: The number of recipients that did not get the messages.
      type: int
    size:
      description: The total size of the reports, in bytes.
      type: int
    oldest:
      description: When the oldest report was made, in seconds since the epoch; null if there is none.
      type: int
    age:
      description: The number of seconds since then; null if there is none.
      type: int
    causes:
      description: The causes, the most frequent first, each with its number of reports.
      type: list
      elements: dict
  sample:
    count: 2
    recipients: 3
    size: 5120
    oldest: 1795359466
    age: 3600
    causes:
      - cause: "refused: 550 5.7.1"
        count: 2
domains:
  description: The same for each domain, by its name. A report for several domains counts in each of them.
  type: dict
  returned: success
left:
  description: Why reports are left, each reason with their number.
  type: list
  elements: dict
  returned: success
  sample:
    - reason: also concerns other domains or causes; choose those as well
      count: 1
lines:
  description: The counts in words.
  type: list
  elements: str
  returned: success
  sample:
    - "customer.example: 2 reports given to Postfix to deliver again (refused: 550 5.7.1: 2)"
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.queue import RELEASE_SPEC, queue_release
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(queue_release, RELEASE_SPEC)


if __name__ == "__main__":
    main()
