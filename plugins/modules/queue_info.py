#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: queue_info
short_description: Report what is queued in Postfix, for which domains, for how long and why
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Reads the queue of a Postfix instance with postqueue(1), and adds up what is queued for each recipient domain.
  - Adds up what is kept of refused mail, with C(refused_mail=hold), for the domain whose mail host refused it. Such
    reports are not counted as queued. Of more than 1000 only the oldest are read; RV(unread) counts the others, which
    are then counted as on hold for the domain of the sender.
  - Estimates when the first message bounces, and how long the queue takes to drain once the mail host takes mail again,
    from what the queue files and this host's settings say.
  - Returns no sender or recipient addresses. In the reasons, addresses are reduced to their domain.
  - Fails if the queue can't be read, or if C(postqueue) prints nothing for 60 seconds, as it does while a daemon can't
    start.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.info
  - mxrelay.postfix.postfix.action_group
options:
  domains:
    description:
      - The domains to report on. A domain with nothing queued has a RV(domains.count) of 0.
      - By default every domain with queued mail.
    type: list
    elements: str
    default: []
  subdomains:
    description: Whether what is queued for subdomains of O(domains) counts as queued for them.
    type: bool
    default: false
  wait:
    description:
      - Wait up to so many seconds until nothing is queued for O(domains), and until the SMTP sessions that began before
        Postfix last reloaded, and may still bring such mail, have ended.
      - V(0) looks once.
    type: int
    default: 0
  log_megabytes:
    description:
      - How many megabytes to read from the end of the mail log, for what deliveries took and how many there were a
        second; see RV(domains.rate). The estimates then go by that.
      - V(0) reads none of it. The estimates then assume a second for a delivery.
    type: int
    default: 0
seealso:
  - module: mxrelay.postfix.queue_flush
  - module: mxrelay.postfix.queue_release
  - module: mxrelay.postfix.mx_info
  - name: postqueue(1)
    description: The command that lists the queue.
    link: https://www.postfix.org/postqueue.1.html
"""

EXAMPLES = r"""
- name: Read the queue
  mxrelay.postfix.queue_info:
    domains: [customer.example]
  register: queue

- name: Show how long the oldest message has been queued
  ansible.builtin.debug:
    msg: "{{ queue.domains['customer.example'].age }} seconds"
  when: queue.domains['customer.example'].count > 0
"""

RETURN = r"""
total:
  description: All queued messages for the given domains together, with the keys of RV(domains).
  type: dict
  returned: success
  sample:
    count: 2
    recipients: 3
    size: 5120
    held: 0
    refused: 0
    oldest: 1795359466
    age: 3600
    reasons:
      - reason: "connect to mail.customer.example[192.0.2.5]:25: Connection refused"
        recipients: 3
    causes:
      connection: 3
    kept:
      count: 0
      recipients: 0
      size: 0
      oldest: null
      age: null
      causes: []
    first_bounce: 1795793666
    to_first_bounce: 430600
    drain:
      deliveries: 2
      seconds: 1
      unaided: 3120
      from: settings
      per_delivery: 1.0
      transport: relay
      concurrency: 20
      rate_delay: 0
    rate: null
unread:
  description: How many held messages without sender were not read, and may be reports of refused mail.
  type: int
  returned: success
  sample: 0
old_sessions:
  description:
    - How many processes of the SMTP server are left from before Postfix last reloaded, each of which ends with its
      session. If a reload is pending, all of them.
  type: int
  returned: if O(wait) is given
domains:
  description: What is queued for each domain, by its name.
  type: dict
  returned: success
  contains:
    count:
      description: The number of messages. A message for several domains counts in each of them.
      type: int
    recipients:
      description: The number of their recipients.
      type: int
    size:
      description: The total size of these messages, in bytes.
      type: int
    held:
      description: The number of messages on hold, which stay until an administrator releases them.
      type: int
    refused:
      description:
        - The number of recipients that the mail host refused for good (5xx) and for which the message is tried again
          nevertheless, as with C(refused_mail_retry).
      type: int
    oldest:
      description: When the oldest message arrived, in seconds since the epoch; null if nothing is queued.
      type: int
    age:
      description: The number of seconds since then; null if nothing is queued.
      type: int
    reasons:
      description: The most frequent reasons why deliveries failed, at most 10, each with its number of recipients.
      type: list
      elements: dict
    causes:
      description:
        - How many recipients wait by the class of the reason, all reasons counted. The classes are C(connection),
          C(dns), C(tls), C(authentication), C(greylisted), C(mailbox_full), C(refused) for good (5xx), C(put_off) by
          the server (4xx), C(loop), C(local) for what is wrong on this host, and C(other). A class without recipients
          is left out.
      type: dict
    kept:
      description: The reports of refused mail that wait on hold, each with the message that could not be delivered.
      type: dict
      contains:
        count:
          description: The number of reports. One for several domains counts in each of them.
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
          description:
            - The causes, the most frequent first, each with its number of reports, such as C(refused) with the code of
              the mail host, or C(expired), C(too large), C(SMTPUTF8 not offered), C(not sent), C(delay notice).
          type: list
          elements: dict
    first_bounce:
      description:
        - When the first message bounces if no delivery succeeds before, in seconds since the epoch; null if nothing is
          queued. That is at the first try after its lifetime (C(maximal_queue_lifetime), or C(bounce_queue_lifetime) if
          its sender is empty). Mail on hold never bounces.
        - It may be later if somebody requeued the message with C(postsuper -r), which restarts its lifetime.
      type: int
    to_first_bounce:
      description: The number of seconds until then, 0 if it is overdue; null if nothing is queued.
      type: int
    drain:
      description:
        - How long the queued mail that is not on hold takes to be delivered if the mail host takes mail from now on. In
          RV(total), where domains of different destinations drain side by side, the slowest destination counts.
      type: dict
      contains:
        deliveries:
          description:
            - The number of deliveries. A message is one, unless it has more recipients than the recipient limit of its
              transport.
          type: int
        seconds:
          description: How long they take after a flush, in seconds.
          type: int
        unaided:
          description:
            - How long they take without one, when each message waits for its next try, in seconds; null if they wait
              for a flush for ever, by C(defer_transports).
          type: int
        from:
          description:
            - Where the time per delivery comes from, V(measured) if the log told, or V(settings) if a usual one is
              assumed.
          type: str
        per_delivery:
          description: The time per delivery, in seconds.
          type: float
        transport:
          description: The transport by which the mail goes; null if nothing is queued.
          type: str
        concurrency:
          description:
            - How many deliveries there are at a time, by the settings of that transport; with a rate delay it is one.
          type: int
        rate_delay:
          description: The number of seconds between two deliveries, by the settings of that transport.
          type: int
    rate:
      description: What the log tells of deliveries for the domain, or by its transport; null if nothing was read.
      type: dict
      contains:
        deliveries:
          description: The number of deliveries that the log tells of.
          type: int
        per_delivery:
          description: How long one took on average, in seconds, from the connection to the answer.
          type: float
        per_second:
          description:
            - How many there were a second, while mail waited for the concurrency limit, as it does when a queue
              drains; null if it did not.
          type: float
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.queue import INFO_SPEC, queue_info
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(queue_info, INFO_SPEC)


if __name__ == "__main__":
    main()
