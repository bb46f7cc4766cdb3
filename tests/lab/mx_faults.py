# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with an MX host: each fault as it is made, as it is found, and as its remedy mends it.

They are made on the host of the scenario `verify`, primary MX of gateway.example and secondary MX of away.example.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from lab import open_relays
from lab.distrust import DNSBL, SPF_FAIL

NET = os.environ.get("MXRELAY_LAB_NET", "")
PRIMARY = "gateway.example"
SECONDARY = "away.example"
BOTH = (PRIMARY, SECONDARY)
# An instance of Postfix beside the usual one, as another MX host of the same domains.
OTHER = "/etc/postfix-beside"
RECIPIENTS = "/etc/postfix/relay_recipients"
TRANSPORT = "/etc/postfix/transport"
OTHER_RECIPIENTS = "/etc/postfix/other_recipients"
SOURCES = "/etc/postfix/.relay_recipients.sources"
PATTERNS = "/etc/postfix/recipient_patterns"
ALIASES = "/etc/postfix/virtual"
NOWHERE = f"{NET}.250"
SECOND_ADDRESS = f"{NET}.221"
POLICY = "/srv/policy/.well-known/mta-sts.txt"
LIBRARY = "bücher.example"
REPORTS = "/etc/postfix/lab_reports"
# Where the mail host sees this host, and what makes its smtpd trust it.
CLIENT = f"{NET}.21"
PERMIT = f"check_client_access inline:{{{CLIENT}=permit}}"
# The mail host is an MX host of away.example, too.
LET_IN = f"postscreen_access_list=permit_mynetworks, inline:{{{NET}.10=permit}}"
# What the file system of the queue has free, for the line that follows.
FREE = "free=$(($(stat --file-system --format='%a * %S' /var/spool/postfix)))"
LISTED = {PRIMARY: "alice@gateway.example", SECONDARY: "ivan@away.example"}


@dataclasses.dataclass(frozen=True)
class Fault:
    """One fault. `found` are the findings it has, by domain and check; `remedy` are words of a finding's remedy.

    `wrong` makes it and `right` does what the remedy says: scripts for the host `on`; where that is "dns", lines of the
    zone, of which `wrong` takes the place of `right`, and where it is "resolver", any. `view` is who looks: the host
    itself (`inform`), with `params`, a stranger, or the controller, which compares it with an instance beside it
    (`several`). `also` is a script that makes the host what it is a fault for, and `zone` are lines that make its zone
    that; neither is a fault by itself. Meanwhile the mail host is distrustful in these `ways`.
    """

    name: str
    found: tuple[tuple[str, str], ...]
    remedy: str
    wrong: str
    right: str
    on: str = "mx1"
    view: str = "inform"
    also: str = ""
    zone: str = ""
    ways: tuple[str, ...] = ()
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def main(*settings: str, unset: str = "", reload: bool = False) -> str:
    """A script that sets and unsets parameters, in a main.cf whose age makes no command of Postfix wait."""
    lines = [f"postconf -e '{setting}'" for setting in settings]
    lines += [f"postconf -X {unset}"] if unset else []
    lines += ["touch --date=2020-01-01 /etc/postfix/main.cf /etc/postfix/master.cf"]
    return "\n".join(lines + (["postfix reload"] if reload else []))


def master(*edits: str) -> str:
    """A script that edits master.cf."""
    lines = [f"postconf {edit}" for edit in edits]
    return "\n".join([*lines, "touch --date=2020-01-01 /etc/postfix/main.cf /etc/postfix/master.cf"])


def rows(path: str, without: str, *new: str) -> str:
    """A script that replaces the rows of a table that match a pattern."""
    lines = [f"touch {path}", f"sed -i '/{without}/d' {path}"] + [f"echo '{added}' >> {path}" for added in new]
    return "\n".join([*lines, f"postmap hash:{path}"])


def record(moment: str, problem: str = "", kept: str = "", vanished: Sequence[str] = ()) -> str:
    """What relay_recipients keeps of the source that the list of the secondary domain follows, last read at a moment.

    With a `problem` it could not be read since.
    """
    source = {"name": "staff", "type": "ldap", "host": "localhost", "read_at": moment, "count": 2, "digest": ""}
    failed = {"failed_at": moment if problem else "", "problem": problem}
    domain = {"sources": [{**source, **failed}], "listed_at": moment, "kept": kept, "vanished": list(vanished)}
    return json.dumps({"version": 1, "domains": {SECONDARY: domain}})


def followed(when: str = "now", **fields: Any) -> str:
    """A script that keeps such a record; `when` is as date(1) takes it."""
    return (
        f"moment=$(date --utc --date='{when}' +%Y-%m-%dT%H:%M:%SZ)\n"
        f"cat > {SOURCES} <<end\n{record('$moment', **fields)}\nend\nchmod 600 {SOURCES}"
    )


def host(check: str) -> tuple[tuple[str, str], ...]:
    return (("", check),)


def primary(check: str) -> tuple[tuple[str, str], ...]:
    return ((PRIMARY, check),)


def secondary(check: str) -> tuple[tuple[str, str], ...]:
    return ((SECONDARY, check),)


def both(check: str) -> tuple[tuple[str, str], ...]:
    return tuple((domain, check) for domain in BOTH)


def row(result: str) -> str:
    return rows(TRANSPORT, PRIMARY, f"{PRIMARY} {result}")


KEPT = f"printf '/^Final-Recipient: .*@{PRIMARY}$/ REDIRECT postmaster@localhost\\n' > {REPORTS}\n"
REPORTING = (
    "cleanup_service_name=reports",
    "internal_mail_filter_classes=bounce",
    "bounce_size_limit=2000000000",
    "notify_classes=resource,software,2bounce",
)
# A host that keeps the reports about its primary domain, and one that does so no more.
KEEPING = (
    KEPT
    + master(
        f"-M 'reports/unix=reports unix n - y - 0 cleanup -o body_checks=regexp:{REPORTS} -o message_size_limit=0'",
        *(f"-P {service}/unix/{setting}" for service in ("bounce", "defer") for setting in REPORTING),
        "-P smtp/inet/smtpd_discard_ehlo_keywords=dsn,silent-discard",
    )
    + "\n"
)
NOT_KEEPING = (
    master(
        *(
            f"-PX {service}/unix/{setting.partition('=')[0]}"
            for service in ("bounce", "defer")
            for setting in REPORTING
        ),
        "-PX smtp/inet/smtpd_discard_ehlo_keywords",
        "-MX reports/unix",
    )
    + f"\nrm {REPORTS}"
)


def distrust(way: str, found: Sequence[str], remedy: str, *settings: str, **fields: Any) -> Fault:
    """A way in which the mail host does not trust this host, which these settings of its main.cf mend."""
    mended = main(*settings) + "\npkill -x anvil || true\npostfix reload"
    checks = tuple(finding for check in found for finding in both(check))
    return Fault(f"mail host that distrusts by {way}", checks, remedy, "", mended, on="mail", ways=(way,), **fields)


def policy(*exchangers: str) -> str:
    """A script that publishes the MTA-STS policy of away.example on the host itself."""
    lines = ["version: STSv1", "mode: enforce", *(f"mx: {exchanger}" for exchanger in exchangers), "max_age: 86400"]
    return "\n".join([f"cat > {POLICY} <<end", *lines, "end"])


MAY = master("-P 'relay/unix/smtp_tls_security_level=may'")
RIGHT_ROW = row("relay:[mail.lab.example]")
RIGHT_RECIPIENTS = rows(
    RECIPIENTS, SECONDARY, "ivan@away.example x", "judy@away.example x", "postmaster@away.example x"
)
RESTRICTIONS = "smtpd_relay_restrictions=permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination"
GATEWAY_MX = "mx-host=gateway.example,mx1.lab.example,10"
AWAY_MX = "mx-host=away.example,mx1.lab.example,100"
PRIMARY_MX = "mx-host=away.example,mail.lab.example,10"
ADDRESS = "host-record=mx1.lab.example,@NET@.21"

# HTTPS on the host, with a certificate that it trusts.
POLICY_SERVER = f"""
systemctl is-active --quiet policy && exit 0
mkdir -p {os.path.dirname(POLICY)}
cd /srv/policy
openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out certificate -days 2 -subj /CN=mta-sts.{SECONDARY} \\
    -addext subjectAltName=DNS:mta-sts.{SECONDARY}
cp certificate /etc/ssl/certs/$(openssl x509 -hash -noout -in certificate).0
systemd-run --unit=policy --working-directory=/srv/policy \\
    openssl s_server -accept 443 -cert certificate -key key -WWW
"""

# A certificate that the host trusts, and none.
TRUSTED = (
    "smtpd_tls_cert_file=/etc/postfix/mx.pem",
    "smtpd_tls_key_file=/etc/postfix/mx.key",
    "smtpd_tls_security_level=may",
)
BARE = ("smtpd_tls_cert_file=", "smtpd_tls_key_file=", "smtpd_tls_security_level=none")
CERTIFIED = f"""
cd /etc/postfix
openssl req -x509 -newkey rsa:2048 -nodes -keyout mx.key -out mx.pem -days 30 -subj /CN=mx1.lab.example \\
    -addext subjectAltName=DNS:mx1.lab.example
cp mx.pem /etc/ssl/certs/$(openssl x509 -hash -noout -in mx.pem).0
{main(*TRUSTED, reload=True)}
"""

ANNOUNCED = f'host-record=mta-sts.away.example,{NET}.21\ntxt-record=_mta-sts.away.example,"v=STSv1; id=2"\n'

# The engine's resolver has an opinion of its own about the names of hosts.
PUBLIC_DNS = {"resolver": [f"{NET}.2"]}

# What the inventory declares of the host.
DECLARED = {
    "declared": [{"name": PRIMARY, "role": "primary"}, {"name": SECONDARY, "role": "secondary"}],
}

