# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MX plan as it travels: from the module mx_plan through the role's phases to mx_undo.

`as_result` makes what a module returns, `from_result` takes it back, whole or the parts that are there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks.result import Refusal
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import ServiceRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import ABSENT, PRESENT
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import TableState

RELAY_SERVICE = "relay/unix"
# The parts of a plan that are tables whose rows are known by their keys alone.
KEYED = ("subdomains", "verify", "refused", "filters", "probes")
# The domains whose mail is on its way when they go.
_MAIL = ("routed", "flushed", "returned")
# More reasons to refuse than these are counted by their checks.
REFUSALS_SHOWN = 20


@dataclass(frozen=True)
class RecipientsItem:
    """One domain's rows as they are to be; `index` is its place in the declared list, None for a domain not in it."""

    name: str
    policy: str
    state: str = PRESENT
    index: int | None = None
    postmaster: bool = False
    subdomains: bool = False
    changed: bool = False
    # What the list is, by which its rows are known again.
    digest: str = ""
    lists_postmaster: bool = False
    abuse: bool = False
    lists_abuse: bool = False

    def as_result(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "recipients_policy": self.policy,
            "state": self.state,
            "item": self.index,
            "postmaster": self.postmaster,
            "subdomains": self.subdomains,
            "changed": self.changed,
            "digest": self.digest,
            "lists_postmaster": self.lists_postmaster,
            "abuse": self.abuse,
            "lists_abuse": self.lists_abuse,
        }

    @classmethod
    def from_result(cls, given: Mapping[str, Any]) -> RecipientsItem:
        names = {"recipients_policy": "policy", "item": "index"}
        return cls(**{names.get(name, name): value for name, value in given.items()})


@dataclass(frozen=True)
class MainCfChange:
    """What main.cf is to say, in the terms of the module main_cf."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    absent: Sequence[str] = ()
    add_items: Mapping[str, list[str]] = field(default_factory=dict)
    remove_items: Mapping[str, list[str]] = field(default_factory=dict)
    changed: bool = False

    def joined(self, other: MainCfChange) -> MainCfChange:
        """Both changes as one; of a parameter that both set the other's value holds."""
        return MainCfChange(
            {**self.parameters, **other.parameters},
            [*self.absent, *other.absent],
            _joined_items(self.add_items, other.add_items),
            _joined_items(self.remove_items, other.remove_items),
        )

    def without(self, names: Container[str]) -> MainCfChange:
        """The change without these parameters."""
        return replace(
            self,
            parameters={name: value for name, value in self.parameters.items() if name not in names},
            absent=[name for name in self.absent if name not in names],
        )

    def as_result(self) -> dict[str, Any]:
        return {**asdict(self), "absent": list(self.absent)}

    @classmethod
    def from_result(cls, given: Mapping[str, Any]) -> MainCfChange:
        return cls(**given)


def _joined_items(first: Mapping[str, list[str]], second: Mapping[str, list[str]]) -> dict[str, list[str]]:
    names = list(dict.fromkeys([*first, *second]))
    return {name: list(dict.fromkeys([*first.get(name, ()), *second.get(name, ())])) for name in names}


@dataclass(frozen=True)
class TableRows:
    """The rows that a table of ours is to get. Without `changed` nothing is written, and nothing travels."""

    reference: str = ""
    path: str = ""
    type: str = ""
    rows: Mapping[str, str] = field(default_factory=dict)
    repair: bool = False
    changed: bool = False

    @classmethod
    def planned(cls, table: TableState | None, wanted: Mapping[str, str]) -> TableRows:
        """The rows as this table is to get them, or to get mended."""
        # A table that main.cf names is looked up for every domain, whoever's rows it holds.
        repair = bool(table and ((wanted and not table.exists) or ((wanted or table.relied_on) and table.repair)))
        present = table.rows if table else {}
        lacking = bool(wanted and table is None) or any(present.get(key) != value for key, value in wanted.items())
        changed = repair or lacking
        return cls(*_place(table), wanted if changed else {}, repair, changed)

    def as_result(self, key: str, value: str) -> dict[str, Any]:
        """As the module's result; `key` and `value` are what the module that writes the table calls a row's parts."""
        return {
            "reference": self.reference,
            "path": self.path,
            "type": self.type,
            "entries": [{key: row, value: self.rows[row]} for row in self.rows],
            "repair": self.repair,
            "changed": self.changed,
        }

    @classmethod
    def from_result(cls, given: Mapping[str, Any], key: str, value: str) -> TableRows:
        others = {name: part for name, part in given.items() if name != "entries"}
        return cls(rows={entry[key]: entry[value] for entry in given.get("entries", ())}, **others)


