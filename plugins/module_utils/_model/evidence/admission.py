# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What decides whether strangers are let in, beyond main.cf and master.cf: facts only, no judgement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class AdmissionEvidence:
    """What the tables and servers that smtpd's restriction lists name answer.

    `answers`: table -> key -> result, for what strangers are asked about, and for each domain of which a table of
    recipients refuses all. `of_recipients`: table of recipients -> domain -> what it says of one that is listed, or of
    its domain. `verifying`: table -> the keys of its rows that have smtpd ask a mail host about the recipient, of types
    that can list them. `unread`: table -> what Postfix says of one that it can't ask. `silent`: policy service or
    SASL server -> why it does not answer. `missing_files` are files of certificates that are not there. `defaults` is
    what `postconf -d` prints. `results`, where they are read: access table -> the different results of its rows, None
    if they can't be listed.
    """

    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    of_recipients: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    verifying: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)
    missing_files: frozenset[str] = frozenset()
    defaults: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, Sequence[str] | None] = field(default_factory=dict)