CLASSES = (
    Fault(
        "domain in mydestination",
        primary("class"),
        "remove it from mydestination",
        main("mydestination=$myhostname, localhost, gateway.example"),
        main("mydestination=$myhostname, localhost"),
    ),
    Fault(
        "domain in mydestination by another parameter",
        secondary("class"),
        "remove it from mydestination",
        main("mydestination=$myhostname, localhost, $ours", "ours=away.example"),
        main("ours="),
    ),
    Fault(
        "domain in virtual_mailbox_domains by a file",
        secondary("class"),
        "remove it from virtual_mailbox_domains",
        "echo away.example > /etc/postfix/hosted\n" + main("virtual_mailbox_domains=/etc/postfix/hosted"),
        "echo other.example > /etc/postfix/hosted",
    ),
    Fault(
        "domain in virtual_alias_domains by a table",
        primary("class"),
        "remove it from virtual_alias_domains",
        "echo 'gateway.example x' > /etc/postfix/aliased\npostmap hash:/etc/postfix/aliased\n"
        + main("virtual_alias_domains=hash:/etc/postfix/aliased"),
        main(unset="virtual_alias_domains"),
    ),
    Fault(
        "domain that is not relayed",
        secondary("relay_domains"),
        "add it to relay_domains",
        main("relay_domains=gateway.example"),
        main("relay_domains=gateway.example, away.example"),
        params={"domains": list(BOTH)},
    ),
    Fault(
        "declared domains that are not relayed",
        both("relay_domains"),
        "run the role secondary_mx for it",
        main("relay_domains="),
        main("relay_domains=gateway.example, away.example"),
        params=DECLARED,
    ),
    Fault(
        "domain declared for the other role",
        secondary("declared_role"),
        "run the role secondary_mx for it",
        rows(TRANSPORT, SECONDARY, f"{SECONDARY} relay:[mail.lab.example]"),
        rows(TRANSPORT, SECONDARY),
        params=DECLARED,
    ),
    Fault(
        "domain that nobody declares",
        tuple(("third.example", check) for check in ("mx_record", "no_recipients", "undeclared")),
        "declare it in secondary_mx_domains",
        main("relay_domains=gateway.example, away.example, third.example"),
        main("relay_domains=gateway.example, away.example"),
        params=DECLARED,
    ),
)

RECIPIENT_TABLES = (
    Fault(
        "no recipients",
        secondary("no_recipients"),
        "list its recipients",
        rows(RECIPIENTS, SECONDARY),
        RIGHT_RECIPIENTS,
    ),
    Fault(
        "wildcard row",
        (*secondary("accepts_any"), *secondary("backscatter")),
        "remove its wildcard row",
        rows(RECIPIENTS, SECONDARY, "@away.example x"),
        RIGHT_RECIPIENTS,
    ),
    Fault(
        "empty map",
        (*both("accepts_any"), *both("backscatter")),
        "list its recipients in a relay_recipient_maps table",
        main("relay_recipient_maps="),
        main(f"relay_recipient_maps=hash:{RECIPIENTS}"),
    ),
    Fault(
        "recipients only asked of the mail host",
        (*both("backscatter"), *both("verify_defers")),
        "set unverified_recipient_defer_code to 250",
        main(
            "relay_recipient_maps=",
            "smtpd_recipient_restrictions=reject_unauth_destination, reject_unverified_recipient",
        ),
        main("unverified_recipient_defer_code=250", f"relay_recipient_maps=hash:{RECIPIENTS}"),
    ),
    Fault(
        "what the mail host says of recipients is kept nowhere",
        both("verify_cache"),
        "set address_verify_map to ",
        main("address_verify_map=texthash:$data_directory/verify_cache"),
        main(unset="address_verify_map"),
        also=main("smtpd_recipient_restrictions=reject_unauth_destination, reject_unverified_recipient"),
    ),
    Fault(
        "listed recipients asked of the mail host as well",
        both("verify_defers"),
        "set unverified_recipient_defer_code to 250",
        main(
            f"relay_recipient_maps=hash:{RECIPIENTS}",
            "smtpd_recipient_restrictions=permit_mynetworks, reject_unauth_destination, reject_unverified_recipient",
            unset="unverified_recipient_defer_code",
        ),
        main("unverified_recipient_defer_code=250"),
    ),
    Fault(
        "recipients asked of the mail host by a class of a service of its own",
        both("verify_defers"),
        "remove reject_unverified_recipient (in the restriction class asking) in",
        main(
            "smtpd_restriction_classes=asking",
            "asking=reject_unverified_recipient",
            unset="unverified_recipient_defer_code smtpd_recipient_restrictions",
        )
        + "\n"
        + master("-P 'smtp/inet/smtpd_sender_restrictions=asking'"),
        master("-PX smtp/inet/smtpd_sender_restrictions") + "\n" + main(unset="smtpd_restriction_classes asking"),
    ),
    Fault(
        "recipients asked of the mail host by a table",
        (*secondary("backscatter"), *secondary("verify_defers")),
        "set unverified_recipient_defer_code to 250",
        "echo 'away.example reject_unverified_recipient' > /etc/postfix/asked\npostmap hash:/etc/postfix/asked\n"
        + rows(RECIPIENTS, SECONDARY, "@away.example x")
        + "\n"
        + main(
            f"relay_recipient_maps=hash:{RECIPIENTS}",
            "unverified_recipient_defer_code=450",
            "smtpd_recipient_restrictions=reject_unauth_destination, check_recipient_access hash:/etc/postfix/asked",
        ),
        RIGHT_RECIPIENTS + "\n" + main(unset="smtpd_recipient_restrictions unverified_recipient_defer_code"),
    ),
    Fault(
        "index missing",
        host("index"),
        f"postmap hash:{RECIPIENTS}",
        f"rm {RECIPIENTS}.db",
        f"postmap hash:{RECIPIENTS}",
    ),
    Fault(
        "index stale",
        host("index"),
        f"postmap hash:{TRANSPORT}",
        rows(TRANSPORT, "new.example") + f"\necho 'new.example relay:[mail.lab.example]' >> {TRANSPORT}",
        f"postmap hash:{TRANSPORT}",
    ),
    Fault(
        "index truncated",
        host("index"),
        f"postmap hash:{RECIPIENTS}",
        f": > {RECIPIENTS}.db",
        f"postmap hash:{RECIPIENTS}",
    ),
    Fault(
        "index of another table",
        host("index"),
        f"postmap hash:{RECIPIENTS}",
        "echo 'other@away.example x' > /etc/postfix/other\npostmap hash:/etc/postfix/other\n"
        f"mv /etc/postfix/other.db {RECIPIENTS}.db",
        f"postmap hash:{RECIPIENTS}",
    ),
    Fault(
        "source lost",
        host("index"),
        "remove it from relay_recipient_maps",
        main(f"relay_recipient_maps=hash:{RECIPIENTS}, hash:/etc/postfix/lost"),
        main(f"relay_recipient_maps=hash:{RECIPIENTS}"),
    ),
    Fault(
        "type that is not there",
        host("table_type"),
        "name that in transport_maps",
        main(f"transport_maps=hash:{TRANSPORT}, pgsql:/etc/postfix/pgsql.cf"),
        main(f"transport_maps=hash:{TRANSPORT}"),
    ),
    Fault(
        "transports that can't be asked",
        host("table_unreachable"),
        "remove it from transport_maps",
        main(f"transport_maps=hash:{TRANSPORT}, tcp:{NOWHERE}:9"),
        main(f"transport_maps=hash:{TRANSPORT}"),
    ),
    Fault(
        "relay domains that can't be asked",
        (*host("relay_unproven"), *host("table_unreachable")),
        "remove it from relay_domains",
        main("relay_domains=gateway.example, away.example, tcp:127.0.0.1:9"),
        main("relay_domains=gateway.example, away.example"),
    ),
    Fault(
        "recipients that can't be asked",
        host("recipients_unproven"),
        "remove it from relay_recipient_maps",
        main(f"relay_recipient_maps=hash:{RECIPIENTS}, tcp:127.0.0.1:9"),
        main(f"relay_recipient_maps=hash:{RECIPIENTS}"),
    ),
    Fault(
        "table that proxymap can't read",
        host("table_mode"),
        "let postfix read the table",
        f"chmod 0600 {RECIPIENTS}.db\n" + main(f"relay_recipient_maps=proxy:hash:{RECIPIENTS}"),
        f"chmod 0644 {RECIPIENTS}.db\n" + main(f"relay_recipient_maps=hash:{RECIPIENTS}"),
    ),
)

