# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate of an MX on each release: wrong ones are refused before they go live, and found if they are live.

The tests are steps, in order: from a host without one to a renewal, and to what DNS demands of it.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from lab import hosts, playbooks, remote
from lab.authority import Party
from lab.long_form import in_long_form

RELEASES = ("mx35", "mx310", "mx311")
CHAIN, KEY = "/etc/postfix/lab-chain.pem", "/etc/postfix/lab-key.pem"
PAIR = {"primary_mx_certificate": {"chain": CHAIN, "key": KEY}}
TRUSTED = "/etc/ssl/certs/lab-root.pem"
# OpenSSL finds a root by the hash of its name.
HASHED = f"/etc/ssl/certs/$(openssl x509 -hash -noout -in {TRUSTED}).0"
DOMAIN = "front.example"
# Until what is shown is what was read last.
SECONDS = 30
ROOT = Party("Root of the lab")
AUTHORITY = Party("Authority of the lab", ROOT)
# The same name, and another key.
IMPOSTOR = Party("Authority of the lab", ROOT)
WRONG = ("expired", "wrong name", "wrong chain", "unreadable", "missing", "mismatched", "misordered")
# What a run, and what mx_info, says of each.
SAID = {
    "expired": "certificate 1 in /etc/postfix/lab-chain.pem expired on",
    "wrong name": "is for other.lab.example, and not for",
    "wrong chain": "certificate 1 in /etc/postfix/lab-chain.pem was not issued by certificate 2",
    "unreadable": "/etc/postfix/lab-chain.pem holds no certificate in PEM form",
    "missing": "/etc/postfix/lab-key.pem is missing",
    "mismatched": "the key /etc/postfix/lab-key.pem belongs to no certificate in /etc/postfix/lab-chain.pem",
    "misordered": "/etc/postfix/lab-chain.pem begins with another certificate than that of the key",
}
FOUND = {**SAID, "expired": "the certificate of smtp/inet expired on"}
# The hosts that are looked at from inside.
INSIDE: dict[str, remote.Remote] = {}
# smtpd offers TLS with these and can't begin it.
BREAKING = ("unreadable", "missing", "mismatched", "misordered")


def name_of(host: str) -> str:
    return f"{host}.lab.example"


def issued(host: str, **fields: Any) -> Party:
    return Party(name_of(host), AUTHORITY, **{"names": (name_of(host),), **fields})


def place(host: str, chain: str, key: str | None) -> None:
    """Write the files on the host; without a key there is none."""
    hosts.on(host, "sh", "-c", f"umask 077; cat > {CHAIN}", given=chain)
    script = f"umask 077; cat > {KEY}" if key is not None else f"rm -f {KEY}"
    hosts.on(host, "sh", "-c", script, given=key or "")


def right(host: str) -> Party:
    party = issued(host)
    place(host, party.pem + AUTHORITY.pem, party.key_pem)
    return party


def wrong(host: str, how: str) -> None:
    party = issued(host)
    if how == "expired":
        party = issued(host, days=2, begins=-3)
    if how == "wrong name":
        party = issued(host, names=("other.lab.example",))
    chain = {
        "wrong chain": party.pem + IMPOSTOR.pem,
        "unreadable": "nothing\n",
        "misordered": AUTHORITY.pem + party.pem,
    }
    key = {"missing": None, "mismatched": issued(host).key_pem}
    place(host, chain.get(how, party.pem + AUTHORITY.pem), key.get(how, party.key_pem))


def shown(host: str) -> str:
    """The digest of the certificate that a stranger is shown."""
    program = (
        "import hashlib, smtplib, ssl, sys\n"
        "settings = ssl._create_unverified_context()\n"
        "with smtplib.SMTP(sys.argv[1]) as link:\n"
        "    link.starttls(context=settings)\n"
        "    print(hashlib.sha256(link.sock.getpeercert(True)).hexdigest())\n"
    )
    return hosts.on("tester", "python3", "-c", program, name_of(host)).strip()


