# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host with Postfix, systemd and a network for unit tests of the MX plan: real files, commands that answer as theirs.

`postconf` answers from main.cf itself, so that what a change writes is what the next plan reads.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.match_lists import expand
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import (
    ServedCertificate,
    TlsaRecord,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import Answer, Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import MxRecord
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.smtp_probe import Approach, Transaction
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_host import DAEMONS, FakeHost

DEFAULTS = {
    "daemon_directory": DAEMONS,
    "address_verify_map": "btree:$data_directory/verify_cache",
    "compatibility_level": "3.9",
    "data_directory": "/var/lib/postfix",
    "default_database_type": "hash",
    "fallback_relay": "",
    "inet_interfaces": "all",
    "mail_version": "3.10.13",
    "maximal_queue_lifetime": "5d",
    "mydestination": "$myhostname, localhost",
    "myhostname": "mx.example",
    "mynetworks": "127.0.0.0/8",
    "parent_domain_matches_subdomains": "debug_peer_list,relay_domains,smtpd_access_maps",
    "proxy_interfaces": "",
    "queue_directory": "/nowhere",
    "recipient_delimiter": "",
    "relay_domains": "",
    "relay_recipient_maps": "",
    "relay_transport": "relay",
    "relayhost": "",
    "smtp_bind_address": "",
    "smtp_fallback_relay": "$fallback_relay",
    "smtp_generic_maps": "",
    "smtp_tls_wrappermode": "no",
    "smtpd_recipient_restrictions": "",
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination",
    "smtputf8_enable": "yes",
    "transport_maps": "",
    "unverified_recipient_defer_code": "450",
    "virtual_alias_domains": "",
    "virtual_mailbox_domains": "",
}
MASTER_CF = """\
smtp      inet  n       -       y       -       -       smtpd
relay     unix  -       -       y       -       -       smtp
"""


class FakeMxHost(FakeHost):
    """FakeHost with configuration files and a service."""

    def __init__(self, config_directory: str, main_cf: str = "") -> None:
        super().__init__(config_directory)
        self.installed = True
        # What parameters are without a line in main.cf.
        self.defaults: Mapping[str, str] = DEFAULTS
        # Tables that a daemon is asked for which never answers.
        self.unanswered: set[str] = set()
        # What `postqueue -j` prints.
        self.queue = ""
        self.unit = "ActiveState=active\nUnitFileState=enabled\n"
        self.write("main.cf", main_cf)
        self.write("master.cf", MASTER_CF)

    def path(self, name: str) -> str:
        return os.path.join(self.config_directory, name)

    def write(self, name: str, text: str) -> None:
        with open(self.path(name), "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(text)

    def table(self, name: str, text: str) -> None:
        """A hash table with its index."""
        self.write(name, text)
        assert self.run(["postmap", "-c", self.config_directory, f"hash:{self.path(name)}"]).rc == 0

    def run(self, argv: Sequence[str], data: bytes | None = None, silence: float | None = None) -> Result:
        if argv[0] == "systemctl":
            return Result(0, self.unit, "")
        if not self.installed:
            raise FileNotFoundError(argv[0])
        if list(argv[3:]) == ["-j"] and argv[0] == "postqueue":
            self.commands.append(["postqueue", "-j"])
            return Result(0, self.queue, "")
        if argv[2] != self.config_directory:
            # A change of main.cf or master.cf is tried in a scratch directory, where all is well here.
            return Result(0, "", "")
        if list(argv[3:5]) == ["-q", "-"]:
            self.commands.append([argv[0], *argv[3:]])
            if silence is not None and argv[5] in self.unanswered:
                raise TimeoutError
            return self._query_all((data or b"").decode("utf-8", "surrogateescape").split("\n")[:-1], argv[5])
        return super().run(argv, data)

    def _postconf(self, arguments: list[str], data: bytes | None) -> Result:
        with open(self.path("main.cf"), encoding="utf-8", errors="surrogateescape") as stream:
            explicit = MainCf(stream.read()).values
        values = dict(self.defaults) if "-d" in arguments else {**self.defaults, **explicit}
        if "-x" in arguments:
            values = {name: expand(value, values) for name, value in values.items()}
        if "-h" in arguments and "mail_version" in arguments:
            return Result(0, values["mail_version"] + "\n", "")
        if arguments == ["-m"]:
            return super()._postconf(arguments, data)
        wanted = [name for name in arguments if not name.startswith("-")] or list(values)
        return Result(0, "".join(f"{name} = {values[name]}\n" for name in wanted if name in values), "")

    def _query_all(self, keys: Iterable[str], table: str) -> Result:
        kind, _colon, path = table.partition(":")
        if kind == "static":
            return Result(0, "".join(f"{key}\t{path.strip('{}')}\n" for key in keys), "")
        if kind == "inline":
            return _answers(keys, dict(row.split("\t", 1) for row in self._rows(table) or ()))
        if kind == "regexp":
            return self._match_all(keys, path)
        rows = self._rows(table) if kind in (*self.suffixes, "texthash") else None
        if rows is None:
            return Result(1, "", f"postmap: fatal: open {table}: No such file or directory\n")
        return _answers(keys, dict(row.split("\t", 1) for row in rows))

    def _rows(self, table: str) -> list[str] | None:
        kind, _colon, path = table.partition(":")
        if kind == "inline":
            return [row.strip().replace("=", "\t", 1) for row in path.strip("{}").split(",")]
        return super()._rows(table)

    def _match_all(self, keys: Iterable[str], path: str) -> Result:
        if not os.path.exists(path):
            return Result(1, "", f"postmap: fatal: open {path}: No such file or directory\n")
        with open(path, encoding="utf-8") as stream:
            patterns = [line.rstrip("\n")[1:].rpartition("/ ") for line in stream]
        answers = [(key, value) for key in keys for pattern, _end, value in patterns if re.search(pattern, key)]
        return Result(0, "".join(f"{key}\t{value}\n" for key, value in answers), "")


def _answers(keys: Iterable[str], rows: Mapping[str, str]) -> Result:
    return Result(0, "".join(f"{key}\t{rows[key]}\n" for key in keys if key in rows), "")


class FakeNetwork:
    """The network port."""

    def __init__(self, own: Iterable[str] = ("127.0.0.1", "192.0.2.9"), lacking: str = "") -> None:
        self.own = frozenset(own)
        self.lacking = lacking
        self.names: dict[str, tuple[str, ...]] = {}
        self.records: dict[str, tuple[MxRecord, ...]] = {}
        self.published: dict[str, str] = {}
        # What the port of an SMTP server shows, and the TLSA records of names.
        self.shown: dict[int, ServedCertificate] = {}
        self.pinned: dict[str, tuple[TlsaRecord, ...]] = {}
        # Filters and policy services that do not answer, and why.
        self.failures: dict[str, str] = {}
        self.asked: list[str] = []

    def own_addresses(self) -> frozenset[str]:
        return self.own

    def addresses(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        asked = list(names)
        self.asked += asked
        return {name: self.names[name] for name in asked if name in self.names}

    def exchangers(self, domains: Iterable[str]) -> dict[str, tuple[MxRecord, ...]]:
        asked = list(domains)
        self.asked += asked
        return {name: self.records[name] for name in asked if name in self.records}

    def policies(self, domains: Iterable[str]) -> dict[str, str]:
        asked = list(domains)
        self.asked += [f"_mta-sts.{domain}" for domain in asked]
        return {name: self.published[name] for name in asked if name in self.published}

    def certificate(self, server: str, port: int, _name: str, away: bool = False) -> ServedCertificate:
        del away
        return self.shown.get(port, ServedCertificate(server, failure="Connection refused"))

    def tlsa(self, servers: Iterable[str]) -> dict[str, tuple[TlsaRecord, ...]]:
        return {name: self.pinned[name] for name in servers if name in self.pinned}

    def answers(self, endpoints: Iterable[str], _user: str) -> dict[str, str]:
        return {endpoint: self.failures.get(endpoint, "") for endpoint in endpoints}

    def greeting(self, address: str, port: int) -> str:
        return self.failures.get(f"{address}:{port}", "")

    def port(self, name: str) -> int:
        return int(name) if name.isdigit() else {"smtp": 25, "submission": 587, "submissions": 465}.get(name, 0)

    def lacks(self) -> str:
        return self.lacking


class FakeProber:
    """The SMTP port: servers that answer each command with what they were given for it, 250 where nothing was.

    `ports` has answers of their own for some ports, `guises` for a client who says that he is another one.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.ports: dict[int, dict[str, Answer]] = {}
        self.guises: dict[str, dict[str, Answer]] = {}
        self.extensions: dict[str, str] = {"size": "10240000", "smtputf8": "", "8bitmime": ""}
        self.dead: set[str] = set()
        # Those that take connections, and greet nobody who does not say who he is.
        self.mute: set[int] = set()
        self.talks: list[tuple[str, int, tuple[str, ...]]] = []
        self.approaches: list[tuple[Approach, list[Transaction]]] = []

    def talk(self, approach: Approach, transactions: Sequence[Transaction], _deadline: float) -> list[Talk]:
        met = Talk(approach.server, port=approach.port, guise=approach.guise)
        self.approaches.append((approach, list(transactions)))
        self.talks.append((approach.server, approach.port, tuple(transactions[0][1])))
        if approach.server in self.dead:
            return [replace(met, failure="Connection refused")]
        if approach.port in self.mute and not approach.guise:
            return [replace(met, failure="timed out", connected=True)]
        met = replace(met, connected=True, banner=self.answer(approach, "banner", (220, "ready")))
        if met.banner is not None and met.banner[0] >= 400:
            return [met]
        met = replace(met, extensions=self.extensions)
        return [self._told(approach, met, *transaction) for transaction in transactions]

    def _told(self, approach: Approach, met: Talk, sender: str, recipients: Sequence[str]) -> Talk:
        mail = self.answer(approach, f"MAIL @{sender.rpartition('@')[2]}" if sender else "MAIL")
        told = {recipient: self.answer(approach, recipient) for recipient in recipients} if mail[0] < 400 else {}
        return replace(met, mail=mail, recipients=told, sender=sender)

    def answer(self, approach: Approach, asked: str, otherwise: Answer = (250, "ok")) -> Answer:
        """To a recipient by the whole address, else by how it begins; to the rest by its name, `MAIL @domain`."""
        given = [self.guises.get(approach.guise, {}), self.ports.get(approach.port, {}), self.answers]
        if asked.startswith(("banner", "MAIL")):
            return next((answers[asked] for answers in given if asked in answers), otherwise)
        found = (said for answers in given for start, said in answers.items() if asked.startswith(start))
        return next(found, otherwise)
