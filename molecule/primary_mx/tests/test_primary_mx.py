# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway MX as the Internet sees it, with its mail host up and down, and after removal."""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest

import lab
from lab import claims, faults, hosts, playbooks
from lab.long_form import in_long_form

HOST = "mx1"
NAME = "mx1.lab.example"
GATEWAY = {
    "name": "gateway.example",
    "mail_host": "mail.lab.example",
    "recipients": ["alice@gateway.example", "bob@gateway.example"],
}


def converge(**options: Any) -> playbooks.Run:
    return playbooks.play("primary_mx", playbooks.PRIMARY, **options)


def converged(**options: Any) -> playbooks.Run:
    run = converge(**options)
    assert run.code == 0, run.said
    return run


def unchanged(**options: Any) -> None:
    before = faults.state_of(HOST)
    assert converged(**options).changed == {NAME: 0}
    assert faults.state_of(HOST) == before


def changes(**options: Any) -> None:
    assert converged(**options).changed[NAME] > 0


def changes_once(**options: Any) -> None:
    """The next run changes the host, and the one after it nothing."""
    changes(**options)
    unchanged(**options)


def serves_its_domain() -> None:
    """What the inventory declares holds, right now."""
    claims.accepts(HOST, "alice@gateway.example")
    claims.refuses_unknown(HOST, "nobody@gateway.example")
    claims.refuses_relay(HOST)


@pytest.mark.parametrize("address", ["alice@gateway.example", "bob@gateway.example", "postmaster@gateway.example"])
def test_takes_listed_recipients_and_passes_them_to_the_mail_host(address: str) -> None:
    claims.delivers_once(HOST, address)


def test_refuses_unknown_recipients_and_strangers() -> None:
    claims.refuses_unknown(HOST, "nobody@gateway.example")
    claims.refuses_relay(HOST)
    claims.relays_for_no_stranger(HOST, "gateway.example")


def test_second_run_changes_nothing_and_touches_no_file() -> None:
    unchanged()


def test_service_runs_and_starts_with_the_host() -> None:
    service = hosts.testinfra_host(HOST).service("postfix")
    assert service.is_running
    assert service.is_enabled


def test_mail_waits_while_the_mail_host_is_down() -> None:
    unique, message = hosts.new_message()
    with faults.down("mail"):
        said = hosts.talk("alice@gateway.example", server=NAME, message=message)
        assert said.data is not None and said.data[0] == 250
        claims.keeps_in_queue(HOST, unique, "alice@gateway.example")
        claims.refuses_unknown(HOST, "nobody@gateway.example")
    assert hosts.flushed(HOST, unique, "alice@gateway.example") == 1


@pytest.fixture
def fallback_relay() -> Iterator[None]:
    """The host hands what it can't deliver to someone else, as its administrator wanted for its own mail."""
    faults.set_parameters(HOST, {"smtp_fallback_relay": "[tester.lab.example]"})
    yield
    faults.unset_parameters(HOST, "smtp_fallback_relay")
    converged()


@pytest.mark.long
@pytest.mark.usefixtures("fallback_relay")
def test_fallback_relay_gets_none_of_the_domains_mail() -> None:
    converged()
    unchanged()
    unique, message = hosts.new_message()
    with faults.down("mail"):
        said = hosts.talk("bob@gateway.example", server=NAME, message=message)
        assert said.data is not None and said.data[0] == 250
        claims.keeps_in_queue(HOST, unique, "bob@gateway.example")
        assert not hosts.sunk(unique)
    assert hosts.flushed(HOST, unique, "bob@gateway.example") == 1


@pytest.mark.parametrize("table", [pytest.param("relay_recipient_maps", marks=pytest.mark.long), "transport_maps"])
def test_lost_index_is_repaired_by_the_next_run(table: str) -> None:
    faults.delete(HOST, faults.table_of(HOST, table)[2])
    hosts.on(HOST, "postfix", "reload")
    assert converged().changed[NAME] > 0
    serves_its_domain()
    claims.delivers_once(HOST, "alice@gateway.example")
    unchanged()


