# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text formats of a source, taken apart into entries: one a line, CSV, LDIF, the source of a lookup table.

Nothing of what a text holds is shown in an error, since it may be many people's addresses, or any file at all.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.plain_table import PlainTable
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.recipients import before_comment
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import Table

LINES = "lines"
CSV = "csv"
LDIF = "ldif"
POSTMAP = "postmap"
# What directories call the attributes that hold addresses.
ATTRIBUTES = ("mail", "proxyAddresses")
_BOM = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff")
# A page or an XML document, but not an address between angle brackets.
_PAGE = re.compile(rb"\s*<[!?/a-zA-Z][^@>]*>")
_LDIF_LINE = re.compile(r"([A-Za-z0-9.-]+)((?:;[A-Za-z0-9-]+)*):([:<]?) *(.*)")
_CHANGES = ("changetype", "control")


def entries_of(data: bytes, form: str, options: Mapping[str, Any], place: str = "the list") -> Iterator[str]:
    """The entries of a text in the format; `options` are those of the source that are about it.

    Raises SourceError for a text that is cut, in another encoding, a page for people, or not in the format.
    """
    text = utf8_text(data, place)
    if text and not text.endswith("\n"):
        raise SourceError(f"{place} is cut: its last line has no end; have it written whole, and moved into place then")
    return _READERS[form](text, options, place)


def utf8_text(data: bytes, place: str) -> str:
    """The text of a document, its lines ended by newlines alone, without a byte order mark.

    Raises SourceError for another encoding than UTF-8, and for a page where data should be.
    """
    if data.startswith(_OTHER_ENCODINGS) or b"\0" in data:
        raise SourceError(f"{place} is not UTF-8 text, but binary or UTF-16; have it written in UTF-8")
    if _PAGE.match(data[len(_BOM) :] if data.startswith(_BOM) else data):
        raise SourceError(
            f"{place} is an HTML page or an XML document, not a list; look at it, it may tell of an error"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceError(f"{place} is not UTF-8 in line {line}; have it written in UTF-8") from None
    return text.replace("\r\n", "\n")


def _lines(text: str, _options: Mapping[str, Any], _place: str) -> Iterator[str]:
    """One entry a line; comments as in `recipients_file`."""
    if "#" not in text:
        yield from filter(None, text.split("\n"))
        return
    for line in text.split("\n"):
        content = line.strip(" \t")
        if content and not content.startswith("#"):
            yield before_comment(content)


def _csv(text: str, options: Mapping[str, Any], place: str) -> Iterator[str]:
    """The cells of one column, given by its name in the first row, or by its number where there is no such row."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=options.get("delimiter") or ",", strict=True)
    try:
        number = _column(options.get("column"), rows, place)
        for row in rows:
            if not row:
                continue
            if len(row) <= number:
                raise SourceError(
                    f"{place} line {rows.line_num} has {len(row)} columns, not {number + 1}; correct it, or the "
                    "delimiter or the column of the source"
                )
            yield row[number]
    except csv.Error as error:
        raise SourceError(f"{place} line {rows.line_num} is not CSV ({error}); correct it") from None


def _column(column: object, rows: Iterator[Sequence[str]], place: str) -> int:
    """The index of the column, 0 being the first."""
    name = str(column or "1").strip()
    if name.isascii() and name.isdigit():
        return int(name) - 1
    header = [cell.strip().lower() for cell in next(rows, [])]
    if header.count(name.lower()) != 1:
        found = "twice" if name.lower() in header else "not"
        raise SourceError(
            f'{place} has the column "{name}" {found} in its first row; correct the column or the delimiter of the '
            "source, or give the column by its number"
        )
    return header.index(name.lower())


def _ldif(text: str, options: Mapping[str, Any], place: str) -> Iterator[str]:
    """The values of the attributes, as RFC 2849 has them."""
    wanted = {name.lower() for name in options.get("attributes") or ATTRIBUTES}
    entries = 0
    in_entry = False
    for number, line in _unfolded(text):
        if not line:
            in_entry = False
            continue
        found = _LDIF_LINE.fullmatch(line)
        if found is None:
            raise SourceError(f"{place} line {number} is not LDIF; correct it, or the format of the source")
        name, value = found.group(1).lower(), found.group(4)
        if name == "dn":
            entries += 1
            in_entry = True
        elif name in _CHANGES:
            raise SourceError(f"{place} line {number} is a change, not an entry; export the entries")
        elif not in_entry and name == "result" and not value.startswith("0 "):
            raise SourceError(f"{place} line {number} says that the search failed; export the whole result")
        elif in_entry and name in wanted:
            yield _ldif_value(found.group(3), value, f"{place} line {number}")
    if text.strip() and not entries:
        raise SourceError(
            f"{place} has no line that begins with dn:, so it is not LDIF; correct the format of the source"
        )


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """The lines with those that continue them, each with its number; without comments."""
    first, parts = 0, [""]
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(" ") and first:
            parts.append(line[1:])
            continue
        if first and not parts[0].startswith("#"):
            yield first, "".join(parts)
        first, parts = number, [line]
    if first and not parts[0].startswith("#"):
        yield first, "".join(parts)


def _ldif_value(kind: str, value: str, place: str) -> str:
    if kind == "<":
        raise SourceError(f"{place} names a file instead of a value; export the values")
    if not kind:
        return value
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise SourceError(f"{place} has a value that is not UTF-8 in Base64; export it again") from None


def _postmap(text: str, _options: Mapping[str, Any], place: str) -> Iterator[str]:
    """The keys of the source of a lookup table, without domains that stand there for themselves, as in virtual(5)."""
    data = text.encode()
    plain = PlainTable.parse(data)
    keys = plain.mapping() if plain else None
    if keys is None:
        table = Table.parse(data)
        if table.warnings:
            raise SourceError(f"{place} {table.warnings[0]}; correct the line, or the format of the source")
        keys = table.mapping(True)
    domains = {key.rpartition("@")[2] for key in keys if "@" in key}
    return (key for key in keys if key not in domains)


_Reader = Callable[[str, Mapping[str, Any], str], Iterator[str]]
_READERS: Mapping[str, _Reader] = {LINES: _lines, CSV: _csv, LDIF: _ldif, POSTMAP: _postmap}
FORMATS = tuple(_READERS)
