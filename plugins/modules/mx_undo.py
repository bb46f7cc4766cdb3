#!/usr/bin/python
# Copyright the mxrelay.postfix authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mx_undo
short_description: Undo an MX plan whose run failed
version_added: 1.0.0
author:
  - The mxrelay.postfix authors (@mxrelay)
description:
  - Copies what a plan of M(mxrelay.postfix.mx_plan) is about to change, and undoes the plan if its run fails. The roles
    P(mxrelay.postfix.secondary_mx#role), P(mxrelay.postfix.primary_mx#role) and P(mxrelay.postfix.mx#role) use it.
  - A file that nobody else has changed in the meantime gets its bytes back. What others have changed stays; if they
    changed the same thing, nothing is undone, and RV(touched) names it.
  - Installed packages stay installed, and a started service keeps running.
  - Fails if the copies can't be written or removed, or if the configuration can't be read. What goes wrong while a plan
    is undone is returned as RV(problems) instead.
extends_documentation_fragment:
  - mxrelay.postfix.postfix
  - mxrelay.postfix.postfix.attributes
  - mxrelay.postfix.postfix.action_group
attributes:
  check_mode:
    support: partial
    details:
      - Does nothing in check mode and reports no change, because check mode carries out no plan.
  diff_mode:
    support: none
    description: Returns what was undone instead; a diff would show addresses.
  idempotent:
    support: partial
    details:
      - V(remembered) makes new copies each time.
options:
  state:
    description:
      - V(remembered) copies the files that the plan is about to change, and what is noted of the sources of lists, to
        C(.mxrelay-undo) in O(config_directory), which only root can read. If another run's copies are there, it waits
        up to five minutes for that run to finish, then fails. What a run that has ended left there is removed.
      - V(undone) compares the copies with the host as it is now, reverts the parts of the plan that were carried out,
        and reloads Postfix.
      - V(forgotten) removes the copies. It fails instead if Postfix was running when they were made and no longer is.
      - V(undone) and V(forgotten) touch no copies but those of O(record).
    type: str
    required: true
    choices: [remembered, undone, forgotten]
  plan:
    description:
      - The result of M(mxrelay.postfix.mx_plan). Its parts C(transport), C(recipients), C(subdomains), C(verify),
        C(refused), C(filters), C(probes), C(removal), C(standby), C(main_cf), C(master_cf), C(raise_over),
        C(run) and C(mark) are used.
      - Required with O(state=remembered) and O(state=undone).
    type: dict
  record:
    description:
      - The value of RV(record) that O(state=remembered) returned to this run.
      - Required with O(state=forgotten). With O(state=undone), an empty value means that nothing was remembered, so
        there is nothing to undo. With O(state=remembered), it replaces the copies of this run.
    type: str
  reloaded:
    description:
      - Whether the run has reloaded or restarted Postfix. O(state=forgotten) then waits, for at most a minute, until
        Postfix has read its files again, because its master runs on for a second if they end it.
    type: bool
    default: false
seealso:
  - module: mxrelay.postfix.mx_plan
"""

EXAMPLES = r"""
- name: Undo what a failed run has changed
  mxrelay.postfix.mx_undo:
    state: undone
    plan: "{{ plan }}"
    record: "{{ saved.record }}"
"""

RETURN = r"""
undone:
  description: What was undone, one line each, without addresses.
  type: list
  elements: str
  returned: success
  sample: ["main.cf: relay_domains is as before"]
touched:
  description: What others have changed since. If there is anything, nothing was undone.
  type: list
  elements: str
  returned: success
  sample: ["/etc/postfix/transport: customer.example"]
problems:
  description: What went wrong while the plan was undone.
  type: list
  elements: str
  returned: success
kept:
  description: Whether the copies stay, since something is left to be done by hand.
  type: bool
  returned: success
record:
  description: The name of the copies, by which this run is told from others.
  type: str
  returned: success
outdated:
  description:
    - With O(state=remembered), whether another run began or ended since the plan was made. The plan must then be made
      again, and remembered again with this O(record).
  type: bool
  returned: success
restart_needed:
  description: Whether Postfix must be restarted to return to what it was. Also true if it was running and no longer is.
  type: bool
  returned: success
"""

from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.mx_undo import UNDO_SPEC, keep_undo
from ansible_collections.mxrelay.postfix.plugins.module_utils._ansible.run import run_module


def main() -> None:
    run_module(
        keep_undo,
        UNDO_SPEC,
        required_if=[
            ("state", "remembered", ["plan"]),
            ("state", "undone", ["plan", "record"]),
            ("state", "forgotten", ["record"]),
        ],
    )


if __name__ == "__main__":
    main()
