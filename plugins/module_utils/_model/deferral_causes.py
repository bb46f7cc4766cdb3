# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The class of what keeps a recipient's mail from being delivered, by the reason that postqueue(1) tells.

There are few classes, whatever servers say, so that they can be counted for years. None holds anything of the reason.
"""

from __future__ import annotations

import re

CONNECTION = "connection"
DNS = "dns"
TLS = "tls"
AUTHENTICATION = "authentication"
GREYLISTED = "greylisted"
MAILBOX_FULL = "mailbox_full"
REFUSED = "refused"
PUT_OFF = "put_off"
LOOP = "loop"
LOCAL = "local"
OTHER = "other"

_SUSPENDED = "delivery temporarily suspended: "
# What comes before what the remote server said, with its code.
SERVER = r"host \S+\[[^\]]*\](?::\d+)? (?:said|refused to talk to me): "
_SAID = re.compile(SERVER + r"(?P<code>[245]\d\d)(?P<text>.*)", re.DOTALL)
_GREYLISTED = re.compile(r"gr[ae]y-?list|postgrey", re.IGNORECASE)
_MAILBOX_FULL = re.compile(r"\b[45]\.2\.2\b|mailbox (?:is )?full|quota", re.IGNORECASE)
# In this order: a connection can fail by TLS as well.
_CLASSES = (
    (LOOP, re.compile(r"loops back to myself|too many hops")),
    (
        DNS,
        re.compile(r"name service error|host or domain name not found|no MX host for|unable to look up", re.IGNORECASE),
    ),
    (AUTHENTICATION, re.compile(r"SASL|authentication failed", re.IGNORECASE)),
    (TLS, re.compile(r"\bTLS\b|certificate|TLSA|\bDANE\b|MTA-STS", re.IGNORECASE)),
    (
        CONNECTION,
        re.compile(
            r"connect to |lost connection with |conversation with |connection (?:refused|timed out)|no route to host"
            r"|network is unreachable",
            re.IGNORECASE,
        ),
    ),
    (
        LOCAL,
        re.compile(
            r"mail transport unavailable|unknown mail transport|transport|table lookup|configuration|command "
            r"|temporary failure|internal|queue file",
            re.IGNORECASE,
        ),
    ),
)
CAUSES = (CONNECTION, DNS, TLS, AUTHENTICATION, GREYLISTED, MAILBOX_FULL, REFUSED, PUT_OFF, LOOP, LOCAL, OTHER)


def reason_itself(reason: str) -> str:
    """The reason, without that its host is not tried at the moment."""
    return reason[len(_SUSPENDED) :] if reason.startswith(_SUSPENDED) else reason


def cause_class(reason: str) -> str:
    """The class of the reason, one of CAUSES."""
    text = reason_itself(reason)
    said = _SAID.match(text)
    if said is None:
        return next((name for name, pattern in _CLASSES if pattern.search(text)), OTHER)
    if _GREYLISTED.search(said["text"]):
        return GREYLISTED
    if _MAILBOX_FULL.search(said["text"]):
        return MAILBOX_FULL
    return REFUSED if said["code"].startswith("5") else PUT_OFF