def test_mail_goes_to_another_mail_host_after_the_next_run() -> None:
    moved = {"primary_mx_domains": [{**GATEWAY, "mail_host": "tester.lab.example"}]}
    changes_once(variables=moved)
    unique, message = hosts.new_message()
    # Not who was written to last: the queue manager believes its last answer for 30 seconds.
    hosts.talk("postmaster@gateway.example", server=NAME, message=message)
    assert hosts.wait_for(lambda: hosts.sunk(unique), claims.SECONDS_TO_QUEUE)
    changes()
    claims.delivers_once(HOST, "bob@gateway.example")


@pytest.mark.long
def test_other_port_of_the_mail_host() -> None:
    changes_once(variables={"primary_mx_domains": [{**GATEWAY, "mail_host": "tester.lab.example", "port": 2525}]})
    unique, message = hosts.new_message()
    hosts.talk("alice@gateway.example", server=NAME, message=message)
    claims.keeps_in_queue(HOST, unique, "alice@gateway.example")
    assert not hosts.sunk(unique)
    changes()
    assert hosts.flushed(HOST, unique, "alice@gateway.example") == 1


@contextmanager
def first_mail_host(*overrides: str) -> Iterator[None]:
    """The mail host listens on another port as well, where its service has these overrides; none: it does not."""
    service = "postconf -M '2525/inet=2525 inet n - n - - smtpd'"
    settings = " ".join(f"'2525/inet/{override}'" for override in overrides)
    if overrides:
        hosts.on("mail", "sh", "-ec", f"{service}; postconf -P {settings}; postfix reload")
    try:
        yield
    finally:
        if overrides:
            hosts.on("mail", "sh", "-ec", "postconf -MX 2525/inet; postfix reload")


def waits(address: str) -> bool:
    """Whether mail for the address is still in the host's queue."""
    return any(recipient["address"] == address for mail in hosts.queued(HOST) for recipient in mail["recipients"])


FIRST_MAIL_HOST = {
    "is away": ([], 1),
    "refuses the connection": (["smtpd_client_restrictions=reject", "smtpd_delay_reject=no"], 1),
    "puts off": (["smtpd_recipient_restrictions=defer"], 1),
    "refuses for good": (["smtpd_recipient_restrictions=reject"], 0),
}


@pytest.mark.long
def test_second_mail_host_gets_what_the_first_does_not_take() -> None:
    several = {**GATEWAY, "mail_host": ["[mail.lab.example]:2525", "mail.lab.example"]}
    changes_once(variables={"primary_mx_domains": [several]})
    got = {}
    for case, (overrides, _copies) in FIRST_MAIL_HOST.items():
        unique, message = hosts.new_message()
        with first_mail_host(*overrides):
            said = hosts.talk("alice@gateway.example", server=NAME, message=message)
            assert said.data is not None and said.data[0] == 250
            assert hosts.wait_for(lambda: not waits("alice@gateway.example"), claims.SECONDS_TO_QUEUE)
        got[case] = hosts.copies(unique, "alice@gateway.example")
    assert got == {case: copies for case, (_overrides, copies) in FIRST_MAIL_HOST.items()}
    changes()


@pytest.mark.long
def test_second_domain_comes_and_goes() -> None:
    elsewhere = {"name": "flow.example", "mail_host": "mail.lab.example", "recipients": ["erin@flow.example"]}
    changes_once(variables={"primary_mx_domains": [GATEWAY, elsewhere]})
    claims.delivers_once(HOST, "erin@flow.example")
    claims.refuses_unknown(HOST, "frank@flow.example")
    gone = {"name": "flow.example", "state": "absent", "force": True}
    changes_once(variables={"primary_mx_domains": [gone]})
    claims.refuses_relay(HOST, "erin@flow.example")
    serves_its_domain()


@pytest.mark.long
def test_row_of_an_absent_domain_no_longer_directs_this_hosts_own_mail() -> None:
    wild = {"name": "wild.example", "mail_host": "tester.lab.example", "recipients": ["grace@wild.example"]}
    changes_once(variables={"primary_mx_domains": [GATEWAY, wild]})
    claims.accepts(HOST, "grace@wild.example")
    changes(variables={"primary_mx_domains": [GATEWAY, {"name": "wild.example", "state": "absent"}]})
    claims.refuses_relay(HOST, "grace@wild.example")
    unique, message = hosts.new_message()
    hosts.on(HOST, "sendmail", "-f", hosts.STRANGER, "grace@wild.example", given=message)
    assert hosts.arrived(unique, "grace@wild.example") == 1