UNKNOWN_RECIPIENTS = (
    Fault(
        "map that knows everybody",
        both("unknown_accepted"),
        "make static:x leave out",
        main(f"relay_recipient_maps=hash:{RECIPIENTS}, static:x"),
        main(f"relay_recipient_maps=hash:{RECIPIENTS}"),
    ),
    Fault(
        "nothing but a map that knows everybody",
        both("unknown_accepted"),
        "remove it from relay_recipient_maps",
        main("relay_recipient_maps=static:x"),
        main(f"relay_recipient_maps=hash:{RECIPIENTS}"),
    ),
    Fault(
        "pattern that everybody matches",
        both("unknown_accepted"),
        f"make regexp:{PATTERNS} leave out",
        f"echo '/./ x' > {PATTERNS}\n" + main(f"relay_recipient_maps=hash:{RECIPIENTS}, regexp:{PATTERNS}"),
        f"echo '/^info@(gateway|away).example$/ x' > {PATTERNS}",
    ),
    Fault(
        "wildcard row in main.cf",
        primary("unknown_accepted"),
        "remove the row @gateway.example from inline:{@gateway.example=x}",
        main(f"relay_recipient_maps=hash:{RECIPIENTS}, inline:{{@gateway.example=x}}"),
        main(f"relay_recipient_maps=hash:{RECIPIENTS}"),
    ),
    Fault(
        "wildcard row in another table",
        secondary("unknown_accepted"),
        f"remove the row @away.example from {OTHER_RECIPIENTS} and run postmap hash:{OTHER_RECIPIENTS}",
        rows(OTHER_RECIPIENTS, "@", "@away.example x")
        + "\n"
        + main(f"relay_recipient_maps=hash:{RECIPIENTS}, hash:{OTHER_RECIPIENTS}"),
        rows(OTHER_RECIPIENTS, "@away.example"),
    ),
    Fault(
        "service of its own without maps",
        both("unknown_accepted"),
        "remove the override relay_recipient_maps=",
        main(f"relay_recipient_maps=hash:{RECIPIENTS}") + "\n" + master("-P smtp/inet/relay_recipient_maps="),
        master("-PX smtp/inet/relay_recipient_maps"),
    ),
    Fault(
        "unlisted recipients accepted by a service of its own",
        host("reject_unlisted"),
        "set smtpd_reject_unlisted_recipient of smtp/inet to yes",
        master("-P smtp/inet/smtpd_reject_unlisted_recipient=no"),
        master("-P smtp/inet/smtpd_reject_unlisted_recipient=yes"),
    ),
    Fault(
        "unlisted recipients rejected too late",
        host("reject_unlisted"),
        "set smtpd_reject_unlisted_recipient to yes",
        master("-PX smtp/inet/smtpd_reject_unlisted_recipient")
        + "\n"
        + main(
            "smtpd_reject_unlisted_recipient=no",
            "smtpd_recipient_restrictions=permit_auth_destination, reject_unlisted_recipient",
        ),
        main("smtpd_reject_unlisted_recipient=yes"),
    ),
    Fault(
        "recipients not checked",
        host("reject_unlisted"),
        "remove no_unknown_recipient_checks from receive_override_options",
        main(
            "receive_override_options=no_unknown_recipient_checks",
            unset="smtpd_recipient_restrictions smtpd_reject_unlisted_recipient",
        ),
        main("receive_override_options="),
    ),
    Fault(
        "recipients not checked by a service of its own",
        host("reject_unlisted"),
        "remove no_unknown_recipient_checks from receive_override_options of smtp/inet",
        master("-P smtp/inet/receive_override_options=no_unknown_recipient_checks"),
        master("-PX smtp/inet/receive_override_options"),
    ),
    Fault(
        "catch-all of a domain",
        primary("rewrites"),
        f"remove the row @gateway.example from {ALIASES} and run postmap hash:{ALIASES}",
        rows(ALIASES, "@", "@gateway.example nobody@localhost") + "\n" + main(f"virtual_alias_maps=hash:{ALIASES}"),
        rows(ALIASES, "@gateway.example"),
    ),
    Fault(
        "catch-all in recipient_canonical_maps",
        secondary("rewrites"),
        f"remove the row @away.example from {ALIASES}",
        rows(ALIASES, "@", "@away.example someone@elsewhere.test")
        + "\n"
        + main(f"recipient_canonical_maps=hash:{ALIASES}", "virtual_alias_maps="),
        rows(ALIASES, "@away.example"),
    ),
    Fault(
        "catch-all of cleanup's own",
        primary("rewrites"),
        "remove the row @gateway.example from inline:",
        main(unset="recipient_canonical_maps virtual_alias_maps")
        + "\n"
        + master("-P 'cleanup/unix/virtual_alias_maps=inline:{@gateway.example=someone@elsewhere.test}'"),
        master("-PX cleanup/unix/virtual_alias_maps"),
    ),
    Fault(
        "catch-all that keeps the domain",
        primary("unknown_accepted"),
        "remove the row @gateway.example from inline:",
        main("virtual_alias_maps=inline:{@gateway.example=@gateway.example}"),
        main(unset="virtual_alias_maps"),
    ),
    Fault(
        "headers' canonical_maps, which smtpd asks as well",
        secondary("unknown_accepted"),
        "remove the row @away.example from inline:",
        main("canonical_classes=header_sender", "canonical_maps=inline:{@away.example=someone@elsewhere.test}"),
        main(unset="canonical_maps canonical_classes"),
    ),
    Fault(
        "recipient whose mail goes elsewhere",
        primary("rewrites"),
        f"remove the row bob@gateway.example from {ALIASES}",
        rows(ALIASES, "@", "bob@gateway.example bob@elsewhere.test")
        + "\n"
        + main(f"virtual_alias_maps=hash:{ALIASES}"),
        rows(ALIASES, "bob@gateway.example"),
    ),
    Fault(
        "rewriting of a service that can't be asked",
        host("recipients_unproven"),
        "remove it from virtual_alias_maps",
        master("-P 'smtp/inet/virtual_alias_maps=hash:/etc/postfix/lost'"),
        master("-PX smtp/inet/virtual_alias_maps"),
    ),
    Fault(
        "recipients that are asked for actions",
        host("action_table"),
        "copy its rows that have an action to a table of their own",
        f"echo 'spamtrap@away.example REJECT' >> {RECIPIENTS}\npostmap hash:{RECIPIENTS}\n"
        + main(f"smtpd_recipient_restrictions=check_recipient_access hash:{RECIPIENTS}"),
        f"grep REJECT {RECIPIENTS} > /etc/postfix/actions\npostmap hash:/etc/postfix/actions\n"
        + main("smtpd_recipient_restrictions=check_recipient_access hash:/etc/postfix/actions"),
    ),
)

WAYS_OUT = (
    Fault(
        "no transport row on the best MX",
        primary("best_mx"),
        "add a transport row",
        rows(TRANSPORT, PRIMARY),
        RIGHT_ROW,
    ),
    Fault(
        "no brackets, and this host the nexthop's MX",
        primary("nexthop_brackets"),
        "write relay:[gateway.example]",
        row("relay:gateway.example"),
        RIGHT_ROW,
    ),
    Fault(
        "no brackets",
        primary("nexthop_brackets"),
        "write relay:[mail.lab.example]",
        row("relay:mail.lab.example"),
        RIGHT_ROW,
    ),
    Fault("nexthop is this host", primary("own_nexthop"), "name the host", row("relay:[mx1.lab.example]"), RIGHT_ROW),
    Fault(
        "nexthop that /etc/hosts has on the loopback network",
        # Daemons in the chroot have a copy of the file.
        (*host("chroot"), *primary("own_nexthop")),
        "name the host",
        "echo 127.0.1.1 alias.lab.example >> /etc/hosts\n" + row("relay:[alias.lab.example]"),
        "sed '/alias.lab.example/d' /etc/hosts > /root/hosts && cat /root/hosts > /etc/hosts\n" + RIGHT_ROW,
    ),
    Fault(
        "nexthop is this host's address behind NAT",
        primary("own_nexthop"),
        "name the host",
        main(f"proxy_interfaces={NOWHERE}") + "\n" + row("relay:[nowhere.lab.example]"),
        RIGHT_ROW + "\n" + main("proxy_interfaces="),
    ),
    Fault(
        "nexthop that DNS does not know",
        primary("mail_host"),
        "correct the name",
        row("relay:[gone.lab.example]"),
        RIGHT_ROW,
    ),
    Fault(
        "row that drops mail",
        secondary("transport"),
        "remove that entry",
        rows(TRANSPORT, SECONDARY, "away.example discard:"),
        rows(TRANSPORT, SECONDARY),
    ),
    Fault(
        "relayhost",
        secondary("relayhost"),
        "add the transport row away.example relay:",
        main("relayhost=[mail.lab.example]"),
        rows(TRANSPORT, SECONDARY, "away.example relay:"),
    ),
    Fault(
        "relay_transport",
        secondary("relayhost"),
        "add the transport row away.example relay:",
        main("relayhost=", "relay_transport=smtp:[mail.lab.example]") + "\n" + rows(TRANSPORT, SECONDARY),
        rows(TRANSPORT, SECONDARY, "away.example relay:"),
    ),
    Fault(
        "fallback relay",
        host("fallback_relay"),
        "the override smtp_fallback_relay=",
        main("relay_transport=relay", "smtp_fallback_relay=[mail.lab.example]") + "\n" + rows(TRANSPORT, SECONDARY),
        master("-P relay/unix/smtp_fallback_relay="),
    ),
    Fault(
        "no relay service",
        host("relay_service"),
        "add the service relay",
        master("-M# relay/unix"),
        master("-M 'relay/unix=relay unix - - y - - smtp'") + "\n" + main("smtp_fallback_relay="),
    ),
    Fault(
        "relay transport held",
        host("defer_transports"),
        "remove relay from defer_transports",
        main("defer_transports=relay"),
        main("defer_transports="),
    ),
    Fault(
        "queue lifetime shorter than the outage",
        host("queue_lifetime"),
        "set maximal_queue_lifetime to 5d",
        main("maximal_queue_lifetime=1d"),
        main("maximal_queue_lifetime=5d"),
        params={"outage": "5d"},
    ),
    Fault(
        "too little room for Postfix to take mail",
        host("outage_minfree"),
        "free space there",
        main("queue_minfree=1000000000000000"),
        main("queue_minfree=0"),
    ),
    Fault(
        "too little room for the mail of an outage",
        host("outage_space"),
        "give it more space",
        f"{FREE}\npostconf -e queue_minfree=$((free - 1000000000))\n" + main(),
        main("queue_minfree=0"),
        params={"outage": "5d", "outage_volume": {"size": 1_000_000_000, "messages": 1}},
    ),
    Fault(
        "queue lifetime that the queue manager does not take",
        host("queue_lifetime"),
        "set maximal_queue_lifetime to a value such as 10d",
        main("maximal_queue_lifetime=101d"),
        main("maximal_queue_lifetime=5d"),
    ),
    Fault(
        "address behind NAT that does not resolve",
        host("parameter_value"),
        "remove nat.gone.example from proxy_interfaces",
        main("proxy_interfaces=nat.gone.example"),
        main("proxy_interfaces="),
    ),
    Fault(
        "queue lifetime that is no time",
        host("queue_lifetime"),
        "set maximal_queue_lifetime to a value such as 10d",
        main("maximal_queue_lifetime=5x"),
        main("maximal_queue_lifetime=5d"),
    ),
    Fault(
        "resolv.conf in the chroot out of date",
        host("chroot"),
        "restart Postfix",
        "echo '# new' >> /etc/resolv.conf",
        "systemctl restart postfix",
    ),
)

