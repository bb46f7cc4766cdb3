# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Postfix makes of an address by recipient_delimiter, before it looks for `@domain`. See postconf(5).

Only its daemons cut addresses, not postmap(1), so whoever asks a table by postmap asks for these keys.
"""

from __future__ import annotations

DELIMITER = "recipient_delimiter"
OWNER_REQUEST = "owner_request_special"
# What the setting says for no delimiter at all.
NO_DELIMITER = "none"
# Addresses that are never cut.
_WHOLE = ("double-bounce", "mailer-daemon", "postmaster")


def delimiters_after(wanted: str, present: str) -> str:
    """The delimiters once the setting is carried out, on a host that has the `present` ones."""
    return "" if wanted == NO_DELIMITER else wanted or present


def without_tag(local_part: str, delimiters: str, owner_request: bool = True) -> str:
    """The local part up to the first of the delimiters, or all of it where Postfix cuts nothing off.

    `owner_request`: owner-NAME and NAME-request stay whole, as owner_request_special has it.
    """
    lowered = local_part.lower()
    if lowered in _WHOLE or local_part.startswith('"'):
        return local_part
    if "-" in delimiters and owner_request and (lowered.startswith("owner-") or lowered[1:].endswith("-request")):
        return local_part
    end = next((place for place, character in enumerate(local_part) if character in delimiters), 0)
    return local_part[:end] or local_part


def recipient_keys(address: str, delimiters: str, owner_request: bool = True) -> list[str]:
    """The addresses by which a recipient is known, in the order in which Postfix looks for them."""
    local_part, at, domain = address.lower().rpartition("@")
    return list(
        dict.fromkeys([local_part + at + domain, without_tag(local_part, delimiters, owner_request) + at + domain])
    )
