#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mx_canary
short_description: Send a real message through an MX host and follow it to its end
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - One marked message for each relay domain is handed in at an MX host by a stranger, and followed by the log and the
    queue of the MX host until it is known what became of it. The playbook C(mxrelay.postfix.canary) does all
    of it.
  - It takes four tasks, for O(state=planned) on the MX host, for O(state=sent) on another host, and for
    O(state=followed) and O(state=finished) on the MX host again.
  - The log is read from C(maillog_file), the journal or a file of syslog, whichever has the messages.
  - A message that is not delivered when its time is over is removed from the queue by O(state=finished).
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
attributes:
  check_mode:
    support: full
    details:
      - Sends nothing in check mode, and so follows nothing.
  diff_mode:
    support: none
    description: Changes no file that a person edits.
  idempotent:
    support: none
    description: Each run sends new messages.
options:
  state:
    description:
      - V(planned) returns the messages as RV(plan), and notes where the log ends.
      - V(sent) sends them to O(server). Postfix need not be installed where it runs, which must be outside the
        C(mynetworks) of the MX host.
      - V(followed) waits until it is known what became of them, at most O(wait) seconds.
      - V(finished) removes what is left of them from the queue, and remembers the outcomes, without addresses, in
        C(/var/lib/mxrelay), for M(mxrelay.postfix.mx_info) and the report.
    type: str
    required: true
    choices: [planned, sent, followed, finished]
  domains:
    description: The domains to send to, by default all relay domains. Used by O(state=planned).
    type: list
    elements: str
    default: []
  recipients:
    description:
      - The recipient for a domain, by its name. By default postmaster of the domain; if the MX host does not know that
        one, the domain is skipped. Used by O(state=planned).
    type: dict
    default: {}
  sender:
    description: The sender, an address that you own; C(<>) if it is empty. Used by O(state=planned).
    type: str
    default: ""
  plan:
    description: The RV(plan) of the task with O(state=planned). Required with V(sent) and V(followed).
    type: dict
  server:
    description: The name or address of the MX host. Required with O(state=sent).
    type: str
  port:
    description: The SMTP port of O(server).
    type: int
    default: 25
  handed:
    description: The RV(handed) of the task with O(state=sent). Used by O(state=followed).
    type: dict
    default: {}
  wait:
    description: For how many seconds to follow a message whose end is not known yet. Used by O(state=followed).
    type: int
    default: 60
  outcomes:
    description: The RV(outcomes) of the task with O(state=followed). Used by O(state=finished).
    type: dict
    default: {}
  left:
    description: The RV(left) of the task with O(state=followed). Used by O(state=finished).
    type: list
    elements: str
    default: []
  message_ids:
    description:
      - The RV(message_ids) of the task with O(state=followed). What has none of them is not removed. Used by
        O(state=finished).
    type: list
    elements: str
    default: []
seealso:
  - module: mxrelay.postfix.mx_info
"""

EXAMPLES = r"""
- name: Plan a canary for each relay domain
  mxrelay.postfix.mx_canary:
    state: planned
    recipients:
      customer.example: canary@customer.example
  register: planned

- name: Send them as a stranger
  mxrelay.postfix.mx_canary:
    state: sent
    plan: "{{ planned.plan }}"
    server: "{{ inventory_hostname }}"
  delegate_to: localhost
  become: false
  register: sent

- name: Follow them
  mxrelay.postfix.mx_canary:
    state: followed
    plan: "{{ planned.plan }}"
    handed: "{{ sent.handed }}"
  register: followed

- name: Leave nothing behind
  mxrelay.postfix.mx_canary:
    state: finished
    outcomes: "{{ followed.outcomes }}"
    left: "{{ followed.left }}"
    message_ids: "{{ followed.message_ids }}"
"""

RETURN = r"""
plan:
  description: The messages (C(canaries)), where the logs end (C(logs)), and what the log tells of TLS.
  type: dict
  returned: with O(state=planned)
handed:
  description: What O(server) answered to each command, by domain; empty in check mode.
  type: dict
  returned: with O(state=sent)
outcomes:
  description: What became of the message, by domain.
  type: dict
  returned: with O(state=followed)
  contains:
    outcome:
      description:
        - One of V(delivered), V(waiting), V(bounced), V(held), V(discarded), V(redirected), V(refused), V(standby),
          V(lost) and V(unknown).
      type: str
    reason:
      description: Why, in the words of the server or the log.
      type: str
    recipient:
      description: Where it went instead of its recipient, empty if it did not.
      type: str
    hops:
      description:
        - Each step, with its C(to), C(answer), C(seconds), C(tls) (V(none), V(not logged) or the version), C(queue_id),
          and C(delays), Postfix's four times.
      type: list
      elements: dict
    time:
      description: When this was known, in seconds since the epoch.
      type: int
without_recipient:
  description: The domains without a recipient, and why.
  type: dict
  returned: with O(state=followed)
left:
  description: The queue ids of what is still in the queue.
  type: list
  elements: str
  returned: with O(state=followed)
message_ids:
  description: The Message-IDs of the messages that were followed.
  type: list
  elements: str
  returned: with O(state=followed)
findings:
  description: What is wrong, as M(mxrelay.postfix.mx_info) returns it.
  type: list
  elements: dict
  returned: with O(state=followed)
lines:
  description: The outcomes, one line each.
  type: list
  elements: str
  returned: with O(state=followed)
removed:
  description: The queue ids that were removed, or in check mode would be.
  type: list
  elements: str
  returned: with O(state=finished)
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.canary import CANARY_SPEC, run_canary
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(
        run_canary,
        CANARY_SPEC,
        required_if=[("state", "sent", ["plan", "server"]), ("state", "followed", ["plan"])],
    )


if __name__ == "__main__":
    main()
