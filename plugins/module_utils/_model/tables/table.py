# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a lookup table, read as postmap(1) reads it and kept to the byte wherever it is not edited."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Callable, NamedTuple

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.removals import Guard

# isspace(3) in the C locale, which is what Postfix's own ISSPACE comes to.
WHITE_SPACE = " \t\n\r\v\f"
_WHITE_BYTES = WHITE_SPACE.encode()
_BOM = b"\xef\xbb\xbf"


class Entry(NamedTuple):
    """A key and its value as written, the number of its first line, and the indexes of its lines of text."""

    key: str
    value: str
    line: int
    lines: tuple[int, ...]


class TableLine(NamedTuple):
    """One entry's text, joined as readlline() joins it. `gaps` says that comments or blank lines stand inside."""

    text: bytes
    lines: tuple[int, ...]
    gaps: bool


def decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def fold(key: str, utf8: bool) -> str:
    """The key as postmap stores it: Unicode case folding if smtputf8_enable is on, ASCII lower case elsewhere."""
    if key.isascii():
        return key.lower()
    return key.casefold() if utf8 else decode(encode(key).lower())


def split_lines(data: bytes) -> list[bytes]:
    """Physical lines with their newlines; the last may lack one."""
    lines = data.split(b"\n")
    last = lines.pop()
    ended = [line + b"\n" for line in lines]
    return ended + [last] if last else ended


def is_text(line: bytes) -> bool:
    """Whether the physical line is neither blank nor a comment."""
    stripped = line.lstrip(_WHITE_BYTES)
    return bool(stripped) and not stripped.startswith(b"#")


def table_lines(lines: list[bytes]) -> Iterator[TableLine]:
    """The logical lines of the physical ones, those included that Postfix drops for their leading white space."""
    indexes: list[int] = []
    gaps = pending = False
    for index, line in enumerate(lines):
        if not is_text(line):
            pending = True
            continue
        if line[:1] not in b" \t\r\v\f" and indexes:
            yield _table_line(lines, indexes, gaps)
            indexes, gaps = [], False
        elif indexes and pending:
            gaps = True
        indexes.append(index)
        pending = False
    if indexes:
        yield _table_line(lines, indexes, gaps)


def _table_line(lines: list[bytes], indexes: list[int], gaps: bool) -> TableLine:
    if len(indexes) == 1:
        return TableLine(lines[indexes[0]].rstrip(b"\n"), (indexes[0],), False)
    return TableLine(b"".join(lines[index].rstrip(b"\n") for index in indexes), tuple(indexes), gaps)


def _split_entry(text: bytes) -> tuple[bytes, bytes, bool]:
    """Key, value and whether the quotes are balanced. The key ends at the first unquoted white space (3.2+)."""
    if b'"' not in text and b"\\" not in text:
        parts = text.split(None, 1)
        return parts[0], parts[1].strip(_WHITE_BYTES) if len(parts) > 1 else b"", True
    quoted = False
    position = 0
    while position < len(text):
        character = text[position : position + 1]
        if character == b"\\":
            position += 1
        elif character == b'"':
            quoted = not quoted
        elif character in _WHITE_BYTES and not quoted:
            break
        position += 1
    return text[:position], text[position:].strip(_WHITE_BYTES), not quoted


@dataclass(frozen=True)
class Table:
    """The source of an indexed or texthash table. `warnings` are what Postfix would drop or join unseen."""

    lines: list[bytes]
    entries: list[Entry]
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, data: bytes) -> Table:
        lines = split_lines(data)
        entries: list[Entry] = []
        warnings: list[str] = []
        for line in table_lines(lines):
            entry = _entry(line, warnings)
            if entry is not None:
                entries.append(entry)
        if data.startswith(_BOM):
            warnings.append("line 1: a byte order mark is part of the first key; save the file without it")
        return cls(lines, entries, warnings)

    def render(self) -> bytes:
        return b"".join(self.lines)

    def mapping(self, utf8: bool) -> dict[str, str]:
        """Folded key to value, as postmap stores it: of equal keys the first one, non-UTF-8 dropped if `utf8`."""
        stored: dict[str, str] = {}
        for entry in self.entries:
            if utf8 and not (_is_utf8(entry.key) and _is_utf8(entry.value)):
                continue
            stored.setdefault(fold(entry.key, utf8), entry.value)
        return stored

    def duplicates(self, utf8: bool) -> list[str]:
        """A warning for each entry that Postfix drops, since its key is on an earlier line."""
        first: dict[str, int] = {}
        found = []
        for entry in self.entries:
            if utf8 and not (_is_utf8(entry.key) and _is_utf8(entry.value)):
                continue
            line = first.setdefault(fold(entry.key, utf8), entry.line)
            if line != entry.line:
                found.append(f"line {entry.line}: has the key of line {line}; Postfix ignores the later entry")
        return found

    def edited(self, set_: Mapping[str, str], remove: Collection[str], utf8: bool = False) -> Table:
        """The table with these entries set and those removed; both are compared folded.

        An entry that is there keeps its place and the comments around and inside it; new ones follow at the end,
        sorted. Of several entries of one managed key the first is kept. Returns this table when nothing changes.
        """
        wanted = {fold(key, utf8): (key, value) for key, value in set_.items()}
        unwanted = {fold(key, utf8) for key in remove} - set(wanted)
        changed: dict[int, bytes] = {}
        seen = set()
        for entry in self.entries:
            key = fold(entry.key, utf8)
            if key in unwanted or (key in wanted and key in seen):
                changed.update(dict.fromkeys(entry.lines, b""))
            elif key in wanted:
                seen.add(key)
                if entry.value != wanted[key][1]:
                    changed.update(dict.fromkeys(entry.lines, b""))
                    changed[entry.lines[0]] = entry_line(entry.key, wanted[key][1])
        new = [entry_line(*wanted[key]) for key in sorted(set(wanted) - seen)]
        if not changed and not new:
            return self
        kept = [changed.get(index, line) for index, line in enumerate(self.lines)]
        return Table.parse(with_final_newline(b"".join(kept), bool(new)) + b"".join(new))


