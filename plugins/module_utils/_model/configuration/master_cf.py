# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""master.cf as text: its services, and edits that leave everything else as it is. See master(5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.logical_lines import (
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
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import first_release

SERVICE_TYPES = ("inet", "unix", "unix-dgram", "fifo", "pass")
FIELDS = ("name", "type", "private", "unprivileged", "chroot", "wakeup", "process_limit", "command")
DEFAULT = "-"
_BLANKS = " \t\r\n"
_INDENT = "  "
_COLUMNS = (10, 6, 8, 8, 8, 8, 8, 0)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PARAMETER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
_WAKEUP = re.compile(r"(-|\d+\??)\Z", re.ASCII)
_PROCESS_LIMIT = re.compile(r"(-|\d+)\Z", re.ASCII)


@dataclass(frozen=True)
class ServiceRequest:
    """What a service is to be. None leaves a field as it is; in `overrides`, None removes one.

    `command` is the program with its arguments, without its `-o name=value` overrides. `renamed_from` is another entry,
    such as smtp/inet, that becomes this one if it runs `command`, and this one does not.
    """

    name: str
    type: str
    command: str | None = None
    private: bool | None = None
    unprivileged: bool | None = None
    chroot: bool | None = None
    wakeup: str | None = None
    process_limit: str | None = None
    overrides: Mapping[str, str | None] = field(default_factory=dict)
    state: str = "present"
    renamed_from: str | None = None

    def checked(self, place: str) -> ServiceRequest:
        """Itself. Raises InvalidInput for what master(5) could not read back."""
        if not self.name or re.search(r"[\s#{}\x00-\x1f\x7f]", self.name):
            raise InvalidInput(
                f'master.cf: "{self.name}" ({place}) is not a service name; give it without white space or "#"'
            )
        if self.type not in SERVICE_TYPES:
            raise InvalidInput(
                f'master.cf: type "{self.type}" of {self.name} ({place}) is not a service type; '
                f'use one of {", ".join(SERVICE_TYPES)}'
            )
        if self.type == "inet" and self.private:
            raise InvalidInput(
                f"master.cf: {self.name}/inet ({place}) can't be private, since it is reached over the network; "
                "leave private out, or set it to false"
            )
        self._check_numbers(place)
        self._check_command(place)
        for name, value in self.overrides.items():
            check_override(self.name, self.type, name, value, place)
        return self

    def _check_numbers(self, place: str) -> None:
        if self.wakeup is not None and not _WAKEUP.match(self.wakeup):
            raise InvalidInput(
                f'master.cf: wakeup "{self.wakeup}" of {self.name}/{self.type} ({place}) is not a number of seconds; '
                'give digits, followed by "?" if the service may be unused, or "-"'
            )
        if self.process_limit is not None and not _PROCESS_LIMIT.match(self.process_limit):
            raise InvalidInput(
                f'master.cf: process_limit "{self.process_limit}" of {self.name}/{self.type} ({place}) '
                'is not a number; give digits, 0 for no limit, or "-" for default_process_limit'
            )

    def _check_command(self, place: str) -> None:
        if self.renamed_from and (self.command is None or self.renamed_from.rpartition("/")[2] not in SERVICE_TYPES):
            raise InvalidInput(
                f'master.cf: renamed_from "{self.renamed_from}" of {self.name}/{self.type} ({place}) needs a service '
                "as name/type, and command, the program that it runs; give both"
            )
        if self.command is None:
            return
        found = [self.command[start:end] for start, end in words(self.command, _BLANKS)]
        is_program = bool(found) and found[0][0] not in "-{" and not any(word.startswith("#") for word in found)
        if not is_program or _CONTROL.search(self.command):
            raise InvalidInput(
                f'master.cf: command "{self.command}" of {self.name}/{self.type} ({place}) is not a program with '
                "its arguments on one line; correct it"
            )
        if any(word.startswith("-o") for word in _options(found)):
            raise InvalidInput(
                f"master.cf: command of {self.name}/{self.type} ({place}) contains -o; "
                "put overrides in the option overrides"
            )


