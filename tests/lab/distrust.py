# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the lab's mail host refuse its MX hosts in the ways of real mail hosts, each by what it is done with there.

`with distrusting("dnsbl", "spf"): ...` switches ways on and off again; off means that /etc/postfix, the resolver and
the daemons are what they were. Each way names what the MX is answered, and where.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from lab import hosts

MAIL = "mail"
DNSBL = "dnsbl.test"
# A sender whose domain publishes "v=spf1 -all", and has an MX; one whose domain has nothing to do with SPF.
SPF_FAIL = "ops@strict.test"
ORDINARY = hosts.STRANGER
# A sender whose domain does not exist.
NOWHERE = "somebody@nowhere.test"
# A sender who claims to be one of the mail host's own.
OWN = "alice@gateway.example"
MX_NAMES = tuple(f"mx{number}.lab.example" for number in ("1", "2", "35", "37", "310", "311"))
# Those of the MX hosts, and that of the tester.
ADDRESSES = (21, 22, 35, 37, 110, 111, 99)
SAVED = "/root/trusting"
CERTIFICATE = "/root/certificate"
OWN_SENDERS = "/etc/mailhost/senders"


@dataclasses.dataclass(frozen=True)
class Way:
    """A way of distrust: `on` says at which command the MX is answered, `answer` how, `sender` as whom it has to ask.

    `lists` are restrictions that it adds, `parameters` and `services` (as `postconf -M` takes them) what else it needs;
    `start` and `stop` are scripts; `view` are lines of the resolver that only the mail host asks. `exempts` says
    whether Postfix can except single clients from it.
    """

    on: str
    answer: str
    sender: str = ORDINARY
    lists: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    parameters: Mapping[str, str] = dataclasses.field(default_factory=dict)
    services: Mapping[str, str] = dataclasses.field(default_factory=dict)
    start: str = ""
    stop: str = ""
    view: tuple[str, ...] = ()
    exempts: bool = True


def _net() -> str:
    return os.environ.get("MXRELAY_LAB_NET", "10.253.0")


def _reverse(last: int) -> str:
    first, second, third = _net().split(".")
    return f"{last}.{third}.{second}.{first}.in-addr.arpa"


