# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sources of recipients of the scenario sync: what they have, and how they are made to lie."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import yaml

from lab import claims, faults, hosts, remote
from lab.checkout import ROOT

HOST = "sources"
FOLDER = "/etc/sources"
_INVENTORY = ROOT / "molecule/sync/inventory/hosts.yml"


def _variables() -> dict[str, Any]:
    variables: dict[str, Any] = yaml.safe_load(_INVENTORY.read_text())["all"]["vars"]
    return variables


def declared() -> dict[str, dict[str, Any]]:
    """Return the sources as the inventory has them."""
    return dict(_variables()["lab_sources"])


def followers() -> dict[str, list[str]]:
    """Return the names of the sources that each domain follows."""
    return {item["name"]: item["recipients_from"] for item in _variables()["lab_domains"]}


def users(domain: str, count: int = 100) -> set[str]:
    """Return the addresses that most sources have of their domain."""
    return {f"user{number}@{domain}" for number in range(1, count + 1)}


def recipients() -> dict[str, set[str]]:
    """Return the recipients of each domain while every source is right."""
    system = hosts.on(HOST, "cut", "-d:", "-f1", "/etc/passwd").split()
    special = {
        "odd.example": {'"user one"', '"user,two"', "user3", "user4+tag", "user5", "jörg"},
        "local.example": {*system, "postmaster", "mailer-daemon", "help"},
    }
    found = {domain: users(domain) for domain in followers()}
    found.update((domain, {f"{name}@{domain}" for name in names}) for domain, names in special.items())
    found["bücher.example"] = users("bücher.example", 2)
    for domain in ("mailbox.example", "mariadb.example"):
        found[domain].add(f"sales@{domain}")
    for domain, first in (("directory.example", 1), ("branch.example", 2)):
        found[domain] = {f"{name}{number}@{domain}" for number in range(first, 3001, 2) for name in ("user", "u")}
    return found


@dataclasses.dataclass(frozen=True)
class Way:
    """How a source lies: what it has of these domains is not to be believed, and a run says so.

    `wrong` and `right` are scripts that run in FOLDER; `api` is how the server of APIs misbehaves.
    """

    domains: tuple[str, ...]
    says: str
    wrong: str = ""
    right: str = ""
    api: Mapping[str, str] = dataclasses.field(default_factory=dict)