def _place(table: TableState | None) -> tuple[str, str, str]:
    return (table.reference, table.path, table.type) if table else ("", "", "")


@dataclass(frozen=True)
class RecipientRows:
    """The domains whose rows the table of valid recipients is to get."""

    reference: str = ""
    path: str = ""
    type: str = ""
    domains: Sequence[RecipientsItem] = ()
    repair: bool = False
    changed: bool = False
    # How many entries may go; "" for all.
    max_removals: str = ""

    @classmethod
    def planned(cls, table: TableState | None, items: Sequence[RecipientsItem]) -> RecipientRows:
        """The rows as this table is to get them, or to get mended."""
        repair = bool(table and ((items and not table.exists) or ((items or table.replaces) and table.repair)))
        changed = repair or any(item.changed for item in items)
        return cls(*_place(table), items if changed else (), repair, changed)

    def as_result(self) -> dict[str, Any]:
        return {**vars(self), "domains": [item.as_result() for item in self.domains]}

    @classmethod
    def from_result(cls, given: Mapping[str, Any]) -> RecipientRows:
        items = [RecipientsItem.from_result(item) for item in given.get("domains", ())]
        return cls(**{**given, "domains": items})


@dataclass(frozen=True)
class Removal:
    """Rows that go, once main.cf has let go of the domain: of domains, and by their keys.

    A row of `transport` stays while mail is on its way to one of the domains `routed`, which would not find it then.
    What waits for the `flushed` is tried again before all else, and what waits for the `returned` goes to its senders
    after all else.
    """

    recipients: Sequence[RecipientsItem] = ()
    transport: Sequence[str] = ()
    subdomains: Sequence[str] = ()
    verify: Sequence[str] = ()
    refused: Sequence[str] = ()
    filters: Sequence[str] = ()
    probes: Sequence[str] = ()
    routed: Sequence[str] = ()
    flushed: Sequence[str] = ()
    returned: Sequence[str] = ()

    @property
    def changed(self) -> bool:
        return bool(self.recipients or self.transport or self.returned or any(getattr(self, name) for name in KEYED))

    def as_result(self) -> dict[str, Any]:
        return {
            "changed": self.changed,
            "recipients": [item.as_result() for item in self.recipients],
            "transport": [{"pattern": pattern} for pattern in self.transport],
            **{name: [{"key": key} for key in getattr(self, name)] for name in KEYED},
            **{name: list(getattr(self, name)) for name in _MAIL},
        }

    @classmethod
    def from_result(cls, given: Mapping[str, Any]) -> Removal:
        return cls(
            [RecipientsItem.from_result(item) for item in given.get("recipients", ())],
            [entry["pattern"] for entry in given.get("transport", ())],
            **{name: list(given.get(name, ())) for name in _MAIL},
            **{name: [entry["key"] for entry in given.get(name, ())] for name in KEYED},
        )