def test_mail_host_is_asked_for_recipients_where_no_list_can_be_kept() -> None:
    flow = {"name": "flow.example", "mail_host": "mail.lab.example", "recipients_policy": "verify"}
    wild = {**flow, "name": "wild.example", "subdomains": True}
    changes_once(variables={"primary_mx_domains": [GATEWAY, wild, flow]})

    def code_for(address: str) -> int:
        return hosts.talk(address, server=NAME).rcpt[0][0]

    # The first answer about an address is 450, while the mail host is being asked.
    assert hosts.wait_for(lambda: code_for("grace@wild.example") == 250, claims.SECONDS_TO_QUEUE)
    assert code_for("nobody@wild.example") == 450
    assert code_for("nobody@sub.wild.example") == 450
    claims.refuses_unknown(HOST, "nobody@sub.flow.example")
    claims.relays_for_no_stranger(HOST, "gateway.example")
    serves_its_domain()
    with faults.down("mail"):
        assert hosts.wait_for(lambda: code_for("newcomer@wild.example") == 250, claims.SECONDS_TO_QUEUE)
    any_wild = {**wild, "recipients_policy": "any", "subdomains": False}
    changes_once(variables={"primary_mx_domains": [GATEWAY, any_wild, flow]})
    claims.accepts(HOST, "nobody@wild.example")
    claims.refuses_unknown(HOST, "nobody@sub.wild.example")
    gone = [{"name": "wild.example", "state": "absent"}, {"name": "flow.example", "state": "absent", "force": True}]
    changes(variables={"primary_mx_domains": gone})
    claims.refuses_relay(HOST, "grace@wild.example")
    serves_its_domain()


@pytest.mark.long
def test_domain_whose_mail_waits_is_not_removed() -> None:
    """Without its transport row this host would be the mail's only way: it loops, and bounces."""
    flow = {"name": "flow.example", "mail_host": "mail.lab.example", "recipients": ["erin@flow.example"]}
    changes_once(variables={"primary_mx_domains": [GATEWAY, flow]})
    gone = {"primary_mx_domains": [GATEWAY, {"name": "flow.example", "state": "absent", "force": True}]}
    unique, message = hosts.new_message()
    with faults.down("mail"):
        hosts.talk("erin@flow.example", server=NAME, message=message)
        claims.keeps_in_queue(HOST, unique, "erin@flow.example")
        before = faults.state_of(HOST)
        for check in (True, False):
            run = converge(variables=gone, check=check)
            assert run.code != 0
            assert "flow.example (waiting_mail): 1 message waits for it in the queue" in run.said
        assert faults.state_of(HOST) == before
    assert hosts.flushed(HOST, unique, "erin@flow.example") == 1
    changes(variables=gone)
    claims.refuses_relay(HOST, "erin@flow.example")
    serves_its_domain()


