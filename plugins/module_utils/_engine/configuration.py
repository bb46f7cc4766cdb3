# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of main.cf and master.cf: planned from what is there, then made in one step under Postfix's own lock.

A plan only reads. On a host that needs no change it costs the reading of one file. What else it has to know comes
from `postconf -d`, since commands that read main.cf take two seconds when it was changed a moment ago.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, field
from typing import Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.changes import Diff
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.logical_lines import is_comment
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.main_cf import (
    COMPUTED_LISTS,
    RESTART_PARAMETERS,
    MainCf,
    Value,
    check_name,
    default_text,
    level,
    list_items,
    parameter_value,
    references,
    split_items,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.master_cf import MasterCf, ServiceRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import CHANGES, supports
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.edit_lock import edit_lock
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import metadata_of, read_file, replace_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix


@dataclass(frozen=True)
class MainCfRequest:
    """What main.cf is to say. A parameter may be in `parameters`, in `absent`, or in the item lists."""

    parameters: Mapping[str, Value] = field(default_factory=dict)
    absent: Sequence[str] = ()
    add_items: Mapping[str, Sequence[str]] = field(default_factory=dict)
    remove_items: Mapping[str, Sequence[str]] = field(default_factory=dict)
    allow_unknown: bool = False

    def checked(self) -> MainCfRequest:
        """The request with its values as main.cf takes them. Raises InvalidInput, naming the option and the item."""
        request = MainCfRequest(
            parameters={
                check_name(name, "parameters"): parameter_value(value, f"parameters.{name}")
                for name, value in self.parameters.items()
            },
            absent=[check_name(name, f"absent[{index}]") for index, name in enumerate(self.absent)],
            add_items=_checked_items(self.add_items, "add_items"),
            remove_items=_checked_items(self.remove_items, "remove_items"),
            allow_unknown=self.allow_unknown,
        )
        request._check_conflicts()
        return request

    def _check_conflicts(self) -> None:
        options: dict[str, list[str]] = {}
        for option in ("parameters", "absent", "add_items", "remove_items"):
            for name in dict.fromkeys(getattr(self, option)):
                options.setdefault(name, []).append(option)
        for name, found in options.items():
            if len(found) > 1 and found != ["add_items", "remove_items"]:
                raise InvalidInput(f"main.cf: {name} is in {' and in '.join(found)}; keep one of them")
        for name, items in self.add_items.items():
            both = [item for item in items if item in self.remove_items.get(name, ())]
            if both:
                raise InvalidInput(f'main.cf: "{both[0]}" is in add_items.{name} and in remove_items.{name}; keep one')

    @property
    def names(self) -> set[str]:
        """Every parameter that the request names."""
        return {*self.parameters, *self.absent, *self.add_items, *self.remove_items}


def _checked_items(items: Mapping[str, Sequence[str]], option: str) -> dict[str, Sequence[str]]:
    return {check_name(name, option): list_items(value, f"{option}.{name}") for name, value in items.items()}


@dataclass(frozen=True)
class MainCfPlan:
    """The file before and after, and per parameter its old and new value; None where it is not set."""

    path: str
    request: MainCfRequest
    before: str
    after: str
    changes: dict[str, tuple[str | None, str | None]]
    warnings: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return self.before != self.after

    @property
    def restart_needed(self) -> bool:
        """Whether a running Postfix takes the change only when it is stopped and started."""
        return not RESTART_PARAMETERS.isdisjoint(self.changes)

    @property
    def diff(self) -> Diff:
        """The lines of the changed parameters alone."""
        before, after = MainCf(self.before, self.path), MainCf(self.after, self.path)
        return Diff(self.path, before.excerpt(self.changes), after.excerpt(self.changes))


def plan_main_cf(postfix: Postfix, request: MainCfRequest) -> MainCfPlan:
    """What the request would change. Raises InvalidInput, Refused, or HostError where main.cf can't be read."""
    request = request.checked()
    path = os.path.join(postfix.config_directory, "main.cf")
    before = _read(path)
    old = MainCf(before, path)
    facts = _Facts(postfix, old.values)
    defaults = {
        name: facts.default(name) for name in {*request.add_items, *request.remove_items} if name not in old.values
    }
    after = _edited(before, path, request, defaults)
    new = MainCf(after, path)
    changes = {
        name: (old.values.get(name), new.values.get(name))
        for name in sorted(request.names)
        if old.excerpt([name]) != new.excerpt([name])
    }
    if not request.allow_unknown:
        for name in changes:
            if name not in request.absent:
                _check_known(name, new, facts)
    return MainCfPlan(path, request, before, after, changes, _duplicates(new, path))


def apply_main_cf(postfix: Postfix, plan: MainCfPlan) -> MainCfPlan:
    """Makes the change, and returns the plan as it was carried out: made anew where main.cf had changed meanwhile.

    Owner, mode, ACL, SELinux context and a symbolic link are kept. Postfix is not reloaded.
    """
    if not plan.changed:
        return plan
    with edit_lock(plan.path):
        if _read(plan.path) != plan.before:
            plan = plan_main_cf(postfix, plan.request)
        if plan.changed:
            _write(plan.path, plan.after)
    return plan


def _edited(text: str, path: str, request: MainCfRequest, defaults: Mapping[str, str]) -> str:
    file = MainCf(text, path)
    for name in request.absent:
        file.remove(name)
    for name, value in request.parameters.items():
        file.set(name, value)
    for name, items in request.remove_items.items():
        file.remove_items(name, items, defaults.get(name, ""))
    for name, items in request.add_items.items():
        file.add_items(name, items, defaults.get(name, ""))
    return str(file)


def _duplicates(file: MainCf, path: str) -> list[str]:
    return [
        f"{path}: {name} is set on lines {', '.join(map(str, lines))}; Postfix takes the last, remove the others"
        for name, lines in file.duplicates.items()
    ]


class _Facts:
    """What Postfix says about itself, asked once and only when it is needed."""

    def __init__(self, postfix: Postfix, own: Mapping[str, str]) -> None:
        self._postfix = postfix
        self._own = own
        self._defaults: dict[str, str] = {}

    @property
    def defaults(self) -> dict[str, str]:
        """Every parameter that Postfix knows, also for the services of master.cf, with its default."""
        if not self._defaults:
            self._defaults = self._postfix.parameters(options=["-d"])
        return self._defaults

    @property
    def version(self) -> str:
        return self.defaults.get("mail_version", "")

    @property
    def compatibility_level(self) -> str:
        return self._own.get("compatibility_level", self.defaults.get("compatibility_level", "0"))

    @property
    def chroot_default(self) -> str:
        """What `-` means for chroot in master.cf."""
        modern = supports(self.version, "chroot_off_by_default") and level(self.compatibility_level) >= (1, 0, 0)
        return "n" if modern else "y"

    @property
    def service_lines(self) -> list[str]:
        """The lines of master.cf without its comments, as they are: they need not be right for main.cf to change."""
        content = read_file(os.path.join(self._postfix.config_directory, "master.cf")) or b""
        return [line for line in content.decode("utf-8", "surrogateescape").split("\n") if not is_comment(line)]

    def default(self, name: str) -> str:
        """What a list parameter that main.cf does not set means, as text for main.cf."""
        if name in COMPUTED_LISTS:
            value = self._postfix.parameters([name]).get(name, "")
            raise Refused(
                f"main.cf: {name} is not set, and Postfix computes it, at present to {value}; "
                f"to add or remove members, set the whole list in parameters.{name} first"
            )
        return default_text(self.defaults.get(name, ""), self.compatibility_level)


def _check_known(name: str, file: MainCf, facts: _Facts) -> None:
    """Raises InvalidInput for a name that neither Postfix knows nor any value refers to."""
    known = facts.defaults
    if name in known:
        return
    own = {name for value in (*known.values(), *file.values.values(), *facts.service_lines) for name in references(value)}
    own.update(split_items(file.values.get("smtpd_restriction_classes", "")))
    if name in own:
        return
    change = CHANGES.get(name)
    if change and facts.version and not supports(facts.version, name):
        raise InvalidInput(
            f"main.cf: {name} needs Postfix {change.since[0]}.{change.since[1]} or later, and this host has {facts.version}; "
            "leave it out here"
        )
    near = difflib.get_close_matches(name, sorted({*known, *own}), n=1)
    raise InvalidInput(
        f'main.cf: Postfix knows no parameter "{name}"'
        + (f'; did you mean "{near[0]}"?' if near else "; correct the name")
        + " (for a parameter of a custom service, set allow_unknown: true)"
    )


@dataclass(frozen=True)
class MasterCfRequest:
    """The services that master.cf is to have, or not to have."""

    services: Sequence[ServiceRequest] = ()

    def checked(self) -> MasterCfRequest:
        """Itself. Raises InvalidInput, naming the service and its place."""
        seen: dict[tuple[str, str], int] = {}
        for index, service in enumerate(self.services):
            service.checked(f"services[{index}]")
            first = seen.setdefault((service.name, service.type), index)
            if first != index:
                raise InvalidInput(
                    f"master.cf: {service.name}/{service.type} is both services[{first}] and services[{index}]; "
                    "make them one"
                )
        return self


@dataclass(frozen=True)
class MasterCfPlan:
    """The file before and after, and per service (`smtp/inet`) its old and new lines; None where it is not there."""

    path: str
    request: MasterCfRequest
    before: str
    after: str
    changes: dict[str, tuple[str | None, str | None]]
    warnings: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return self.before != self.after

    @property
    def diff(self) -> Diff:
        """The lines of the changed services alone."""
        keys = [(service.name, service.type) for service in self.request.services]
        changed = [key for key in keys if "/".join(key) in self.changes]
        before, after = MasterCf(self.before, self.path), MasterCf(self.after, self.path)
        return Diff(self.path, before.excerpt(changed), after.excerpt(changed))


def plan_master_cf(postfix: Postfix, request: MasterCfRequest) -> MasterCfPlan:
    """What the request would change. Raises InvalidInput, or HostError where master.cf can't be read."""
    request = request.checked()
    path = os.path.join(postfix.config_directory, "master.cf")
    before = _read(path)
    old = MasterCf(before, path)
    new = MasterCf(before, path)
    facts = _Facts(postfix, _own_parameters(postfix))
    for service in request.services:
        new.apply(service, lambda: facts.chroot_default, lambda: supports(facts.version, "braced_overrides"))
    changes: dict[str, tuple[str | None, str | None]] = {}
    for service in request.services:
        key = (service.name, service.type)
        if old.excerpt([key]) != new.excerpt([key]):
            changes["/".join(key)] = (old.excerpt([key]) or None, new.excerpt([key]) or None)
    warnings = [f"{path}: {key} is there more than once; Postfix uses the last" for key in new.duplicates]
    return MasterCfPlan(path, request, before, str(new), changes, warnings)


def apply_master_cf(postfix: Postfix, plan: MasterCfPlan) -> MasterCfPlan:
    """Makes the change, as apply_main_cf does."""
    if not plan.changed:
        return plan
    with edit_lock(plan.path):
        if _read(plan.path) != plan.before:
            plan = plan_master_cf(postfix, plan.request)
        if plan.changed:
            _write(plan.path, plan.after)
    return plan


def _own_parameters(postfix: Postfix) -> dict[str, str]:
    path = os.path.join(postfix.config_directory, "main.cf")
    return MainCf(_read(path), path).values


def _read(path: str) -> str:
    content = read_file(path)
    if content is None:
        raise HostError(f"{path} does not exist; install Postfix, or correct config_directory")
    return content.decode("utf-8", "surrogateescape")


def _write(path: str, text: str) -> None:
    replace_file(path, text.encode("utf-8", "surrogateescape"), metadata_of(path))