@dataclass(frozen=True)
class ServiceChange:
    """What a service of master.cf is to be: the overrides that it gets, or with None loses.

    `command` is its program if there is no such service yet; `private`, `chroot` and `process_limit` are its fields.
    `renamed_from` is the entry that becomes this one, whose overrides it then has.
    """

    overrides: Mapping[str, str | None] = field(default_factory=dict)
    command: str = ""
    private: bool | None = None
    chroot: bool | None = None
    process_limit: str = ""
    state: str = PRESENT
    renamed_from: str = ""

    @property
    def whole(self) -> bool:
        """Whether the entry itself comes or goes."""
        return bool(self.command) or self.state == ABSENT

    def request(self, key: str) -> ServiceRequest:
        """The same as the module master_cf takes it; `key` is its name and type, such as relay/unix."""
        name, _slash, kind = key.rpartition("/")
        return ServiceRequest(
            name,
            kind,
            command=self.command or None,
            private=self.private,
            chroot=self.chroot,
            process_limit=self.process_limit or None,
            overrides=dict(self.overrides),
            state=self.state,
            renamed_from=self.renamed_from or None,
        )


@dataclass(frozen=True)
class MasterCfChange:
    """What services of master.cf are to be, by name and type, such as relay/unix."""

    services: Mapping[str, ServiceChange] = field(default_factory=dict)
    changed: bool = False

    @property
    def requests(self) -> list[ServiceRequest]:
        return [service.request(key) for key, service in self.services.items()]

    def as_result(self) -> dict[str, Any]:
        services = []
        for request in self.requests:
            said = {**asdict(request), "state": None if request.state == PRESENT else request.state}
            services.append({name: value for name, value in said.items() if value is not None})
        return {"services": services, "changed": self.changed}

    @classmethod
    def from_result(cls, given: Mapping[str, Any]) -> MasterCfChange:
        services = {}
        for service in given.get("services", ()):
            fields = {name: value for name, value in service.items() if name not in ("name", "type")}
            services[f"{service['name']}/{service['type']}"] = ServiceChange(**fields)
        return cls(services, given.get("changed", False))


@dataclass(frozen=True)
class ServicePlan:
    """What the service of Postfix is, and whether it is to be reloaded, restarted, started or enabled.

    `command` takes the place of a service that there is none of: Postfix's own, to which `start`, `stop` and `reload`
    are words.
    """

    name: str = "postfix"
    command: Sequence[str] = ()
    manager: str = "auto"
    managed: bool = False
    active: bool | None = None
    enabled: bool | None = None
    reload: bool = False
    restart: bool = False
    changed: bool = False


@dataclass(frozen=True)
class StandbyPlan:
    """The standby service as it is to be, as the module mx_standby takes it; without domains there is to be none."""

    domains: Sequence[str] = ()
    subdomains: Sequence[str] = ()
    own: Sequence[str] = ()
    name: str = ""
    changed: bool = False

    @property
    def removed(self) -> bool:
        """Whether it goes, once main.cf no longer has smtpd ask it."""
        return self.changed and not self.domains