@contextmanager
def streaming(listed: str, unlisted: str) -> Iterator[Callable[[], dict[str, Any]]]:
    """Strangers send mail to the host in this block, until what it gives is called, which returns what they heard."""
    script = (pathlib.Path(lab.__file__).parent / "stream.py").read_text()
    command = [os.environ["MXRELAY_LAB_ENGINE"], "exec", "--interactive", hosts.container("tester"), "python3", "-c"]
    arguments = [*command, script, NAME, listed, unlisted, "0.5"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        yield lambda: json.loads(process.communicate("\n")[0])


def test_no_mail_loses_its_way_while_its_domain_goes() -> None:
    """The mail host goes down behind the plan, and one message is on its way in all the time."""
    changes_once(variables=WORKS)
    with streaming("erin@flow.example", "nobody@flow.example") as ended:
        with faults.held(HOST) as asking:
            run = playbooks.start("primary_mx", playbooks.PRIMARY, variables=GONE)
            assert hosts.wait_for(lambda: asking() == 1, SECONDS_TO_COME)
            hosts.stop("mail")
            assert hosts.wait_for(lambda: hosts.queued(HOST), claims.SECONDS_TO_QUEUE)
        gone = playbooks.finished(run)
        assert gone.code == 0, gone.said
        heard = ended()
    stays = (
        r"The transport rows of flow\.example stay until the next run, as mail may still need them: [1-9]\d* in the "
    )
    assert re.search(stays + "queue, 1 SMTP sessions from before the reload", gone.said), gone.said
    assert heard["slow"] == 250
    assert heard["codes"] == sorted(heard["codes"])
    assert [codes for codes, _same in itertools.groupby(heard["codes"])] == [[550, 250], [554, 554]]
    unchanged(variables=GONE)
    hosts.start("mail")
    assert hosts.flushed(HOST, heard["taken"][-1], "erin@flow.example") == 1
    assert hosts.wait_for(lambda: not hosts.queued(HOST), claims.SECONDS_TO_QUEUE)
    assert {unique: hosts.copies(unique, "erin@flow.example") for unique in heard["taken"]} == dict.fromkeys(
        heard["taken"], 1
    )
    changes(variables=GONE)
    serves_its_domain()


SETTINGS = {
    "primary_mx_mail_host_concurrency": 3,
    "primary_mx_message_size_limit": 9000000,
    "primary_mx_relay_restrictions": ["permit_mynetworks", "reject_unauth_destination"],
    "primary_mx_client_restrictions": ["permit_mynetworks", "reject_unknown_reverse_client_hostname"],
    "primary_mx_smtputf8": False,
    "primary_mx_ipv6": False,
}


def features() -> str:
    """What the host offers a stranger, and what it says to one who wants the domain's queue sent."""
    script = f"import smtplib; s = smtplib.SMTP({NAME!r}); print(s.ehlo(), s.docmd('ETRN', 'gateway.example'))"
    return hosts.on("tester", "python3", "-c", script)


def test_settings_of_the_whole_host_hold_in_smtp() -> None:
    assert "SMTPUTF8" in features()
    assert "(554, b'5.7.1 <gateway.example>: Etrn command rejected" in features()
    # Said explicitly, so that the way back is one as well.
    back = {"primary_mx_smtputf8": True, "primary_mx_ipv6": True, "primary_mx_message_size_limit": 10240000}
    changes_once(variables=SETTINGS)
    try:
        assert "SIZE 9000000" in features()
        assert "SMTPUTF8" not in features()
        assert hosts.testinfra_host(HOST).socket("tcp://:::25").is_listening is False
        serves_its_domain()
        claims.relays_for_no_stranger(HOST, "gateway.example")
    finally:
        converged(variables=back)
    faults.unset_parameters(HOST, "smtpd_client_restrictions", "relay_destination_concurrency_limit")
    assert "SIZE 10240000" in features()


@pytest.mark.long
def test_mail_for_a_mail_host_that_must_prove_who_it_is_waits_until_it_need_not() -> None:
    faults.set_parameters(HOST, {"smtp_tls_CApath": "/etc/ssl/certs"})
    unique, message = hosts.new_message()
    try:
        changes_once(variables={"primary_mx_mail_host_tls": "secure"})
        hosts.talk("alice@gateway.example", server=NAME, message=message)
        claims.keeps_in_queue(HOST, unique, "alice@gateway.example")
    finally:
        changes_once(variables={"primary_mx_mail_host_tls": "may"})
        faults.unset_parameters(HOST, "smtp_tls_CApath")
    assert hosts.flushed(HOST, unique, "alice@gateway.example") == 1


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ({"primary_mx_relay_restrictions": ["permit_mynetworks", "permit"]}, "open_relay"),
        pytest.param(
            {"primary_mx_client_restrictions": ["permit_mynetworks", "reject"]},
            "client_restrictions",
            marks=pytest.mark.long,
        ),
        pytest.param({"primary_mx_mail_host_tls": "secure"}, "smtp_tls_CApath", marks=pytest.mark.long),
    ],
)
def test_setting_that_would_do_harm_is_refused(setting: dict[str, Any], named: str) -> None:
    before = faults.state_of(HOST)
    run = converge(variables=setting)
    assert run.code != 0
    assert named in run.said
    assert faults.state_of(HOST) == before


