# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as people have them before they meet the roles: what was done to each, and what is right then.

They are made on the host of the scenario `histories`, which had Debian's Postfix and nothing else.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

NET = os.environ.get("MXRELAY_LAB_NET", "")
AWAY = {"name": "away.example", "recipients": ["ivan@away.example", "judy@away.example"]}
GATEWAY = {
    "name": "gateway.example",
    "mail_host": "mail.lab.example",
    "recipients": ["alice@gateway.example", "bob@gateway.example"],
}
TUNNEL = {"name": "tunnel.example", "recipients": ["uma@tunnel.example"]}
LIBRARY = {"name": "bücher.example", "recipients": ["alice@bücher.example"]}
LIBRARY_IN_DNS = "xn--bcher-kva.example"
# What the lab has for these histories alone. The mail host knows the library only as DNS names it.
ZONE = f"""
mx-host=tunnel.example,nowhere.lab.example,10
mx-host=tunnel.example,mx1.lab.example,100
mx-host={LIBRARY_IN_DNS},mail.lab.example,10
mx-host={LIBRARY_IN_DNS},mx1.lab.example,100
"""
MAILBOXES = (
    "uma@tunnel.example",
    "postmaster@tunnel.example",
    f"alice@{LIBRARY_IN_DNS}",
    f"postmaster@{LIBRARY_IN_DNS}",
)


@dataclasses.dataclass(frozen=True)
class History:
    """One host. `state` is the script that makes it, and `declared` what the roles are then given.

    It is right if `delivered` reach their mailboxes, `accepted` are taken and leave the queue for somewhere else,
    `unknown` get 550, and everything else stays as it was; or if a run is refused in check mode already, with the words
    of `refusal`; or if verify fails with the words of `told` until the roles are given `mended`, as its remedy says.
    `later` is what another program does after the run, which changes nothing of all that. `theirs` are folders outside
    /etc/postfix, `edited` files whose lines the role replaces by intent. Only the long form of the scenario has those
    that are `late`.
    """

    name: str
    state: str
    declared: Mapping[str, Any]
    delivered: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    refusal: str = ""
    told: str = ""
    mended: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    later: str = ""
    theirs: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    late: bool = False


def main(*settings: str) -> str:
    """A script that sets parameters."""
    return "postconf -e " + " ".join(f"'{setting}'" for setting in settings)


def table(path: str, *rows: str, kind: str = "hash") -> str:
    """A script that writes a table by hand."""
    lines = [f"cat > {path} <<'end'", *rows, "end"]
    return "\n".join([*lines, *([f"postmap {kind}:{path}"] if kind in ("hash", "lmdb") else [])])


def secondary(*items: Mapping[str, Any], **variables: Any) -> dict[str, Any]:
    return {"secondary_mx_domains": list(items), **variables}


def primary(*items: Mapping[str, Any], **variables: Any) -> dict[str, Any]:
    return {"primary_mx_domains": list(items), **variables}


def history(name: str, state: str, **words: Any) -> History:
    """A secondary MX of away.example unless it says otherwise."""
    whole: dict[str, Any] = {"declared": secondary(AWAY)}
    if not words.get("refusal") and "declared" not in words:
        whole["delivered"] = ("ivan@away.example",)
        whole["unknown"] = ("nobody@away.example",)
    return History(name, state, **{**whole, **words})


# What a provider asks of a host that sends everything through it.
TLS_PROVIDER = (
    "relayhost = [tester.lab.example]:465",
    "smtp_tls_wrappermode = yes",
    "smtp_tls_security_level = encrypt",
    "smtp_sasl_auth_enable = yes",
    "smtp_sasl_password_maps = static:user:secret",
    "smtp_sasl_security_options = noanonymous",
)
ONE_SENDER = ("relayhost = [tester.lab.example]", "smtp_generic_maps = regexp:/etc/postfix/generic")
NO_DNS = ("relayhost = [tester.lab.example]", "disable_dns_lookups = yes", "smtp_host_lookup = native")