RELAY = "-M 'relay/unix=relay unix - - y - - smtp -o smtp_tls_security_level=may'"
TICKETS = "-M 'tickets/unix=tickets unix - n n - - pipe flags=F user=nobody argv=/bin/true'"
DEAD = "127.0.0.1:10099"
# Takes connections, and says nothing.
LISTENER = "python3 -c 'import socket, time; held = socket.create_server((\"127.0.0.1\", 10099)); time.sleep(600)'"

SENDING = (
    Fault(
        "relay service that drops mail",
        host("relay_command"),
        "set its command to smtp",
        master("-M 'relay/unix=relay unix - - y - - discard'"),
        master(RELAY),
    ),
    Fault(
        "relay service that does not start",
        host("relay_command"),
        "remove foo from its command",
        master("-M 'relay/unix=relay unix - - y - - smtp foo'"),
        master(RELAY),
    ),
    Fault(
        "TLS from the first byte, as the smarthost wants it",
        host("relay_settings"),
        "the override smtp_tls_wrappermode=no",
        main("smtp_tls_wrappermode=yes"),
        master("-P relay/unix/smtp_tls_wrappermode=no"),
    ),
    Fault(
        "password for whoever asks for one",
        host("relay_settings"),
        "the override smtp_sasl_auth_enable=no",
        main("smtp_tls_wrappermode=no", "smtp_sasl_auth_enable=yes", "smtp_sasl_password_maps=static:user:secret"),
        master("-P relay/unix/smtp_sasl_auth_enable=no"),
    ),
    Fault(
        "addresses rewritten for the smarthost",
        host("relay_settings"),
        "the override smtp_generic_maps=",
        main("smtp_sasl_auth_enable=no", "smtp_sasl_password_maps=", "smtp_generic_maps=static:ops@provider.example"),
        master("-P relay/unix/smtp_generic_maps="),
    ),
    Fault(
        "TLS demanded for the smarthost",
        host("relay_settings"),
        "the override smtp_tls_security_level=may",
        main("smtp_generic_maps=", "smtp_tls_security_level=encrypt")
        + "\n"
        + master("-PX relay/unix/smtp_tls_security_level"),
        master("-P relay/unix/smtp_tls_security_level=may"),
    ),
    Fault(
        "port of the smarthost",
        host("relay_settings"),
        "the override smtp_tcp_port=smtp",
        main("smtp_tls_security_level=may", "smtp_tcp_port=587"),
        master("-P relay/unix/smtp_tcp_port=smtp"),
    ),
    Fault(
        "address to send from that this host lacks",
        host("relay_settings"),
        "correct smtp_bind_address",
        main("smtp_tcp_port=smtp", f"smtp_bind_address={NOWHERE}"),
        main(unset="smtp_bind_address"),
    ),
    Fault(
        "address to send from that reaches nobody",
        host("relay_settings"),
        "correct smtp_bind_address",
        main("smtp_bind_address=127.0.0.1"),
        main(unset="smtp_bind_address"),
    ),
    Fault(
        "replies filtered",
        host("relay_settings"),
        "add the override smtp_reply_filter=",
        main("smtp_reply_filter=static:{550 5.1.1 gone}"),
        master("-P relay/unix/smtp_reply_filter="),
    ),
    Fault(
        "headers changed on the way out",
        host("relay_settings"),
        "add the override smtp_header_checks=",
        "echo '/^Received:/ IGNORE' > /etc/postfix/outgoing\n"
        + main("smtp_reply_filter=", "smtp_header_checks=regexp:/etc/postfix/outgoing"),
        master("-P relay/unix/smtp_header_checks="),
    ),
    Fault(
        "DNS switched off",
        secondary("dns_off"),
        "the override smtp_dns_support_level=enabled and smtp_host_lookup=dns,native",
        main("smtp_header_checks=", "disable_dns_lookups=yes"),
        master("-P relay/unix/smtp_dns_support_level=enabled relay/unix/smtp_host_lookup=dns,native"),
    ),
    Fault(
        "row for the service of the smarthost",
        primary("sending_service"),
        "write relay: in place of smtp:",
        main("disable_dns_lookups=no", "smtp_generic_maps=static:ops@provider.example")
        + "\n"
        + row("smtp:[mail.lab.example]"),
        RIGHT_ROW,
    ),
    Fault(
        "row for a service that is not there",
        primary("sending_service"),
        "write relay: in place of gone:",
        main("smtp_generic_maps=") + "\n" + master(RELAY) + "\n" + row("gone:[mail.lab.example]"),
        RIGHT_ROW,
    ),
    Fault(
        "domain that a program takes",
        primary("sending_service"),
        "see that tickets/unix delivers it",
        master(TICKETS) + "\n" + row("tickets:"),
        RIGHT_ROW + "\n" + master("-M# tickets/unix"),
    ),
    Fault(
        "relay_transport that drops mail",
        secondary("transport"),
        "set relay_transport to relay",
        main("relay_transport=discard:"),
        main("relay_transport=relay"),
    ),
)

RECEPTION = (
    Fault(
        "all mail discarded",
        host("diverted"),
        "remove static:DISCARD from header_checks",
        main("header_checks=static:DISCARD"),
        main("header_checks="),
    ),
    Fault(
        "all mail held by a pattern",
        host("diverted"),
        "or the entry that matches everything",
        "echo '/^/ HOLD' > /etc/postfix/held\n"
        + main("smtpd_sender_restrictions=check_sender_access regexp:/etc/postfix/held"),
        "echo '/^nobody@nowhere/ REJECT' > /etc/postfix/held",
    ),
    Fault(
        "some mail redirected",
        host("diverted"),
        "REJECT tells the sender",
        "echo '/^Subject: offer/ REDIRECT nobody@localhost' > /etc/postfix/headers\n"
        + main("smtpd_sender_restrictions=", "header_checks=regexp:/etc/postfix/headers"),
        "echo '/^Subject: offer/ REJECT' > /etc/postfix/headers",
    ),
    Fault(
        "mail of one domain discarded",
        (("", "diverted"), (SECONDARY, "diverted")),
        "remove its entry from hash:/etc/postfix/parked",
        "echo 'away.example DISCARD' > /etc/postfix/parked\npostmap hash:/etc/postfix/parked\n"
        + main("header_checks=", "smtpd_recipient_restrictions=check_recipient_access hash:/etc/postfix/parked"),
        ": > /etc/postfix/parked; postmap hash:/etc/postfix/parked",
    ),
    Fault(
        "rules that can't be listed",
        host("diverted"),
        "see that it does not",
        main("smtpd_recipient_restrictions=check_recipient_access unionmap:{static:DUNNO}"),
        main("smtpd_recipient_restrictions="),
    ),
    Fault(
        "senders rewritten",
        host("rewritten"),
        "smtp_generic_maps in place of sender_canonical_maps",
        main("sender_canonical_maps=static:ops@provider.example"),
        main("sender_canonical_maps="),
    ),
    Fault(
        "content filter that is not running",
        host("filter_silent"),
        "start or correct it",
        main("content_filter=smtp:[127.0.0.1]:10099"),
        main("content_filter="),
    ),
    Fault(
        "content filter that relayed mail passes",
        host("filtered"),
        "see that it only adds headers",
        f"systemd-run --collect --unit=listener {LISTENER}\n" + main("content_filter=smtp:[127.0.0.1]:10099"),
        "systemctl stop listener\n" + main("content_filter="),
    ),
    Fault(
        "content filter without a service",
        host("filter_silent"),
        "remove it from content_filter",
        main("content_filter=scan:[127.0.0.1]:10024"),
        main("content_filter="),
    ),
    Fault(
        "record of refused mail that is dropped",
        host("bounce_service"),
        "let bounce/unix run bounce",
        master("-F bounce/unix/command=discard"),
        master("-F bounce/unix/command=bounce"),
    ),
    Fault(
        "record of refused mail that nobody reads",
        host("bounce_service"),
        "remove the override bounce_service_name of the service relay/unix",
        master("-M 'own/unix=own unix - - y - 0 bounce'", "-P relay/unix/bounce_service_name=own"),
        master("-PX relay/unix/bounce_service_name", "-MX own/unix"),
    ),
    Fault(
        "service for what senders asked to be told is missing",
        host("bounce_service"),
        "trace unix - - y - 0 bounce",
        master("-MX trace/unix"),
        master("-M 'trace/unix=trace unix - - y - 0 bounce'"),
    ),
    Fault(
        "reports go to a cleanup service that is not there",
        host("bounce_cleanup"),
        "remove the override cleanup_service_name of the service bounce/unix",
        master("-P bounce/unix/cleanup_service_name=gone"),
        master("-PX bounce/unix/cleanup_service_name"),
    ),
    Fault(
        "reports are judged by a table that is not there",
        host("bounce_cleanup"),
        f"put regexp:{REPORTS} back",
        KEEPING + f"rm {REPORTS}",
        KEPT + KEEPING + NOT_KEEPING,
    ),
    Fault(
        "reports without the message",
        host("kept_reports"),
        "set bounce_size_limit=2000000000 for the service defer/unix",
        master("-PX defer/unix/bounce_size_limit"),
        master("-P defer/unix/bounce_size_limit=2000000000"),
        also=KEEPING,
    ),
    Fault(
        "report that is larger than a message may be",
        host("kept_reports"),
        "set message_size_limit=0 for the service reports/unix",
        master("-PX reports/unix/message_size_limit"),
        master("-P reports/unix/message_size_limit=0"),
        also=KEEPING,
    ),
    Fault(
        "bounce that is refused is thrown away",
        host("kept_reports"),
        "add 2bounce to notify_classes of the service bounce/unix",
        master("-PX bounce/unix/notify_classes"),
        master("-P bounce/unix/notify_classes=resource,software,2bounce"),
        also=KEEPING,
    ),
    Fault(
        "senders may ask for no report",
        host("kept_reports"),
        "add silent-discard,dsn to smtpd_discard_ehlo_keywords of smtp/inet",
        master("-PX smtp/inet/smtpd_discard_ehlo_keywords"),
        master("-P smtp/inet/smtpd_discard_ehlo_keywords=dsn,silent-discard"),
        also=KEEPING,
    ),
    Fault(
        "postmaster who gets no report",
        host("report_address"),
        "let its alias lead to somebody",
        "cp /etc/aliases /root/aliases\nsed -i 's/^postmaster:.*/postmaster: postmaster/' /etc/aliases\nnewaliases",
        "cp /root/aliases /etc/aliases\nnewaliases",
        also=KEEPING,
    ),
    Fault(
        "mailbox with a limit gets the reports",
        host("kept_mailbox"),
        "set mailbox_size_limit to 0",
        main("mailbox_size_limit=51200000"),
        main("mailbox_size_limit=0"),
        also=KEEPING,
    ),
    Fault(
        "reports of mail that has expired go to strangers",
        primary("refused_mail"),
        "run the role for it",
        master("-PX defer/unix/internal_mail_filter_classes"),
        master("-P defer/unix/internal_mail_filter_classes=bounce"),
        also=KEEPING,
    ),
    Fault(
        "reports are thrown away",
        primary("refused_mail"),
        "remove that entry",
        f"sed -i 's/REDIRECT.*/DISCARD/' {REPORTS}",
        NOT_KEEPING,
        also=KEEPING,
    ),
    Fault(
        "filter that asks mail hosts for no report",
        (*host("relay_unproven"), *secondary("notify_never")),
        "remove that entry, and set refused_mail to postmaster or hold",
        "printf '/^(RCPT TO:<.*@away.example>.*)$/ $1 NOTIFY=NEVER\n' > /etc/postfix/lab_commands\n"
        + main("smtpd_command_filter=regexp:/etc/postfix/lab_commands"),
        "rm /etc/postfix/lab_commands\n" + main("smtpd_command_filter="),
    ),
    Fault(
        "report that lives no longer than mail",
        host("bounce_lifetime"),
        "set bounce_queue_lifetime to 5d or less",
        main("bounce_queue_lifetime=10d"),
        main(unset="bounce_queue_lifetime"),
    ),
    Fault(
        "senders are told that mail waits",
        host("delay_warnings"),
        "set delay_warning_time to 0h",
        main("delay_warning_time=4h"),
        main("delay_warning_time=0h"),
    ),
    Fault(
        "headers of relayed mail that are removed",
        host("altered"),
        "remove those entries from regexp:/etc/postfix/lab_headers",
        "printf '/^X-Loop:/ IGNORE\n' > /etc/postfix/lab_headers\n"
        + main("header_checks=regexp:/etc/postfix/lab_headers"),
        "rm /etc/postfix/lab_headers\n" + main("header_checks="),
    ),
    Fault(
        "copies of relayed mail",
        host("copied"),
        "remove always_bcc",
        main("always_bcc=archive@mx1.lab.example"),
        main("always_bcc="),
    ),
    Fault(
        "milter that is not running",
        host("filter_silent"),
        "remove it from smtpd_milters",
        main(f"smtpd_milters=inet:{DEAD}"),
        main("smtpd_milters="),
    ),
    Fault(
        "milter that mail passes without",
        host("filter_silent"),
        "remove it from smtpd_milters",
        main("smtpd_milters={unix:/run/milter,default_action=accept}"),
        main("smtpd_milters="),
    ),
)

