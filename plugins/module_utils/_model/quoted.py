# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What answers of servers quote of people, who are not to be named where others read.

A server may repeat the recipient as it was named to it, its local part alone, or what it rewrites the recipient to.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import Talk

SOMEBODY = "[a recipient]"
# What may be a person's address in any text.
ADDRESS = re.compile(r'(?:"[^"]*"|[^\s<>()",;:])+@[^\s<>()",;:]*[^\s<>()",;:.]')
_BEFORE = re.compile(r"[='`\[{*!?|/]")
# How the recipients and senders begin whom probes name and nobody has.
PROBE = "mxrelay-probe"
# They are roles, and whom to turn to.
_ROLES = frozenset({"postmaster", "abuse"})
# In brackets Postfix also names clients, by name and address or by what they say they are, and others name pages.
_BRACKETED = re.compile(r"<([^<>\s@]+)>(?!: (?:client host|helo command|data command|end-of-data) )", re.IGNORECASE)
_NOBODYS_NAME = re.compile(r"[\[\]/]")
_SAID = re.compile(r"(?<= said: ).*", re.DOTALL)


def without_local_part(text: str, address: str, instead: str = SOMEBODY) -> str:
    """The text without the local part of this address where that stands alone, and with what a probe puts behind it."""
    local = address.rpartition("@")[0]
    if not local or is_nobody(address):
        return text
    word = rf"(?<![\w.+@-]){re.escape(local)}(?:[^a-z0-9\s@]{PROBE})?(?![\w+@-]|\.\w)"
    return re.sub(word, lambda _found: instead, text, flags=re.IGNORECASE)


def reason_without(reason: str, address: str) -> str:
    """Why the recipient of this address waits, without its local part alone in what a server said of it."""
    return _SAID.sub(lambda said: without_local_part(said.group(), address, "..."), reason)


def without_people(talk: Talk, listed: Collection[str], names: Collection[str]) -> Talk:
    """The conversation without people in what was answered to recipients, who themselves stay.

    `listed` are those that somebody has, and those made of them; the others are made up. `names` are names of hosts and
    domains, which nobody is called.
    """
    made_up = {address.lower() for address in (*talk.recipients, talk.sender)} - {address.lower() for address in listed}
    known = {name.lower() for name in (*names, talk.server)}
    known |= {address.rpartition("@")[2].lower() for address in (*talk.recipients, talk.sender)}

    def bracketed(found: re.Match[str]) -> str:
        said = found.group(1)
        is_name = said.lower() in known or _NOBODYS_NAME.search(said)
        return found.group() if is_name or is_nobody(f"{said}@") else f"<{SOMEBODY}>"

    def address(found: re.Match[str]) -> str:
        before, said = _what_is_before(found.group())
        return before + (said if said.lower() in made_up or is_nobody(said) else SOMEBODY)

    def told(text: str) -> str:
        for person in listed:
            text = without_local_part(text, person)
        return _BRACKETED.sub(bracketed, ADDRESS.sub(address, text))

    answers = {recipient: (code, told(text)) for recipient, (code, text) in talk.recipients.items()}
    return replace(talk, recipients=answers)


def _what_is_before(found: str) -> tuple[str, str]:
    """What stands before an address, as in `id=a@x.example`, and the address."""
    local = found.rpartition("@")[0]
    start = 0 if found.startswith('"') else max((match.end() for match in _BEFORE.finditer(local)), default=0)
    return found[:start], found[start:]


def is_nobody(address: str) -> bool:
    """Whether the address is a role's, or one that only a probe names."""
    local = address.rpartition("@")[0].lower()
    return local in _ROLES or local.startswith(PROBE)