@dataclass(frozen=True)
class MxPlan:
    """Everything that a run would change on a host, and every reason not to."""

    installed: bool = True
    # Whether the tables can be written: Postfix and the table types are there.
    ready: bool = True
    version: str = ""
    packages: Sequence[str] = ()
    domains: Sequence[str] = ()
    undeclared: Sequence[str] = ()
    notes: Sequence[str] = ()
    recipients: RecipientRows = field(default_factory=RecipientRows)
    transport: TableRows = field(default_factory=TableRows)
    subdomains: TableRows = field(default_factory=TableRows)
    verify: TableRows = field(default_factory=TableRows)
    refused: TableRows = field(default_factory=TableRows)
    filters: TableRows = field(default_factory=TableRows)
    probes: TableRows = field(default_factory=TableRows)
    removal: Removal = field(default_factory=Removal)
    standby: StandbyPlan = field(default_factory=StandbyPlan)
    main_cf: MainCfChange = field(default_factory=MainCfChange)
    master_cf: MasterCfChange = field(default_factory=MasterCfChange)
    service: ServicePlan = field(default_factory=ServicePlan)
    # Whether limits of deliveries are to be taken back, since the while is over for which they were set.
    limits_over: bool = False
    # Whether the record of a raised maximal_queue_lifetime is to be forgotten, since the outages are over.
    raise_over: bool = False
    refusals: Sequence[Refusal] = ()
    # Whether the result is to be judged, scopes whose errors then fail the run, and what is known already; None where
    # something changes before it can be judged.
    judge: bool = False
    verify_fail_on: Sequence[str] | None = None
    findings: Sequence[Mapping[str, Any]] | None = None
    # This run as its controller tells it; another one that was at it, so nothing was planned; whether one that has
    # ended left its record behind; and what differs once one has begun or ended since this was planned.
    run: Mapping[str, Any] = field(default_factory=dict)
    other_run: Mapping[str, Any] | None = None
    left_behind: bool = False
    mark: str = ""
    # Whether the tags of this run include a phase that changes the host; without one there is nothing to take back.
    acts: bool = True

    @property
    def pending(self) -> bool:
        """Whether anything is to be done."""
        configured = self.main_cf.changed or self.master_cf.changed or self.service.changed or self.standby.changed
        others = self.removal.changed or self.limits_over or self.raise_over or self.left_behind
        return bool(self.packages or self.behind or configured or others)

    @property
    def behind(self) -> list[str]:
        """The tables whose rows are not yet as main.cf will rely on them."""
        names = sorted(("recipients", "transport", *KEYED))
        return [name for name in names if getattr(self, name).changed]

    @property
    def tables_written(self) -> dict[str, str]:
        """The sources of the tables that get or lose rows, and the tables' types."""
        names = [
            name
            for name in ("transport", "recipients", *KEYED)
            if getattr(self, name).changed or getattr(self.removal, name)
        ]
        return {getattr(self, name).path: getattr(self, name).type for name in names if getattr(self, name).path}

    @property
    def changes(self) -> list[str]:
        """What would change, a line each, without anybody's address."""
        return list(_changes(self))

    def as_result(self) -> dict[str, Any]:
        shown, left = _shown(self.refusals)
        return {
            "installed": self.installed,
            "ready": self.ready,
            "version": self.version,
            "packages": list(self.packages),
            "domains": list(self.domains),
            "undeclared": list(self.undeclared),
            "notes": list(self.notes),
            "recipients": self.recipients.as_result(),
            "transport": self.transport.as_result("pattern", "result"),
            **{name: getattr(self, name).as_result("key", "value") for name in KEYED},
            "removal": self.removal.as_result(),
            "standby": {**asdict(self.standby), "removed": self.standby.removed},
            "main_cf": self.main_cf.as_result(),
            "master_cf": self.master_cf.as_result(),
            "service": asdict(self.service),
            "limits_over": self.limits_over,
            "raise_over": self.raise_over,
            "refusals": [asdict(refusal) for refusal in shown],
            "refusals_left": dict(Counter(refusal.check for refusal in left)),
            "changes": self.changes,
            "pending": self.pending,
            "judge": self.judge,
            "verify_fail_on": self.verify_fail_on,
            "findings": self.findings,
            "run": dict(self.run),
            "other_run": self.other_run,
            "left_behind": self.left_behind,
            "mark": self.mark,
            "acts": self.acts,
        }

    @classmethod
    def from_result(cls, given: Mapping[str, Any]) -> MxPlan:
        """The plan that this result came from; what the result lacks is as in a plan without changes."""
        computed = ("changes", "pending", "refusals_left")
        parts: dict[str, Any] = {
            "recipients": RecipientRows.from_result(given.get("recipients", {})),
            "transport": TableRows.from_result(given.get("transport", {}), "pattern", "result"),
            **{name: TableRows.from_result(given.get(name, {}), "key", "value") for name in KEYED},
            "removal": Removal.from_result(given.get("removal", {})),
            "standby": StandbyPlan(
                **{name: value for name, value in given.get("standby", {}).items() if name != "removed"}
            ),
            "main_cf": MainCfChange.from_result(given.get("main_cf", {})),
            "master_cf": MasterCfChange.from_result(given.get("master_cf", {})),
            "service": ServicePlan(**given.get("service", {})),
            "refusals": [Refusal(**refusal) for refusal in given.get("refusals", ())],
        }
        others = {name: value for name, value in given.items() if name not in parts and name not in computed}
        return cls(**others, **parts)


