# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a certificate says: for whom it is, since and until when, by whom, and with which key. Nothing is verified.

Python's standard library tells that only of certificates that it has verified, and the key of none.
"""

from __future__ import annotations

import calendar
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

# Tags and an object identifier of RFC 5280.
_VERSION = 0xA0
_EXTENSIONS = 0xA3
_DNS_NAME = 0x82
_UTC_TIME = 0x17
_OCTET_STRING = 0x04
_ALTERNATIVE_NAMES = bytes((0x55, 0x1D, 0x11))
# Two digits of a year below these are of this century: RFC 5280, 4.1.2.5.1.
_LAST_CENTURY = 50


@dataclass(frozen=True)
class Certificate:
    """A certificate. `names` are its DNS names, in lower case; `begins` and `ends` are seconds since the epoch.

    `whole` is all of it in DER, `key` its public key as it is in there (SubjectPublicKeyInfo).
    """

    whole: bytes
    key: bytes
    subject: bytes
    issuer: bytes
    begins: int
    ends: int
    names: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The SHA-256 digest of all of it, in hexadecimal."""
        return hashlib.sha256(self.whole).hexdigest()

    @property
    def self_signed(self) -> bool:
        """Whether it names itself as its issuer."""
        return self.issuer == self.subject

    def is_for(self, host: str) -> bool:
        """Whether it has that name; a wildcard stands for exactly one label. See RFC 6125, 6.4."""
        wanted = host.rstrip(".").lower()
        return any(name in (wanted, f"*.{wanted.partition('.')[2]}") for name in self.names)


class _Element(NamedTuple):
    tag: int
    content: bytes
    whole: bytes


def read_certificate(data: bytes) -> Certificate:
    """The certificate in DER. Raises ValueError if it is none."""
    try:
        (outer,) = _elements(data)
        body = next(_elements(outer.content))
        fields = [element for element in _elements(body.content) if element.tag != _VERSION]
        _serial, _algorithm, issuer, validity, subject, key = fields[:6]
        begins, ends = map(_seconds, _elements(validity.content))
    except (IndexError, StopIteration):
        raise ValueError("it ends too early") from None
    names = [name for field in fields[6:] if field.tag == _EXTENSIONS for name in _names(field)]
    return Certificate(data, key.whole, subject.whole, issuer.whole, begins, ends, tuple(dict.fromkeys(names)))


def _elements(data: bytes) -> Iterator[_Element]:
    """The elements that follow each other in DER. Raises ValueError and IndexError."""
    begin = 0
    while begin < len(data):
        length, content = data[begin + 1], begin + 2
        if length & 0x80:
            digits = length & 0x7F
            length = int.from_bytes(data[content : content + digits], "big")
            content += digits
        end = content + length
        if end > len(data):
            raise ValueError("it is cut")
        yield _Element(data[begin], data[content:end], data[begin:end])
        begin = end


def _seconds(element: _Element) -> int:
    text = element.content.decode("ascii")
    if element.tag == _UTC_TIME:
        text = ("20" if int(text[:2]) < _LAST_CENTURY else "19") + text
    return calendar.timegm(time.strptime(text, "%Y%m%d%H%M%SZ"))


def _names(extensions: _Element) -> Iterator[str]:
    """The DNS names among the alternative names of the subject."""
    for several in _elements(extensions.content):
        for extension in _elements(several.content):
            identifier, *others = _elements(extension.content)
            if identifier.content != _ALTERNATIVE_NAMES:
                continue
            for value in (part for part in others if part.tag == _OCTET_STRING):
                for names in _elements(value.content):
                    found = (name for name in _elements(names.content) if name.tag == _DNS_NAME)
                    yield from (name.content.decode("ascii", "replace").lower() for name in found)