STRANGERS = (
    Fault(
        "open relay",
        host("open_relay"),
        "reject_unauth_destination",
        main("smtpd_relay_restrictions=permit"),
        main(RESTRICTIONS),
    ),
    Fault(
        "open relay by a service of its own",
        host("open_relay"),
        "remove permit from smtpd_relay_restrictions of smtp/inet",
        master("-P smtp/inet/smtpd_relay_restrictions=permit"),
        master("-PX smtp/inet/smtpd_relay_restrictions"),
    ),
    Fault(
        "relaying deferred",
        host("relay_deferred"),
        "replace defer_unauth_destination",
        main("smtpd_relay_restrictions=permit_mynetworks, defer_unauth_destination"),
        main(RESTRICTIONS),
    ),
    Fault(
        "everybody in mynetworks",
        host("mynetworks"),
        "remove 0.0.0.0/0 from mynetworks",
        main("mynetworks=0.0.0.0/0"),
        main("mynetworks=127.0.0.0/8"),
    ),
    Fault(
        "everybody in the mynetworks of a service of its own",
        host("mynetworks"),
        "remove 0.0.0.0/0 from mynetworks of smtp/inet",
        master("-P smtp/inet/mynetworks=0.0.0.0/0"),
        master("-PX smtp/inet/mynetworks"),
    ),
    Fault(
        "misspelled restriction",
        host("restriction"),
        "correct smtpd_recipient_restrictions",
        main("smtpd_recipient_restrictions=reject_unlisted_recipent"),
        main(unset="smtpd_recipient_restrictions"),
    ),
    Fault(
        "permit_mx_backup",
        host("permit_mx_backup"),
        "remove permit_mx_backup from smtpd_relay_restrictions",
        main("smtpd_relay_restrictions=permit_mynetworks, permit_mx_backup, reject_unauth_destination"),
        main(RESTRICTIONS),
    ),
    Fault(
        "unlisted recipients accepted",
        host("reject_unlisted"),
        "set smtpd_reject_unlisted_recipient to yes",
        main("smtpd_reject_unlisted_recipient=no"),
        main("smtpd_reject_unlisted_recipient=yes"),
    ),
    Fault(
        "unknown recipients put off",
        host("reject_code"),
        "set unknown_relay_recipient_reject_code to 550",
        main("unknown_relay_recipient_reject_code=450"),
        main("unknown_relay_recipient_reject_code=550"),
    ),
    Fault(
        "soft bounces", host("soft_bounce"), "set soft_bounce to no", main("soft_bounce=yes"), main("soft_bounce=no")
    ),
)

CLIENTS = "/etc/postfix/clients"
NO_CERTIFICATE = ("smtpd_tls_cert_file=", "smtpd_tls_key_file=", "smtpd_tls_chain_files=")
OWN_ONLY = "permit_mynetworks, reject"

