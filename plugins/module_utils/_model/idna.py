# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both forms of an internationalised domain: as people write it (U-label) and as DNS has it (A-label).

To Postfix they are different keys, and with SMTPUTF8 mail comes with either, so both belong into a table. They are
derived here only where IDNA2003 (RFC 3490) and IDNA2008 (RFC 5891, code points by RFC 5892) agree: of faß.example
one makes fass.example and the other xn--fa-hia.example, and only a person knows which of them is meant.
"""

from __future__ import annotations

import unicodedata
from encodings import idna as idna2003
from typing import NamedTuple

PREFIX = "xn--"
_LABEL_LENGTH = 63
# RFC 5892, 2.6 and 2.8: letters by themselves that IDNA2008 does not take, and the blocks that it leaves out.
_DISALLOWED = frozenset("\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b")
_IGNORED_BLOCKS = ((0x20D0, 0x20FF), (0x1D100, 0x1D24F), (0x1100, 0x11FF), (0xA960, 0xA97C), (0xD7B0, 0xD7FB))
# Marks that are not shown (Default_Ignorable_Code_Point), and those that Unicode calls letters all the same.
_INVISIBLE = ((0x034F, 0x034F), (0x17B4, 0x17B5), (0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
_LETTERS_AND_DIGITS = frozenset({"Ll", "Lo", "Lm", "Mn", "Mc", "Nd"})
# RFC 5892, 2.6: taken although their category says otherwise; what has a rule on its context is not among them.
_TAKEN = frozenset("\u06fd\u06fe\u0f0b\u3007")
# What IDNA2003 maps to something else and IDNA2008 takes as it is: ß, ς and the joiners.
_DEVIATIONS = "\u00df\u03c2\u200c\u200d"
_IN_CONTEXT = frozenset("\u00b7\u0375\u05f3\u05f4\u30fb") | {
    chr(code) for first in (0x0660, 0x06F0) for code in range(first, first + 10)
}


class Forms(NamedTuple):
    """The spellings of one domain, the given one first, or, where the standards differ, the `candidates` for another."""

    spellings: tuple[str, ...]
    candidates: tuple[str, ...] = ()


def is_international(domain: str) -> bool:
    """Whether the domain, in lower case, has a label that can be written in two ways."""
    return not domain.isascii() or domain.startswith(PREFIX) or f".{PREFIX}" in domain


def forms(domain: str) -> Forms:
    """How a valid domain in lower case can come in the mail: by U-labels alone, by A-labels alone, and as it is given.

    A leading dot stays. Where the standards differ on a label, `candidates` are what they make of the domain. There
    are none for an A-label that stands for nothing, which mail can name in that form alone.
    """
    if not is_international(domain):
        return Forms((domain,))
    both = [_both(label) for label in domain.split(".")]
    if all(pair is not None for pair in both):
        unicode_form = ".".join(pair[0] for pair in both if pair is not None)
        ascii_form = ".".join(pair[1] for pair in both if pair is not None)
        return Forms(tuple(dict.fromkeys((domain, unicode_form, ascii_form))))
    return Forms((domain,), _candidates(domain))


def _both(label: str) -> tuple[str, str] | None:
    """U-label and A-label of one label; None where the standards don't agree on it."""
    if label.isascii() and not label.startswith(PREFIX):
        return label, label
    unicode_label = _decoded(label) if label.isascii() else label
    if unicode_label is None or not _agreed(unicode_label):
        return None
    encoded = _encoded(unicode_label)
    return None if label.isascii() and encoded != label else (unicode_label, encoded)


def _decoded(label: str) -> str | None:
    """What an A-label stands for; None where it is none."""
    try:
        found = label[len(PREFIX):].encode("ascii").decode("punycode")
    except UnicodeError:
        return None
    return None if found.isascii() else found


def _encoded(label: str) -> str:
    return PREFIX + label.encode("punycode").decode("ascii")


def _agreed(label: str) -> bool:
    """Whether IDNA2003 leaves the label as it is, and IDNA2008 takes it as it is without asking for its context."""
    try:
        if idna2003.nameprep(label) != label:
            return False
    except UnicodeError:
        return False
    if unicodedata.normalize("NFC", label) != label or unicodedata.category(label[0]).startswith("M"):
        return False
    if label.startswith("-") or label.endswith("-") or label[2:4] == "--" or len(_encoded(label)) > _LABEL_LENGTH:
        return False
    return _one_direction(label) and all(_is_valid(character) for character in label)


def _one_direction(label: str) -> bool:
    """The rule of RFC 5893 for labels written from right to left; others have no character of that direction."""
    directions = [unicodedata.bidirectional(character) for character in label]
    if not {"R", "AL", "AN"}.intersection(directions):
        return True
    last = [direction for direction in directions if direction != "NSM"][-1]
    return (
        directions[0] in ("R", "AL")
        and "L" not in directions
        and not {"EN", "AN"}.issubset(directions)
        and last in ("R", "AL", "EN", "AN")
    )


def _is_valid(character: str) -> bool:
    """PVALID of RFC 5892, for a character that nameprep leaves as it is; those with a rule on their context are not."""
    if character.isascii():
        return character.isdigit() or character.islower() or character == "-"
    if character in _TAKEN:
        return True
    code = ord(character)
    if character in _DISALLOWED or character in _IN_CONTEXT or _within(code, (*_INVISIBLE, *_IGNORED_BLOCKS)):
        return False
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", character).casefold())
    return folded == character and unicodedata.category(character) in _LETTERS_AND_DIGITS


def _within(code: int, blocks: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in blocks)


def _candidates(domain: str) -> tuple[str, ...]:
    """What a person may mean by a domain on which the standards differ: each standard's A-labels, and their U-labels."""
    found = []
    for convert in (_encode_as_is, _encode_prepared, _decode):
        labels = [convert(label) for label in domain.split(".")]
        if all(label is not None for label in labels):
            found.append(".".join(label for label in labels if label is not None))
    return tuple(one for one in dict.fromkeys(found) if one != domain)


def _encode_as_is(label: str) -> str | None:
    return label if label.isascii() else _encoded(label)


def _encode_prepared(label: str) -> str | None:
    if label.isascii():
        return label
    try:
        return idna2003.ToASCII(label).decode("ascii").lower()
    except UnicodeError:
        return None


def _decode(label: str) -> str | None:
    """The U-label of a label where one of the standards has it; an A-label that neither takes stands for nothing."""
    if not label.startswith(PREFIX):
        return label
    found = _decoded(label)
    if found is None or all(_is_valid(one) or one in _IN_CONTEXT or one in _DEVIATIONS for one in found):
        return found
    try:
        return found if idna2003.nameprep(found) == found else None
    except UnicodeError:
        return None
