# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what an MX plan needs to know of a host. Nothing is changed, and few commands are run."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from typing import Mapping, Sequence

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.tables import (
    Edits,
    Settings,
    TableOptions,
    TableReference,
    plan_table,
    read_settings,
    resolve,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.table_index import read_record
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.table_reference import without_proxy
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.table_types import KEYED_TYPES, probe
from ansible_collections.mxrelay.postfix.plugins.module_utils._model import restrictions
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, InvalidInput, NoAnswer
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.main_cf import MainCf, split_items
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.match_lists import (
    Member,
    expand,
    lookup_keys,
    match,
    member_of,
    members_of,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx_host import (
    OTHER_CLASSES,
    Capture,
    HostState,
    TableState,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx_request import (
    ANY,
    EXTERNAL,
    PRIMARY,
    SECONDARY,
    VERIFY,
    Refusal,
    MxRequest,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.packages import missing, type_package
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.pattern_table import PATTERN_TYPES, PatternTable
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.recipient_digest import rows_by_domain
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.strangers import (
    ADDRESSES,
    RECIPIENTS,
    permits,
    welcomes,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.table import Table
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.files import read_file
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.network import Network
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import SECONDS_TO_ANSWER, Postfix
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.service import service_state

RECIPIENTS_NAME = "relay_recipients"
TRANSPORT_NAME = "transport"
VERIFY_NAME = "relay_verify"
SUBDOMAINS_NAME = "relay_recipients_subdomains"
OS_RELEASE = "/etc/os-release"
# How many keys a table finds a second at the least that a daemon or a server is asked for.
KEYS_A_SECOND = 100
# No address of a person: it finds the patterns that take every address of a domain.
PROBE_LOCAL_PART = "mxrelay-probe"
_PATTERN = re.compile(r"^/@\[\^@\]\+\\\.(.*)\$/$")


@dataclass
class Evidence:
    """The state, and what can already be refused while reading it."""

    state: HostState
    refusals: list[Refusal] = field(default_factory=list)
    # Table types that do not work yet, but would with a package of their name.
    missing_types: list[str] = field(default_factory=list)
    reader: MapReader | None = None
    # A declared domain is internationalised, and python3-idna is not there.
    needs_idna: bool = False


class MapReader:
    """Asks lookup tables by postmap, each for all keys at once."""

    def __init__(self, postfix: Postfix) -> None:
        self._postfix = postfix
        self._sources: dict[str, Table] = {}
        self._silent: set[str] = set()
        self.notes: list[str] = []

    def ask(self, table: str, keys: Sequence[str]) -> dict[str, str]:
        """The results of the keys that the table has. A table that can't be asked has none, and is noted."""
        if not keys or table in self._silent:
            return {}
        given = "".join(f"{key}\n" for key in keys).encode()
        try:
            result = self._postfix.run(
                "postmap", "-q", "-", table, data=given, silence=SECONDS_TO_ANSWER + len(keys) // KEYS_A_SECOND
            )
        except NoAnswer as error:
            self._silent.add(table)
            self._note(table, error.message)
            return {}
        if "fatal:" in result.err:
            problem = result.err.strip().splitlines()[-1].partition("fatal: ")[2]
            self._note(table, problem)
        found = {}
        for line in result.out.splitlines():
            key, separator, value = line.partition("\t")
            if separator:
                found[key] = value
        return found

    def _note(self, table: str, problem: str) -> None:
        note = f"{table} could not be asked ({problem})"
        if note not in self.notes:
            self.notes.append(note)

    def source(self, path: str) -> Table:
        """The table's source as text; without entries where it is not there. Each file is read once."""
        if path not in self._sources:
            self._sources[path] = Table.parse(read_file(path) or b"")
        return self._sources[path]

    def rows(self, kind: str, path: str, utf8: bool) -> dict[str, str]:
        """The entries of a local table's source, of patterns as well."""
        if kind in PATTERN_TYPES:
            return PatternTable.parse(read_file(path) or b"", kind).mapping(utf8)
        return self.source(path).mapping(utf8)

    def values(self, table: str) -> list[str]:
        """All results of a table as far as they can be listed: none of those of a type that only answers."""
        kind, _colon, path = table.partition(":")
        if kind in ("regexp", "pcre"):
            return [entry.value for entry in PatternTable.parse(read_file(path) or b"", kind).entries]
        if kind not in (*KEYED_TYPES, "inline"):
            return []
        result = self._postfix.dump(table)
        return [line.partition("\t")[2] for line in result.out.splitlines()] if result.rc == 0 else []

    def keys(self, table: str) -> list[str] | None:
        """All keys of a local table, or None where its type can't list them."""
        kind = table.partition(":")[0]
        if kind not in KEYED_TYPES:
            return None
        result = self._postfix.dump(table)
        return [line.partition("\t")[0] for line in result.out.splitlines()] if result.rc == 0 else None


def read_host(postfix: Postfix, network: Network, request: MxRequest) -> Evidence:
    """The state of the host as far as the request needs it.

    DNS and the addresses of mail hosts are asked only for domains that would change: mx_info looks at the others.
    Raises HostError where Postfix's commands fail.
    """
    if not postfix.installed():
        wanted = missing(True, [str(request.settings["table_type"])], bool(network.lacks()), text_of(OS_RELEASE))
        return Evidence(HostState(installed=False, missing_packages=wanted if request.present else []))
    reader = MapReader(postfix)
    state = read_parameters(postfix, reader, ", ".join(map(str, request.settings["relay_restrictions"])))
    evidence = Evidence(state, reader=reader)
    declared = [item.name for item in request.items]
    read_tables(postfix, request, evidence, reader)
    read_relay_domains(declared, state, reader)
    read_classes(declared, state, reader)
    _read_transport(request, state, reader)
    _read_probes(request, state, reader)
    read_network(network, request, state)
    read_service(postfix, state)
    state.notes = reader.notes
    state.missing_packages = missing(False, evidence.missing_types, bool(network.lacks()), text_of(OS_RELEASE))
    state.dns_lacks = network.lacks()
    return evidence


def read_strangers(state: HostState, reader: MapReader, wanted: str = "") -> None:
    """What the tables and classes that decide on relaying say to strangers: in main.cf, in overrides, in `wanted`."""
    overrides = [service.overrides for service in state.services]
    networks = [state.value("mynetworks")] + [one.get("mynetworks", "") for one in overrides]
    value = expand(" ".join(networks), state.values)
    state.network_files = named_files(split_items(value))
    tables = {one.text for one in members_of(value, state.network_files) if one.kind == "table"}
    state.network_answers = {one: reader.ask(one, ADDRESSES) for one in sorted(tables)}

    classes = split_items(state.value("smtpd_restriction_classes"))
    names = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
    lists = [state.value(name) for name in (*names, *classes)] + [expand(wanted, state.values)]
    lists += [expand(one[name], state.values) for one in overrides for name in names if name in one]
    found = {pair for one in lists for pair in restrictions.access_tables(one)}
    permitting = {table for action, table in sorted(found) if _permits_strangers(action, table, reader)}
    # A class may name another, so that one round for each is enough.
    for _round in classes:
        permitting |= {one for one in classes if restrictions.grants(state.value(one), permitting)}
    state.permitting = frozenset(permitting)


def _permits_strangers(action: str, table: str, reader: MapReader) -> bool:
    """Whether everybody, or whoever pretends to be the right sender, is permitted by it, or mail to everybody."""
    if action == "check_client_access":
        return welcomes(reader.ask(table, ADDRESSES))
    if action in ("check_sender_access", "check_helo_access"):
        return any(permits(one) for one in reader.values(table))
    # An index has an answer for the recipients that it lists, and for nobody else.
    if action == "check_recipient_access" and table.partition(":")[0] not in KEYED_TYPES:
        return any(permits(one) for one in reader.ask(table, RECIPIENTS).values())
    # Of the others Postfix takes no OK (postconf(5)), or they are about clients that have shown who they are.
    return False


def read_service(postfix: Postfix, state: HostState) -> None:
    service = service_state(postfix, state.value("queue_directory"))
    state.service_name, state.service_active, state.service_enabled = service.name, service.active, service.enabled
    state.reload_pending = service.reload_pending


def read_parameters(postfix: Postfix, reader: MapReader, wanted: str = "") -> HostState:
    """What main.cf and master.cf say, and what Postfix makes of them; `wanted` are relay restrictions to be set."""
    main_cf, master_cf = (os.path.join(postfix.config_directory, name) for name in ("main.cf", "master.cf"))
    state = HostState(
        installed=True,
        parameters=postfix.parameters(),
        values=postfix.parameters(options=("-x",)),
        explicit=MainCf(text_of(main_cf), main_cf).values,
        services=MasterCf(text_of(master_cf), master_cf).services,
    )
    read_strangers(state, reader, wanted)
    state.version = tuple(int(one) for one in re.findall(r"\d+", state.value("mail_version"))[:3])
    return state


def text_of(path: str) -> str:
    content = read_file(path)
    return content.decode("utf-8", "replace") if content is not None else ""


def read_tables(postfix: Postfix, request: MxRequest, evidence: Evidence, reader: MapReader) -> None:
    state = evidence.state
    settings = read_settings(postfix, ["relay_recipient_maps", "transport_maps"])
    state.recipients = read_table(postfix, request, settings, "relay_recipient_maps", RECIPIENTS_NAME, evidence)
    state.transport = read_table(postfix, request, settings, "transport_maps", TRANSPORT_NAME, evidence)
    if state.recipients:
        content = reader.source(state.recipients.path)
        rows = content.mapping(settings.utf8)
        counted: dict[str, int] = {}
        for entry in content.entries:
            counted[entry.key.lower()] = counted.get(entry.key.lower(), 0) + 1
        untidy = frozenset(key for key, count in counted.items() if count > 1)
        wide = frozenset(item.name for item in request.items if item.subdomains and item.policy not in (ANY, VERIFY))
        state.recipient_rows = rows_by_domain(rows, untidy, wide, request.declared)
        state.verify = _table_beside(postfix, settings, state, "smtpd_recipient_restrictions", VERIFY_NAME, reader)
        state.subdomains = _table_beside(postfix, settings, state, "relay_recipient_maps", SUBDOMAINS_NAME, reader)
    if state.transport:
        content = reader.source(state.transport.path)
        state.transport = replace(state.transport, rows=content.mapping(settings.utf8))
    _move_on(request, state, reader)


def read_table(
    postfix: Postfix, request: MxRequest, settings: Settings, parameter: str, name: str, evidence: Evidence
) -> TableState | None:
    directory = str(request.settings["table_directory"] or "")
    wanted_type = str(request.settings["table_type"] or "") or None
    path = os.path.join(directory, name) if directory else None
    try:
        try:
            reference = resolve(postfix, parameter, name, path, wanted_type, settings)
        except InvalidInput:
            if path is not None:
                raise
            reference = _ours_among(postfix, parameter, name, wanted_type, settings)
        try:
            table = _state(postfix, reference, settings, settings.parameters.get(parameter, ""))
        except HostError:
            # The source is there, in a type that does not work yet: what it needs is seen once that is installed.
            _probe(postfix, reference.type, request, evidence)
            if reference.type not in evidence.missing_types:
                raise
            return None
        if not table.exists or not table.member:
            _probe(postfix, table.type, request, evidence)
        return table
    except (InvalidInput, HostError) as error:
        refusal = Refusal.from_error("", "table", InvalidInput(error.message.replace("; nothing was changed", "")))
        if "give the option path" in refusal.remedy:
            refusal = replace(refusal, remedy=f"set {request.role or 'mx'}_table_directory to say where its table is")
        if refusal not in evidence.refusals:
            evidence.refusals.append(refusal)
        return None


def _probe(postfix: Postfix, table_type: str, request: MxRequest, evidence: Evidence) -> None:
    """Raises HostError where tables of the type don't work here, and no package that we may install changes that."""
    if table_type in evidence.missing_types:
        return
    try:
        probe(postfix, table_type)
    except HostError:
        if not (type_package(table_type) and request.settings["manage_package"] and not request.after_install):
            raise
        evidence.missing_types.append(table_type)


def _ours_among(
    postfix: Postfix, parameter: str, name: str, wanted_type: str | None, settings: Settings
) -> TableReference:
    """Of several tables the one with our name in the configuration directory. Raises InvalidInput without one."""
    path = os.path.join(postfix.config_directory, name)
    members = [without_proxy(one) for one in split_items(settings.parameters.get(parameter, ""))]
    if path not in [member.partition(":")[2] for member in members]:
        return resolve(postfix, parameter, name, None, wanted_type, settings)
    return resolve(postfix, parameter, name, path, wanted_type, settings)


def _state(postfix: Postfix, reference: TableReference, settings: Settings, value: str) -> TableState:
    member = ""
    replaces = []
    for text in split_items(value):
        kind, _colon, path = without_proxy(text).partition(":")
        if path and os.path.realpath(path) == os.path.realpath(reference.path):
            if kind == reference.type:
                member = text
            else:
                replaces.append(text)
    exists = os.path.exists(reference.path)
    return TableState(
        reference=str(reference),
        path=reference.path,
        type=reference.type,
        exists=exists,
        member=member,
        repair=exists and plan_table(postfix, reference, Edits(), TableOptions(), settings).changed,
        replaces=tuple(replaces),
    )


def _table_beside(
    postfix: Postfix, settings: Settings, state: HostState, parameter: str, name: str, reader: MapReader
) -> TableState | None:
    """A table of ours in the directory of the recipients: of their type, or of patterns."""
    if state.recipients is None:
        return None
    table_type = "regexp" if name == SUBDOMAINS_NAME else state.recipients.type
    reference = TableReference(table_type, os.path.join(os.path.dirname(state.recipients.path), name))
    table = _state(postfix, reference, settings, state.value(parameter))
    return replace(table, rows=reader.rows(table.type, table.path, settings.utf8))


def _move_on(request: MxRequest, state: HostState, reader: MapReader) -> None:
    """Finds tables that this role left behind in another directory, to be let go of in favour of the new ones.

    One whose rows the new table will not hold all of stays where it is, and is noted.
    """
    known = {
        "recipients": ("relay_recipient_maps", frozenset(state.recipient_rows)),
        "subdomains": ("relay_recipient_maps", frozenset()),
        "transport": ("transport_maps", _names(state.transport)),
        "verify": ("smtpd_recipient_restrictions", _names(state.verify)),
    }
    ours = [item for item in request.items if item.policy != EXTERNAL]
    settled = {item.name for item in ours}
    wide = tuple("." + item.name for item in ours if item.subdomains)
    for attribute, (parameter, held) in known.items():
        table = getattr(state, attribute)
        if table is None:
            continue
        for member in _left_behind(table, state.value(parameter)):
            kind, _colon, path = without_proxy(member).partition(":")
            rows = reader.rows(kind, path, True)
            names = {_domain_of_row(key) for key in rows} - settled - held
            others = sorted(one for one in names if not one.endswith(wide))
            if others:
                reader.notes.append(
                    f"{member} stays in {parameter} beside {table.reference}, since it has rows of "
                    f"{', '.join(others)}, which this role does not declare"
                )
            else:
                table = replace(table, replaces=(*table.replaces, member))
                reader.notes.append(f"{table.reference} takes the place of {member}; remove the files of the old table")
        setattr(state, attribute, table)


def _left_behind(table: TableState, value: str) -> list[str]:
    """Members of the list that name a table of ours, by its name and its record, which lies elsewhere."""
    found = []
    for member in split_items(value):
        path = without_proxy(member).partition(":")[2]
        same_name = os.path.basename(path) == os.path.basename(table.path)
        if same_name and os.path.realpath(path) != os.path.realpath(table.path) and read_record(path) is not None:
            found.append(member)
    return found


def _names(table: TableState | None) -> frozenset[str]:
    return frozenset(_domain_of_row(key) for key in table.rows) if table else frozenset()


def _domain_of_row(key: str) -> str:
    """The domain that a row is about: of an address, of `.domain`, or of a pattern as this role writes it."""
    pattern = _PATTERN.match(key)
    return pattern.group(1).replace("\\", "") if pattern else key.rpartition("@")[2].lstrip(".").lower()


def named_files(members: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in members:
        member = member_of(text)
        if member.kind == "file" and os.path.exists(member.text):
            found[member.text] = text_of(member.text)
    return found


def read_relay_domains(declared: Sequence[str], state: HostState, reader: MapReader) -> None:
    value = state.value("relay_domains")
    parents = {one.lower() for one in split_items(state.value("parent_domain_matches_subdomains"))}
    state.relay_parents = "relay_domains" in parents
    written = {one.lower() for one in split_items(state.explicit.get("relay_domains", ""))}
    indirect = next((one for one in written if one.startswith("$")), "relay_domains")
    relayed: dict[str, str] = {}
    unlisted: list[str] = []
    for text in split_items(value):
        for member in members_of(text, named_files([text])):
            if member.negated:
                continue
            if member.kind == "pattern":
                source = text if text != member.text else member.text if member.text in written else indirect
                relayed.setdefault(member.text, source)
            else:
                _read_relay_table(member, declared, relayed, unlisted, reader)
    state.relayed = relayed
    state.unlisted_relay_members = unlisted


def _read_relay_table(
    member: Member, declared: Sequence[str], relayed: dict[str, str], unlisted: list[str], reader: MapReader
) -> None:
    keys = reader.keys(member.text) if member.kind == "table" else None
    if keys is not None:
        for key in keys:
            relayed.setdefault(key, member.text)
        return
    unlisted.append(member.text)
    if member.kind == "table":
        for key in reader.ask(member.text, declared):
            relayed.setdefault(key, member.text)


def read_classes(declared: Sequence[str], state: HostState, reader: MapReader) -> None:
    names = sorted({*declared, *state.relayed})
    classes: dict[str, dict[str, str]] = {}
    for parameter in OTHER_CLASSES:
        value = state.value(parameter)
        members = members_of(value, named_files(split_items(value)))
        answers = {one.text: reader.ask(one.text, names) for one in members if one.kind == "table"}
        for name in names:
            found = match(name, members, None, answers)
            if found:
                classes.setdefault(name, {})[parameter] = found.text
    state.classes = classes


def _read_transport(request: MxRequest, state: HostState, reader: MapReader) -> None:
    """Which answers of other members of transport_maps come before, or behind, a row that the domain has in ours."""
    present = request.present
    if not present:
        return
    keys = {item.name: transport_keys(item.name) for item in present}
    asked = sorted({key for several in keys.values() for key in several})
    ours = state.transport
    before = True
    for member in split_items(state.value("transport_maps")):
        if ours and member in ours.replaces:
            continue
        if ours and member == ours.member:
            before = False
            continue
        answers = reader.ask(member, asked)
        for item in present:
            _weigh(item.name, item.result or "relay:", keys[item.name], member, answers, before, state)


def transport_keys(domain: str) -> list[str]:
    return [f"{PROBE_LOCAL_PART}@{domain}", *lookup_keys(domain, False), "*"]


def _weigh(
    name: str,
    wanted: str,
    keys: Sequence[str],
    member: str,
    answers: Mapping[str, str],
    before: bool,
    state: HostState,
) -> None:
    for place, key in enumerate(keys):
        result = answers.get(key)
        if result is None:
            continue
        strong = place == 0 or (place == 1 and before)
        capture = Capture(member, key if place else f"any address of {name}", result)
        if strong and result != wanted:
            _put(state, "captures", name, capture)
        elif not strong:
            _put(state, "weak_captures", name, capture)


def _put(state: HostState, attribute: str, name: str, capture: Capture) -> None:
    known = dict(getattr(state, attribute))
    known.setdefault(name, capture)
    setattr(state, attribute, known)


def _read_probes(request: MxRequest, state: HostState, reader: MapReader) -> None:
    probes = [item.probe_recipient for item in request.present if item.policy == EXTERNAL and item.probe_recipient]
    if not probes:
        return
    found: set[str] = set()
    for member in split_items(state.value("relay_recipient_maps")):
        found |= set(reader.ask(member, [one.lower() for one in probes]))
    state.probed = {one: one.lower() in found for one in probes}


def read_network(network: Network, request: MxRequest, state: HostState) -> None:
    state.own_addresses = network.own_addresses()
    rows = state.transport.rows if state.transport else {}
    # A domain that is relayed already is asked about where its own MX records are to take over from a row.
    domains = [
        one.name
        for one in request.present
        if one.role == SECONDARY and (one.name not in state.relayed or rows.get(one.name, "relay:") != "relay:")
    ]
    domains += [one.name for one in request.absent if not one.force]
    declared = request.declared
    if request.settings["remove_undeclared"]:
        domains += [one for one in state.relayed if one not in declared]
    hosts = []
    for item in request.present:
        if item.role == PRIMARY and item.nexthop and rows.get(item.name) != item.result:
            hosts.append(item.nexthop)
            if item.mx_lookup:
                domains.append(item.nexthop)
    state.host_addresses = network.addresses(hosts)
    domains += [one for one in hosts if one not in state.host_addresses]
    state.mx = network.exchangers(domains)
