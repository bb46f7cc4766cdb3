# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of nothing but ordinary addresses, taken as text: what a list of a million recipients is."""

from __future__ import annotations

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import is_ordinary

_CHARACTERS = b"abcdefghijklmnopqrstuvwxyz0123456789_+=.-@\n"
# What no ordinary address begins with.
_BEGINNINGS = (b"\n@", b"\n-", b"\n.")
_BOM = b"\xef\xbb\xbf"


def ordinary_addresses(data: bytes) -> list[str] | None:
    """The addresses of the file in order and in lower case; None unless each line is one that is_ordinary.

    Comments and empty lines may stand before the first address.
    """
    text = (data[len(_BOM) :] if data.startswith(_BOM) else data).lower()
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    start = 0
    while text[start : start + 1] in (b"#", b"\n"):
        start = text.find(b"\n", start) + 1 or len(text)
    text = text[start:]
    if text.translate(None, _CHARACTERS) or any(text.startswith(odd[1:]) or odd in text for odd in _BEGINNINGS):
        return None
    lines = text.decode("ascii").split("\n")
    del text
    if lines[-1] == "":
        lines.pop()
    domains = {line.partition("@")[2] for line in lines}
    return lines if all(is_ordinary(f"a@{domain}") for domain in domains) else None
