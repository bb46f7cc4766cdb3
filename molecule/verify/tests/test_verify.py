# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault that mx_info can find is made on a real host, found, and mended as its remedy says."""

from __future__ import annotations

import random
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from lab import artifact, distrust, hosts, mx_faults, playbooks, remote
from unit.plugins.module_utils.odd_values import ODD_VALUES

HOST = "mx1"
NAME = "mx1.lab.example"
CONVERGE = str(playbooks.MOLECULE / "verify" / "converge.yml")
SECONDS = 20
# The same ones in each run; more of them, or another seed, find more.
MUTATIONS = 20
SEED = 0
VALUES = (*ODD_VALUES, mx_faults.PRIMARY, "[mail.lab.example]:99999", "127.0.0.1")

Findings = list[dict[str, Any]]


class Lab:
    """The host, the place outside of it, and what is found from both."""

    def __init__(self) -> None:
        self.inside = remote.Remote(HOST)
        self.outside = remote.Remote("tester")
        self.resolver: list[str] = []
        self.zone = hosts.zone()

    def look(self, fault: mx_faults.Fault) -> Findings:
        if fault.view == "stranger":
            return self.outside.stranger(
                probe_server=NAME, domains=list(mx_faults.BOTH), probe_recipients=mx_faults.LISTED, **fault.params
            )["findings"]
        if fault.view == "several":
            return self.compared()
        resolver = {"resolver": self.resolver} if fault.on == "resolver" else {}
        params = {"probe": fault in mx_faults.MAIL_HOSTS, "show_recipients": True, **resolver, **fault.params}
        return self.inside.inform(**params)["findings"]

    def compared(self) -> Findings:
        """What the two instances differ in, as the controller sees it of the first."""
        module = artifact.imported("plugin_utils.differences")
        told = [self.inside.inform(config_directory=place) for place in ("/etc/postfix", mx_faults.OTHER)]
        instances = [module.KnownInstance(str(number), mx) for number, mx in enumerate(told)]
        found: Findings = module.differences(instances, time.strftime("%Y-%m-%d"))[0]
        return found

    def make(self, fault: mx_faults.Fault, script: str) -> None:
        if fault.on == "dns":
            hosts.publish(self.zone.replace(fault.right + "\n", script + "\n", 1))
        elif fault.on == "resolver":
            self.resolver = [mx_faults.NOWHERE] if script else [f"{mx_faults.NET}.2"]
        elif fault.on == HOST:
            self.inside.shell(script)
        else:
            hosts.on(fault.on, "sh", "-ec", script)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    lab = Lab()
    yield lab
    lab.inside.shell(f"rm -rf {mx_faults.OTHER}")
    lab.inside.close()
    lab.outside.close()


def checks(findings: Findings) -> list[tuple[str, str]]:
    return sorted((finding["domain"], finding["check"]) for finding in findings)


def told(findings: Findings, remedy: str) -> bool:
    return any(remedy in finding["remedy"] for finding in findings)


def settled(look: Callable[[], Findings], wanted: list[tuple[str, str]], remedy: str = "") -> Findings:
    """What is found once it is what is wanted, with these words in a remedy, or when the time is over."""
    seen: list[Findings] = []

    def as_wanted() -> bool:
        seen.append(look())
        return checks(seen[-1]) == wanted and (not remedy or told(seen[-1], remedy))

    hosts.wait_for(as_wanted, SECONDS)
    return seen[-1]


def test_healthy_host_has_no_finding(lab: Lab) -> None:
    seen = lab.inside.inform(probe=True, outage="5d", show_recipients=True)
    assert seen["findings"] == []
    assert seen["notes"] == []
    assert seen["domains"]["away.example"]["mail_host"]["recipients"]["ivan@away.example"][0] == 250
    outside = lab.outside.stranger(probe_server=NAME, domains=list(mx_faults.BOTH), probe_recipients=mx_faults.LISTED)
    assert outside["findings"] == []


@pytest.mark.parametrize("fault", mx_faults.FAULTS, ids=lambda fault: fault.name)
def test_fault_is_found_and_its_remedy_mends_it(lab: Lab, fault: mx_faults.Fault) -> None:
    lab.inside.shell(fault.also)
    if fault.zone:
        hosts.publish(lab.zone + fault.zone)
    try:
        with distrust.distrusting(*fault.ways) if fault.ways else nullcontext():
            found_and_mended(lab, fault, sorted(fault.found))
    finally:
        if fault.zone:
            hosts.publish(lab.zone)


def found_and_mended(lab: Lab, fault: mx_faults.Fault, wanted: list[tuple[str, str]]) -> None:
    lab.make(fault, fault.wrong)
    try:
        found = settled(lambda: lab.look(fault), wanted, fault.remedy)
        assert checks(found) == wanted, found
        assert told(found, fault.remedy), found
    finally:
        lab.make(fault, fault.right)
    assert settled(lambda: lab.look(fault), []) == []


