# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What libraries say when a server can't be reached, and what a person is to do then."""

from __future__ import annotations

# In lower case. The first that is met counts.
_CAUSES = (
    (
        ("timed out", "timeout"),
        "it does not answer in time; look whether a firewall is in the way, or raise timeout",
    ),
    (
        ("refused", "cannot assign requested address"),
        "nothing listens there; correct the address or the port, or start the server",
    ),
    (("unreachable", "no route to host"), "no way leads there; look at the network of this host"),
    (
        (
            "name or service",
            "name resolution",
            "no address associated",
            "translate host name",
            "invalid server address",
        ),
        "its name has no address; correct it",
    ),
    (("no such file", "permission denied"), "its socket is not there, or not for this user; correct the address"),
)


def why_unreached(said: str) -> str:
    """Why there is no connection, or none any more, and what to do."""
    text = said.lower()
    known = (meaning for words, meaning in _CAUSES if any(word in text for word in words))
    return next(known, "the connection broke; look at the log of the server")
