# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""States of a host through which a stranger relays, or of which nobody can show that it keeps strangers out."""

from __future__ import annotations

import dataclasses

SAVED = "for file in main.cf master.cf; do cp -p /etc/postfix/$file /root/$file.saved; done"
RESTORED = "for file in main.cf master.cf; do cp -p /root/$file.saved /etc/postfix/$file; done"
OLD = "touch --date=2020-01-01 /etc/postfix/main.cf /etc/postfix/master.cf"


@dataclasses.dataclass(frozen=True)
class State:
    """One state: the checks that name it, words of a remedy, and the script that makes it."""

    name: str
    checks: str
    remedy: str
    script: str

    @property
    def wrong(self) -> str:
        return "\n".join([SAVED, self.script, OLD])

    @property
    def right(self) -> str:
        return "\n".join([RESTORED, OLD])


def relay(members: str, before: str = "") -> str:
    """A script that puts members between permit_mynetworks and reject_unauth_destination."""
    lists = f"permit_mynetworks, {members}, reject_unauth_destination"
    return "\n".join(filter(None, [before, f"postconf -e 'smtpd_relay_restrictions = {lists}'"]))


def written(path: str, *lines: str) -> str:
    text = "\n".join(lines)
    return f"cat > {path} <<'end'\n{text}\nend"


def service(*lines: str) -> str:
    return "\n".join(["cat >> /etc/postfix/master.cf <<'end'", *lines, "end"])


def indexed(path: str, *lines: str) -> str:
    return f"{written(path, *lines)}\npostmap hash:{path}"


