# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of docs/troubleshooting.md: how each fault is made on a host of the scenario `mail_flow`.

What is seen then, and the remedy, are the guide's own words.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path

from lab import distrust

GUIDE = Path(__file__).parents[2] / "docs/troubleshooting.md"
# The names in the guide, and those of the lab in their place.
NAMES = {
    "mail.customer.example": "mail.lab.example",
    "smarthost.provider.example": "tester.lab.example",
    "customer.example": "flow.example",
    "alice@": "erin@",
}
COMMANDS = ("ansible-playbook ", "postconf ", "postfix ", "postmap ", "systemctl ", "cp ", "df ")
# What only shows something, beside the remedy.
LOOKS = ("postfix status",)
ROLE = "run the role"
ERIN = "erin@flow.example"
NOBODY = "nobody@flow.example"
RECIPIENTS = "/etc/postfix/relay_recipients"
TRANSPORT = "/etc/postfix/transport"
ROW = re.compile(r"^\| (`[^|]+`) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of the guide: the line that is seen, and the commands of its remedy, in their order."""

    seen: str
    remedy: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Symptom:
    """How a row's fault is made and met.

    `wrong` makes it, a script for the host `on`; `right` is what the row leaves to the reader there. `host` is the MX
    host that has it. A stranger sends a message of `size` bytes to `recipient` there, from `sender`, or does on the
    tester what `ask` says; then `nudge` is run on the MX host until the line is seen. With the remedy the same leads to
    `well`: the message in its mailbox, or the beginning of the last answer. Meanwhile the mail host distrusts in these
    `ways`.
    """

    seen: str
    wrong: str = ""
    right: str = ""
    on: str = ""
    host: str = "mx1"
    recipient: str = ERIN
    sender: str = "stranger@elsewhere.test"
    size: int = 0
    ask: str = ""
    nudge: str = ""
    well: str = "delivered"
    ways: tuple[str, ...] = ()


def rows(text: str) -> list[Row]:
    """The rows of the guide that have a remedy."""
    found = []
    for seen, _cause, remedy in ROW.findall(text):
        commands = []
        for span in re.findall(rf"`[^`]+`|{ROLE}", remedy):
            word = span.strip("`")
            if word == ROLE or (word.startswith(COMMANDS) and not word.startswith(LOOKS)):
                commands.append(word)
        found.append(Row(seen.strip("`"), tuple(commands)))
    return found


def in_lab(words: str) -> str:
    """The guide's words with the lab's names."""
    for name, other in NAMES.items():
        words = words.replace(name, other)
    return words


def pattern(seen: str) -> re.Pattern[str]:
    """What finds a line of the guide in the lab."""
    return re.compile(".*".join(map(re.escape, in_lab(seen).split("…"))))


def main(*settings: str, unset: str = "") -> str:
    """A script that sets and unsets parameters; Postfix follows, and no command waits for a new main.cf."""
    lines = [f"postconf -e '{setting}'" for setting in settings]
    lines += [f"postconf -X {unset}"] if unset else []
    return "\n".join([*lines, SETTLE])


def table(path: str, without: str, *new: str) -> str:
    """A script that replaces the rows of a table that match a pattern."""
    added = [f"echo '{row}' >> {path}" for row in new]
    return "\n".join([f"sed -i '/{without}/d' {path}", *added, f"postmap hash:{path}", SETTLE])


def route(result: str) -> str:
    """A script that sends the domain's mail elsewhere."""
    return table(TRANSPORT, "^flow.example", f"flow.example {result}")


SETTLE = "touch --date=2020-01-01 /etc/postfix/main.cf /etc/postfix/master.cf\npostfix reload 2> /dev/null"
CLOSED = "relay:[mail.lab.example]:2599"
SWAKS = "swaks --server mx1.lab.example --from stranger@elsewhere.test --to erin@flow.example"
STARTTLS = """python3 -c '
import smtplib
smtp = smtplib.SMTP("mx1.lab.example")
try:
    print(*smtp.starttls())
except smtplib.SMTPResponseException as refusal:
    print(refusal.smtp_code, refusal.smtp_error.decode())
'"""
CERTIFICATE = """
cd /etc/postfix
openssl req -x509 -newkey rsa:2048 -nodes -keyout mx.key -out mx.pem -days 30 -subj /CN=mx1.lab.example \\
    -addext subjectAltName=DNS:mx1.lab.example 2> /dev/null
echo broken > broken.pem
"""
CONNECT = """python3 -c 'import socket; socket.create_connection(("mail.lab.example", 25)).recv(99)'"""
TLS_OF_RELAY = "postconf -P relay/unix/smtp_tls_security_level={level}\n" + SETTLE

TOLD = (
    Symptom("User unknown in relay recipient table", table(RECIPIENTS, "^erin@")),
    Symptom("450 4.1.1 <nobody", main("soft_bounce=yes"), recipient=NOBODY, well="550 5.1.1"),
    Symptom("User unknown in local recipient table", main("mydestination=$myhostname, localhost, flow.example")),
    Symptom("User unknown in virtual alias table", main("virtual_alias_domains=flow.example", "virtual_alias_maps=")),
    Symptom("554 5.7.1 <alice", main("relay_domains=")),
    Symptom(
        "454 4.7.1",
        main("smtpd_relay_restrictions=permit_mynetworks, defer_unauth_destination"),
        recipient="stranger@elsewhere.test",
        well="554 5.7.1",
    ),
    Symptom("451 4.3.0", f"rm {RECIPIENTS}.db\n{SETTLE}"),
    Symptom("451 4.3.5", main("smtpd_recipient_restrictions=reject_unknown_sender")),
    Symptom(
        "unverified address",
        route(CLOSED)
        + "\n"
        + main("smtpd_recipient_restrictions=reject_unauth_destination, reject_unverified_recipient"),
        well="250",
    ),
    Symptom("452 4.3.1", main("queue_minfree=1000000000000000")),
    Symptom("552 5.3.4", main("message_size_limit=70000"), size=100_000),
    Symptom(
        "421 4.7.0",
        main("smtpd_client_connection_rate_limit=1"),
        ask=f"{SWAKS} --quit-after RCPT; {SWAKS} --quit-after RCPT",
        well="250 2.1.5",
    ),
    Symptom(
        "454 4.7.0",
        CERTIFICATE + main("smtpd_tls_chain_files=/etc/postfix/broken.pem", "smtpd_tls_security_level=may"),
        ask=STARTTLS,
        well="220",
    ),
    Symptom("Connection refused", "systemctl stop postfix"),
    Symptom("Connection refused", "postconf -e inet_interfaces=loopback-only; systemctl restart postfix"),
)
OF_HOST = (
    Symptom("transport.db", f"rm {TRANSPORT}.db\n{SETTLE}"),
    Symptom(
        "is older than",
        f"echo 'new@flow.example x' >> {RECIPIENTS}; touch --date='1 hour ago' {RECIPIENTS}.db\n"
        f"touch --date='10 minutes ago' {RECIPIENTS}; {SETTLE}",
    ),
    Symptom("specify at least one", main("smtpd_relay_restrictions=", "smtpd_recipient_restrictions=")),
    # Postfix does not reload with it; what is new of its daemons reads it.
    Symptom("bad boolean", "postconf -e smtpd_helo_required=perhaps; pkill -x smtpd || true"),
    Symptom("valid hostname", route("relay:[mail.lab.example]:2599,relay:[mail.lab.example]:25"), nudge="postqueue -f"),
)
OF_DELIVERIES = (
    Symptom(
        "Connection refused)",
        f"cp -p /etc/postfix/master.cf /root/master.cf; postconf -M# smtp/inet; {SETTLE}",
        f"mv /root/master.cf /etc/postfix/master.cf; {SETTLE}",
        on="mail",
    ),
    Symptom("No route to host", route("relay:[nowhere.lab.example]")),
    Symptom("status=bounced (Host or domain", route("relay:[gone.lab.example]")),
    Symptom(
        "try again)",
        "sed -i 's/^nameserver.*/nameserver 127.0.0.9/' /var/spool/postfix/etc/resolv.conf; postfix reload",
    ),
    Symptom("5.4.6", table(TRANSPORT, "^flow.example")),
    Symptom("relay=smarthost", main("relayhost=[tester.lab.example]"), host="mx2"),
    Symptom(
        "<gone@",
        table(RECIPIENTS, "^gone@", "gone@flow.example x"),
        recipient="gone@flow.example",
        well="550 5.1.1",
    ),
    Symptom(
        "exceeds size limit",
        main("message_size_limit=100000"),
        on="mail",
        size=200_000,
        well="552 5.3.4",
    ),
    Symptom("status=expired", route(CLOSED) + "\n" + main("maximal_queue_lifetime=1s"), nudge="postqueue -f"),
    Symptom("TLS is required", TLS_OF_RELAY.format(level="encrypt")),
    Symptom("not verified", TLS_OF_RELAY.format(level="secure"), ways=("tls",)),
    Symptom("Must issue a STARTTLS", TLS_OF_RELAY.format(level="none"), ways=("tls",)),
)
OF_TRUST = (
    Symptom("Greylisted", ways=("greylisting",)),
    Symptom("blocked using", ways=("dnsbl",)),
    Symptom("SPF fail", ways=("spf",), sender=distrust.SPF_FAIL),
    Symptom("cannot find your hostname", ways=("reverse_name",)),
    Symptom("Helo command rejected", ways=("helo",)),
    # The second in a minute.
    Symptom("refused to talk to me", CONNECT, ways=("connection_rate",)),
)
SYMPTOMS = (*TOLD, *OF_HOST, *OF_DELIVERIES, *OF_TRUST)


def together(text: str) -> list[tuple[Symptom, Row]]:
    """Each row of the guide with what makes it, both in their order."""
    found = list(zip(SYMPTOMS, rows(text), strict=True))
    strange = [(symptom.seen, row.seen) for symptom, row in found if symptom.seen not in row.seen or not row.remedy]
    if strange:
        raise ValueError(f"rows and symptoms are not in the same order, or a row has no command: {strange}")
    return found


def names(text: str) -> Mapping[str, tuple[Symptom, Row]]:
    """The same by the names that tests have."""
    return {f"{number:02} {symptom.seen}": (symptom, row) for number, (symptom, row) in enumerate(together(text), 1)}