REFUSED: dict[str, tuple[list[dict[str, Any]], str]] = {
    "nexthop is this host": (
        [{"name": "flow.example", "mail_host": "mx1.lab.example", "recipients": ["erin@flow.example"]}],
        "flow.example",
    ),
    "nexthop is an address of this host": (
        [{"name": "flow.example", "mail_host": "127.0.0.1", "recipients": ["erin@flow.example"]}],
        "flow.example",
    ),
    "nexthop has white space": (
        [{"name": "flow.example", "mail_host": "mail lab", "recipients": ["erin@flow.example"]}],
        "mail lab",
    ),
    "no recipients and no policy": ([{"name": "flow.example", "mail_host": "mail.lab.example"}], "flow.example"),
}


@pytest.mark.parametrize("case", in_long_form(REFUSED, short=1))
def test_refusal_names_the_cause_and_leaves_the_host_untouched(case: str) -> None:
    domains, named = REFUSED[case]
    before = faults.state_of(HOST)
    run = converge(variables={"primary_mx_domains": domains})
    assert run.code != 0
    assert named in run.said
    assert run.changed[NAME] == 0
    assert faults.state_of(HOST) == before


@pytest.mark.long
def test_mail_host_that_is_this_host_through_nat_is_refused() -> None:
    outside = hosts.on("tester", "getent", "ahostsv4", "nowhere.lab.example").split()[0]
    looping = {"name": "flow.example", "mail_host": "nowhere.lab.example", "recipients": ["erin@flow.example"]}
    before = faults.state_of(HOST)
    run = converge(variables={"primary_mx_domains": [looping], "primary_mx_proxy_interfaces": [outside]})
    assert run.code != 0
    assert "flow.example (own_nexthop): its mail is sent to nowhere.lab.example (relay:[nowhere" in run.said
    assert faults.state_of(HOST) == before


def test_restrictions_that_open_a_relay_are_refused() -> None:
    faults.set_parameters(HOST, {"smtpd_relay_restrictions": "permit_mynetworks, permit"})
    try:
        before = faults.state_of(HOST)
        run = converge()
        assert run.code != 0
        assert "smtpd_relay_restrictions" in run.said
        assert faults.state_of(HOST) == before
    finally:
        faults.set_parameters(HOST, {"smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination"})
        converged()
    claims.refuses_relay(HOST)


ERIN = {"name": "flow.example", "mail_host": "mail.lab.example", "recipients": ["erin@flow.example"]}
# A recipient less, and a domain more.
CHANGE = {"primary_mx_domains": [{**GATEWAY, "recipients": ["alice@gateway.example"]}, ERIN]}
UNDONE = "Undone: "
GRACE = {"name": "wild.example", "mail_host": "mail.lab.example", "recipients": ["grace@wild.example"]}
# No MX record of wild.example names this host.
FAILS = {"primary_mx_domains": [GATEWAY, GRACE], "primary_mx_verify_fail_on": ["local", "dns"]}
# And a recipient less, so rows go as well.
FAILS_VERIFY = {**FAILS, "primary_mx_domains": [{**GATEWAY, "recipients": ["alice@gateway.example"]}, GRACE]}
WORKS = {"primary_mx_domains": [GATEWAY, ERIN]}
GONE = {"primary_mx_domains": [GATEWAY, {"name": "flow.example", "state": "absent", "force": True}]}
RECORD = "/etc/postfix/.mxrelay-undo"
# How long a run may take to come to its first change.
SECONDS_TO_COME = 300


def no_record_is_left() -> None:
    hosts.on(HOST, "test", "!", "-e", RECORD)


@contextmanager
def foreign_map_without_index() -> Iterator[None]:
    """Someone else's map, which main.cf names, has lost its index: mail is put off, and verification fails."""
    listed = faults.parameter(HOST, "relay_recipient_maps")
    hosts.on(HOST, "sh", "-c", "echo x@foreign.example x > /etc/postfix/theirs")
    faults.set_parameters(HOST, {"relay_recipient_maps": f"{listed}, hash:/etc/postfix/theirs"})
    try:
        yield
    finally:
        faults.set_parameters(HOST, {"relay_recipient_maps": listed})
        hosts.on(HOST, "rm", "/etc/postfix/theirs")