OPENINGS = (
    State("any sender", "open_relay", "static:{OK}", relay("check_sender_access static:{OK}")),
    State("a result at random", "open_relay", "randmap:{OK}", relay("check_sender_access randmap:{OK}")),
    State(
        "half of all addresses",
        "open_relay",
        "check_client_access",
        relay("check_client_access cidr:/etc/postfix/cl", written("/etc/postfix/cl", "0.0.0.0/1 OK")),
    ),
    State(
        "a list that ends in permit",
        "open_relay",
        "check_client_access",
        relay(
            "check_client_access cidr:/etc/postfix/cl",
            written("/etc/postfix/cl", "0.0.0.0/0 reject_unlisted_recipient, permit"),
        ),
    ),
    State(
        "postmaster anywhere",
        "open_relay",
        "check_recipient_access hash:/etc/postfix/rc",
        relay("check_recipient_access hash:/etc/postfix/rc", indexed("/etc/postfix/rc", "postmaster@ OK")),
    ),
    State(
        "a bare table of recipients",
        "open_relay",
        "regexp:/etc/postfix/rc",
        relay("regexp:/etc/postfix/rc", written("/etc/postfix/rc", "/./ OK")),
    ),
    State(
        "clients without a name",
        "open_relay",
        "check_client_access hash:/etc/postfix/cl",
        relay("check_client_access hash:/etc/postfix/cl", indexed("/etc/postfix/cl", "unknown OK")),
    ),
    State(
        "a class that permits",
        "open_relay",
        "remove permit from smtpd_relay_restrictions",
        relay("friends", "postconf -e 'smtpd_restriction_classes = friends' 'friends = permit'"),
    ),
    State(
        "every certificate",
        "open_relay",
        "permit_tls_clientcerts (relay_clientcerts static:x)",
        relay("permit_tls_clientcerts", "postconf -e 'relay_clientcerts = static:x'"),
    ),
    State(
        "strangers that say who they are",
        "open_relay",
        "smtpd_authorized_xclient_hosts",
        "postconf -e 'smtpd_authorized_xclient_hosts = static:all'",
    ),
    State(
        "an override of what a list refers to",
        "open_relay",
        "static:OK",
        "postconf -e 'my_relay = permit_mynetworks, reject_unauth_destination' 'smtpd_relay_restrictions = $my_relay'\n"
        + service("2525 inet n - n - - smtpd", "  -o { my_relay = permit_mynetworks, static:OK, reject }"),
    ),
    State(
        "a service with recipients of its own",
        "open_relay",
        "end smtpd_relay_restrictions of 2526/inet",
        service(
            "2526 inet n - n - - smtpd",
            "  -o smtpd_relay_restrictions=",
            "  -o { smtpd_recipient_restrictions = static:OK, reject }",
        ),
    ),
    State(
        "qmqpd for everybody",
        "open_relay",
        "qmqpd_authorized_clients",
        "postconf -e 'qmqpd_authorized_clients = 0.0.0.0/0'\npostconf -Me '628/inet=628 inet n - n - - qmqpd'",
    ),
    State(
        "half of all addresses in mynetworks",
        "mynetworks",
        "remove 0.0.0.0/1 from mynetworks",
        written("/etc/postfix/nets", "0.0.0.0/1 x")
        + "\npostconf -e 'mynetworks = 127.0.0.0/8, cidr:/etc/postfix/nets'",
    ),
    State(
        "two halves",
        "mynetworks",
        "remove 0.0.0.0/1",
        "postconf -e 'mynetworks = 127.0.0.0/8 0.0.0.0/1 128.0.0.0/1'",
    ),
    State(
        "a file within a file",
        "mynetworks",
        "remove 0.0.0.0/0 from mynetworks",
        f"{written('/etc/postfix/nets', '/etc/postfix/nets2')}\n{written('/etc/postfix/nets2', '0.0.0.0/0')}\n"
        "postconf -e 'mynetworks = 127.0.0.0/8, /etc/postfix/nets'",
    ),
    State(
        "all registries of IPv6",
        "mynetworks",
        "remove 2800::/5, 2400::/6",
        "postconf -e 'mynetworks = 127.0.0.0/8 [2001::]/16 [2400::]/6 [2800::]/5'",
    ),
    State(
        "mynetworks of a service on another port",
        "mynetworks",
        "remove 0.0.0.0/0 from mynetworks of 2525/inet",
        "postconf -Me '2525/inet=2525 inet n - y - - smtpd'\npostconf -Pe '2525/inet/mynetworks=0.0.0.0/0'",
    ),
    State(
        "a top-level domain",
        "foreign_domains",
        "remove test from relay_domains",
        "postconf -e 'relay_domains = gateway.example, away.example, test'",
    ),
    State(
        "relay domains by a pattern for all",
        "foreign_domains",
        "remove regexp:/etc/postfix/rd from relay_domains",
        written("/etc/postfix/rd", "/./ x")
        + "\npostconf -e 'relay_domains = gateway.example, away.example, regexp:/etc/postfix/rd'",
    ),
    State(
        "every domain but ours is local",
        "foreign_domains",
        "remove static:all from mydestination",
        "postconf -e 'mydestination = !gateway.example, !away.example, static:all'",
    ),
    State(
        "the PROXY protocol",
        "open_relay strangers_limited",
        "give the services with the PROXY protocol the override smtpd_relay_restrictions=reject_unauth_destination",
        "postconf -e 'smtpd_upstream_proxy_protocol = haproxy'",
    ),
    State(
        "the PROXY protocol before postscreen",
        "open_relay",
        "give smtpd/pass the override smtpd_relay_restrictions=reject_unauth_destination",
        service(
            "2527 inet n - n - 1 postscreen",
            "  -o postscreen_upstream_proxy_protocol=haproxy",
            "smtpd pass - - n - - smtpd",
        ),
    ),
)
DOUBTS = (
    State(
        "clients by a pattern of names",
        "relay_unproven",
        "check_client_access regexp:/etc/postfix/cl",
        relay("check_client_access regexp:/etc/postfix/cl", written("/etc/postfix/cl", "/lab.example$/ OK")),
    ),
    State(
        "recipients by a pattern",
        "relay_unproven",
        "check_recipient_access regexp:/etc/postfix/rc",
        relay("check_recipient_access regexp:/etc/postfix/rc", written("/etc/postfix/rc", r"/@.*\.test$/ OK")),
    ),
    State(
        "senders by a server",
        "relay_unproven restriction_table",
        "tcp:127.0.0.1:10099",
        relay("check_sender_access tcp:127.0.0.1:10099"),
    ),
    State(
        "a policy service",
        "relay_unproven policy_service",
        "check_policy_service unix:private/policy",
        relay("check_policy_service unix:private/policy"),
    ),
    State(
        "a domain in mynetworks",
        "relay_unproven",
        "mynetworks lab.example",
        "postconf -e 'mynetworks = 127.0.0.0/8, lab.example'",
    ),
    State(
        "a command filter",
        "relay_unproven",
        "smtpd_command_filter regexp:/etc/postfix/cf",
        written("/etc/postfix/cf", "/^NOOP/ NOOP") + "\npostconf -e 'smtpd_command_filter = regexp:/etc/postfix/cf'",
    ),
    State(
        "untrusted routing", "relay_unproven", "allow_untrusted_routing", "postconf -e 'allow_untrusted_routing = yes'"
    ),
    State(
        "a service of a program that is not known",
        "relay_unproven",
        "2527/inet",
        service("2527 inet n - n - - spawn user=nobody argv=/bin/cat"),
    ),
)
HIDDEN = tuple(
    State(
        f"{character!r} before 0.0.0.0/0 in mynetworks",
        "mynetworks relay_unproven",
        "remove 0.0.0.0/0 from mynetworks",
        f"printf 'mynetworks = 127.0.0.0/8 x{escaped} 0.0.0.0/0\\n' >> /etc/postfix/main.cf",
    )
    for character, escaped in (("\u2028", r"\342\200\250"), ("\f", r"\f"))
)
STATES = (*OPENINGS, *DOUBTS, *HIDDEN)