ADMISSION = (
    Fault(
        "own clients only",
        host("refuses_strangers"),
        "remove reject from smtpd_client_restrictions",
        main(f"smtpd_client_restrictions={OWN_ONLY}"),
        main("smtpd_client_restrictions=permit_mynetworks"),
    ),
    Fault(
        "relays for own clients only",
        host("refuses_strangers"),
        "replace reject by reject_unauth_destination in smtpd_relay_restrictions",
        main(f"smtpd_relay_restrictions={OWN_ONLY}"),
        main("smtpd_relay_restrictions=permit_mynetworks, reject_unauth_destination"),
    ),
    Fault(
        "own clients only by a service of its own",
        host("refuses_strangers"),
        "remove reject from smtpd_client_restrictions of smtp/inet",
        master("-P smtp/inet/smtpd_client_restrictions=permit_mynetworks,reject"),
        master("-P smtp/inet/smtpd_client_restrictions=permit_mynetworks"),
    ),
    Fault(
        "own clients only by a restriction class",
        host("refuses_strangers"),
        "remove reject from ours",
        master("-PX smtp/inet/smtpd_client_restrictions")
        + "\n"
        + main("smtpd_restriction_classes=ours", f"ours={OWN_ONLY}", "smtpd_sender_restrictions=ours"),
        main("ours=permit_mynetworks"),
    ),
    Fault(
        "clients refused by a table with everybody in it",
        host("refuses_strangers"),
        f"remove check_client_access cidr:{CLIENTS} from smtpd_client_restrictions",
        f"echo '0.0.0.0/0 REJECT' > {CLIENTS}\n"
        + main(f"smtpd_client_restrictions=check_client_access cidr:{CLIENTS}"),
        main(unset="smtpd_client_restrictions"),
    ),
    Fault(
        "messages refused at their end",
        host("refuses_strangers"),
        "remove reject from smtpd_end_of_data_restrictions",
        main(f"smtpd_end_of_data_restrictions={OWN_ONLY}"),
        main("smtpd_end_of_data_restrictions=permit_mynetworks"),
    ),
    Fault(
        "a domain's mail refused by a table",
        secondary("refuses_strangers"),
        "remove what refuses it from the table",
        f"echo 'away.example REJECT' > {CLIENTS}\npostmap hash:{CLIENTS}\n"
        + main(f"smtpd_recipient_restrictions=check_recipient_access hash:{CLIENTS}"),
        f": > {CLIENTS}\npostmap hash:{CLIENTS}",
    ),
    Fault(
        "TLS demanded without a certificate",
        host("demands_tls"),
        "set smtpd_tls_security_level to may",
        main("smtpd_tls_security_level=encrypt", *NO_CERTIFICATE),
        # Without a certificate, TLS would be offered in vain.
        CERTIFIED,
    ),
    Fault(
        "TLS demanded by a restriction",
        host("demands_tls"),
        "remove reject_plaintext_session from smtpd_client_restrictions",
        main("smtpd_client_restrictions=reject_plaintext_session"),
        main("smtpd_client_restrictions="),
    ),
    Fault(
        "TLS from the first byte",
        host("demands_tls"),
        "set smtpd_tls_wrappermode of smtp/inet to no",
        master("-P smtp/inet/smtpd_tls_wrappermode=yes"),
        master("-P smtp/inet/smtpd_tls_wrappermode=no"),
    ),
    Fault(
        "one connection a minute",
        host("strangers_limited"),
        "set smtpd_client_connection_rate_limit to 10 or more",
        master("-PX smtp/inet/smtpd_tls_wrappermode") + "\n" + main("smtpd_client_connection_rate_limit=1"),
        main("smtpd_client_connection_rate_limit=0"),
    ),
    Fault(
        "one error ends a connection",
        host("strangers_limited"),
        "set smtpd_hard_error_limit to 5 or more",
        main("smtpd_hard_error_limit=1"),
        main("smtpd_hard_error_limit=20"),
    ),
    Fault(
        "one sender at a time",
        host("strangers_limited"),
        "set the process limit of smtp/inet to 5 or more",
        master("-F smtp/inet/process_limit=1"),
        master("-F smtp/inet/process_limit=-"),
    ),
    Fault(
        "postscreen that does not start",
        host("postscreen"),
        "set the process limit of smtp/inet to 1",
        master(
            "-F smtp/inet/command=postscreen",
            "-M 'smtpd/pass=smtpd pass - - y - - smtpd'",
            "-M 'tlsproxy/unix=tlsproxy unix - - y - 0 tlsproxy'",
        )
        + "\n"
        + main(LET_IN),
        master("-F smtp/inet/process_limit=1"),
    ),
    Fault(
        "postscreen without an smtpd",
        host("postscreen"),
        "add the service smtpd, type pass",
        master("-M# smtpd/pass"),
        master("-M 'smtpd/pass=smtpd pass - - y - - smtpd'"),
    ),
    Fault(
        "other MX hosts wait for postscreen",
        host("postscreen"),
        f"add inline:{{{NET}.10=permit}} to postscreen_access_list, behind permit_mynetworks",
        main(unset="postscreen_access_list"),
        main(LET_IN),
    ),
    Fault(
        "everybody has to come to postscreen again",
        host("postscreen"),
        "set postscreen_pipelining_enable to no",
        main("postscreen_pipelining_enable=yes"),
        main("postscreen_pipelining_enable=no"),
    ),
    Fault(
        "block list that postscreen can't ask",
        host("postscreen"),
        "add the service dnsblog, type unix, command dnsblog, process limit 0",
        main("postscreen_dnsbl_sites=bl.example"),
        master("-M 'dnsblog/unix=dnsblog unix - - y - 0 dnsblog'"),
    ),
    Fault(
        "nobody to speak TLS for postscreen",
        host("postscreen"),
        "add the service tlsproxy, type unix, command tlsproxy, process limit 0",
        master("-M# tlsproxy/unix"),
        master("-M 'tlsproxy/unix=tlsproxy unix - - y - 0 tlsproxy'"),
    ),
    Fault(
        "cache in which postscreen keeps nothing",
        host("postscreen"),
        "set postscreen_cache_map to ",
        main("postscreen_cache_map=cdb:$data_directory/postscreen_cache"),
        main("postscreen_cache_map=btree:$data_directory/postscreen_cache"),
    ),
    Fault(
        "own clients only behind postscreen",
        host("refuses_strangers"),
        "remove reject from smtpd_helo_restrictions of smtpd/pass",
        master("-P smtpd/pass/smtpd_helo_restrictions=permit_mynetworks,reject"),
        master(
            "-P smtpd/pass/smtpd_helo_restrictions=permit_mynetworks",
        ),
    ),
    Fault(
        "table of a restriction lost",
        host("restriction_table"),
        f"run postmap hash:{CLIENTS}",
        master("-M 'smtp/inet=smtp inet n - y - - smtpd'", "-M# smtpd/pass", "-M# tlsproxy/unix", "-M# dnsblog/unix")
        + "\n"
        + main(unset="postscreen_access_list postscreen_pipelining_enable postscreen_dnsbl_sites postscreen_cache_map")
        + f"\ntouch {CLIENTS}\nrm -f {CLIENTS}.db\n"
        + main(f"smtpd_sender_restrictions=check_sender_access hash:{CLIENTS}", unset="smtpd_recipient_restrictions"),
        f"postmap hash:{CLIENTS}",
    ),
    Fault(
        "table of aliases lost",
        (*host("message_table"), *host("relay_unproven")),
        "remove it from virtual_alias_maps",
        main("virtual_alias_maps=hash:/etc/postfix/lost"),
        main(unset="virtual_alias_maps"),
    ),
    Fault(
        "policy service that nobody runs",
        host("policy_service"),
        "remove check_policy_service unix:private/policy from smtpd_client_restrictions",
        main("smtpd_client_restrictions=check_policy_service unix:private/policy"),
        main("smtpd_client_restrictions="),
    ),
    Fault(
        "standby without its service",
        host("standby"),
        "run the role again, which repairs and starts it",
        "echo '{\"domains\": []}' > /etc/postfix/mxrelay-standby.json",
        "rm /etc/postfix/mxrelay-standby.json",
    ),
    Fault(
        "anybody may ask for queues, also for that of the mail host alone",
        (*primary("etrn"), *host("etrn")),
        "set smtpd_etrn_restrictions to permit_mynetworks, reject",
        main(
            "smtpd_restriction_classes=mxrelay_etrn, mxrelay_etrn_1",
            f"mxrelay_etrn=check_etrn_access inline:{{{PRIMARY}=mxrelay_etrn_1}}",
            f"mxrelay_etrn_1=check_client_access cidr:{{{{{NET}.10 OK}}}}, reject",
            "smtpd_etrn_restrictions=permit",
        ),
        main(
            "smtpd_etrn_restrictions=permit_mynetworks, reject",
            unset="smtpd_restriction_classes mxrelay_etrn mxrelay_etrn_1",
        ),
    ),
    Fault(
        "SASL without its server",
        host("sasl_socket"),
        "set smtpd_sasl_auth_enable to no",
        main("smtpd_sasl_auth_enable=yes", "smtpd_sasl_type=dovecot", "smtpd_sasl_path=private/auth"),
        main("smtpd_sasl_auth_enable=no"),
    ),
    Fault(
        "value with which smtpd does not start",
        host("parameter_value"),
        "set smtpd_helo_required to yes or no",
        main("smtpd_helo_required=maybe"),
        main("smtpd_helo_required=no"),
    ),
    Fault(
        "misspelled restriction of a service of its own",
        host("restriction"),
        "correct smtpd_helo_restrictions of smtp/inet",
        master("-P smtp/inet/smtpd_helo_restrictions=reject_invalid_hello"),
        master("-PX smtp/inet/smtpd_helo_restrictions"),
    ),
)

BALANCED = "2525 inet n - y - - smtpd -o mynetworks= -o smtpd_relay_restrictions=reject_unauth_destination"
PROXIED = "smtpd_upstream_proxy_protocol=haproxy"
BALANCERS = (
    Fault(
        "balancers are not greeted",
        host("load_balancers"),
        "see in the mail log",
        master(f"-M '2525/inet={BALANCED} -o {PROXIED}-1'") + "\npostfix reload",
        # By a reload alone master(8) starts nothing at this port for another minute.
        master(f"-M '2525/inet={BALANCED} -o {PROXIED}'") + "\nsystemctl restart postfix",
    ),
)
LISTENING = (
    Fault(
        "main.cf with which no command works",
        host("main_cf"),
        "correct /etc/postfix/main.cf",
        "echo 'hash_queue_names = ${x' >> /etc/postfix/main.cf",
        "sed -i '/^hash_queue_names/d' /etc/postfix/main.cf\ntouch --date=2020-01-01 /etc/postfix/main.cf",
    ),
    Fault(
        "loopback only",
        host("inet_interfaces"),
        "set inet_interfaces to all",
        main("inet_interfaces=loopback-only"),
        main("inet_interfaces=all"),
    ),
    Fault(
        "address in DNS that is left out",
        both("listens"),
        f"add {NET}.21 to inet_interfaces",
        main(f"inet_interfaces=127.0.0.1, {SECOND_ADDRESS}"),
        main(f"inet_interfaces=127.0.0.1, {SECOND_ADDRESS}, {NET}.21"),
        also=f"ip address replace {SECOND_ADDRESS}/24 dev eth0",
    ),
    Fault(
        "no smtpd",
        host("smtp_service"),
        "add the service smtp",
        main("inet_interfaces=all") + "\n" + master("-M# smtp/inet"),
        master("-M 'smtp/inet=smtp inet n - y - - smtpd'"),
    ),
    Fault(
        "smtpd on a loopback address",
        host("smtp_service"),
        "remove the address in front of the port",
        "sed -i 's/^smtp .*inet/127.0.0.1:smtp inet/' /etc/postfix/master.cf\n" + main(),
        "sed -i 's/^127.0.0.1:smtp/smtp/' /etc/postfix/master.cf\n" + main(),
    ),
    Fault(
        "smtpd on another port only",
        (("", "smtp_service"), *both("listens")),
        "add the service smtp, type inet, command smtpd",
        "sed -i 's/^smtp .*inet/2525 inet/' /etc/postfix/master.cf\n" + main() + "\nsystemctl restart postfix",
        "sed -i 's/^2525 /smtp /' /etc/postfix/master.cf\n" + main() + "\nsystemctl restart postfix",
    ),
    Fault(
        "smtpd on an address of another host",
        host("smtp_service"),
        "remove the address in front of the port",
        f"sed -i 's/^smtp .*inet/{NOWHERE}:25 inet/' /etc/postfix/master.cf\n" + main(),
        f"sed -i 's/^{NOWHERE}:25/smtp/' /etc/postfix/master.cf\n" + main(),
    ),
    Fault(
        "smtpd on an address that DNS does not name",
        both("listens"),
        "remove the address in front of the port",
        f"sed -i 's/^smtp .*inet/{SECOND_ADDRESS}:smtp inet/' /etc/postfix/master.cf\n" + main(),
        f"sed -i 's/^{SECOND_ADDRESS}:smtp/smtp/' /etc/postfix/master.cf\n" + main(),
        also=f"ip address replace {SECOND_ADDRESS}/24 dev eth0",
    ),
    Fault(
        "network services disabled",
        host("smtp_service"),
        "remove inet from master_service_disable",
        main("master_service_disable=inet"),
        main("master_service_disable="),
    ),
    Fault(
        "name of no host",
        host("myhostname"),
        "set myhostname",
        main("myhostname=localhost"),
        main("myhostname=mx1.lab.example"),
    ),
    Fault(
        "name without a domain",
        host("myhostname"),
        "set myhostname to mx1.lab.example",
        main("myhostname=mx1"),
        main("myhostname=mx1.lab.example"),
        params={"host_name": "mx1.lab.example"},
    ),
    Fault("service stopped", host("service"), "start postfix", "systemctl stop postfix", "systemctl start postfix"),
    Fault(
        "reload forgotten",
        host("reload"),
        "reload Postfix",
        # Later than the start of the queue manager, by whole seconds; what is still to come counts for nothing.
        "touch --date=+3sec /etc/postfix/master.cf",
        "postfix reload; " + main(),
    ),
    Fault(
        "upgraded and not restarted",
        host("old_master"),
        "restart postfix",
        "cd $(postconf -hx daemon_directory) && cp -p master /root/master && mv /root/master .",
        "systemctl restart postfix",
    ),
)