def test_no_value_of_a_parameter_makes_it_fail(lab: Lab) -> None:
    """Parameters of the healthy host, mutated at random."""
    chance = random.Random(SEED)
    names = lab.inside.shell("postconf -H").split()
    # Without these no command of Postfix runs, or it asks where this test did not write.
    names = sorted(set(names) - {"command_directory", "config_directory", "daemon_directory", "import_environment"})
    set_ones = sorted(set(lab.inside.shell("postconf -nH").split()) & set(names))
    lab.inside.shell("cp -a /etc/postfix/main.cf /root/main.cf")
    try:
        for number in range(MUTATIONS):
            some = {chance.choice(chance.choice((names, set_ones))): chance.choice(VALUES) for _each in range(3)}
            lines = "".join(f"{name} = {value}\n" for name, value in some.items())
            lab.inside.shell(
                "cp -a /root/main.cf /etc/postfix/main.cf\n"
                f"printf %s {shlex.quote(lines)} >> /etc/postfix/main.cf\n"
                "touch --date=2020-01-01 /etc/postfix/main.cf"
            )
            found = lab.inside.inform(domains=list(mx_faults.BOTH), probe=bool(number % 2))["findings"]
            for finding in found:
                assert finding["message"] and finding["remedy"] and finding["check"], (some, finding)
    except RuntimeError as error:
        raise AssertionError(f"{some}: {error}") from error
    finally:
        # What was started meanwhile goes by what was there then.
        lab.inside.shell("cp -a /root/main.cf /etc/postfix/main.cf\npostfix reload")
    assert settled(lambda: lab.inside.inform(probe=True)["findings"], []) == []


@pytest.mark.parametrize(
    "name",
    ["relays for own clients only", "own clients only by a service of its own", "smtpd on a loopback address"],
)
def test_role_refuses_in_check_mode_what_shuts_strangers_out(name: str) -> None:
    (fault,) = (fault for fault in mx_faults.FAULTS if fault.name == name)
    hosts.on(HOST, "sh", "-ec", f"{fault.wrong}\nsystemctl restart postfix")
    try:
        heard = hosts.talk(mx_faults.LISTED[mx_faults.SECONDARY], server=NAME)
        run = playbooks.play("verify", CONVERGE, check=True)
    finally:
        hosts.on(HOST, "sh", "-ec", f"{fault.right}\nsystemctl restart postfix")
    assert heard.server is None or heard.rcpt[0][0] == 554, heard
    assert run.code != 0
    assert fault.remedy in run.said
    assert hosts.talk(mx_faults.LISTED[mx_faults.SECONDARY], server=NAME).rcpt[0][0] == 250


def test_verify_playbook_probes_from_outside_and_says_what_is_wrong() -> None:
    variables = {"verify_probe": True, "verify_probe_from": "tester.lab.example", "verify_outage": "5d"}
    run = playbooks.play("verify", playbooks.VERIFY, variables=variables)
    assert (run.code, run.changed[NAME]) == (0, 0), run.said
    assert "2 of 2 declared domains relayed; no errors" in run.said.splitlines()
    hosts.on(HOST, "sh", "-ec", mx_faults.main("relay_recipient_maps=", "mydestination=$myhostname, away.example"))
    try:
        run = playbooks.play("verify", playbooks.VERIFY)
    finally:
        right = mx_faults.main(
            f"relay_recipient_maps=hash:{mx_faults.RECIPIENTS}", "mydestination=$myhostname, localhost"
        )
        hosts.on(HOST, "sh", "-ec", right)
    assert run.code != 0
    assert (
        "2 of 2 declared domains relayed; 1 error, 4 warnings; not checked: SMTP from outside and to the mail hosts "
        "(verify_probe), how long mail may wait (verify_outage)"
    ) in run.said
    assert "remove it from mydestination, or leave it out of relay_domains" in run.said


def test_verify_playbook_holds_each_instance_against_what_is_declared_of_it() -> None:
    """The relay domains are gone from the one that the inventory names, and there in another."""
    other = "/etc/postfix-other"
    script = f"cp -a /etc/postfix {other}\npostconf -c {other} -e relay_domains={mx_faults.SECONDARY}"
    hosts.on(HOST, "sh", "-ec", f"{script}\n{mx_faults.main('relay_domains=')}")
    try:
        run = playbooks.play("verify", playbooks.VERIFY, variables={"secondary_mx_config_directory": other})
    finally:
        hosts.on(HOST, "sh", "-ec", f"rm -r {other}\n" + mx_faults.main("relay_domains=gateway.example, away.example"))
    assert run.code != 0
    assert "0 of 1 declared domain relayed; 1 error" in run.said
    assert f"{other}: 1 of 1 declared domain relayed; 1 error" in run.said
    assert "gateway.example (relay_domains): it is not in relay_domains, so its mail is refused" in run.said
    assert "the service postfix@other is not running" in run.said


def test_verify_playbook_refuses_a_scope_that_there_is_not() -> None:
    run = playbooks.play("verify", playbooks.VERIFY, variables={"verify_fail_on": "local, lokal"})
    assert run.code != 0
    assert "verify_fail_on must be one or more of: local, dns, remote. Got no match for: lokal" in run.said


def test_verify_playbook_says_what_could_not_be_asked() -> None:
    hosts.on(HOST, "sh", "-ec", mx_faults.main("virtual_alias_domains=ldap:/nowhere"))
    try:
        run = playbooks.play("verify", playbooks.VERIFY)
    finally:
        hosts.on(HOST, "sh", "-ec", mx_faults.main(unset="virtual_alias_domains"))
    assert "ldap:/nowhere could not be asked (" in run.said


def test_dns_fails_the_verify_playbook_only_where_that_is_asked_for(lab: Lab) -> None:
    hosts.publish(lab.zone.replace(mx_faults.AWAY_MX + "\n", ""))
    try:
        assert playbooks.play("verify", playbooks.VERIFY).code == 0
        run = playbooks.play("verify", playbooks.VERIFY, variables={"verify_fail_on": "local, dns"})
    finally:
        hosts.publish(lab.zone)
    assert run.code != 0
    assert "add the record away.example. IN MX 100 mx1.lab.example." in run.said