def check_override(service: str, type_: str, name: object, value: object, place: str) -> None:
    """Raises InvalidInput if `-o name=value` could not be read back."""
    if not isinstance(name, str) or not _PARAMETER.match(name):
        raise InvalidInput(
            f"master.cf: {name!r} in overrides of {service}/{type_} ({place}) is not a parameter name; "
            "a name consists of letters, digits and underscores"
        )
    if value is None:
        return
    if not isinstance(value, str) or _CONTROL.search(value):
        raise InvalidInput(
            f"master.cf: override {name} of {service}/{type_} ({place}) contains a line break or a control "
            "character; write it on one line"
        )
    if not _balanced(value):
        raise InvalidInput(
            f'master.cf: override {name} of {service}/{type_} ({place}): the braces in "{value}" do not match; '
            "add the missing one"
        )


def _balanced(value: str) -> bool:
    depth = 0
    for character in value:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0


def _options(found: list[str]) -> Iterator[str]:
    """The words after the program that are options."""
    for word in found[1:]:
        if not word.startswith("-") or word == "--":
            return
        yield word


@dataclass(frozen=True)
class _Override:
    """`-o name=value`: its span from the dash on, that of `name=value`, and the options fused with it, as in `-vo`."""

    name: str
    value: str
    start: int
    argument: int
    end: int
    fused: str


@dataclass(frozen=True)
class Service:
    """An entry of master.cf as Postfix reads it; fields hold `-` where the entry does."""

    name: str
    type: str
    private: str
    unprivileged: str
    chroot: str
    wakeup: str
    process_limit: str
    command: str
    overrides: dict[str, str]

    @property
    def key(self) -> str:
        return f"{self.name}/{self.type}"


def as_request(service: Service) -> ServiceRequest:
    """What makes an entry like this one."""
    private, unprivileged, chroot = (
        None if flag == DEFAULT else flag == "y" for flag in (service.private, service.unprivileged, service.chroot)
    )
    return ServiceRequest(
        service.name,
        service.type,
        service.command,
        private,
        unprivileged,
        chroot,
        service.wakeup,
        service.process_limit,
        service.overrides,
    )


def new_service(request: ServiceRequest) -> Service:
    """The entry that a request makes where there is none."""
    overrides = {name: value for name, value in request.overrides.items() if value is not None}
    private = False if request.type == "inet" else request.private
    return Service(
        request.name,
        request.type,
        _flag(private),
        _flag(request.unprivileged),
        _flag(request.chroot),
        request.wakeup or DEFAULT,
        request.process_limit or DEFAULT,
        request.command or "",
        overrides,
    )


class _Entry:
    """One logical line of master.cf, taken apart."""

    def __init__(self, line: LogicalLine, path: str) -> None:
        line.check_null(path)
        self.line = line
        self.spans = words(line.text, _BLANKS)
        self.words = [line.text[start:end] for start, end in self.spans]
        self.place = f"{path}, line {line.number}"
        self._check()
        self.overrides: list[_Override] = []
        self.options_end = self._read_options()

    def _check(self) -> None:
        found = self.words
        if len(found) < len(FIELDS):
            raise HostError(
                f'{self.place}: "{" ".join(found)[:60]}" has {len(found)} of the {len(FIELDS)} fields '
                "that a service needs; correct or remove the line"
            )
        valid = (
            ("type", found[1] in SERVICE_TYPES),
            ("private", found[2] in ("y", "n", DEFAULT)),
            ("unprivileged", found[3] in ("y", "n", DEFAULT)),
            ("chroot", found[4] in ("y", "n", DEFAULT)),
            ("wakeup", _WAKEUP.match(found[5]) is not None),
            ("process_limit", _PROCESS_LIMIT.match(found[6]) is not None),
        )
        for name, right in valid:
            if not right:
                value = found[FIELDS.index(name)]
                raise HostError(
                    f'{self.place}: {name} of service {found[0]} can\'t be "{value}"; correct or remove the line'
                )

    def _read_options(self) -> int:
        """Collects the overrides; returns the index of the first word that is not an option. See postconf_master.c."""
        index = len(FIELDS)
        while index < len(self.words) and self.words[index].startswith("-") and self.words[index] != "--":
            index = self._read_option(index)
        return index

    def _read_option(self, index: int) -> int:
        word = self.words[index]
        start = self.spans[index][0]
        position = word.find("o", 1)
        if position < 0:
            return index + 1
        argument = start + position + 1
        if position + 1 == len(word):
            index += 1
            if index == len(self.words):
                raise HostError(f"{self.place}: -o at the end has no name=value; correct or remove it")
            argument = self.spans[index][0]
        end = self.spans[index][1]
        text = self.line.text[argument:end]
        if text.startswith("{") and text.endswith("}"):
            text = text[1:-1]
        name, equals, value = text.partition("=")
        if not equals or not name.strip(_BLANKS):
            raise HostError(f'{self.place}: "-o {text}" is not name=value; correct or remove it')
        self.overrides.append(
            _Override(name.strip(_BLANKS), value.strip(_BLANKS), start, argument, end, word[:position])
        )
        return index + 1

    @property
    def key(self) -> tuple[str, str]:
        return self.words[0], self.words[1]

    @property
    def command(self) -> str:
        """Program and arguments, less the overrides."""
        spans = [(override.start, override.end) for override in self.overrides]
        kept = [
            (start, word)
            for word, (start, end) in zip(self.words[7:], self.spans[7:])
            if not any(first <= start and end <= last for first, last in spans)
        ]
        kept += [(override.start, override.fused) for override in self.overrides if len(override.fused) > 1]
        return " ".join(word for _start, word in sorted(kept))

    def service(self) -> Service:
        name, type_, private, unprivileged, chroot, wakeup, process_limit = self.words[:7]
        return Service(
            name,
            type_,
            private,
            unprivileged,
            chroot,
            wakeup,
            process_limit,
            self.command,
            {override.name: override.value for override in self.overrides},
        )


