# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The standby service of an instance: how main.cf refers to it, where it is, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass

# The restriction class by which smtpd asks it, and its socket below the queue directory, as a chroot sees it.
CLASS = "mxrelay_standby"
CLASSES = "smtpd_restriction_classes"
SOCKET = "mxrelay/standby"
# A service that is gone, hangs or is broken lets mail in, and after three seconds at the most.
POLICY = f"check_policy_service {{ unix:{SOCKET}, timeout=3s, try_limit=1, default_action=DUNNO }}"
# Unknown recipients are refused at once. Behind it nothing is left to ask own clients, see restrictions.with_last.
RESTRICTIONS = f"permit_mynetworks, reject_unlisted_recipient, {POLICY}"
# Words of its answer by which smtpd puts a stranger off.
ANSWER = "This host is a standby, and a better MX host of the domain answers"
# Its answer to smtpd, and what is asked of it about itself.
PUT_OFF = f"DEFER_IF_PERMIT 4.3.2 {ANSWER}"
STATUS = "mxrelay_standby_status"


@dataclass(frozen=True)
class StandbyState:
    """The domains whose strangers it is to put off, and `subdomains`, those of them with all subdomains.

    `supervised`: systemd runs the host, so it can run the service. `confined`: SELinux is enforcing, whose policies let
    smtpd connect to no service but those that they know. `installed`: files of it are there. `problem` is why it does
    not do its work, "" if it does.
    """

    supervised: bool = False
    installed: bool = False
    domains: tuple[str, ...] = ()
    subdomains: tuple[str, ...] = ()
    problem: str = ""
    confined: bool = False
    # Of the domains those whose strangers it lets in now; asked only where mail hosts are asked as well.
    lets_in: frozenset[str] = frozenset()


def is_put_off(answer: tuple[int, str]) -> bool:
    """Whether it is the answer of a standby to a stranger."""
    return answer[0] == 450 and answer[1].startswith("4.3.2") and ANSWER in answer[1]
