# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of main.cf and master.cf: planned from what is there, tried, then made in one step under Postfix's own lock.

A plan only reads. On a host that needs no change it costs the reading of one file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Callable

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.listeners import refuse_taken_ports
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.postfix_facts import (
    Facts,
    check_known,
    restriction_class_names,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.trial import Staged, stage
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import (
    RESTART_PARAMETERS,
    MainCf,
    Value,
    check_name,
    list_items,
    main_cf_value,
    value_text,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import (
    MasterCf,
    ServiceRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_types import (
    same_list,
    same_value,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.parameter_values import (
    Judge,
    table_types,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.restrictions import one_more
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.outcome import Diff
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.versions import supports
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.edit_lock import edit_lock
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import (
    links_of,
    metadata_of,
    read_file,
    refuse_unwritable,
    replace_file,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.places import refuse_open_place
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix

# How the names of smtpd's lists of restrictions end.
RESTRICTION_LIST = "_restrictions"


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
                check_name(name, "parameters"): main_cf_value(value, f"parameters.{name}")
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
class ConfigurationPlan:
    """One of the two files before and after.

    `changes` has the old and new value of a parameter, or the old and new lines of a service (`smtp/inet`); None if
    it is not there. `table_types` are types of lookup tables that the file has not named so far. `again` plans the
    same request anew, for a file that was changed meanwhile.
    """

    path: str
    before: str
    after: str
    changes: dict[str, tuple[str | None, str | None]]
    diff: Diff
    again: Callable[[], ConfigurationPlan]
    warnings: list[str] = field(default_factory=list)
    table_types: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return self.before != self.after

    @property
    def restart_needed(self) -> bool:
        """Whether a running Postfix takes the change only when it is stopped and started."""
        return not RESTART_PARAMETERS.isdisjoint(self.changes)


def plan_main_cf(postfix: Postfix, request: MainCfRequest) -> ConfigurationPlan:
    """What the request would change. Raises InvalidInput, Refused, or HostError if main.cf can't be read."""
    request = request.checked()
    path = os.path.join(postfix.config_directory, "main.cf")
    refuse_open_place(path)
    before = _read(path)
    old = MainCf(before, path)
    facts = Facts(postfix, old.values)
    defaults = {
        name: facts.default(name) for name in {*request.add_items, *request.remove_items} if name not in old.values
    }
    after = _edited(before, path, request, defaults, facts)
    new = MainCf(after, path)
    changes = {
        name: (old.values.get(name), new.values.get(name))
        for name in sorted(request.names)
        if old.excerpt([name]) != new.excerpt([name])
    }
    _check_parameters(request, [name for name in changes if name not in request.absent], new, facts)
    return ConfigurationPlan(
        path,
        before,
        after,
        changes,
        Diff(path, old.excerpt(changes), new.excerpt(changes)),
        lambda: plan_main_cf(postfix, request),
        _duplicates(new, path),
        _new_table_types(changes),
    )


def plan_master_cf(postfix: Postfix, request: MasterCfRequest) -> ConfigurationPlan:
    """What the request would change. Raises InvalidInput, or HostError if master.cf can't be read."""
    request = request.checked()
    path = os.path.join(postfix.config_directory, "master.cf")
    refuse_open_place(path)
    before = _read(path)
    old = MasterCf(before, path)
    new = MasterCf(before, path)
    main_cf = _own_parameters(postfix)
    facts = Facts(postfix, main_cf)
    for service in request.services:
        new.apply(service, lambda: facts.chroot_default, lambda: supports(facts.version, "braced_overrides"))
    keys = [(service.name, service.type) for service in request.services]
    changed = [key for key in keys if old.excerpt([key]) != new.excerpt([key])]
    touched = [service for service in request.services if (service.name, service.type) in changed]
    overrides = _new_overrides(old, touched)
    for place, name, value in overrides:
        Judge(facts.defaults, restriction_class_names(main_cf), "master.cf").check(name, value, place)
    return ConfigurationPlan(
        path,
        before,
        str(new),
        {"/".join(key): (old.excerpt([key]) or None, new.excerpt([key]) or None) for key in changed},
        Diff(path, old.excerpt(changed), new.excerpt(changed)),
        lambda: plan_master_cf(postfix, request),
        [f"{path}: {key} is defined more than once; Postfix uses the last" for key in new.duplicates],
        list(dict.fromkeys(found for _place, name, value in overrides for found in table_types(name, value))),
    )


def rehearse_configuration(postfix: Postfix, plan: ConfigurationPlan) -> ConfigurationPlan:
    """The plan with the warnings of `postconf` about its outcome: what check mode can tell. Changes nothing.

    Raises Refused if postconf does not accept the outcome or a new service's port is taken, HostError if a table type
    does not work here or the file can't be replaced.
    """
    return _staged(postfix, plan, False) if plan.changed else plan


def apply_configuration(postfix: Postfix, plan: ConfigurationPlan, restores: bool = False) -> ConfigurationPlan:
    """Makes the change, and returns the plan as it was carried out: made anew if the file had changed meanwhile.

    The outcome is tried first, with `postconf` and `postfix check`. Owner, mode, ACL, SELinux context and a symbolic
    link are kept. Postfix is not reloaded. `restores`: a service that comes back has the port that it had. Raises what
    rehearse_configuration raises; then nothing was changed.
    """
    if not plan.changed:
        return plan
    plan = _staged(postfix, plan, True, restores)
    with edit_lock(plan.path):
        if _read(plan.path) != plan.before:
            plan = plan.again()
            if not plan.changed:
                return plan
            plan = _staged(postfix, plan, True, restores)
        replace_file(plan.path, plan.after.encode("utf-8", "surrogateescape"), metadata_of(plan.path))
    return plan


def _staged(postfix: Postfix, plan: ConfigurationPlan, live: bool, restores: bool = False) -> ConfigurationPlan:
    refuse_unwritable(plan.path)
    if os.path.basename(plan.path) == "master.cf" and not restores:
        refuse_taken_ports(postfix, plan.before, plan.after, plan.path)
    warnings = [*plan.warnings, *stage(postfix, Staged(plan.path, plan.before, plan.after, plan.table_types), live)]
    links = links_of(plan.path)
    if links > 1:
        warnings.append(
            f"{plan.path} has {links - 1} other hard links, which keep the old content; make them symbolic links"
        )
    return replace(plan, warnings=warnings)


def _edited(text: str, path: str, request: MainCfRequest, defaults: Mapping[str, str], facts: Facts) -> str:
    file = MainCf(text, path)
    for name in request.absent:
        file.remove(name)
    for name, value in request.parameters.items():
        _change_by_one(file, name, value_text(value))
        file.set(name, value, partial(_means_same, facts, name))
    for name, items in request.remove_items.items():
        file.remove_items(name, items, defaults.get(name, ""))
    for name, items in request.add_items.items():
        file.add_items(name, items, defaults.get(name, ""))
    return str(file)


def _change_by_one(file: MainCf, name: str, value: str) -> None:
    """Gives a list of restrictions the one that it is to have more or less, so the others keep their lines."""
    present = file.values.get(name, "")
    if not name.endswith(RESTRICTION_LIST) or not present:
        return
    more, less = one_more(present, value), one_more(value, present)
    if more:
        file.insert_item(name, *more)
    elif less:
        file.remove_items(name, [less[0]])


def _means_same(facts: Facts, name: str, present: str, wanted: Value) -> bool:
    """Whether a value that is there in another form means what is wanted."""
    if same_list(name, present, wanted):
        return True
    return "$" not in present and same_value(facts.kind(name), present, value_text(wanted))


def _check_parameters(request: MainCfRequest, changed: Sequence[str], new: MainCf, facts: Facts) -> None:
    """Raises InvalidInput for a name that Postfix does not know, and for a value that it would misread."""
    for name in changed:
        if not request.allow_unknown:
            check_known(name, new, facts)
        judge = Judge(facts.defaults, restriction_class_names(new.values))
        if name in request.parameters:
            judge.check(name, request.parameters[name], f"parameters.{name}")
        elif name in request.add_items:
            judge.check(name, request.add_items[name], f"add_items.{name}")


def _new_table_types(changes: Mapping[str, tuple[str | None, str | None]]) -> list[str]:
    """The types of tables that the changed parameters did not name before."""
    before = {table_type for name, (old, _new) in changes.items() for table_type in table_types(name, old or "")}
    after = [table_type for name, (_old, new) in changes.items() for table_type in table_types(name, new or "")]
    return [table_type for table_type in dict.fromkeys(after) if table_type not in before]


def _new_overrides(old: MasterCf, services: Sequence[ServiceRequest]) -> list[tuple[str, str, str]]:
    """Place, name and value of the overrides that are not so in the file yet."""
    found = []
    for service in services:
        present = old.find(service.name, service.type)
        for name, value in service.overrides.items():
            if value is not None and (present is None or present.overrides.get(name) != value):
                found.append((f"overrides of {service.name}/{service.type}", name, value))
    return found


def _duplicates(file: MainCf, path: str) -> list[str]:
    return [
        f"{path}: {name} is set on lines {', '.join(map(str, lines))}; Postfix uses the last; remove the others"
        for name, lines in file.duplicates.items()
    ]


def _own_parameters(postfix: Postfix) -> dict[str, str]:
    path = os.path.join(postfix.config_directory, "main.cf")
    return MainCf(_read(path), path).values


def _read(path: str) -> str:
    content = read_file(path)
    if content is None:
        raise HostError(f"{path} does not exist; install Postfix, or correct config_directory")
    return content.decode("utf-8", "surrogateescape")