_MARIADB = "mariadb --skip-ssl dbispconfig -e"
_POSTGRES = "runuser -u postgres -- psql -q -d postfixadmin -c"
_FIRST_11 = "WHERE substring(address FROM '^user(\\d+)@')::int <= 11"
_DIRECTORY = "ldapmodify -x -H ldapi:/// -D cn=admin,dc=directory,dc=example -w admin > /dev/null"
_PASSWORD = """\
{modify} <<'LDIF'
dn: cn=reader,dc=directory,dc=example
changetype: modify
replace: userPassword
userPassword: {password}
LDIF
"""
# Somebody writes to the list all the time, which is so long that reading it takes a while.
_WRITER = """\
import time
with open("/etc/sources/changing", "a") as file:
    while True:
        file.write("# more\\n")
        file.flush()
        time.sleep(0.0005)
"""
LIES: Mapping[str, Way] = {
    "empty": Way(("empty.example",), "is empty", ": > empty", "cp people/empty ."),
    "cut at a line": Way(("short.example",), "sent less than it had announced", api={"short": "cut"}),
    "cut inside a line": Way(
        ("cut.example",), "last line has no end", "truncate --size=-5 cut", "sed 's/$/ mailbox/' people/cut > cut"
    ),
    "error page": Way(("google.example",), "answers with an HTML page", api={"google": "page of errors"}),
    "another tenant": Way(("graph.example",), "it has no address of this domain", api={"graph": "other tenant"}),
    "-100%": Way(
        ("sqlite.example",),
        "100 of its 100 addresses would be removed",
        "sqlite3 recipients.sqlite3 \"UPDATE recipients SET address = 'new-' || address\"",
        'sqlite3 recipients.sqlite3 "UPDATE recipients SET address = substr(address, 5)"',
    ),
    "-11%": Way(
        ("postgres.example",),
        "11 of its 100 addresses would be removed",
        f'{_POSTGRES} "UPDATE alias SET active = false {_FIRST_11}"',
        f'{_POSTGRES} "UPDATE alias SET active = true {_FIRST_11}"',
    ),
    "time-out": Way(("mailcow.example",), "was not read within 5 s", api={"mailcow": "slow"}),
    "refused login": Way(
        ("directory.example", "branch.example"),
        "does not take bind_dn and bind_password",
        _PASSWORD.format(modify=_DIRECTORY, password="another"),
        _PASSWORD.format(modify=_DIRECTORY, password="let me read"),
    ),
    "expired certificate": Way(("secure.example",), "its certificate has expired", api={"secure": "expired"}),
    "another encoding": Way(
        ("encoding.example",),
        "UTF-8",
        "printf 'dn: uid=x\\nmail: j\\366rg@encoding.example\\n' >> encoding.ldif",
        "head --lines=-2 encoding.ldif > whole && mv whole encoding.ldif",
    ),
    "catch-all": Way(
        ("mailbox.example",),
        "catch-all",
        "echo '@mailbox.example user1@mailbox.example' >> /etc/postfix/virtual; postmap hash:/etc/postfix/virtual",
        "sed -i '/^@/d' /etc/postfix/virtual; postmap hash:/etc/postfix/virtual",
    ),
    "unknown users go to somebody": Way(
        ("local.example",), "luser_relay", "postconf -e luser_relay=root", "postconf -X luser_relay"
    ),
    "catch-all of a database": Way(
        ("mariadb.example",),
        "catch-all",
        f"{_MARIADB} \"INSERT INTO mail_forwarding VALUES ('@mariadb.example', 'catchall', 'y')\"",
        f"{_MARIADB} \"DELETE FROM mail_forwarding WHERE type = 'catchall'\"",
    ),
    "changes while it is read": Way(
        ("changing.example",),
        "is being written",
        f"yes '# padding' | head --bytes=60M >> changing; echo >> changing\n"
        f"systemd-run --quiet --unit=writer python3 -c '{_WRITER}'",
        "systemctl stop writer; cp people/changing .",
    ),
}


class Saying(NamedTuple):
    """What a source may say that is right, and how it says again what it said before, as scripts that run in FOLDER."""

    now: str
    again: str
    domain: str


# Everybody in the directory has several addresses.
_PERSON = f"""\
{_DIRECTORY} <<'LDIF'
dn: uid=user1,ou=people,dc=directory,dc=example
changetype: modify
replace: mail
mail: {{}}@directory.example
-
replace: proxyAddresses
{{}}proxyAddresses: smtp:u1@directory.example
LDIF
"""
# Of each domain `user1` goes, and `new` comes.
CHANGES = (
    Saying(
        "cd /etc/postfix; sed -i '/^user1@/d' mailboxes; echo new@mailbox.example new >> virtual; "
        "postmap mailboxes virtual; cd -",
        "cd /etc/postfix; sed -i '/^new@/d' virtual; echo user1@mailbox.example mailbox >> mailboxes; "
        "postmap mailboxes virtual; cd -",
        "mailbox.example",
    ),
    Saying(
        _PERSON.format("new", ""),
        _PERSON.format("user1", "proxyAddresses: SMTP:user1@directory.example\n"),
        "directory.example",
    ),
    Saying(
        f"{_POSTGRES} \"UPDATE alias SET address = 'new@postgres.example' WHERE address = 'user1@postgres.example'\"",
        f"{_POSTGRES} \"UPDATE alias SET address = 'user1@postgres.example' WHERE address = 'new@postgres.example'\"",
        "postgres.example",
    ),
    Saying(
        f"{_MARIADB} \"UPDATE mail_user SET email = 'new@mariadb.example' WHERE email = 'user1@mariadb.example'\"",
        f"{_MARIADB} \"UPDATE mail_user SET email = 'user1@mariadb.example' WHERE email = 'new@mariadb.example'\"",
        "mariadb.example",
    ),
    Saying("sed -i s/^user1@/new@/ people/graph", "sed -i s/^new@/user1@/ people/graph", "graph.example"),
    Saying("sed -i s/^user1@/new@/ users", "sed -i s/^new@/user1@/ users", "users.example"),
)