def offers_tls(host: str) -> bool:
    program = (
        "import smtplib, sys\n"
        "with smtplib.SMTP(sys.argv[1]) as link:\n"
        "    link.ehlo()\n"
        "    print(link.has_extn('starttls'))\n"
    )
    return hosts.on("tester", "python3", "-c", program, name_of(host)).strip() == "True"


def configuration(host: str) -> str:
    return hosts.on(host, "sh", "-c", "cat /etc/postfix/main.cf /etc/postfix/master.cf")


def run(host: str = "", check: bool = False) -> playbooks.Run:
    limit = name_of(host) if host else ",".join(map(name_of, RELEASES))
    return playbooks.play("front_door", playbooks.PRIMARY, variables=PAIR, check=check, limit=limit)


def findings(host: str) -> list[dict[str, Any]]:
    """What mx_info finds on the host."""
    if host not in INSIDE:
        INSIDE[host] = remote.Remote(host)
    found: list[dict[str, Any]] = INSIDE[host].inform(domains=[DOMAIN])["findings"]
    return found


def told(host: str, check: str) -> list[str]:
    return [finding["message"] for finding in findings(host) if finding["check"] == check]


@pytest.fixture(scope="module", autouse=True)
def trust() -> Iterator[None]:
    """The hosts trust the root; afterwards they are as they were."""
    before = {}
    for host in RELEASES:
        hosts.on(host, "sh", "-c", f"cat > {TRUSTED} && ln -sf {TRUSTED} {HASHED}", given=ROOT.pem)
        before[host] = hosts.on(host, "cat", "/etc/postfix/main.cf")
    yield
    for inside in INSIDE.values():
        inside.close()
    for host in RELEASES:
        hosts.on(host, "sh", "-c", "cat > /etc/postfix/main.cf && postfix reload", given=before[host])
        hosts.on(host, "sh", "-c", f"rm -f {CHAIN} {KEY} {HASHED} {TRUSTED}")


@pytest.mark.parametrize("check", [True, *in_long_form([False])], ids=["in check mode", "in a run"])
@pytest.mark.parametrize("ways", [WRONG[:3], WRONG[3:6], (*WRONG[6:], *WRONG[:2])], ids=", ".join)
def test_wrong_one_is_refused_before_it_goes_live(ways: tuple[str, ...], check: bool) -> None:
    """One on each host."""
    before = {host: configuration(host) for host in RELEASES}
    for host, how in zip(RELEASES, ways, strict=True):
        wrong(host, how)
    refused = run(check=check)
    assert (refused.code != 0, sum(refused.changed.values())) == (True, 0), refused.tasks
    assert [how for how in ways if SAID[how] not in refused.said] == [], refused.said
    assert {host: configuration(host) for host in RELEASES} == before


def test_right_one_goes_live() -> None:
    parties = {host: right(host) for host in RELEASES}
    first = run()
    assert first.code == 0, first.said
    assert {host: shown(host) for host in RELEASES} == {host: party.digest for host, party in parties.items()}
    assert {host: findings(host) for host in RELEASES} == {host: [] for host in RELEASES}


def test_renewed_one_goes_live_in_the_next_run() -> None:
    old = {host: shown(host) for host in RELEASES}
    parties = {host: right(host) for host in RELEASES}
    assert {host: shown(host) for host in RELEASES} == old
    assert told("mx310", "certificate") == [
        f"smtp/inet shows another certificate than the one in {CHAIN}, which Postfix has not read yet"
    ]
    renewed = run()
    (task,) = set(renewed.tasks)
    assert (renewed.code, task.rpartition(" : ")[2]) == (0, "Start, reload or restart Postfix"), renewed.said
    assert hosts.wait_for(lambda: shown("mx35") == parties["mx35"].digest, SECONDS)
    assert {host: shown(host) for host in RELEASES} == {host: party.digest for host, party in parties.items()}
    again = run()
    assert (again.code, sum(again.changed.values())) == (0, 0), again.tasks