def _shown(refusals: Sequence[Refusal]) -> tuple[list[Refusal], list[Refusal]]:
    """The refusals to show, the first of each check among them, and the others; both in order."""
    first = {refusal.check: place for place, refusal in reversed([*enumerate(refusals)])}
    places = sorted(range(len(refusals)), key=lambda place: (place != first[refusals[place].check], place))
    shown, left = sorted(places[:REFUSALS_SHOWN]), sorted(places[REFUSALS_SHOWN:])
    return [refusals[place] for place in shown], [refusals[place] for place in left]


def _changes(plan: MxPlan) -> Iterator[str]:
    for package in plan.packages:
        yield f"install {package}"
    for item in plan.recipients.domains:
        if item.changed:
            yield f"recipients of {item.name}: {item.policy}"
    for pattern in plan.subdomains.rows:
        yield f"recipients of subdomains: {pattern}"
    for pattern, result in plan.transport.rows.items():
        yield f"transport {pattern} {result}"
    for domain in plan.verify.rows:
        yield f"verify recipients of {domain} by asking its mail host"
    for pattern, action in plan.refused.rows.items():
        yield f"reports of refused mail: {pattern} {action}"
    for pattern, action in plan.filters.rows.items():
        yield f"refusals by a mail host: {pattern} {action}"
    for pattern, result in plan.probes.rows.items():
        yield f"probes of recipients: {pattern} {result}"
    if plan.standby.changed and plan.standby.domains:
        yield f"standby for {', '.join(plan.standby.domains)}"
    if plan.main_cf.changed or not plan.installed:
        for name, value in plan.main_cf.parameters.items():
            yield f"main.cf: {name} = {value}"
        for name in plan.main_cf.absent:
            yield f"main.cf: {name} is no longer set"
        for name, members in plan.main_cf.add_items.items():
            yield f"main.cf: {name} gets {', '.join(members)}"
        for name, members in plan.main_cf.remove_items.items():
            yield f"main.cf: {name} loses {', '.join(members)}"
    if plan.limits_over:
        yield "take limits of deliveries back, which have expired"
    if plan.raise_over:
        yield "forget that maximal_queue_lifetime was raised"
    if plan.master_cf.changed:
        for key, service in plan.master_cf.services.items():
            yield from _changes_of_service(key, service)
    for domain in plan.removal.flushed:
        yield f"retry the queued mail for {domain}"
    for item in plan.removal.recipients:
        yield f"remove the recipients of {item.name}"
    for key in plan.removal.subdomains:
        yield f"remove the recipients of subdomains {key}"
    for pattern in plan.removal.transport:
        yield f"remove transport {pattern}"
    for domain in plan.removal.returned:
        yield f"return the queued mail for {domain} to its senders"
    if plan.standby.removed:
        yield "remove the standby service"
    if plan.left_behind:
        yield "remove the record that a run which was cut off has left behind"


def _changes_of_service(key: str, service: ServiceChange) -> Iterator[str]:
    if service.renamed_from:
        yield f"master.cf: {service.renamed_from} becomes {key}"
        return
    if service.state == ABSENT:
        yield f"master.cf: {key} is removed"
    if service.command:
        yield f"master.cf: {key} is added, which runs {service.command}"
    for name, override in service.overrides.items():
        # A service that is added had none to lose.
        if override is None and service.command:
            continue
        yield f"master.cf: {key} " + (f"loses -o {name}" if override is None else f"-o {name}={override}")
