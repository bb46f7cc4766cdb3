# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""main.cf as text: what Postfix reads in it, and edits that leave everything else as it is. See postconf(5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Callable, Union

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.logical_lines import (
    WHITE_SPACE,
    Gap,
    LogicalLine,
    append_line,
    drop_line,
    is_comment,
    physical_lines,
    read_blocks,
    without,
    words,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.names import shown

Value = Union[str, Sequence[str]]
LIST_SEPARATORS = ", \t\r\n"
WIDTH = 100
INDENT = "    "
# postconf(5): "you must stop and start Postfix when this parameter changes"; inet_protocols says the same.
RESTART_PARAMETERS = frozenset({"inet_interfaces", "inet_protocols"})
# Postfix computes it from the interfaces, so no text in main.cf could stand for its default.
COMPUTED_LISTS = frozenset({"mynetworks"})
# Members of these lists are domains, which Postfix compares without case.
DOMAIN_LISTS = frozenset(
    {"relay_domains", "mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "fast_flush_domains"}
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
_ENTRY = re.compile(r"^([^\s=]+)[ \t\v\f\r]*=[ \t\v\f\r]*", re.ASCII)
_REFERENCE = re.compile(r"\$(?:\{([A-Za-z0-9_]+)|\(([A-Za-z0-9_]+)|([A-Za-z0-9_]+))")
_NOT_A_DOMAIN = re.compile(r"[:/$]")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def split_items(value: str) -> list[str]:
    """The members of a list value: separated by commas and white space, kept together by braces."""
    return list(_split(value))


# Each check of each domain asks for the members of the same few values.
@lru_cache(maxsize=256)
def _split(value: str) -> tuple[str, ...]:
    return tuple(value[start:end] for start, end in words(value, LIST_SEPARATORS))


def join_items(items: Iterable[str]) -> str:
    """A list value of these members, in the form that postconf(5) uses."""
    return ", ".join(items)


def value_text(value: Value) -> str:
    """The value as one line."""
    return value if isinstance(value, str) else join_items(value)


def folded_domain(member: str) -> str:
    """A member of a list of domains as Postfix compares it: without case, unless it is a path, a table or a `$name`."""
    return member if _NOT_A_DOMAIN.search(member) else member.lower()


class _Members:
    """The members of list parameter `name`, to be searched; domains are compared without case."""

    def __init__(self, name: str, members: Iterable[str]) -> None:
        self._domains = name in DOMAIN_LISTS
        self._members: list[str] = []
        self._places: dict[str, list[int]] = {}
        self.extend(members)

    def extend(self, members: Iterable[str]) -> None:
        for member in members:
            folded = self._fold(member)
            self._places.setdefault(folded, []).append(len(self._members))
            self._members.append(folded)

    def places(self, item: str) -> list[range]:
        """Where the words of the item stand side by side."""
        wanted = [self._fold(word) for word in split_items(item)]
        starts = self._places.get(wanted[0], [])
        return [
            range(start, start + len(wanted))
            for start in starts
            if self._members[start : start + len(wanted)] == wanted
        ]

    def _fold(self, member: str) -> str:
        return folded_domain(member) if self._domains else member


def references(value: str) -> set[str]:
    """The parameters that a value refers to by `$name`, `${name}`, `$(name)` or `${name?...}`."""
    return {next(filter(None, match.groups())) for match in _REFERENCE.finditer(value)}


def check_name(name: object, place: str) -> str:
    """The name of a parameter. Raises InvalidInput for what can't be one."""
    if not isinstance(name, str) or not _NAME.match(name):
        raise InvalidInput(
            f"main.cf: {shown(name)} ({place}) is not a parameter name; "
            "a name consists of letters, digits and underscores"
        )
    return name


def main_cf_value(value: object, place: str) -> Value:
    """A value as it was given in a task as the text, or the members, for main.cf.

    Truth values become yes and no, whole numbers their digits. Raises InvalidInput for null, for what Postfix can't
    read back (line breaks, control characters, a leading `#`), and for numbers with a fraction, which lose digits.
    """
    if isinstance(value, (list, tuple)):
        return [_member(item, f"{place}[{index}]") for index, item in enumerate(value)]
    return _scalar(value, place)


def list_items(value: object, place: str) -> list[str]:
    """Members to add or to remove; white space inside one is kept, as in `check_client_access hash:/etc/x`."""
    if isinstance(value, str) or not isinstance(value, (list, tuple)):
        raise InvalidInput(f"main.cf: {place} is {shown(value)}; give the members as a list")
    items = [_member(item, f"{place}[{index}]") for index, item in enumerate(value)]
    for index, item in enumerate(items):
        if len(words(item, ",")) != 1:
            raise InvalidInput(
                f'main.cf: "{item}" ({place}[{index}]) contains more than one member; give each as an item of its own'
            )
    return items


def _member(value: object, place: str) -> str:
    text = _scalar(value, place)
    if not text:
        raise InvalidInput(f"main.cf: {place} is empty; remove it, or give the member that was meant")
    return text


def _scalar(value: object, place: str) -> str:
    if value is None:
        raise InvalidInput(
            f'main.cf: {place} is null; give a value, "" for an explicitly empty one, '
            "or name the parameter in absent to remove it"
        )
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        raise InvalidInput(f"main.cf: {place} is the number {value!r}; quote it to keep every digit")
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        raise InvalidInput(f"main.cf: {place} is {shown(value)}; give a string, a number, true, false or a list")
    text = value.strip(WHITE_SPACE)
    if _CONTROL.search(text):
        raise InvalidInput(
            f"main.cf: {shown(text)} ({place}) contains a line break or a control character; "
            "write it on one line, or give a list"
        )
    if text.startswith("#"):
        raise InvalidInput(
            f'main.cf: "{text}" ({place}) begins with "#", which Postfix would take for a comment; '
            "remove it, or name the parameter in absent"
        )
    return text


class MainCf:
    """The file as it stands, and edits of it. `str()` is the text; unedited, it is what was read, to the byte."""

    def __init__(self, text: str, path: str = "main.cf") -> None:
        self._path = path
        self._blocks = read_blocks(text)
        self._names: dict[int, str] = {}
        for line in self._lines():
            line.check_null(path)
            match = _ENTRY.match(line.text)
            if not match:
                raise HostError(
                    f'{path}, line {line.number}: "{line.text[:60]}" has no name and "="; correct or remove the line'
                )
            self._names[id(line)] = match.group(1)

    def __str__(self) -> str:
        return "".join(block.raw for block in self._blocks)

    @property
    def values(self) -> dict[str, str]:
        """What each parameter is set to; of several definitions, Postfix takes the last."""
        return {self._names[id(line)]: _value(line) for line in self._lines()}

    @property
    def duplicates(self) -> dict[str, list[int]]:
        """Line numbers of the parameters that are defined more than once."""
        numbers: dict[str, list[int]] = {}
        for line in self._lines():
            numbers.setdefault(self._names[id(line)], []).append(line.number)
        return {name: found for name, found in numbers.items() if len(found) > 1}

    def excerpt(self, names: Iterable[str]) -> str:
        """The physical lines of these parameters, for diffs."""
        wanted = set(names)
        return "".join(_ended(line.raw) for line in self._lines() if self._names[id(line)] in wanted)

    def set(self, name: str, value: Value, same: Callable[[str, Value], bool] | None = None) -> None:
        """Sets a parameter. A definition that already means the same keeps its form, and remains the only one.

        `same` is asked if the text differs by more than the layout of a list: whether both mean the same.
        """
        line = self._single(name)
        if line is None:
            self._append(name, value)
        elif not _equal(line, value) and not (same and same(_value(line), value)):
            self._rewrite(line, _rendered(_assignment(line), value))

    def remove(self, name: str) -> None:
        """Takes out every definition; comments inside them stay."""
        for line in [line for line in self._lines() if self._names[id(line)] == name]:
            drop_line(self._blocks, line)

    def add_items(self, name: str, items: Sequence[str], default: str = "") -> None:
        """Adds the members that the list does not hold yet, at its end and in its layout.

        `default` is what the parameter means while it is not set.
        """
        line = self._single(name)
        present = _Members(name, split_items(_value(line) if line is not None else default))
        new: list[str] = []
        for item in items:
            if not present.places(item):
                new.append(item)
                present.extend(split_items(item))
        if not new:
            return
        if line is None:
            self._append(name, split_items(default) + new)
        else:
            self._rewrite(line, _extended(line, new))

    def insert_item(self, name: str, item: str, place: int) -> None:
        """Puts the item in front of the member number `place` of a list that is set, in its line; at the end beyond it.

        `remove_items` makes of the list what it was, to the byte.
        """
        line = self._single(name)
        spans = _member_spans(line) if line is not None else []
        if line is None or place >= len(spans):
            self.add_items(name, [item])
            return
        position = line.raw_position(spans[place][0])
        self._rewrite(line, f"{line.raw[:position]}{item}, {line.raw[position:]}")

    def remove_items(self, name: str, items: Sequence[str], default: str = "") -> None:
        """Removes the members wherever they are in the list; the others keep their order and form."""
        line = self._single(name)
        if line is not None:
            reduced = _reduced(line, name, items)
            if reduced is not None:
                self._rewrite(line, reduced)
            return
        members = split_items(default)
        gone = _member_indexes(name, members, items)
        if gone:
            self._append(name, [member for index, member in enumerate(members) if index not in gone])

    def _lines(self) -> Iterator[LogicalLine]:
        return (block for block in self._blocks if isinstance(block, LogicalLine) and not block.ignored)

    def _single(self, name: str) -> LogicalLine | None:
        """The definition that counts; earlier ones are taken out."""
        found = [line for line in self._lines() if self._names[id(line)] == name]
        for line in found[:-1]:
            drop_line(self._blocks, line)
        return found[-1] if found else None

    def _append(self, name: str, value: Value) -> None:
        line = append_line(self._blocks, _rendered(f"{name} =", value))
        self._names[id(line)] = name

    def _rewrite(self, line: LogicalLine, raw: str) -> None:
        """Gives the definition new text. Comments that were inside and are not in the new text follow it."""
        comments = line.comments()
        ended = line.raw.endswith("\n") or self._blocks[-1] is not line
        line.rewrite(raw)
        if comments and line.comments() != comments:
            self._blocks.insert(self._blocks.index(line) + 1, Gap(comments if ended else comments[:-1]))
        elif not ended and raw.endswith("\n"):
            line.rewrite(raw[:-1])


def _assignment(line: LogicalLine) -> str:
    """`name =` in the spacing of the file, without what follows."""
    match = _ENTRY.match(line.text)
    return match.group(0).rstrip(WHITE_SPACE) if match else line.text


def _value_start(line: LogicalLine) -> int:
    match = _ENTRY.match(line.text)
    return match.end() if match else 0


def _value(line: LogicalLine) -> str:
    return line.text[_value_start(line) :].strip(WHITE_SPACE)


def _member_spans(line: LogicalLine) -> list[tuple[int, int]]:
    """Where the members of a list are; white space at its end, of whatever kind, belongs to none."""
    return words(line.text.rstrip(WHITE_SPACE), LIST_SEPARATORS, _value_start(line))


def _ended(raw: str) -> str:
    return raw if raw.endswith("\n") else raw + "\n"


def _equal(line: LogicalLine, value: Value) -> bool:
    """Whether the definition already means `value`; how a list is laid out does not matter."""
    if not isinstance(value, str):
        return split_items(_value(line)) == split_items(join_items(value))
    return _value(line) == value or ("\n" in line.raw[:-1] and _on_one_line(_value(line)) == _on_one_line(value))


def _on_one_line(value: str) -> str:
    """A value that was written over several lines differs from the same on one line by white space alone."""
    return " ".join(value[start:end] for start, end in words(value, WHITE_SPACE))


def _rendered(assignment: str, value: Value) -> str:
    """`name = value`, a long list one member a line."""
    text = value_text(value)
    space = " " if text and assignment[-2:-1] in WHITE_SPACE else ""
    one_line = f"{assignment}{space}{text}"
    if isinstance(value, str) or len(one_line) <= WIDTH:
        return one_line + "\n"
    return f"{assignment}\n" + ",\n".join(INDENT + item for item in value) + "\n"


def _member_indexes(name: str, members: Sequence[str], items: Sequence[str]) -> set[int]:
    """Indexes of the members that the items name."""
    present = _Members(name, members)
    return {index for item in items for place in present.places(item) for index in place}


def _reduced(line: LogicalLine, name: str, items: Sequence[str]) -> str | None:
    """The definition's physical lines less the items, or None if it has none of them."""
    spans = _member_spans(line)
    gone = _member_indexes(name, [line.text[start:end] for start, end in spans], items)
    if not gone:
        return None
    kept = [index for index in range(len(spans)) if index not in gone]
    cuts = _cuts(line, spans, gone, kept[-1] + 1 if kept else 0)
    reduced = LogicalLine(without(line.raw, cuts), line.number)
    left = [line.text[slice(*spans[index])] for index in kept]
    if split_items(_value(reduced)) == left:
        return reduced.raw
    # A member with a leading "#" has come to the beginning of a line, and would be a comment there.
    return _rendered(_assignment(line), join_items(left))


def _cuts(line: LogicalLine, spans: Sequence[tuple[int, int]], gone: set[int], tail: int) -> list[tuple[int, int]]:
    """What to cut out; all members from number `tail` on are gone."""
    cuts = []
    end = spans[tail - 1][1] if tail else len(_assignment(line))
    at_end = (line.raw_end(end), line.raw_end(spans[-1][1])) if tail < len(spans) else None
    in_one = at_end is not None and not any(map(is_comment, physical_lines(line.raw[slice(*at_end)])[1:]))
    on_line: dict[int, list[int]] = {}
    for index, number in enumerate(line.lines_of(start for start, _end in spans[: tail if in_one else len(spans)])):
        on_line.setdefault(number, []).append(index)
    for number, indexes in on_line.items():
        if number and gone.issuperset(indexes):
            cuts.append(line.raw_line(number))
        else:
            cuts.extend(_cuts_of_line(line, spans, indexes, gone))
    if at_end is not None and in_one:
        # What follows the last member stays, since an addition was put in front of that.
        cuts.append(at_end)
    elif at_end is not None and tail:
        # So must the comma go that led to what is gone.
        last = line.line_of(end - 1)
        cuts.append((at_end[0], line.raw_line(last)[0] + len(line.line_text(last))))
    return cuts


def _cuts_of_line(
    line: LogicalLine, spans: Sequence[tuple[int, int]], indexes: Sequence[int], gone: set[int]
) -> Iterator[tuple[int, int]]:
    """What to cut out of one physical line so that the members that stay keep their separators."""
    for place, index in enumerate(indexes):
        if index not in gone:
            continue
        start, end = spans[index]
        if place + 1 < len(indexes):
            yield line.raw_position(start), line.raw_position(spans[indexes[place + 1]][0])
            continue
        kept = [before for before in indexes[:place] if before not in gone]
        if kept:
            yield line.raw_end(spans[kept[-1]][1]), line.raw_end(end)
        else:
            first, last = line.raw_line(line.line_of(start))
            rest = line.raw[line.raw_end(end) : last]
            yield line.raw_position(start), line.raw_end(end) + len(rest) - len(rest.lstrip(", \t\r"))


def _extended(line: LogicalLine, new: Sequence[str]) -> str:
    """The definition's physical lines with the items added."""
    spans = _member_spans(line)
    if not spans:
        assignment = _assignment(line)
        position = line.raw_end(len(assignment))
        added = _rendered(assignment, list(new))[len(assignment) : -1]
        return line.raw[:position] + added + line.raw[position:]
    between = [line.text[end:start] for (_start, end), (start, _end) in zip(spans, spans[1:])]
    comma = "," if not between or any("," in text for text in between) else ""
    last_start, last_end = spans[-1]
    number = line.line_of(last_end - 1)
    before = line.text[line.line_start(number) : last_start]
    # With commas, a member may be several words: `check_client_access hash:/etc/x` on a line of its own.
    own_line = number > 0 and ("," not in before if comma else not before.strip(WHITE_SPACE))
    content = line.line_text(number)
    indent = content[: len(content) - len(content.lstrip(WHITE_SPACE))] if number else INDENT
    width = last_end - line.line_start(number)
    added = ""
    for item in new:
        if own_line or width + len(comma) + 1 + len(item) > WIDTH:
            added += f"{comma}\n{indent}{item}"
            width = len(indent) + len(item)
        else:
            added += f"{comma} {item}"
            width += len(comma) + 1 + len(item)
    position = line.raw_end(last_end)
    return line.raw[:position] + added + line.raw[position:]


_CONDITIONAL = re.compile(
    r"\$\{\{\$compatibility_level\}\s*(<level|<=level|>level|>=level|==level|<|<=|>|>=|==)\s*\{([0-9.]+)\}\s*"
    r"\?\s*\{([^{}]*)\}\s*(?::\s*(?:\{([^{}]*)\})?)?\}"
)


def default_text(value: str, compatibility_level: str) -> str:
    """A built-in default with its choice by compatibility level made; other `$name` stay as they are.

    Postfix 3.0 and later print `${{$compatibility_level} <level {2} ? {$mydestination} : {}}`.
    """

    def chosen(match: re.Match[str]) -> str:
        operator, bound, yes, otherwise = match.groups()
        return (yes if _holds(operator.replace("level", ""), compatibility_level, bound) else otherwise or "").strip()

    return _CONDITIONAL.sub(chosen, value)


def level(text: str) -> tuple[int, int, int]:
    """A compatibility level as numbers: `2`, or from Postfix 3.6 on `3.6` as well."""
    numbers = [int(part) for part in re.findall(r"\d+", text)[:3]]
    return (numbers + [0, 0, 0])[0], (numbers + [0, 0, 0])[1], (numbers + [0, 0, 0])[2]


def _holds(operator: str, present: str, bound: str) -> bool:
    left, right = level(present), level(bound)
    if operator == "<":
        return left < right
    if operator == "<=":
        return left <= right
    if operator == ">":
        return left > right
    if operator == ">=":
        return left >= right
    return left == right