PHASES: dict[str, tuple[AbstractContextManager[None], str]] = {
    "tables": (faults.immovable(HOST, "/etc/postfix/relay_recipients.db"), "relay_recipients: can't be changed"),
    "config": (faults.immovable(HOST, "/etc/postfix/main.cf"), "main.cf: can't be replaced"),
    "service": (faults.reloading_by(HOST, "exit 1"), "Unable to reload service postfix"),
    "verify": (nullcontext(), "wild.example (mx_record)"),
}


@pytest.mark.parametrize("phase", ["tables", *in_long_form(("config", "service")), "verify"])
def test_run_that_fails_in_a_phase_is_taken_back(phase: str) -> None:
    broken, named = PHASES[phase]
    with broken:
        before = faults.meaning_of(HOST)
        run = converge(variables=FAILS_VERIFY if phase == "verify" else CHANGE)
        assert run.code != 0
        assert named in run.said
        assert UNDONE in run.said
        assert faults.meaning_of(HOST) == before
    serves_its_domain()
    claims.accepts(HOST, "bob@gateway.example")
    claims.refuses_relay(HOST, "erin@flow.example")


@pytest.mark.parametrize(
    ("path", "file", "check"),
    [
        ("/etc/postfix/main.cf", "/etc/postfix/main.cf", True),
        pytest.param("/etc/postfix", "/etc/postfix/main.cf", False, marks=pytest.mark.long),
        ("/etc/postfix/relay_recipients.db", "/etc/postfix/relay_recipients.db", False),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_changes(path: str, file: str, check: bool) -> None:
    with faults.read_only(HOST, path):
        before = faults.state_of(HOST)
        run = converge(variables=CHANGE, check=check)
        assert run.code != 0
        assert f"this host (read_only): {file}: can't be changed: {path} is on a file system" in run.said
        assert faults.state_of(HOST) == before


@contextmanager
def stopped_at_its_reload(variables: dict[str, Any], then: str) -> Iterator[subprocess.Popen[str]]:
    """A run that has changed files and stops in the middle of its reload until `let_go`, which then does `then`."""
    hosts.on(HOST, "mkfifo", "/root/wake")
    try:
        with faults.reloading_by(HOST, f"touch /root/came; read -r _ < /root/wake; {then}"):
            run = playbooks.start("primary_mx", playbooks.PRIMARY, variables=variables)
            assert hosts.wait_for(lambda: "came" in hosts.on(HOST, "ls", "/root"), SECONDS_TO_COME)
            yield run
    finally:
        hosts.on(HOST, "rm", "-f", "/root/wake", "/root/came")


def let_go() -> None:
    hosts.on(HOST, "sh", "-c", "echo > /root/wake")


@pytest.mark.long
def test_undo_that_fails_says_what_was_not_undone() -> None:
    """main.cf becomes read-only during the run."""
    with stopped_at_its_reload(CHANGE, "exit 1") as run, faults.read_only(HOST, "/etc/postfix/main.cf"):
        let_go()
        failed = playbooks.finished(run)
    try:
        assert failed.code != 0
        assert "Not undone: /etc/postfix/main.cf: can't be changed: " in failed.said
        assert "/etc/postfix/transport: its new rows stay" in failed.said
        assert "The files from before the run are in /etc/postfix/.mxrelay-undo until the next run." in failed.said
        assert "nothing to undo" not in failed.said
    finally:
        converged(variables=GONE)
    no_record_is_left()
    serves_its_domain()


def test_postfix_that_a_reload_stopped_runs_again_after_the_undo() -> None:
    """A reload of Debian's unit ends so if the running Postfix is from before an upgrade."""
    before = faults.meaning_of(HOST)
    with faults.reloading_by(HOST, "postfix stop"):
        run = converge(variables=CHANGE)
    assert run.code != 0
    assert "Postfix was restarted." in run.said
    assert faults.meaning_of(HOST) == before
    serves_its_domain()


def test_upgraded_postfix_is_restarted_by_the_next_run() -> None:
    master = "cd $(postconf -hx daemon_directory) && cp -p master /root/master && mv /root/master ."
    hosts.on(HOST, "sh", "-ec", master)
    with faults.reloading_by(HOST, "postfix stop"):
        changes()
    serves_its_domain()


@pytest.mark.long
def test_service_follows_where_no_domain_is_declared() -> None:
    lifetime = faults.parameter(HOST, "maximal_queue_lifetime")
    hosts.on(HOST, "postconf", "-e", "maximal_queue_lifetime = 6d")
    try:
        changes_once(variables={"primary_mx_domains": []})
    finally:
        faults.set_parameters(HOST, {"maximal_queue_lifetime": lifetime})


@pytest.mark.long
def test_host_listens_as_before_after_a_run_that_fails() -> None:
    run = converge(variables={**FAILS, "primary_mx_ipv6": False})
    assert run.code != 0
    assert "main.cf: inet_protocols is as before" in run.said
    assert hosts.testinfra_host(HOST).socket("tcp://:::25").is_listening


@pytest.mark.long
def test_removal_that_fails_is_taken_back() -> None:
    changes_once(variables={"primary_mx_domains": [GATEWAY, ERIN]})
    before = faults.meaning_of(HOST)
    gone = {"primary_mx_domains": [GATEWAY, {"name": "flow.example", "state": "absent", "force": True}]}
    with faults.immovable(HOST, "/etc/postfix/transport.db"):
        run = converge(variables=gone)
    assert run.code != 0
    assert "/etc/postfix/transport: can't be changed" in run.said
    assert UNDONE in run.said
    assert faults.meaning_of(HOST) == before
    claims.delivers_once(HOST, "erin@flow.example")
    changes(variables=gone)
    claims.refuses_relay(HOST, "erin@flow.example")


def test_what_others_changed_during_a_run_that_fails_stays() -> None:
    theirs = (
        "postconf -e 'maximal_queue_lifetime = 9d';"
        ' postconf -e "relay_domains = $(postconf -h relay_domains), theirs.example";'
        " echo 'theirs.example relay:[mail.lab.example]' >> /etc/postfix/transport; postmap /etc/postfix/transport;"
        " exit 1"
    )
    listed = faults.parameter(HOST, "relay_domains")
    try:
        with faults.reloading_by(HOST, theirs):
            run = converge(variables=CHANGE)
        assert run.code != 0
        assert UNDONE in run.said
        assert faults.parameter(HOST, "maximal_queue_lifetime") == "9d"
        assert faults.parameter(HOST, "relay_domains") == f"{listed}, theirs.example"
        rows = hosts.on(HOST, "postmap", "-s", "/etc/postfix/transport").splitlines()
        assert sorted(rows) == [
            "gateway.example\trelay:[mail.lab.example]",
            "theirs.example\trelay:[mail.lab.example]",
        ]
        serves_its_domain()
        claims.refuses_relay(HOST, "erin@flow.example")
    finally:
        faults.unset_parameters(HOST, "maximal_queue_lifetime")
        converged(variables={"primary_mx_domains": [GATEWAY, {"name": "theirs.example", "state": "absent"}]})


@pytest.mark.long
def test_run_that_fails_is_left_alone_where_others_changed_the_same() -> None:
    theirs = (
        "echo 'gateway.example relay:[mail.lab.example]' > /etc/postfix/transport;"
        " echo 'flow.example relay:[tester.lab.example]' >> /etc/postfix/transport; postmap /etc/postfix/transport;"
        " exit 1"
    )
    try:
        with faults.reloading_by(HOST, theirs):
            run = converge(variables=CHANGE)
        assert run.code != 0
        assert "someone else changed the same thing during the run:\n/etc/postfix/transport: flow.example" in run.said
        assert "flow.example" in faults.parameter(HOST, "relay_domains")
        assert "flow.example\trelay:[tester.lab.example]" in hosts.on(HOST, "postmap", "-s", "/etc/postfix/transport")
    finally:
        gone = {"name": "flow.example", "state": "absent", "force": True}
        converged(variables={"primary_mx_domains": [GATEWAY, gone]})
    hosts.on(HOST, "test", "!", "-e", "/etc/postfix/.mxrelay-undo")
    serves_its_domain()


def test_of_two_runs_at_once_one_waits_and_each_takes_back_its_own() -> None:
    """Both have made their plan when one of them begins; the one that fails leaves what the other one needs."""
    before = faults.meaning_of(HOST)
    with faults.held(HOST) as asking:
        runs = [playbooks.start("primary_mx", playbooks.PRIMARY, variables=variables) for variables in (FAILS, WORKS)]
        assert hosts.wait_for(lambda: asking() == 2, SECONDS_TO_COME)
    failing, working = (playbooks.finished(run) for run in runs)
    assert (failing.code != 0, working.code) == (True, 0), (failing.said, working.said)
    assert "wild.example (mx_record)" in failing.said
    assert UNDONE in failing.said
    assert sum("Save the current state for the new plan" in run.output for run in (failing, working)) == 1
    assert faults.parameter(HOST, "relay_domains") == "gateway.example, flow.example"
    rows = hosts.on(HOST, "postmap", "-s", "/etc/postfix/transport").splitlines()
    assert sorted(row.split()[0] for row in rows) == ["flow.example", "gateway.example"]
    claims.accepts(HOST, "erin@flow.example")
    claims.refuses_unknown(HOST, "nobody@flow.example")
    claims.refuses_relay(HOST, "grace@wild.example")
    serves_its_domain()
    no_record_is_left()
    unchanged(variables=WORKS)
    changes(variables=GONE)
    assert faults.meaning_of(HOST) == before


@pytest.mark.long
def test_plan_that_the_host_has_overtaken_is_refused_after_all() -> None:
    """Someone opens a relay between the plan of a run and its first change."""
    listed = faults.parameter(HOST, "smtpd_relay_restrictions")
    with faults.held(HOST) as asking:
        run = playbooks.start("primary_mx", playbooks.PRIMARY, variables=WORKS)
        assert hosts.wait_for(lambda: asking() == 1, SECONDS_TO_COME)
        faults.set_parameters(HOST, {"smtpd_relay_restrictions": "permit_mynetworks, permit"})
        before = faults.meaning_of(HOST)
    try:
        overtaken = playbooks.finished(run)
        assert overtaken.code != 0
        assert "Refused for " in overtaken.said
        assert "There was nothing to undo." in overtaken.said
        assert faults.meaning_of(HOST) == before
    finally:
        faults.set_parameters(HOST, {"smtpd_relay_restrictions": listed})
    no_record_is_left()


def test_next_run_removes_what_a_killed_one_left_behind() -> None:
    with stopped_at_its_reload(WORKS, "exec postfix reload") as run:
        run.kill()
        run.communicate()
        let_go()
    hosts.on(HOST, "test", "-e", f"{RECORD}/record.json")
    assert converged(variables=WORKS).changed[NAME] > 0
    no_record_is_left()
    unchanged(variables=WORKS)
    changes(variables=GONE)


@pytest.mark.long
def test_record_of_a_run_that_was_killed_elsewhere_goes_if_somebody_says_so() -> None:
    """From another controller nobody can tell that the run is over."""
    with stopped_at_its_reload(WORKS, "exec postfix reload") as run:
        run.kill()
        run.communicate()
        let_go()
    record = json.loads(hosts.on(HOST, "cat", f"{RECORD}/record.json"))
    elsewhere = json.dumps({**record, "controller": "elsewhere boot"})
    hosts.on(HOST, "sh", "-c", f"cat > {RECORD}/record.json", given=elsewhere)
    assert converged(variables={**WORKS, "primary_mx_ended_run": record["name"]}).changed[NAME] > 0
    no_record_is_left()
    unchanged(variables=WORKS)
    changes(variables=GONE)


def test_host_that_is_not_right_fails_where_nothing_is_to_be_changed() -> None:
    with foreign_map_without_index():
        before = faults.state_of(HOST)
        run = converge()
        assert run.code != 0
        assert "hash:/etc/postfix/theirs" in run.said
        assert UNDONE not in run.said
        assert faults.state_of(HOST) == before


def test_still_relays_for_no_stranger_after_all_that() -> None:
    serves_its_domain()
    claims.relays_for_no_stranger(HOST, "gateway.example")