SHUT = (
    history(
        "own clients only",
        main("smtpd_client_restrictions = permit_mynetworks, reject"),
        refusal="smtpd_client_restrictions",
    ),
    history(
        "own clients only, by the service on port 25",
        "postconf -P 'smtp/inet/smtpd_client_restrictions=permit_mynetworks,reject'",
        refusal="smtpd_client_restrictions",
    ),
    history(
        "an outbound relay",
        main("smtpd_relay_restrictions = permit_mynetworks, reject"),
        refusal="smtpd_relay_restrictions",
    ),
    history(
        "SMTP on the loopback address",
        "sed -i 's/^smtp      inet /127.0.0.1:smtp inet /' /etc/postfix/master.cf",
        refusal="master.cf",
    ),
)

SMARTHOSTS = (
    history(
        "a provider for all mail",
        table("/etc/postfix/generic", "/.+/ ops@provider.test", kind="regexp")
        + "\n"
        + main(*TLS_PROVIDER, *ONE_SENDER, *NO_DNS),
        late=True,
    ),
)

# What somebody else's program does with its tables, whoever else writes into them.
LISTS = "/var/lib/lists"
BY_LISTS = f"""
cat > {LISTS}/lmtp <<end
# written by the list manager, which writes it anew whenever a list comes or goes
news@flow.example lmtp:[127.0.0.1]:8024
end
echo 'flow.example x' > {LISTS}/domains
chown lists: {LISTS}/*
su -s /bin/sh lists -c 'postmap hash:{LISTS}/lmtp hash:{LISTS}/domains'
"""

# What an export from a directory does each night, as root.
EXPORT = "/srv/export"
BY_EXPORT = f"""
echo 'wild.example smtp:[mail.lab.example]' > {EXPORT}/routes
echo 'grace@wild.example x' > {EXPORT}/recipients
postmap hash:{EXPORT}/routes hash:{EXPORT}/recipients
"""

TABLES = (
    history(
        "a route by hand to a primary that its MX does not lead to",
        table("/etc/postfix/transport", "tunnel.example smtp:[mail.lab.example]")
        + "\n"
        + table("/etc/postfix/relay_recipients", "uma@tunnel.example x")
        + "\n"
        + main(
            "relay_domains = tunnel.example",
            "transport_maps = hash:/etc/postfix/transport",
            "relay_recipient_maps = hash:/etc/postfix/relay_recipients",
            "smtp_connect_timeout = 3s",
        ),
        declared=secondary(TUNNEL),
        delivered=("uma@tunnel.example",),
        unknown=("nobody@tunnel.example",),
        late=True,
    ),
    history(
        "a list manager that writes its transport table",
        f"getent passwd lists >/dev/null || useradd --system lists\nmkdir -p {LISTS}\nchown lists: {LISTS}"
        + BY_LISTS
        + main(
            f"transport_maps = hash:{LISTS}/lmtp",
            f"relay_recipient_maps = hash:{LISTS}/lmtp",
            f"relay_domains = hash:{LISTS}/domains",
        ),
        declared=primary(GATEWAY),
        delivered=("alice@gateway.example",),
        accepted=("news@flow.example",),
        unknown=("nobody@gateway.example", "nobody@flow.example"),
        later=BY_LISTS,
        theirs=(LISTS,),
    ),
    history(
        "one table for recipients and for access",
        table("/etc/postfix/recipient_access", "heidi@foreign.example OK", "spamtrap@foreign.example REJECT")
        + "\n"
        + table("/etc/postfix/transport", "foreign.example smtp:[mail.lab.example]:25")
        + "\n"
        + main(
            "relay_domains = hash:/etc/postfix/transport",
            "transport_maps = hash:/etc/postfix/transport",
            "relay_recipient_maps = hash:/etc/postfix/recipient_access",
            "smtpd_recipient_restrictions = check_recipient_access hash:/etc/postfix/recipient_access, "
            "reject_non_fqdn_recipient, permit_mynetworks, reject_unauth_destination",
        ),
        declared=primary(GATEWAY),
        refusal="lists valid recipients, and check_recipient_access in smtpd_recipient_restrictions asks it",
    ),
)

