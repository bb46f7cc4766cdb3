# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both forms of an internationalised domain: as people write it (U-label) and as DNS has it (A-label).

To Postfix they are different keys, and with SMTPUTF8 mail comes with either, so both belong into a table. They are
derived here only where IDNA2003 (RFC 3490) and IDNA2008 (RFC 5891) agree: of faß.example one makes fass.example and
the other xn--fa-hia.example, and only a person knows which of them is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from encodings import idna as idna2003
from typing import Callable, NamedTuple, Optional

PREFIX = "xn--"

# The A-label that IDNA2008 makes of a U-label, None if it does not take the label.
Encode = Callable[[str], Optional[str]]


class Forms(NamedTuple):
    """The spellings of one domain, the given one first; where the standards differ, `candidates` for another."""

    spellings: tuple[str, ...]
    candidates: tuple[str, ...] = ()


def is_international(domain: str) -> bool:
    """Whether the domain, in lower case, has a label that can be written in two ways."""
    return not domain.isascii() or domain.startswith(PREFIX) or f".{PREFIX}" in domain


def canonical(domain: str) -> str:
    """One spelling for all that are the same domain, by IDNA2003 alone: to tell whether two lists are equal."""
    return ".".join(_by_2003(label) or label for label in domain.split(".")) if is_international(domain) else domain


def forms(domain: str, encode: Encode) -> Forms:
    """How a valid domain in lower case can come in the mail: by U-labels alone, by A-labels alone, and as it is given.

    A leading dot stays. Where the standards differ on a label, `candidates` are what they make of the domain. There
    are none for an A-label that stands for nothing, which mail can name in that form alone.
    """
    if not is_international(domain):
        return Forms((domain,))
    labels = domain.split(".")
    both = [_both(label, encode) for label in labels]
    if None not in both:
        return Forms(_others(domain, zip(*(pair for pair in both if pair)), keep=True))
    readings = [
        [label if label.isascii() else encode(label) for label in labels],
        [_by_2003(label) for label in labels],
        [_meant(label, encode) for label in labels],
    ]
    return Forms((domain,), _others(domain, readings))


def _others(domain: str, readings: Iterable[Sequence[str | None]], keep: bool = False) -> tuple[str, ...]:
    """The domains of these labels that are whole, each once, without `domain` itself unless it is to be the first."""
    found = [".".join(label or "" for label in reading) for reading in readings if None not in reading]
    return tuple(spelling for spelling in dict.fromkeys([domain, *found]) if keep or spelling != domain)


def _both(label: str, encode: Encode) -> tuple[str, str] | None:
    """U-label and A-label of one label; None if the standards don't agree on it."""
    written = _u_label(label)
    if written is None or written.isascii():
        return None if written is None else (label, label)
    encoded = _by_2003(written)
    agreed = encoded is not None and encoded == encode(written) and (encoded == label or not label.isascii())
    return (written, encoded) if agreed and encoded else None


def _meant(label: str, encode: Encode) -> str | None:
    """The U-label for which one of the standards has this A-label; any other label as it is."""
    written = _u_label(label)
    return written if written is None or label in (written, encode(written), _by_2003(written)) else None


def _u_label(label: str) -> str | None:
    """What an A-label stands for, None if it is not one; any other label as it is."""
    if not label.startswith(PREFIX) or not label.isascii():
        return label
    try:
        found = label[len(PREFIX) :].encode("ascii").decode("punycode")
    except UnicodeError:
        return None
    return None if found.isascii() else found


def _by_2003(label: str) -> str | None:
    """The A-label that IDNA2003 makes of a label; an ASCII label as it is."""
    if label.isascii():
        return label
    try:
        return idna2003.ToASCII(label).decode("ascii").lower()
    except UnicodeError:
        return None