class MasterCf:
    """The file as it stands, and edits of it. `str()` is the text; unedited, it is what was read, to the byte.

    Raises HostError, naming the line, if Postfix could not read the file.
    """

    def __init__(self, text: str, path: str = "master.cf") -> None:
        self._path = path
        self._blocks = read_blocks(text)
        self._read()

    def __str__(self) -> str:
        return "".join(block.raw for block in self._blocks)

    @property
    def services(self) -> list[Service]:
        """The services in the order of the file."""
        return [entry.service() for entry in self._read()]

    @property
    def effective(self) -> list[Service]:
        """The services that Postfix runs: of several entries of one service the last, where the first stands."""
        return list({service.key: service for service in self.services}.values())

    @property
    def duplicates(self) -> list[str]:
        """Services that stand in the file more than once; Postfix uses the last."""
        keys = [service.key for service in self.services]
        return sorted({key for key in keys if keys.count(key) > 1})

    def find(self, name: str, type_: str) -> Service | None:
        """The service that Postfix would run, or None."""
        found = [service for service in self.services if (service.name, service.type) == (name, type_)]
        return found[-1] if found else None

    def excerpt(self, keys: Iterable[tuple[str, str]]) -> str:
        """The physical lines of these services, for diffs."""
        wanted = set(keys)
        raws = [entry.line.raw for entry in self._read() if entry.key in wanted]
        return "".join(raw if raw.endswith("\n") else raw + "\n" for raw in raws)

    def apply(self, request: ServiceRequest, chroot_default: Callable[[], str], braces: Callable[[], bool]) -> None:
        """Makes the service what the request says; only what differs in meaning is touched.

        `chroot_default` tells what `-` means for chroot on this host, `braces` whether its Postfix knows
        `-o { name = value }`; each is asked only if it matters. Raises InvalidInput if a new service lacks its
        command, or a value can't be written.
        """
        if request.renamed_from and request.state != "absent":
            self._rename(request)
        found = [entry for entry in self._read() if entry.key == (request.name, request.type)]
        if request.state == "absent":
            for entry in found:
                drop_line(self._blocks, entry.line)
            return
        for name, value in request.overrides.items():
            if value is not None and any(blank in value for blank in _BLANKS) and not braces():
                raise InvalidInput(
                    f"master.cf: override {name} of {request.name}/{request.type} contains white space, which needs "
                    f"Postfix {first_release('braced_overrides')} or later; set a parameter in main.cf to the value, "
                    "and the override to its $name"
                )
        if not found:
            self._append(request)
            return
        for entry in found[:-1]:
            drop_line(self._blocks, entry.line)
        self._edit(found[-1].line, request, chroot_default)

    def amend_override(self, key: str, name: str, value: str) -> None:
        """Gives an override of a service (`smtp/inet`) that is there another value; only what differs is written.

        The value that it had makes of the file what it was, to the byte.
        """
        found = [entry for entry in self._read() if "/".join(entry.key) == key]
        overrides = [override for entry in found[-1:] for override in entry.overrides if override.name == name]
        if not overrides:
            raise HostError(f"{self._path}: {key} has no override {name} any more; run it again")
        line, old = found[-1].line, overrides[-1]
        begin = line.text.index(old.value, line.text.index("=", old.argument) + 1, old.end)
        first, last = _difference(old.value, value)
        start = line.raw_position(begin + first) if begin + first < old.end else line.raw_end(old.end)
        end = line.raw_end(begin + last) if last > first else start
        line.rewrite(line.raw[:start] + value[first : len(value) - (len(old.value) - last)] + line.raw[end:])

    def _read(self) -> list[_Entry]:
        return [
            _Entry(block, self._path) for block in self._blocks if isinstance(block, LogicalLine) and not block.ignored
        ]

    def _rename(self, request: ServiceRequest) -> None:
        """Writes name, type and what that demands of `private`, no more: renamed back it has the same bytes."""
        key = (request.name, request.type)
        found = [entry for entry in self._read() if "/".join(entry.key) == request.renamed_from]
        present = [entry for entry in self._read() if entry.key == key]
        if not found or found[-1].command != request.command or (present and present[-1].command == request.command):
            return
        for entry in [*present, *found[:-1]]:
            drop_line(self._blocks, entry.line)
        entry = found[-1]
        inet = "inet" in (request.type, entry.words[1])
        wanted = [*key, *([_flag(False) if request.type == "inet" else DEFAULT] if inet else [])]
        raw = entry.line.raw
        for (start, end), text in reversed([*zip(entry.spans, wanted)]):
            raw = raw[: entry.line.raw_position(start)] + text + raw[entry.line.raw_end(end) :]
        entry.line.rewrite(raw)

    def _append(self, request: ServiceRequest) -> None:
        if request.command is None:
            raise InvalidInput(
                f"master.cf: there is no service {request.name}/{request.type} yet, and command is missing; "
                "give the command, or correct name and type"
            )
        service = new_service(request)
        head = "".join(f"{getattr(service, name):<{width - 1}} " for name, width in zip(FIELDS[:-1], _COLUMNS))
        append_line(self._blocks, head + _rendered_command(service.command, service.overrides))

    def _edit(self, line: LogicalLine, request: ServiceRequest, chroot_default: Callable[[], str]) -> None:
        for name, wanted in (
            ("private", _flag(request.private)),
            ("unprivileged", _flag(request.unprivileged)),
            ("chroot", _flag(request.chroot)),
            ("wakeup", request.wakeup or DEFAULT),
            ("process_limit", request.process_limit or DEFAULT),
        ):
            if getattr(request, name) is not None:
                _set_field(line, self._path, FIELDS.index(name), wanted, chroot_default)
        if request.command is not None:
            _set_command(line, self._path, request.command)
        for name, value in request.overrides.items():
            _set_override(line, self._path, name, value)