ROUTES = (
    history(
        "one relay_transport for all domains",
        table("/etc/postfix/relay_domains", "wild.example", kind="file")
        + "\n"
        + table("/etc/postfix/relay_recipients", "grace@wild.example x")
        + "\n"
        + main(
            "mydestination =",
            "local_recipient_maps =",
            "local_transport = error:5.1.1 no local delivery on this relay",
            "relay_domains = /etc/postfix/relay_domains",
            "relay_recipient_maps = hash:/etc/postfix/relay_recipients",
            f"relay_transport = smtp:[{NET}.10]:25",
            "relayhost =",
        ),
        delivered=("ivan@away.example", "grace@wild.example"),
        unknown=("nobody@away.example",),
    ),
)

RECIPIENTS = (
    history(
        "a catch-all in virtual_alias_maps",
        table("/etc/postfix/virtual", "@away.example ivan@elsewhere.test")
        + "\n"
        + main("virtual_alias_maps = hash:/etc/postfix/virtual"),
        refusal="virtual_alias_maps",
    ),
    history(
        "unlisted recipients are taken",
        table("/etc/postfix/transport", "gateway.example relay:[10.10.0.1]")
        + "\n"
        + main(
            "mydestination =",
            "smtpd_reject_unlisted_recipient = no",
            "transport_maps = hash:/etc/postfix/transport",
        ),
        declared=primary(GATEWAY),
        refusal="set smtpd_reject_unlisted_recipient to yes",
    ),
)

WORDS = (
    history(
        "a comment behind a number",
        "echo 'message_size_limit = 52428800         # 50 MB' >> /etc/postfix/main.cf",
        refusal="message_size_limit",
    ),
    history(
        "a mail host that knows a domain only as DNS names it",
        "true",
        declared=secondary(LIBRARY),
        delivered=(f"alice@{LIBRARY_IN_DNS}",),
        unknown=(f"nobody@{LIBRARY_IN_DNS}",),
        told="(mail_host_form): its mail host mail.lab.example refuses",
        mended=secondary(
            {"name": LIBRARY_IN_DNS, "recipients": [f"alice@{LIBRARY_IN_DNS}"]}, secondary_mx_smtputf8=False
        ),
        late=True,
    ),
)