ZONE = (
    Fault("no MX record", secondary("mx_record"), "add the record away.example. IN MX 100", "", AWAY_MX, on="dns"),
    Fault(
        "MX records in the wrong order",
        secondary("best_mx"),
        "give the primary's MX record a lower preference",
        "mx-host=away.example,mx1.lab.example,5",
        AWAY_MX,
        on="dns",
    ),
    Fault(
        "another MX before the gateway",
        primary("mx_order"),
        "lower preference than 5",
        GATEWAY_MX + "\nmx-host=gateway.example,nowhere.lab.example,5",
        GATEWAY_MX,
        on="dns",
    ),
    Fault(
        "MX is an alias",
        secondary("mx_cname"),
        "point the MX record at the host itself",
        "mx-host=away.example,alias.lab.example,100\ncname=alias.lab.example,mx1.lab.example",
        AWAY_MX,
        on="dns",
    ),
    Fault(
        "MX without an address",
        secondary("mx_address"),
        "add an A record for gone.lab.example",
        AWAY_MX + "\nmx-host=away.example,gone.lab.example,20",
        AWAY_MX,
        on="dns",
    ),
    Fault(
        "address that this host does not know",
        both("proxy_interfaces"),
        f"add {NOWHERE} to proxy_interfaces",
        "host-record=mx1.lab.example,@NET@.250",
        ADDRESS,
        on="dns",
        params=PUBLIC_DNS,
    ),
    Fault(
        "IPv6 address that Postfix does not hear",
        both("inet_protocols"),
        "remove 2001:db8::21 from DNS",
        "host-record=mx1.lab.example,@NET@.21,2001:db8::21",
        ADDRESS,
        on="dns",
        params=PUBLIC_DNS,
        also=main("inet_protocols=ipv4"),
    ),
    Fault(
        "resolver that does not answer",
        both("dns_silent"),
        "check that the resolver",
        "one that nobody has",
        "",
        on="resolver",
    ),
    Fault(
        "MTA-STS policy that can't be fetched",
        secondary("mta_sts"),
        "remove the record _mta-sts.away.example",
        PRIMARY_MX + '\ntxt-record=_mta-sts.away.example,"v=STSv1; id=1"',
        PRIMARY_MX,
        on="dns",
    ),
    Fault(
        "MTA-STS policy without this host",
        secondary("mta_sts"),
        "add the line mx: mx1.lab.example to the policy",
        policy("mail.lab.example"),
        policy("mail.lab.example", "mx1.lab.example"),
        also=POLICY_SERVER + CERTIFIED,
        zone=ANNOUNCED,
    ),
    Fault(
        "MTA-STS policy and a certificate that nobody can verify",
        secondary("mta_sts"),
        "give this host a certificate for mx1.lab.example",
        main(*BARE, reload=True),
        main(*TRUSTED, reload=True),
        zone=ANNOUNCED,
    ),
    Fault(
        "key of another certificate",
        host("certificate"),
        "give the key for which the certificate was issued",
        "openssl genrsa -out /etc/postfix/other.key 2048\n" + main("smtpd_tls_key_file=/etc/postfix/other.key"),
        main(*TRUSTED, reload=True),
    ),
    Fault(
        "key of another certificate, as strangers meet it",
        host("probe_certificate"),
        "look into the log of Postfix",
        main("smtpd_tls_key_file=/etc/postfix/other.key", reload=True),
        main(*TRUSTED, reload=True),
        view="stranger",
    ),
    Fault(
        "TLSA record of another key",
        host("tlsa"),
        "publish _25._tcp.mx1.lab.example. IN TLSA 3 1 1",
        f"{GATEWAY_MX}\ndns-rr=_25._tcp.mx1.lab.example,52,030101{'ab' * 32}",
        GATEWAY_MX,
        on="dns",
    ),
)

LISTS = (
    Fault(
        "list that has not been made of its sources for long",
        secondary("list_age"),
        "run the playbook sync_recipients, and let a schedule run it",
        followed("3 days ago"),
        followed(),
    ),
    Fault(
        "list that has not been made of its sources for longer than is said",
        secondary("list_age"),
        "let a schedule run it",
        followed("2 hours ago"),
        followed(),
        params={"list_max_age": "1h"},
    ),
    Fault(
        "source that could not be read",
        secondary("list_source"),
        "correct what the reason names, then run the playbook sync_recipients",
        followed("2 hours ago", problem="ldaps://dc1.lab.example: got no answer; check that it is running"),
        followed(),
    ),
    Fault(
        "list that was left as it was",
        secondary("list_source"),
        "name the domain in sync_recipients_let_through",
        followed("2 hours ago", kept="7 of its 20 addresses would be removed, more than max_removals (10%) allows"),
        followed(),
    ),
    Fault(
        "what is kept of sources is open to others",
        host("list_record"),
        "remove that file",
        f"{followed()}\nchmod 644 {SOURCES}",
        f"rm {SOURCES}",
    ),
    Fault(
        "what is kept of sources belongs to somebody else",
        host("list_record"),
        "remove that file",
        f"{followed()}\nchown nobody {SOURCES}",
        f"rm {SOURCES}",
    ),
)