def _difference(old: str, new: str) -> tuple[int, int]:
    """The span of `old` that differs from `new`: what both begin with, and what both end with, is not in it."""
    first = _alike(old, new)
    return first, len(old) - _alike(old[first:][::-1], new[first:][::-1])


def _alike(old: str, new: str) -> int:
    """How many characters both begin with."""
    return next((place for place, (left, right) in enumerate(zip(old, new)) if left != right), min(len(old), len(new)))


def _flag(value: bool | None) -> str:
    return DEFAULT if value is None else "y" if value else "n"


def _meaning(index: int, value: str, chroot_default: Callable[[], str]) -> str:
    """A field with `-` replaced by what it stands for, if that is known."""
    if value != DEFAULT:
        return value
    if FIELDS[index] == "chroot":
        return chroot_default()
    return {"private": "y", "unprivileged": "y", "wakeup": "0"}.get(FIELDS[index], DEFAULT)


def _set_field(line: LogicalLine, path: str, index: int, wanted: str, chroot_default: Callable[[], str]) -> None:
    entry = _Entry(line, path)
    present = entry.words[index]
    if present == wanted or _meaning(index, present, chroot_default) == _meaning(index, wanted, chroot_default):
        return
    start, end = (line.raw_position(entry.spans[index][0]), line.raw_end(entry.spans[index][1]))
    rest = line.raw[end:]
    blanks = len(rest) - len(rest.lstrip(" "))
    # The columns after it stay where they are, as far as there is room.
    room = max(1, blanks + (end - start) - len(wanted)) if blanks else 0
    line.rewrite(line.raw[:start] + wanted + " " * room + rest[blanks:])