# More of each kind, for the long form.
VARIANTS = (
    history(
        "two entries of the relay service",
        "printf '%s\\n' 'relay unix - - n - - smtp' '  -o smtp_fallback_relay=[tester.lab.example]' "
        ">> /etc/postfix/master.cf",
        edited=("master.cf",),
    ),
    history(
        "a domain that a program takes",
        "postconf -M 'tickets/unix=tickets unix - n n - - pipe flags=F user=nobody argv=/bin/true'\n"
        + table("/etc/postfix/transport", "flow.example tickets:")
        + "\n"
        + table("/etc/postfix/relay_recipients", "erin@flow.example x")
        + "\n"
        + main(
            "relay_domains = flow.example",
            "transport_maps = hash:/etc/postfix/transport",
            "relay_recipient_maps = hash:/etc/postfix/relay_recipients",
        ),
        declared=primary(GATEWAY),
        delivered=("alice@gateway.example",),
        accepted=("erin@flow.example",),
        unknown=("nobody@gateway.example",),
    ),
    history(
        "own clients only, by the recipient restrictions",
        main("smtpd_recipient_restrictions = permit_mynetworks, reject"),
        refusal="smtpd_recipient_restrictions",
    ),
    history(
        "own clients only, by the sender restrictions",
        main("smtpd_sender_restrictions = permit_mynetworks, reject"),
        refusal="smtpd_sender_restrictions",
    ),
    history(
        "a second smtp service for own clients only",
        "printf '%s\\n' 'smtp inet n - y - - smtpd' '  -o smtpd_client_restrictions=permit_mynetworks,reject' "
        ">> /etc/postfix/master.cf",
        refusal="smtpd_client_restrictions",
    ),
    history("a provider that takes TLS on port 465 and a password", main(*TLS_PROVIDER)),
    history(
        "a provider that takes one sender",
        table("/etc/postfix/generic", "/.+/ ops@provider.test", kind="regexp") + "\n" + main(*ONE_SENDER),
    ),
    history("a provider, and no DNS", main(*NO_DNS)),
    history(
        "one table for recipients and for access, by an override",
        table("/etc/postfix/recipient_access", "heidi@foreign.example OK")
        + "\n"
        + main("relay_recipient_maps = hash:/etc/postfix/recipient_access", "relay_domains = foreign.example")
        + "\npostconf -P 'smtp/inet/smtpd_recipient_restrictions=check_recipient_access,"
        "hash:/etc/postfix/recipient_access,permit_mynetworks,reject_unauth_destination'",
        declared=primary(GATEWAY),
        refusal="check_recipient_access",
    ),
    history(
        "one table for recipients and for aliases",
        table("/etc/postfix/virtual", "heidi@foreign.example heidi@elsewhere.test")
        + "\n"
        + main(
            "virtual_alias_maps = hash:/etc/postfix/virtual",
            "relay_recipient_maps = hash:/etc/postfix/virtual",
            "relay_domains = foreign.example",
        ),
        declared=primary(GATEWAY),
        refusal="which virtual_alias_maps uses too",
    ),
    history(
        "a route by hand through a service by hand",
        "postconf -M 'vpn/unix=vpn unix - - n - - smtp'\n"
        + table("/etc/postfix/transport", "tunnel.example vpn:[mail.lab.example]")
        + "\n"
        + main("relay_domains = tunnel.example", "transport_maps = hash:/etc/postfix/transport")
        + "\n"
        + main("relay_recipient_maps = hash:/etc/postfix/mine")
        + "\n"
        + table("/etc/postfix/mine", "uma@tunnel.example x"),
        declared=secondary(TUNNEL),
        delivered=("uma@tunnel.example",),
        unknown=("nobody@tunnel.example",),
    ),
    history(
        "a route by hand that leads nowhere",
        table("/etc/postfix/transport", "away.example error:5.1.1 moved")
        + "\n"
        + main("transport_maps = hash:/etc/postfix/transport"),
        refusal="goes nowhere",
    ),
    history(
        "links to tables that another user exports",
        f"getent passwd lists >/dev/null || useradd --system lists\nmkdir -p {LISTS}\n"
        + table(f"{LISTS}/transport", "wild.example smtp:[mail.lab.example]")
        + "\n"
        + table(f"{LISTS}/relay_recipients", "grace@wild.example x")
        + f"\nchown -R lists: {LISTS}\nln -s {LISTS}/* /etc/postfix/\n"
        + main(
            "relay_domains = wild.example",
            "transport_maps = hash:/etc/postfix/transport",
            "relay_recipient_maps = hash:/etc/postfix/relay_recipients",
        ),
        declared=primary(GATEWAY),
        delivered=("alice@gateway.example", "grace@wild.example"),
        unknown=("nobody@gateway.example", "nobody@wild.example"),
        theirs=(LISTS,),
    ),
    history(
        "two entries of the SMTP server",
        "printf '%s\\n' 'smtp inet n - y - - smtpd' '  -o smtpd_helo_required=yes' >> /etc/postfix/master.cf",
    ),
    history(
        "two entries of the relay service, and a provider",
        "printf '%s\\n' 'relay unix - - n - - smtp' '  -o smtp_helo_timeout=5' >> /etc/postfix/master.cf\n"
        + main(*TLS_PROVIDER),
        edited=("master.cf",),
    ),
    history(
        "a domain that a service by hand takes",
        "postconf -M 'inside/unix=inside unix - - n - - smtp'\n"
        + table("/etc/postfix/transport", f"wild.example inside:[{NET}.10]:25")
        + "\n"
        + table("/etc/postfix/relay_recipients", "grace@wild.example x")
        + "\n"
        + main(
            "relay_domains = wild.example",
            "transport_maps = hash:/etc/postfix/transport",
            "relay_recipient_maps = hash:/etc/postfix/relay_recipients",
        ),
        declared=primary(GATEWAY),
        delivered=("alice@gateway.example", "grace@wild.example"),
        unknown=("nobody@gateway.example", "nobody@wild.example"),
    ),
    history(
        "one relay_transport for all domains, by a service by hand",
        "postconf -M 'inside/unix=inside unix - - n - - smtp'\n"
        + table("/etc/postfix/relay_recipients", "grace@wild.example x")
        + "\n"
        + main(
            "relay_domains = wild.example",
            "relay_recipient_maps = hash:/etc/postfix/relay_recipients",
            f"relay_transport = inside:[{NET}.10]:25",
        ),
        delivered=("ivan@away.example", "grace@wild.example"),
        unknown=("nobody@away.example", "nobody@wild.example"),
    ),
    history(
        "a catch-all pattern in virtual_alias_maps",
        table("/etc/postfix/virtual", "/@away\\.example$/ ivan@elsewhere.test", kind="regexp")
        + "\n"
        + main("virtual_alias_maps = regexp:/etc/postfix/virtual"),
        refusal="virtual_alias_maps",
    ),
    history(
        "unlisted recipients are taken, by the service on port 25",
        "postconf -P 'smtp/inet/smtpd_reject_unlisted_recipient=no'",
        refusal="smtpd_reject_unlisted_recipient",
    ),
    history(
        "a domain of this host's own",
        main("mydestination = localhost, away.example"),
        refusal="remove it from mydestination",
    ),
    history(
        "tables that an export writes each night",
        f"mkdir -p {EXPORT}"
        + BY_EXPORT
        + main(
            "relay_domains = wild.example",
            f"transport_maps = hash:{EXPORT}/routes",
            f"relay_recipient_maps = hash:{EXPORT}/recipients",
        ),
        declared=primary(GATEWAY),
        delivered=("alice@gateway.example", "grace@wild.example"),
        unknown=("nobody@gateway.example", "nobody@wild.example"),
        later=BY_EXPORT,
        theirs=(EXPORT,),
    ),
    history(
        "a table in the configuration directory that another user writes",
        "getent passwd lists >/dev/null || useradd --system lists\n"
        + table("/etc/postfix/transport", "wild.example smtp:[mail.lab.example]")
        + "\n"
        + table("/etc/postfix/relay_recipients", "grace@wild.example x")
        + "\nchown lists: /etc/postfix/relay_recipients*\n"
        + main(
            "relay_domains = wild.example",
            "transport_maps = hash:/etc/postfix/transport",
            "relay_recipient_maps = hash:/etc/postfix/relay_recipients",
        ),
        declared=primary(GATEWAY),
        delivered=("alice@gateway.example", "grace@wild.example"),
        unknown=("nobody@gateway.example", "nobody@wild.example"),
        later="su -s /bin/sh lists -c \"echo 'grace@wild.example x' > /etc/postfix/relay_recipients; "
        'postmap hash:/etc/postfix/relay_recipients"\n',
    ),
    history(
        "everybody at the domain, by a row by hand",
        table("/etc/postfix/relay_recipients", "@away.example x", "*@away.example x", "grace@wild.example x")
        + "\n"
        + main(
            "relay_domains = away.example, wild.example",
            "relay_recipient_maps = hash:/etc/postfix/relay_recipients",
            f"transport_maps = inline:{{wild.example=smtp:[{NET}.10]}}",
        ),
        delivered=("ivan@away.example", "grace@wild.example"),
        unknown=("nobody@away.example", "*@away.example", "nobody@wild.example"),
        edited=("relay_recipients",),
    ),
    history(
        "everybody at the domain, by a pattern by hand",
        table("/etc/postfix/everybody", "/^.+@away\\.example$/ x", kind="regexp")
        + "\n"
        + main("relay_domains = away.example", "relay_recipient_maps = regexp:/etc/postfix/everybody"),
        refusal="or set recipients_policy to any if that is meant",
    ),
    history(
        "everybody at the domain, as shells write it",
        table("/etc/postfix/relay_recipients", "@away.example x")
        + "\n"
        + main("relay_domains = away.example", "relay_recipient_maps = hash:/etc/postfix/relay_recipients"),
        declared=secondary({**AWAY, "recipients": ["*@away.example"]}),
        refusal="to accept every address of a domain give it recipients_policy: any",
    ),
    history(
        "everybody at the domain, as Postfix writes it",
        "true",
        declared=secondary({**AWAY, "recipients": ["ivan@away.example", "@away.example"]}),
        refusal="recipients_policy: any",
    ),
    history(
        "everybody at the domain, as a regular expression",
        "true",
        declared=secondary({**AWAY, "recipients": ["/^.*@away\\.example$/"]}),
        refusal="recipients_policy: any",
    ),
    history(
        "a domain that got another name, by recipient_canonical_maps",
        table("/etc/postfix/recipient_canonical", "@away.example @elsewhere.test")
        + "\n"
        + main("recipient_canonical_maps = hash:/etc/postfix/recipient_canonical"),
        refusal="recipient_canonical_maps",
    ),
    history(
        "a catch-all of the cleanup service alone",
        table("/etc/postfix/virtual", "@away.example ivan@elsewhere.test")
        + "\npostconf -P 'cleanup/unix/virtual_alias_maps=hash:/etc/postfix/virtual'",
        refusal="virtual_alias_maps",
    ),
    history(
        "a catch-all for those who are not listed",
        table(
            "/etc/postfix/virtual",
            "ivan@away.example ivan@away.example",
            "judy@away.example judy@away.example",
            "postmaster@away.example postmaster@away.example",
            "@away.example archive@elsewhere.test",
        )
        + "\n"
        + main("virtual_alias_maps = hash:/etc/postfix/virtual"),
        refusal="remove the row @away.example",
    ),
    history(
        "one recipient who moved elsewhere, by virtual_alias_maps",
        table("/etc/postfix/virtual", "judy@away.example grace@wild.example")
        + "\n"
        + main("virtual_alias_maps = hash:/etc/postfix/virtual"),
        delivered=("ivan@away.example",),
        accepted=("judy@away.example",),
        unknown=("nobody@away.example",),
    ),
    history(
        "unlisted recipients are taken, as before a content filter",
        main("receive_override_options = no_unknown_recipient_checks"),
        refusal="remove no_unknown_recipient_checks from receive_override_options",
    ),
    history(
        "a relay service that drops all mail, from a rehearsal",
        "postconf -M 'relay/unix=relay unix - - n - - discard'",
        refusal="discard",
    ),
    history(
        "an address of the host's from before it moved",
        main("smtp_bind_address = 192.0.2.77", "smtp_bind_address_enforce = yes"),
        refusal="smtp_bind_address",
    ),
    history(
        "a content filter that was uninstalled",
        "postconf -M 'amavis/unix=amavis unix - - n - 2 smtp'\n" + main("content_filter = amavis:[127.0.0.1]:10024"),
        refusal="content_filter",
    ),
    history(
        "all mail on hold, from a migration",
        table("/etc/postfix/hold", "/^/ HOLD moving", kind="regexp")
        + "\n"
        + main("smtpd_sender_restrictions = check_sender_access regexp:/etc/postfix/hold"),
        refusal="holds every message that a stranger sends",
    ),
    history(
        "a comment behind a truth value",
        "echo 'smtputf8_enable = yes # for all' >> /etc/postfix/main.cf",
        refusal="write the comment on a line of its own",
    ),
    history(
        "a comment behind a word",
        "sed -i 's/^inet_protocols.*/inet_protocols = ipv4 # no more/' /etc/postfix/main.cf",
        refusal="write the comment on a line of its own",
    ),
)
HISTORIES: tuple[History, ...] = (*SHUT, *SMARTHOSTS, *TABLES, *ROUTES, *RECIPIENTS, *WORDS)
