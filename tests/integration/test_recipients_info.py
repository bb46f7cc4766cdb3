# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What recipients_info says of a Postfix, held against what that Postfix answers to RCPT."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping

import pytest

from integration.host import Host, succeeded

SOURCE = {"type": "postfix"}
FILES = {
    "aliases": 'Info: root\n"sales team": root\nowner-list: root\n',
    "virtual": """\
v1.example anything
Ann@v1.example root
"two words"@v1.example root
ann+tag@v1.example root
v2.example anything
@v2.example root
bare root
stray@foreign.example root
box@m1.example root
""",
    "mailboxes": "M1@m1.example x\nm2@m2.example x\nroot@v1.example x\nbare.mailbox x\n",
    "mailbox_domains": "# ours\nm1.example\nm2.example !m3.example\n",
    "relayed": "R1@r1.example x\nsub@sub.r1.example x\n@r3.example x\nbare.relay x\n",
    "relay_domains": "r3.example x\n",
    "canonical": "old@m1.example m1@m1.example\n@old.example @l.example\n",
    "team.re": "/^[a-z]+\\.team@v1\\.example$/ root\n",
    "destinations.re": "/^re\\.example$/ x\n",
}
INDEXED = {
    "virtual": "hash",
    "mailboxes": "lmdb",
    "relayed": "cdb",
    "relay_domains": "btree",
    "canonical": "hash",
}
PARAMETERS = {
    "mynetworks": "192.0.2.0/24",
    "inet_protocols": "ipv4",
    "in_flow_delay": "0",
    "smtpd_client_restrictions": "",
    "smtpd_relay_restrictions": "reject_unauth_destination",
    "smtpd_recipient_limit": "10000",
    "smtpd_error_sleep_time": "0",
    "smtpd_soft_error_limit": "100000",
    "smtpd_hard_error_limit": "100000",
    "smtpd_junk_command_limit": "100000",
    "myhostname": "mail.l.example",
    "myorigin": "l.example",
    "mydestination": "$myhostname, l.example, old.example, regexp:/etc/postfix/destinations.re, localhost",
    "alias_maps": "hash:/etc/postfix/aliases",
    "virtual_alias_maps": "hash:/etc/postfix/virtual",
    "virtual_mailbox_domains": "/etc/postfix/mailbox_domains, m3.example",
    "virtual_mailbox_maps": "proxy:lmdb:/etc/postfix/mailboxes",
    "relay_domains": "r1.example btree:/etc/postfix/relay_domains r4.example",
    "relay_recipient_maps": "cdb:/etc/postfix/relayed",
    "recipient_canonical_maps": "hash:/etc/postfix/canonical",
}
OTHERS = [
    "nobody.here",
    "mailer-daemon",
    "postmaster",
    "carl",
    "bare",
    "bare.mailbox",
    "bare.relay",
    "v1.example",
    "root",
    "ann",
    "m1",
    "box",
    "old",
]
DOMAINS = [
    *(f"{name}.example" for name in ("re", "m3", "r4", "sub.r1", "x.r1", "foreign", "unknown")),
    "mail.l.example",
]
# On the host: the recipients, one a line on standard input, that the server on port 25 takes.
ASK = """
import json, smtplib, sys
server = smtplib.SMTP("127.0.0.1", 25)
server.ehlo("probe.example")
taken = []
for number, address in enumerate(sys.stdin.read().splitlines()):
    if number % 50 == 0:
        server.rset()
        server.mail("a@probe.example")
    if server.docmd(f"RCPT TO:<{address}>")[0] == 250:
        taken.append(address)
print(json.dumps(taken))
"""


@pytest.fixture
def mail_host(host: Host) -> Host:
    """The host as a mail host with domains of all four classes."""
    host.shell("id carl >/dev/null 2>&1 || useradd --no-create-home carl")
    host.put_tree("/etc/postfix", FILES)
    host.shell("postalias hash:/etc/postfix/aliases")
    for name, kind in INDEXED.items():
        host.shell(f"postmap {kind}:/etc/postfix/{name}")
    configure(host, PARAMETERS)
    return host


@pytest.fixture
def running(mail_host: Host) -> Iterator[Host]:
    """The mail host, taking mail."""
    mail_host.shell("postfix start")
    yield mail_host
    mail_host.shell("postfix stop")


def configure(host: Host, parameters: Mapping[str, str]) -> None:
    host.on("postconf", "-e", *(f"{name}={value}" for name, value in parameters.items()))
    host.shell("touch -d '1 minute ago' /etc/postfix/main.cf")


