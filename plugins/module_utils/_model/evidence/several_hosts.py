# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the MX hosts of one domain side by side: facts only, no judgement."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HostOfDomain:
    """What one of them does with the domain's mail.

    `policy` is how it tells recipients from unknown ones. It lists so many `recipients`, whose `digest` is None if the
    list is not all that tells them. `size_limit` is in bytes, 0 for none, None if it is not known.
    """

    name: str
    policy: str
    recipients: int
    digest: str | None
    size_limit: int | None
    smtputf8: bool
