#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: queue_bounce
short_description: Return a domain's queued mail to its senders
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Has Postfix return the queued mail of some domains to its senders now instead of when it expires, as for a domain
    that this host no longer relays. See C(postsuper -e) in postsuper(1).
  - Each message is tried once more. It is returned if it can't be delivered then. No message is deleted.
  - Reports of domains with C(refused_mail=postmaster) or C(refused_mail=hold) go where those settings have them go.
  - Leaves messages on hold, messages that are on their way just now, and messages that are also for other domains.
  - Returns no sender or recipient addresses.
requirements:
  - Postfix 3.5 or later
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
attributes:
  diff_mode:
    description: Changes no file, so there is nothing to show.
    support: N/A
  idempotent:
    description: Reports a change as long as there is mail to return.
    support: full
options:
  domains:
    description:
      - The domains of the recipients. Subdomains are domains of their own here.
    type: list
    elements: str
    required: true
seealso:
  - module: mxrelay.postfix.queue_info
  - module: mxrelay.postfix.queue_flush
  - name: postsuper(1)
    description: The command that makes mail expire.
    link: https://www.postfix.org/postsuper.1.html
"""

EXAMPLES = r"""
- name: Return what waits for a customer who has left
  mxrelay.postfix.queue_bounce:
    domains: [customer.example]
"""

RETURN = r"""
count:
  description: The number of messages that are returned, or in check mode would be.
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
shared:
  description: The number of messages that stay because they are also for other domains, for each domain that has any.
  type: dict
  returned: success
  sample: {}
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.queue_bounce import BOUNCE_SPEC, queue_bounce
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(queue_bounce, BOUNCE_SPEC)


if __name__ == "__main__":
    main()