POSTSCREEN = {
    "smtp/inet": "smtp inet n - n - 1 postscreen",
    "smtpd/pass": "smtpd pass - - n - - smtpd",
    "dnsblog/unix": "dnsblog unix - - n - 0 dnsblog",
    "tlsproxy/unix": "tlsproxy unix - - n - 0 tlsproxy",
}
WAYS: Mapping[str, Way] = {
    "spf": Way(
        on="rcpt",
        answer="550 5.7.23 <alice@gateway.example>: Recipient address rejected: Message rejected due to: SPF fail",
        sender=SPF_FAIL,
        lists={"smtpd_recipient_restrictions": ("check_policy_service unix:private/policyd-spf",)},
        parameters={"policyd-spf_time_limit": "3600"},
        services={"policyd-spf/unix": "policyd-spf unix - n n - 0 spawn user=policyd-spf argv=/usr/bin/policyd-spf"},
    ),
    "greylisting": Way(
        on="rcpt",
        answer="450 4.2.0 <alice@gateway.example>: Recipient address rejected: Greylisted",
        lists={"smtpd_recipient_restrictions": ("check_policy_service inet:127.0.0.1:10023",)},
        start="rm -rf /var/lib/postgrey/*\n"
        "postgrey --inet=127.0.0.1:10023 --pidfile=/run/postgrey.pid --daemonize 2> /dev/null",
        stop="kill $(cat /run/postgrey.pid)",
    ),
    "dnsbl": Way(
        on="rcpt",
        answer="554 5.7.1 Service unavailable; Client host [",
        lists={"smtpd_client_restrictions": (f"reject_rbl_client {DNSBL}",)},
    ),
    # From the second in a minute.
    "connection_rate": Way(
        on="banner",
        answer="421 4.7.0 mail.lab.example Error: too many connections from",
        parameters={"smtpd_client_connection_rate_limit": "1"},
    ),
    # The second at the same time.
    "connection_count": Way(
        on="banner",
        answer="421 4.7.0 mail.lab.example Error: too many connections from",
        parameters={"smtpd_client_connection_count_limit": "1"},
    ),
    "message_rate": Way(
        on="mail",
        answer="450 4.7.1 Error: too much mail from",
        parameters={"smtpd_client_message_rate_limit": "1"},
    ),
    "recipient_rate": Way(
        on="rcpt",
        answer="450 4.7.1 Error: too many recipients from",
        parameters={"smtpd_client_recipient_rate_limit": "1"},
    ),
    "tls": Way(
        on="mail",
        answer="530 5.7.0 Must issue a STARTTLS command first",
        parameters={
            "smtpd_tls_security_level": "encrypt",
            "smtpd_tls_chain_files": f"{CERTIFICATE}.key, {CERTIFICATE}.pem",
        },
        start=f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {CERTIFICATE}.key -out {CERTIFICATE}.pem -days 2"
        " -subj /CN=mail.lab.example 2> /dev/null",
        stop=f"rm -f {CERTIFICATE}.*",
        exempts=False,
    ),
    "reverse_name": Way(
        on="rcpt",
        answer="450 4.7.25 Client host rejected: cannot find your hostname",
        lists={"smtpd_client_restrictions": ("reject_unknown_client_hostname",)},
        view=tuple(f"local=/{_reverse(last)}/" for last in ADDRESSES),
    ),
    "helo": Way(
        on="rcpt",
        answer="450 4.7.1 <{helo}>: Helo command rejected: Host not found",
        lists={"smtpd_helo_restrictions": ("reject_non_fqdn_helo_hostname", "reject_unknown_helo_hostname")},
        parameters={"smtpd_helo_required": "yes"},
        view=tuple(f"local=/{name}/" for name in MX_NAMES),
    ),
    # It greets twice, with the time of postscreen_greet_wait between.
    "postscreen": Way(
        on="rcpt",
        answer="550 5.7.1 Service unavailable; client [",
        parameters={
            "postscreen_greet_wait": "2s",
            "postscreen_greet_action": "enforce",
            "postscreen_dnsbl_sites": DNSBL,
            "postscreen_dnsbl_action": "enforce",
        },
        services=POSTSCREEN,
    ),
    # Whoever is new has to come again.
    "postscreen_deep": Way(
        on="rcpt",
        answer="450 4.3.2 Service currently unavailable",
        parameters={
            "postscreen_greet_wait": "2s",
            "postscreen_pipelining_enable": "yes",
            "postscreen_pipelining_action": "enforce",
            "postscreen_non_smtp_command_enable": "yes",
            "postscreen_bare_newline_enable": "yes",
            "postscreen_cache_map": "btree:/var/lib/postfix/distrust_cache",
        },
        services=POSTSCREEN,
        start="rm -f /var/lib/postfix/distrust_cache.db",
        stop="rm -f /var/lib/postfix/distrust_cache.db",
    ),
    "own_senders": Way(
        on="rcpt",
        answer=f"550 5.7.1 <{OWN}>: Sender address rejected: our own senders log in",
        sender=OWN,
        lists={"smtpd_sender_restrictions": (f"check_sender_access texthash:{OWN_SENDERS}",)},
        start=f"mkdir -p {os.path.dirname(OWN_SENDERS)}\n"
        f"echo 'gateway.example 550 5.7.1 our own senders log in' > {OWN_SENDERS}",
        stop=f"rm -r {os.path.dirname(OWN_SENDERS)}",
    ),
    "sender_domain": Way(
        on="rcpt",
        answer=f"450 4.1.8 <{NOWHERE}>: Sender address rejected: Domain not found",
        sender=NOWHERE,
        lists={"smtpd_sender_restrictions": ("reject_unknown_sender_domain",)},
    ),
    "no_8bitmime": Way(
        on="ehlo", answer="8BITMIME", parameters={"smtpd_discard_ehlo_keywords": "8bitmime"}, exempts=False
    ),
    "no_smtputf8": Way(
        on="ehlo", answer="SMTPUTF8", parameters={"smtpd_discard_ehlo_keywords": "smtputf8"}, exempts=False
    ),
}
# What Postfix can except an MX from.
EXEMPTING = tuple(name for name, way in WAYS.items() if way.exempts)


def settings_of(*names: str) -> dict[str, str]:
    """Return the parameters of these ways together; each list has what they add, in their order."""
    settings: dict[str, str] = {}
    for way in (WAYS[name] for name in names):
        for parameter, value in way.parameters.items():
            if settings.setdefault(parameter, value) != value:
                raise ValueError(f"{', '.join(names)} want {parameter} to be {settings[parameter]} and {value}")
        for parameter, items in way.lists.items():
            settings[parameter] = ", ".join(filter(None, (settings.get(parameter, ""), *items)))
    return settings