def taken(host: Host, addresses: Iterable[str]) -> set[str]:
    answer = host.on("python3", "-c", ASK, given="".join(f"{address}\n" for address in addresses))
    return set(json.loads(answer))


def test_listed_are_those_that_postfix_takes(running: Host) -> None:
    found = succeeded(running.run("recipients_info", {"source": SOURCE, "domains": DOMAINS, "show_recipients": True}))
    every = succeeded(running.run("recipients_info", {"source": SOURCE, "show_recipients": True}))
    listed = {*found["recipients"], *every["recipients"]}
    domains = {**every["domains"], **found["domains"]}
    catch_alls = {name for name, domain in domains.items() if domain["catch_all"]}
    assert catch_alls == {"v2.example", "r3.example", "old.example"}
    assert {
        "carl@l.example",
        "carl@re.example",
        '"sales team"@l.example',
        "ann+tag@v1.example",
        "old@m1.example",
    } < listed
    incomplete = {name for name, domain in domains.items() if not domain["complete"]}
    assert incomplete == {*catch_alls, "m3.example", "foreign.example", "unknown.example"}
    names = {*OTHERS, *(address.rpartition("@")[0] for address in listed)}
    asked = {f"{name}@{domain}" for name, domain in itertools.product(names, domains)}
    expected = {address for address in asked if address in listed or address.rpartition("@")[2] in catch_alls}
    assert listed <= asked
    # By recipient_delimiter, which says nothing of who is there.
    assert taken(running, (address for address in asked if "+" not in address)) == {
        address for address in expected if "+" not in address
    }
    assert taken(running, (address for address in listed if "+" in address)) == {"ann+tag@v1.example"}


@pytest.mark.parametrize(
    ("parameters", "domains"),
    [
        ({"local_recipient_maps": ""}, {"l.example", "mail.l.example"}),
        ({"luser_relay": "root"}, {"l.example", "mail.l.example"}),
        ({"virtual_mailbox_maps": ""}, {"m1.example", "m2.example"}),
        ({"virtual_mailbox_maps": "static:all"}, {"m1.example", "m2.example"}),
        ({"virtual_mailbox_maps": "hash:/etc/postfix/nothing"}, {"m1.example", "m2.example"}),
        ({"relay_recipient_maps": ""}, {"r1.example", "r4.example", "sub.r1.example"}),
        ({"relay_recipient_maps": "inline:{{A@r1.example=x}}"}, set()),
        (
            {"virtual_alias_maps": "hash:/etc/postfix/virtual regexp:/etc/postfix/team.re"},
            {
                "l.example",
                "mail.l.example",
                "m1.example",
                "m2.example",
                "r1.example",
                "r4.example",
                "sub.r1.example",
                "v1.example",
            },
        ),
    ],
)
def test_what_takes_more_than_is_listed_is_incomplete(
    mail_host: Host, parameters: dict[str, str], domains: set[str]
) -> None:
    asked = ["l", "mail.l", "v1", "m1", "m2", "r1", "r4", "sub.r1"]
    arguments = {"source": SOURCE, "domains": [f"{name}.example" for name in asked]}
    assert succeeded(mail_host.run("recipients_info", arguments))["complete"] is True
    configure(mail_host, parameters)
    found = succeeded(mail_host.run("recipients_info", arguments))
    assert {name for name, domain in found["domains"].items() if not domain["complete"]} == domains


def test_host_without_the_instance_is_told(host: Host) -> None:
    failed = host.run("recipients_info", {"source": {**SOURCE, "config_directory": "/etc/nowhere"}})
    assert failed["msg"] == "there is no Postfix with /etc/nowhere/main.cf on this host; correct the host"


def test_file_is_written_once(host: Host) -> None:
    host.write("/srv/list", "b@x.example\na@y.example\n")
    arguments = {"source": {"type": "file", "path": "/srv/list"}, "domains": ["x.example"], "dest": "/srv/dest"}
    assert succeeded(host.run("recipients_info", arguments, check=True))["changed"] is True
    assert host.shell("ls /srv/dest 2>/dev/null || :") == ""
    assert [succeeded(host.run("recipients_info", arguments))["changed"] for _time in range(2)] == [True, False]
    assert host.shell("cat /srv/dest; stat -c %a:%U /srv/dest") == "b@x.example\n600:root\n"