@pytest.mark.parametrize("how", WRONG)
def test_wrong_one_that_is_live_is_found(how: str) -> None:
    """Whoever put it there has seen STARTTLS on offer, and no complaint of postfix check."""
    for host in RELEASES:
        wrong(host, how)
        hosts.on(host, "sh", "-ec", "postfix check && postfix reload")
    for host in RELEASES:
        assert offers_tls(host)
        assert hosts.wait_for(lambda host=host: any(FOUND[how] in text for text in told(host, "certificate")), SECONDS)
        errors = [finding for finding in findings(host) if finding["severity"] == "error"]
        assert bool(errors) is (how in BREAKING), errors


def published(*lines: str) -> None:
    hosts.publish("\n".join([*lines, ""]))


@pytest.fixture
def zone() -> Iterator[str]:
    before = hosts.zone()
    yield before
    published(before)


def live(host: str) -> Party:
    party = right(host)
    hosts.on(host, "postfix", "reload")
    assert hosts.wait_for(lambda: shown(host) == party.digest, SECONDS)
    return party


def test_record_of_the_old_key_is_found_after_a_renewal(zone: str) -> None:
    host = "mx310"
    old = live(host)
    published(zone, f"dns-rr=_25._tcp.{name_of(host)},52,030101{old.key_digest}")
    assert hosts.wait_for(lambda: told(host, "tlsa") == [], SECONDS)
    new = live(host)
    assert hosts.wait_for(lambda: told(host, "tlsa"), SECONDS)
    (finding,) = (finding for finding in findings(host) if finding["check"] == "tlsa")
    assert finding["remedy"].startswith(f"publish _25._tcp.{name_of(host)}. IN TLSA 3 1 1 {new.key_digest};")


def policy(host: str) -> None:
    """Serve the MTA-STS policy of the domain, in mode enforce, on the host."""
    web = Party(f"mta-sts.{DOMAIN}", AUTHORITY, (f"mta-sts.{DOMAIN}",))
    lines = ["version: STSv1", "mode: enforce", *(f"mx: {name_of(release)}" for release in RELEASES), "max_age: 86400"]
    files = {
        "web.pem": web.pem + AUTHORITY.pem,
        "web.key": web.key_pem,
        "server.py": (
            "import http.server, json, ssl\n"
            "class Handler(http.server.BaseHTTPRequestHandler):\n"
            "    def do_GET(self):\n"
            "        self.send_response(200)\n"
            "        self.end_headers()\n"
            f"        self.wfile.write({json.dumps(chr(10).join([*lines, '']))}.encode())\n"
            "settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
            "settings.load_cert_chain('web.pem', 'web.key')\n"
            "server = http.server.ThreadingHTTPServer(('', 443), Handler)\n"
            "server.socket = settings.wrap_socket(server.socket, server_side=True)\n"
            "server.serve_forever()\n"
        ),
    }
    for name, text in files.items():
        hosts.on(host, "sh", "-c", f"mkdir -p /srv/policy; cat > /srv/policy/{shlex.quote(name)}", given=text)
    unit = "systemd-run --quiet --unit=policy --working-directory=/srv/policy python3 server.py"
    hosts.on(host, "sh", "-ec", f"systemctl stop policy 2>/dev/null || :; {unit}")


def test_policy_that_demands_another_certificate_is_found(zone: str) -> None:
    host = "mx310"
    address = f"{os.environ['MXRELAY_LAB_NET']}.110"
    policy(host)
    published(zone, f"host-record=mta-sts.{DOMAIN},{address}", f'txt-record=_mta-sts.{DOMAIN},"v=STSv1; id=1"')
    live(host)
    assert hosts.wait_for(lambda: told(host, "mta_sts") == [], SECONDS), told(host, "mta_sts")
    wrong(host, "wrong name")
    hosts.on(host, "postfix", "reload")
    why = "its certificate is for other.lab.example, and not for mx310.lab.example: senders that honour it will skip"
    assert hosts.wait_for(lambda: any(why in text for text in told(host, "mta_sts")), SECONDS), told(host, "mta_sts")
    hosts.on(host, "systemctl", "stop", "policy")