def with_final_newline(data: bytes, needed: bool) -> bytes:
    return data + b"\n" if needed and data and not data.endswith(b"\n") else data


def _is_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _entry(line: TableLine, warnings: list[str]) -> Entry | None:
    number = line.lines[0] + 1
    text = line.text
    if text[:1] in _WHITE_BYTES:
        warnings.append(f"line {number}: white space before the first entry; Postfix ignores the line")
        return None
    if b"\0" in text:
        warnings.append(f"line {number}: contains a NUL byte; Postfix ignores what follows it")
        text = text.partition(b"\0")[0]
        if not text:
            return None
    if line.gaps:
        warnings.append(joined_warning(number))
    key, value, balanced = _split_entry(text)
    if not balanced:
        warnings.append(f'line {number}: has an unbalanced "; Postfix ignores the entry')
        return None
    if not value:
        warnings.append(f"line {number}: has a key without a value; Postfix ignores the entry")
        return None
    entry = Entry(decode(key), decode(value), number, line.lines)
    if not (_is_utf8(entry.key) and _is_utf8(entry.value)):
        warnings.append(f"line {number}: is not UTF-8; Postfix ignores the entry if smtputf8_enable is on")
    return entry


def joined_warning(number: int) -> str:
    return (
        f"line {number}: is continued after a comment or a blank line by a line that starts with white space; "
        "remove that white space if it is an entry of its own"
    )


def entry_line(key: str, value: str) -> bytes:
    """The line of a new entry. The caller has made sure that it reads back (see checked_entry)."""
    return encode(f"{key} {value}\n")


def checked_entry(key: str, value: str, place: str) -> None:
    """Raises InvalidInput if postmap would not read back exactly this key and this value."""
    read = Table.parse(entry_line(key, value))
    if len(read.entries) != 1 or read.warnings or read.entries[0][:2] != (key, value):
        raise InvalidInput(
            f'"{key}" ({place}) would not be read back by postmap as this key with this value; '
            "quote white space in the key, balance its quotes, don't start it with # and don't end it with a backslash"
        )


@dataclass(frozen=True)
class Edits:
    """What a table is to hold: `set` is there with these values, `remove` is not.

    `owned` are domains whose every entry (`user@domain`, `@domain`) is ours, `.domain` standing for the subdomains;
    with `purge` the whole table is. Those of `kept`, written alike, keep their entries all the same; for a subdomain
    that holds which is said nearest to it. `guards` are of domains in `owned`. With `text` the source is to be that, to
    the byte, and nothing else counts. `warnings` are what a person is to be told of them, in every run.
    """

    set: Mapping[str, str] = field(default_factory=dict)
    remove: Collection[str] = ()
    purge: bool = False
    owned: Collection[str] = ()
    kept: Collection[str] = ()
    guards: Mapping[str, Guard] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    text: bytes | None = None

    def going(self, utf8: bool) -> Callable[[AbstractSet[str]], AbstractSet[str]]:
        """A function that says which of some folded keys go; it is not for keys that are to be set."""
        keys = {fold(key, utf8) for key in self.remove}
        domains = {fold(domain, utf8) for domain in self.owned}
        kept = {fold(domain, utf8) for domain in self.kept}
        all_domains = domains | kept

        def among(folded: AbstractSet[str]) -> AbstractSet[str]:
            if self.purge and not kept:
                return folded
            listed = folded & keys
            if not all_domains:
                return listed
            owners = ((key, owner_of(key.rpartition("@")[2], all_domains)) for key in folded if "@" in key)
            if self.purge:
                return folded - {key for key, owner in owners if owner in kept}
            return listed | {key for key, owner in owners if owner in domains}

        return among

    def keeping(self, domains: Collection[str], utf8: bool) -> Edits:
        """The same edits, but those of `owned` in `domains` keep their entries, and get none."""
        folded = {fold(domain, utf8) for domain in self.owned}
        staying = {fold(domain, utf8) for domain in domains}
        left = {
            key: value
            for key, value in self.set.items()
            if owner_of(fold(key, utf8).rpartition("@")[2], folded) not in staying
        }
        owned = tuple(domain for domain in self.owned if fold(domain, utf8) not in staying)
        return replace(self, set=left, owned=owned, kept=(*self.kept, *domains))

    def removals(self, table: Table, utf8: bool) -> list[str]:
        """The keys to remove from `table`, in its order; a key that is to be set is not among them."""
        folded = [(entry.key, fold(entry.key, utf8)) for entry in table.entries]
        gone = self.going(utf8)({key for _written, key in folded} - {fold(key, utf8) for key in self.set})
        return [written for written, key in folded if key in gone]


def owner_of(domain: str, owned: Collection[str]) -> str:
    """Which of `owned` the domain is, or is below if that stands there with a dot, the nearest first; "" for none."""
    if domain in owned:
        return domain
    labels = domain.split(".")
    above = ("." + ".".join(labels[place:]) for place in range(1, len(labels)))
    return next((name for name in above if name in owned), "")