def _set_command(line: LogicalLine, path: str, command: str) -> None:
    entry = _Entry(line, path)
    wanted = " ".join(command[start:end] for start, end in words(command, _BLANKS))
    if entry.command == wanted:
        return
    position = line.raw_position(entry.spans[7][0])
    comments = "".join(text for text in physical_lines(line.raw[position:]) if is_comment(text))
    line.rewrite(line.raw[:position] + _rendered_command(wanted, entry.service().overrides) + comments)


def _set_override(line: LogicalLine, path: str, name: str, value: str | None) -> None:
    found = [override for override in _Entry(line, path).overrides if override.name == name]
    surplus = found if value is None else found[:-1]
    for override in reversed(surplus):
        _cut_override(line, override)
    if value is None:
        return
    found = [override for override in _Entry(line, path).overrides if override.name == name]
    if not found:
        _add_override(line, path, _rendered_override(name, value))
    elif found[0].value != value:
        start, end = line.raw_position(found[0].argument), line.raw_end(found[0].end)
        line.rewrite(line.raw[:start] + _rendered_override(name, value) + line.raw[end:])


def _cut_override(line: LogicalLine, override: _Override) -> None:
    if len(override.fused) > 1:
        start = line.raw_position(override.start + len(override.fused))
        line.rewrite(without(line.raw, [(start, line.raw_end(override.end))]))
        return
    first, last = line.line_of(override.start), line.line_of(override.end - 1)
    start, end = line.raw_line(first)[0], line.raw_line(last)[1]
    before = line.raw[start : line.raw_position(override.start)]
    after = line.raw[line.raw_end(override.end) : end]
    if before.strip():
        cut = (start + len(before.rstrip()), line.raw_end(override.end))
    elif after.strip():
        cut = (start + len(before), end - len(after.lstrip()))
    else:
        # If the file did not end with a newline, its new last line does not either.
        cut = (start, end) if line.raw[:end].endswith("\n") else (start - 1, end)
    line.rewrite(without(line.raw, [cut]))


def _add_override(line: LogicalLine, path: str, text: str) -> None:
    """After the last override, else after the last option, so it comes before the command's own arguments."""
    entry = _Entry(line, path)
    end = entry.overrides[-1].end if entry.overrides else entry.spans[entry.options_end - 1][1]
    number = line.line_of(end - 1)
    content = line.line_text(number)
    position = line.raw_end(end)
    if content[end - line.line_start(number) :].strip(_BLANKS):
        line.rewrite(f"{line.raw[:position]} -o {text}{line.raw[position:]}")
        return
    indent = content[: len(content) - len(content.lstrip())] if number else _INDENT
    # After blanks that end the line, so that an override that is removed again leaves the bytes that were there.
    position += len(content) - (end - line.line_start(number))
    line.rewrite(f"{line.raw[:position]}\n{indent}-o {text}{line.raw[position:]}")


def _rendered_override(name: str, value: str) -> str:
    return f"{{ {name} = {value} }}" if any(blank in value for blank in _BLANKS) else f"{name}={value}"


def _rendered_command(command: str, overrides: Mapping[str, str]) -> str:
    """The command, its overrides one a line, then its arguments."""
    found = [command[start:end] for start, end in words(command, _BLANKS)]
    options = len(list(_options(found))) + 1
    lines = [" ".join(found[:options])]
    lines.extend(f"{_INDENT}-o {_rendered_override(name, value)}" for name, value in overrides.items())
    if overrides and found[options:]:
        lines.append(_INDENT + " ".join(found[options:]))
    elif found[options:]:
        lines[0] += " " + " ".join(found[options:])
    return "\n".join(lines) + "\n"