MAIL_HOSTS = (
    Fault(
        "mail host does not listen",
        both("mail_host_unreachable"),
        "check that the mail host is running",
        "cp -p /etc/postfix/master.cf /root/master.cf\n" + master("-M# smtp/inet") + "\npostfix reload",
        "mv /root/master.cf /etc/postfix/master.cf\npostfix reload",
        on="mail",
    ),
    Fault(
        "mail host refuses this host",
        both("mail_host_refuses"),
        "exempt this host",
        main("smtpd_client_restrictions=reject", reload=True),
        main("smtpd_client_restrictions=", reload=True),
        on="mail",
    ),
    Fault(
        "mail host puts this host off",
        both("mail_host_defers"),
        "exempt this host from greylisting",
        main("smtpd_client_restrictions=defer", reload=True),
        main("smtpd_client_restrictions=", reload=True),
        on="mail",
    ),
    Fault(
        "mail host refuses every sender but that of bounces",
        both("mail_host_sender_policy"),
        "exempt this host from SPF and sender checks",
        main(
            "smtpd_sender_restrictions=check_sender_access inline:{{mx1.lab.example = 550 5.7.1 not from here}}",
            reload=True,
        ),
        main("smtpd_sender_restrictions=", reload=True),
        on="mail",
    ),
    Fault(
        "route with a host at which smtp stops",
        primary("nexthop_list"),
        "write each host as [host] or [host]:port",
        row("relay:[mail.lab.example],relay:[mail.lab.example]:2525"),
        RIGHT_ROW,
    ),
    Fault(
        "second mail host that does not exist",
        primary("mail_host") + primary("mail_host_unreachable"),
        "correct the name in its transport row",
        row("relay:[mail.lab.example],[gone.lab.example]"),
        RIGHT_ROW,
    ),
    Fault(
        "second mail host that is this host",
        primary("own_nexthop"),
        "name the host that keeps its mailboxes",
        row("relay:[mail.lab.example],[mx1.lab.example]"),
        RIGHT_ROW,
    ),
    Fault(
        "second mail host that does not answer",
        primary("mail_host_unreachable"),
        "check that the mail host is running",
        row("relay:[mail.lab.example],[mail.lab.example]:2525"),
        RIGHT_ROW,
    ),
    distrust(
        "spf",
        ["mail_host_spf"],
        f"{PERMIT} before check_policy_service",
        f"smtpd_recipient_restrictions={PERMIT}, check_policy_service unix:private/policyd-spf",
        params={"probe_senders": {"spf_fail": SPF_FAIL}},
    ),
    distrust(
        "greylisting",
        ["mail_host_greylists"],
        f"{PERMIT} before check_policy_service",
        f"smtpd_recipient_restrictions={PERMIT}, check_policy_service inet:127.0.0.1:10023",
    ),
    distrust(
        "dnsbl",
        ["mail_host_block_list"],
        f"{PERMIT} before reject_rbl_client",
        f"smtpd_client_restrictions={PERMIT}, reject_rbl_client {DNSBL}",
    ),
    distrust(
        "reverse_name",
        ["mail_host_name"],
        f"{PERMIT} first in the list",
        f"smtpd_client_restrictions={PERMIT}, reject_unknown_client_hostname",
    ),
    distrust(
        "connection_count",
        ["mail_host_limits"],
        f"smtpd_client_event_limit_exceptions = $mynetworks, {CLIENT}",
        f"smtpd_client_event_limit_exceptions=$mynetworks, {CLIENT}",
    ),
    distrust(
        "postscreen",
        ["mail_host_block_list", "mail_host_postscreen"],
        f"postscreen_access_list = permit_mynetworks, inline:{{{CLIENT}=permit}}",
        f"postscreen_access_list=permit_mynetworks, inline:{{{CLIENT}=permit}}",
    ),
    distrust(
        "sender_domain",
        ["mail_host_sender_domain"],
        "let the name servers of the mail host find nowhere.test",
        "smtpd_sender_restrictions=",
        params={"probe_senders": {"ordinary": "nowhere.test"}},
    ),
    distrust(
        "no_8bitmime",
        ["mail_host_8bitmime"],
        "remove 8bitmime from smtpd_discard_ehlo_keywords",
        "smtpd_discard_ehlo_keywords=",
    ),
    Fault(
        "mail host demands TLS, and this host sends without",
        both("mail_host_tls"),
        "add the override smtp_tls_security_level=may to relay/unix",
        master("-P 'relay/unix/smtp_tls_security_level=none'"),
        MAY,
        ways=("tls",),
    ),
    Fault(
        "certificate that this host does not trust",
        both("mail_host_certificate"),
        "smtp_tls_security_level=may of relay/unix",
        master("-P 'relay/unix/smtp_tls_security_level=secure'"),
        MAY,
        ways=("tls",),
    ),
    Fault(
        "mail host without the TLS that this host demands",
        both("mail_host_certificate"),
        "smtp_tls_security_level=may of relay/unix",
        master("-P 'relay/unix/smtp_tls_security_level=verify'"),
        MAY,
    ),
    Fault(
        "delimiter that only the mail host knows",
        both("mail_host_delimiter"),
        "add + to recipient_delimiter here",
        main("recipient_delimiter="),
        main("recipient_delimiter=+"),
    ),
    Fault(
        "delimiter that the mail host does not know",
        both("mail_host_delimiter"),
        "add it on the mail host",
        main("recipient_delimiter=", reload=True),
        main("recipient_delimiter=+", reload=True),
        on="mail",
    ),
    Fault(
        "recipients that the mail host does not know",
        secondary("mail_host_unknown"),
        "add it on the mail host",
        "sed -i s/@away.example/@moved.example/ /etc/mailboxes; touch --date=2020-01-01 /etc/mailboxes; postfix reload",
        "sed -i s/@moved.example/@away.example/ /etc/mailboxes; touch --date=2020-01-01 /etc/mailboxes; postfix reload",
        on="mail",
    ),
    Fault(
        "mail host knows a domain only as DNS names it",
        ((LIBRARY, "mail_host_form"),),
        "declare the domain as DNS has it",
        "\n".join(
            [
                rows(RECIPIENTS, LIBRARY, f"alice@{LIBRARY} x"),
                rows(TRANSPORT, LIBRARY, f"{LIBRARY} relay:[mail.lab.example]"),
                f'postconf -e "relay_domains=$(postconf -h relay_domains), {LIBRARY}"',
                main(),
            ]
        ),
        "\n".join(
            [
                f"sed -i 's/, {LIBRARY}$//' /etc/postfix/main.cf",
                rows(RECIPIENTS, LIBRARY),
                rows(TRANSPORT, LIBRARY),
                main(),
            ]
        ),
        zone="mx-host=xn--bcher-kva.example,mx1.lab.example,10\n",
        params={"probe": True},
    ),
    Fault(
        "mail host takes smaller messages",
        both("message_size"),
        "set message_size_limit to 5000000",
        main("message_size_limit=5000000", reload=True),
        main(unset="message_size_limit", reload=True),
        on="mail",
    ),
    Fault(
        "mail host takes larger messages",
        both("message_size"),
        "set message_size_limit to 20000000",
        main("message_size_limit=20000000", reload=True),
        main(unset="message_size_limit", reload=True),
        on="mail",
    ),
    Fault(
        "mail host without SMTPUTF8",
        both("smtputf8"),
        "enable SMTPUTF8 on the mail host",
        main("smtputf8_enable=no", reload=True),
        main(unset="smtputf8_enable", reload=True),
        on="mail",
    ),
    Fault(
        "listed recipient that the mail host has lost",
        secondary("list_drift"),
        "list who is unknown to the mail host",
        "sed -i /^judy@away/d /etc/mailboxes; touch --date=2020-01-01 /etc/mailboxes; postfix reload",
        "echo judy@away.example away.example/judy/ >> /etc/mailboxes; touch --date=2020-01-01 /etc/mailboxes; "
        "postfix reload",
        on="mail",
        also=f"{RIGHT_RECIPIENTS}\n{followed()}",
    ),
    Fault(
        "recipient that the list has lost, and the mail host has not",
        secondary("list_drift"),
        "lack who is known to the mail host",
        f"{rows(RECIPIENTS, 'judy@away')}\n{followed(vanished=['judy@away.example', 'gone@away.example'])}",
        RIGHT_RECIPIENTS,
    ),
)

FROM_OUTSIDE = (
    Fault(
        "relays for a stranger",
        host("probe_open_relay"),
        "mynetworks",
        # Without any restriction that closes it, smtpd does not even start.
        main("mynetworks=0.0.0.0/0", reload=True),
        main("mynetworks=127.0.0.0/8", reload=True),
        view="stranger",
    ),
    Fault(
        "puts a stranger off",
        host("probe_relay_deferred"),
        "replace defer_unauth_destination",
        # Of what the probe asks for, nothing is looked up in DNS.
        main(
            "smtpd_relay_restrictions=permit_mynetworks, reject_unknown_recipient_domain, defer_unauth_destination",
            reload=True,
        ),
        main(
            "smtpd_relay_restrictions=permit_mynetworks, reject_unknown_recipient_domain, reject_unauth_destination",
            reload=True,
        ),
        view="stranger",
    ),
    Fault(
        "refuses a listed recipient",
        secondary("probe_refused"),
        "add the recipient to its list",
        rows(RECIPIENTS, "ivan@away.example"),
        RIGHT_RECIPIENTS,
        view="stranger",
        also=main(RESTRICTIONS, reload=True),
    ),
    Fault(
        "can't read its table",
        both("probe_deferred"),
        "repair the table that can't be asked",
        f"mv {RECIPIENTS}.db {RECIPIENTS}.away\npostfix reload",
        f"mv {RECIPIENTS}.away {RECIPIENTS}.db\npostfix reload",
        view="stranger",
    ),
    Fault(
        "takes whoever nobody is",
        both("probe_unknown"),
        "list its recipients",
        main("relay_recipient_maps=", reload=True),
        main(f"relay_recipient_maps=hash:{RECIPIENTS}", reload=True),
        view="stranger",
    ),
    Fault(
        "puts off whoever nobody is",
        both("probe_unknown"),
        "set unknown_relay_recipient_reject_code to 550",
        main("unknown_relay_recipient_reject_code=450", reload=True),
        main("unknown_relay_recipient_reject_code=550", reload=True),
        view="stranger",
    ),
    Fault(
        "believes whoever claims to be a balancer",
        host("probe_load_balancers"),
        "let a firewall keep all but the load balancers from it",
        master(f"-M '2525/inet={BALANCED} -o {PROXIED}'") + "\npostfix reload",
        master("-MX 2525/inet") + "\npostfix reload",
        view="stranger",
        params={"probe_ports": [{"port": 2525}]},
    ),
    Fault(
        "has no postmaster",
        secondary("probe_postmaster"),
        "add postmaster@away.example",
        rows(RECIPIENTS, "postmaster@away.example"),
        RIGHT_RECIPIENTS,
        view="stranger",
    ),
    Fault(
        "does not answer",
        host("probe_connect"),
        "check that Postfix is running",
        "systemctl stop postfix",
        "systemctl start postfix",
        view="stranger",
    ),
)

COPIED = f"""
rm -rf {OTHER}
cp -a /etc/postfix {OTHER}
sed -i 's,/etc/postfix/,{OTHER}/,g' {OTHER}/main.cf
touch --date=2020-01-01 {OTHER}/main.cf {OTHER}/master.cf
"""


def other(setting: str) -> str:
    """A script that sets a parameter of the other instance."""
    return f"postconf -c {OTHER} -e '{setting}'\ntouch --date=2020-01-01 {OTHER}/main.cf"


SEVERAL_HOSTS = (
    Fault(
        "MX host with other recipients",
        secondary("mx_disagree"),
        "run the playbook sync_recipients, or the role, for all of them",
        f"sed -i /^judy@away/d {OTHER}/relay_recipients\npostmap hash:{OTHER}/relay_recipients",
        f"cp -p {RECIPIENTS} {RECIPIENTS}.db {OTHER}",
        view="several",
        also=COPIED,
    ),
    Fault(
        "MX host that takes everybody",
        both("mx_disagree"),
        "give it the same recipients_policy on all of them",
        other("relay_recipient_maps="),
        other(f"relay_recipient_maps=hash:{OTHER}/relay_recipients"),
        view="several",
        also=COPIED,
    ),
    Fault(
        "MX host that takes larger messages",
        both("mx_disagree"),
        "set message_size_limit to that of the mail host on all of them",
        other("message_size_limit=20000000"),
        f"postconf -c {OTHER} -X message_size_limit",
        view="several",
        also=COPIED,
    ),
    Fault(
        "MX host without SMTPUTF8",
        both("mx_disagree"),
        "set smtputf8_enable to the same value on all of them",
        other("smtputf8_enable=no"),
        f"postconf -c {OTHER} -X smtputf8_enable",
        view="several",
        also=COPIED,
    ),
)

RELAYS = tuple(
    Fault(
        state.name,
        tuple(("", check) for check in state.checks.split()),
        state.remedy,
        state.wrong,
        state.right,
        params={"domains": list(BOTH)},
    )
    for state in open_relays.STATES
)
FAULTS = (
    *CLASSES,
    *RECIPIENT_TABLES,
    *LISTS,
    *UNKNOWN_RECIPIENTS,
    *WAYS_OUT,
    *SENDING,
    *RECEPTION,
    *STRANGERS,
    *RELAYS,
    *ADMISSION,
    *LISTENING,
    *BALANCERS,
    *ZONE,
    *MAIL_HOSTS,
    *FROM_OUTSIDE,
    *SEVERAL_HOSTS,
)