def newcomer(name: str) -> Saying:
    """One more user of Dovecot."""
    return Saying(f"echo {name}@users.example::::::: >> users", f"sed -i /^{name}@/d users", "users.example")


def other_words(more: int) -> Saying:
    """The same list with a byte order mark, each address twice, and other ends of lines; and so many more addresses."""
    return Saying(
        f"""\
{{ printf '\\357\\273\\277name,address\\r\\n'
sed 's/.*/"body, some",&\\r/' people/csv
sed 's/.*/somebody,\\U&\\r/' people/csv
seq -f 'somebody,many%.0f@csv.example' {more}
}} > people.csv
""",
        "{ echo name,address; sed 's/.*/somebody,&/' people/csv; } > people.csv",
        "csv.example",
    )


def many(count: int) -> set[str]:
    """Return so many more addresses."""
    return {f"many{number}@csv.example" for number in range(1, count + 1)}


@contextmanager
def lying(*names: str) -> Iterator[None]:
    """The sources lie in these ways in this block."""
    ways = [LIES[name] for name in names]
    try:
        _have(*(way.wrong for way in ways), api={name: how for way in ways for name, how in way.api.items()})
        yield
    finally:
        _have(*(way.right for way in ways), api={})


@contextmanager
def saying(*sayings: Saying) -> Iterator[None]:
    """The sources say this in this block, and what they said before after it."""
    try:
        _run(*(saying.now for saying in sayings))
        yield
    finally:
        _run(*(saying.again for saying in sayings))


def _have(*scripts: str, api: Mapping[str, str]) -> None:
    _run("cat > api.json", *scripts, given=json.dumps(api))


def _run(*scripts: str, given: str = "") -> None:
    hosts.on(HOST, "sh", "-ec", "\n".join([f"cd {FOLDER}", *scripts]), given=given)


def rows(host: str) -> frozenset[str]:
    """Return the keys of an MX host's table of recipients, as Postfix reads it."""
    kind, source, _index = faults.table_of(host, "relay_recipient_maps")
    return frozenset(
        line.rpartition("\t")[0] for line in hosts.on(host, "postmap", "-s", f"{kind}:{source}").splitlines()
    )


def of(keys: Iterable[str], *names: str) -> set[str]:
    """Return those of the keys that are in these domains."""
    return {key for key in keys if key.rpartition("@")[2] in names}


def answers(host: str, addresses: Iterable[str], at_once: int = 500) -> Iterator[tuple[str, str]]:
    """Yield each address with the codes by which an MX host answers a stranger who has mail for it.

    Postfix slows down who errs often, so those that are to be refused are better asked for by few in a connection.
    """
    asked = sorted(addresses)
    parts = [asked[first : first + at_once] for first in range(0, len(asked), at_once)]
    order = {"server": claims.host_name(host), "sender": hosts.STRANGER}
    said = hosts.talk_often([{**order, "recipients": part} for part in parts])
    for part, conversation in zip(parts, said, strict=True):
        for address, (code, text) in zip(part, conversation.rcpt, strict=True):
            yield address, f"{code} {text.split()[0]}"


def found(host: str, **params: Any) -> set[tuple[str, str]]:
    """Return what mx_info finds of lists on an MX host: domains and checks."""
    here = remote.Remote(host)
    findings = here.inform(**params)["findings"]
    here.close()
    return {(told["domain"], told["check"]) for told in findings if told["check"].startswith("list_")}