def switch_on(*names: str, host: str = MAIL) -> None:
    """Make the mail host distrustful in these ways, together; it answers so when this returns."""
    ways = [WAYS[name] for name in names]
    settings = [f"{parameter}={value}" for parameter, value in settings_of(*names).items()]
    services = {name: entry for way in ways for name, entry in way.services.items()}
    view = [line for way in ways for line in way.view]
    lines = [f"test ! -e {SAVED}", f"cp -a /etc/postfix {SAVED}", *(way.start for way in ways)]
    lines += [f"postconf -e {_quoted(*settings)}"] if settings else []
    lines += [f"postconf -M {_quoted(f'{name}={entry}')}" for name, entry in services.items()]
    lines += [_asking(view)] if view else []
    hosts.on(host, "sh", "-ec", "\n".join([*lines, _reload()]))


def switch_off(*names: str, host: str = MAIL) -> None:
    """Make the mail host what it was before these ways were switched on."""
    stops = [f"({WAYS[name].stop}) || true" for name in names if WAYS[name].stop]
    lines = [
        f"test -e {SAVED}",
        *stops,
        *_trusting_view(),
        f"find /etc/postfix -mindepth 1 -delete; cp -a {SAVED}/. /etc/postfix/; rm -r {SAVED}",
    ]
    hosts.on(host, "sh", "-ec", "\n".join([*lines, _reload()]))


@contextmanager
def distrusting(*names: str, host: str = MAIL) -> Iterator[None]:
    """The mail host is distrustful in these ways in this block, and as before after it."""
    hosts.on(host, "test", "!", "-e", SAVED)
    try:
        switch_on(*names, host=host)
        yield
    finally:
        switch_off(*names, host=host)


def asked(
    origin: str, recipients: Sequence[str], *senders: str, server: str = "mail.lab.example", helo: str = ""
) -> list[hosts.Conversation]:
    """Have a host name the recipients to a mail host, in a connection for each sender."""
    orders = [
        {"server": server, "sender": sender, "recipients": list(recipients), "helo": helo or f"{origin}.lab.example"}
        for sender in senders
    ]
    return hosts.talk_often(orders, origin)


def codes(conversation: hosts.Conversation) -> list[int]:
    """Return the codes of the answers to each recipient."""
    return [code for code, _text in conversation.rcpt]


def heard(conversations: Sequence[hosts.Conversation]) -> str:
    """Return everything that a server said, a line for each answer, and why there were no connections."""
    answers = [
        f"{code} {text}"
        for conversation in conversations
        for code, text in [*([conversation.mail] if conversation.mail else []), *conversation.rcpt]
    ]
    return "\n".join([*answers, *(str(error) for told in conversations for _server, error in told.tried if error)])


def refused_as(name: str, conversations: Sequence[hosts.Conversation], helo: str) -> bool:
    """Return whether a server refused in this way; the error of a connection has code and text apart."""
    way = WAYS[name]
    words = way.answer.format(helo=helo)
    return words in heard(conversations) or (way.on == "banner" and words[4:] in heard(conversations))


def _quoted(*words: str) -> str:
    return " ".join(f"'{word}'" for word in words)


def _reload() -> str:
    """A script that has the daemons follow, and the counts of clients begin anew; no command waits for a new main.cf.

    The master process answers a reload at once, and gives its services new processes after that.
    """
    return (
        "touch --date=2020-01-01 /etc/postfix/main.cf /etc/postfix/master.cf\n"
        "pkill -x anvil || true\n"
        "postfix reload 2> /dev/null"
    )


def _asking(view: list[str]) -> str:
    """A script that has the mail host ask a resolver of its own."""
    lines = [
        "user=root",
        "no-hosts",
        "no-resolv",
        f"server={_net()}.2",
        "pid-file=/run/view.pid",
        "listen-address=127.0.0.1",
        "bind-interfaces",
        *view,
    ]
    told = "\n".join(lines)
    return (
        f"cp /etc/resolv.conf /root/resolv.conf\ncat > /run/view.conf <<end\n{told}\nend\n"
        "dnsmasq --conf-file=/run/view.conf\necho nameserver 127.0.0.1 > /etc/resolv.conf"
    )


def _trusting_view() -> list[str]:
    return [
        "if [ -e /root/resolv.conf ]; then",
        "cat /root/resolv.conf > /etc/resolv.conf",
        "rm /root/resolv.conf",
        "kill $(cat /run/view.pid)",
        "fi",
    ]
