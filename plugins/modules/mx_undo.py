#!/usr/bin/python
# Copyright: the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mx_undo
short_description: Take back an MX plan whose run has failed
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - The roles P(mxrelay.postfix.secondary_mx#role), P(mxrelay.postfix.primary_mx#role) and
    P(mxrelay.postfix.mx#role) use it around the change that M(mxrelay.postfix.mx_plan) has planned.
  - What others have changed on the host meanwhile stays. Where they have changed the same thing, nothing is taken back,
    and RV(touched) names it.
  - Packages that were installed stay, and a service that was started goes on running.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
attributes:
  diff_mode:
    support: none
    description: Returns what was taken back instead; a diff would show addresses.
  idempotent:
    support: partial
    details:
      - V(remembered) copies anew each time.
options:
  state:
    description:
      - V(remembered) copies the files that the plan is about to change to C(.mxrelay-undo) in O(config_directory),
        which only root can read.
      - V(undone) compares them with the host as it is now, applies the inverse of what was carried out of the plan, and
        reloads Postfix.
      - V(forgotten) removes the copies.
    type: str
    required: true
    choices: [remembered, undone, forgotten]
  plan:
    description:
      - The result of M(mxrelay.postfix.mx_plan), of which the parts C(transport), C(recipients), C(subdomains),
        C(verify), C(removal), C(main_cf) and C(master_cf) are used.
      - Needed with O(state=remembered) and O(state=undone).
    type: dict
seealso:
  - module: mxrelay.postfix.mx_plan
"""

EXAMPLES = r"""
- name: Take back what a failed run has done
  mxrelay.postfix.mx_undo:
    state: undone
    plan: "{{ plan }}"
"""

RETURN = r"""
undone:
  description: What was taken back, a line each, without anybody's address.
  type: list
  elements: str
  returned: success
  sample: ["main.cf: relay_domains is as before"]
touched:
  description: What somebody else has changed since, for which nothing was taken back.
  type: list
  elements: str
  returned: success
  sample: ["/etc/postfix/transport: customer.example"]
problems:
  description: What went wrong while the plan was taken back; the copies are kept then.
  type: list
  elements: str
  returned: success
restart_needed:
  description: Whether a running Postfix takes back what was taken back only when it is restarted.
  type: bool
  returned: success
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx import UNDO_SPEC, keep_undo
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(
        keep_undo,
        UNDO_SPEC,
        required_if=[("state", "remembered", ["plan"]), ("state", "undone", ["plan"])],
    )


if __name__ == "__main__":
    main()
