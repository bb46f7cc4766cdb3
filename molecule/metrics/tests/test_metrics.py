# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real node_exporter and a real Prometheus read what an MX host writes, and each alert fires and resolves."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from lab import faults, hosts, playbooks, prometheus

MX = "mx1.lab.example"
MAIL = "mail.lab.example"
METRICS = "mxrelay.postfix.mx_metrics"
IVAN = "ivan@away.example"
UNIT = "mxrelay-metrics"
PROGRAM = f"/etc/postfix/{UNIT}.pyz"
DIRECTORY = "/var/lib/prometheus/node-exporter"
FILE = f"{DIRECTORY}/mxrelay.prom"
SPOOL = "/var/spool/postfix"
# The limits of the rules that would take hours to reach, as they are for the lab.
QUICK = {"for: 5m": "for: 0s", "for: 10m": "for: 0s", "age_seconds > 3600": "age_seconds > 1", "> 1200": "> 40"}
PAGE = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9100/metrics').read().decode())"
SECONDS_TO_FIRE = 180
MANY = 10000
SECONDS_TO_RESOLVE = 300
FOLLOWED = "/etc/postfix/.relay_recipients.sources"
SAVE, RESTORE = (f"cp -p {way}" for way in ("/etc/postfix/main.cf /root/", "/root/main.cf /etc/postfix/"))
BROKEN = {
    "MxrelayFirstBounceNear": (f"{SAVE}; postconf maximal_queue_lifetime=1h", RESTORE),
    "MxrelayMailWaiting": ("true", "true"),
    "MxrelayIndexStale": (
        "cp -p /etc/postfix/relay_recipients /root/; echo 'more@away.example x' >> /etc/postfix/relay_recipients",
        "cp -p /root/relay_recipients /etc/postfix/relay_recipients",
    ),
    "MxrelayListOld": (
        f"cp -p {FOLLOWED} /root/sources; sed -i 's/\"20[0-9][0-9]-/\"2020-/' {FOLLOWED}",
        f"cp -p /root/sources {FOLLOWED}",
    ),
    "MxrelayQueueDiskNearlyFull": (f"mount -o remount,size=200m {SPOOL}", f"mount -o remount,size=2g {SPOOL}"),
    "MxrelayVerifyFailed": ("postconf mynetworks=0.0.0.0/0", RESTORE),
}
LATER = {
    "MxrelayCollectFailed": (f"{SAVE}; postconf inet_protocols=none", RESTORE),
    "MxrelayMetricsOld": (f"systemctl stop {UNIT}.timer", f"systemctl start {UNIT}.timer"),
}


# Runs the program, and then prints the addresses that it has asked for an answer.
ASKED = """
import atexit, runpy, sys
asked = set()
def hook(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        asked.add(arguments[-1] if isinstance(arguments[-1], str) else str(arguments[-1][0]))
    elif event == "socket.getaddrinfo":
        asked.add(str(arguments[0]))
sys.addaudithook(hook)
atexit.register(lambda: print("\\n".join(sorted(asked))))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def rules() -> str:
    """The rules as they are in the collection, with limits that a test can wait for."""
    text = prometheus.RULES.read_text(encoding="utf-8")
    for limit, quick in QUICK.items():
        assert limit in text
        text = text.replace(limit, quick)
    return text


def do(*scripts: str) -> None:
    hosts.on(MX, "sh", "-ec", "\n".join([*scripts, "postfix reload 2> /dev/null || true"]))


def collect() -> None:
    hosts.on(MX, "systemctl", "start", f"{UNIT}.service")


@pytest.fixture(scope="module", autouse=True)
def _started() -> Iterator[None]:
    """A queue whose disk can be made small, and a Prometheus."""
    hosts.on(
        MX,
        "sh",
        "-ec",
        f"systemctl stop postfix; cp -a {SPOOL} /root/spool; mount -t tmpfs -o size=2g,mode=755 tmpfs {SPOOL}\n"
        f"cp -a /root/spool/. {SPOOL}/; systemctl start postfix",
    )
    with prometheus.started(rules(), MX):
        collect()
        yield


@dataclasses.dataclass(frozen=True)
class Outage:
    """The alerts that fired while all was broken, and those that did not after it; what was told meanwhile.

    The panels of the dashboard are those of while all was broken, and those of after it.
    """

    fired: set[str]
    resolved: set[str]
    text: str
    journal: str
    code: int
    line: str
    panels: Mapping[str, prometheus.Panel]
    panels_after: Mapping[str, prometheus.Panel]


@pytest.fixture(scope="module", name="outage")
def _outage() -> Outage:
    """Break all at once, with mail that waits, and mend it."""
    with faults.down(MAIL):
        do(*(script for script, _mend in BROKEN.values()))
        unique, message = hosts.new_message()
        hosts.talk(IVAN, server=MX, message=message)
        hosts.wait_for(lambda: [entry for entry in hosts.queued(MX) if entry["queue_name"] == "deferred"], 30)
        broken = fired(set(BROKEN))
        panels = prometheus.panels()
        line = hosts.testinfra_host(MX).run(f"{PROGRAM} check")
        told = text(), hosts.on(MX, "journalctl", "--unit", f"{UNIT}.service", "--output=cat")
    do(*(mend for _script, mend in BROKEN.values()))
    hosts.wait_for(lambda: hosts.flushed(MX, unique, IVAN), SECONDS_TO_RESOLVE)
    over = resolved(set(BROKEN))
    return Outage(broken, over, *told, line.rc, line.stdout, panels, prometheus.panels())


def fired(names: set[str]) -> set[str]:
    """Those of the alerts that fire after a while; the host is looked at anew meanwhile, unless they are about that."""
    found: set[str] = set()

    def look() -> bool:
        if "MxrelayMetricsOld" not in names:
            collect()
        found.update(prometheus.firing() & names)
        return names <= found

    hosts.wait_for(look, SECONDS_TO_FIRE)
    return found


def resolved(names: set[str]) -> set[str]:
    """Those of the alerts that fire no longer after a while: in two looks in a row in which the host could be read."""
    looks: list[set[str]] = [set(), set()]

    def look() -> bool:
        collect()
        looks.append(names - prometheus.firing() if prometheus.value("up") == 1 else set())
        return looks[-1] & looks[-2] == names

    hosts.wait_for(look, SECONDS_TO_RESOLVE)
    return looks[-1] & looks[-2]


def text() -> str:
    return hosts.on(MX, "cat", FILE)


def test_node_exporter_reads_the_file() -> None:
    page = hosts.on(MX, "python3", "-c", PAGE)
    assert "node_textfile_scrape_error 0\n" in page
    written = {line.split(" ")[2] for line in text().splitlines() if line.startswith("# TYPE ")}
    read = {line.split(" ")[2] for line in page.splitlines() if line.startswith("# TYPE mxrelay_")}
    assert read == written


def test_promtool_has_nothing_to_say() -> None:
    assert prometheus.promtool("check", "metrics", given=text()) == ""
    assert "SUCCESS: 8 rules found" in prometheus.promtool("check", "rules", f"{prometheus.FOLDER}/rules.yml")


def test_limits_are_those_of_the_collection() -> None:
    prometheus.put("shipped.yml", prometheus.RULES.read_text(encoding="utf-8"))
    prometheus.put("test.yml", prometheus.LIMITS.read_text(encoding="utf-8"))
    assert "SUCCESS" in prometheus.promtool("test", "rules", f"{prometheus.FOLDER}/test.yml")


@pytest.mark.parametrize("alert", BROKEN)
def test_alert_fires_and_resolves(outage: Outage, alert: str) -> None:
    assert (alert in outage.fired, alert in outage.resolved) == (True, True)


def test_dashboard_shows_the_outage_in_every_panel(outage: Outage) -> None:
    assert [title for title, panel in outage.panels.items() if not panel.samples] == []
    missing = {
        (title, label)
        for title, panel in outage.panels.items()
        for sample in panel.samples
        for label in panel.labels - set(sample["metric"])
    }
    assert missing == set()
    values = {title: outage.panels[title].value() for title in ("Messages waiting", "Stale indexes", "Not collected")}
    assert values == {"Messages waiting": 1, "Stale indexes": 1, "Not collected": 0}


def test_dashboard_shows_no_bounce_where_no_mail_waits(outage: Outage) -> None:
    after = {title: panel.value() for title, panel in outage.panels_after.items()}
    assert (after["Messages waiting"], after["Stale indexes"]) == (0, 0)
    assert (after["First bounce in"], after["Oldest message"]) == (None, None)


@pytest.mark.long
@pytest.mark.parametrize("alert", LATER)
def test_alert_about_the_metrics_fires_and_resolves(alert: str) -> None:
    script, mend = LATER[alert]
    do(script)
    found = fired({alert})
    do(mend)
    assert (found, resolved({alert})) == ({alert}, {alert})


def test_every_alert_is_seen() -> None:
    assert set(re.findall(r"- alert: (\w+)", prometheus.RULES.read_text(encoding="utf-8"))) == {*BROKEN, *LATER}


def test_no_address_is_written_anywhere(outage: Outage) -> None:
    assert 'mxrelay_queue_messages{domain="away.example"} 1\n' in outage.text
    assert 'mxrelay_queue_deferred_recipients{domain="away.example",cause="connection"} 1\n' in outage.text
    assert [told for told in (outage.text, outage.journal, outage.line) if "@" in told] == []


@pytest.mark.parametrize("dns", [False, True])
def test_nobody_else_is_asked_unless_wanted(dns: bool) -> None:
    change = f"import json; told = json.load(open('/etc/postfix/{UNIT}.json')); told['dns'] = {dns}"
    hosts.on(MX, "python3", "-c", f"{change}; json.dump(told, open('/root/asks.json', 'w'))")
    told = hosts.on(MX, "python3", "-c", ASKED, PROGRAM, "print", "/root/asks.json").split("# EOF\n")
    asked = set(told[1].splitlines())
    assert "127.0.0.1" in asked
    assert bool(asked - {"127.0.0.1"}) is dns


def test_service_that_can_write_nowhere_sees_whether_postfix_runs() -> None:
    def found() -> bool:
        collect()
        return 'mxrelay_findings{check="service",severity="error"} 1\n' in text()

    assert not found()
    hosts.on(MX, "systemctl", "stop", "postfix")
    try:
        assert hosts.wait_for(found, SECONDS_TO_FIRE)
    finally:
        hosts.on(MX, "systemctl", "start", "postfix")
    assert hosts.wait_for(lambda: not found(), SECONDS_TO_RESOLVE)


def test_full_disk_leaves_the_old_file() -> None:
    hosts.on(MX, "mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", DIRECTORY)
    try:
        collect()
        before = text()
        hosts.on(MX, "sh", "-c", f"dd if=/dev/zero of={DIRECTORY}/full bs=4k 2> /dev/null || true")
        with pytest.raises(RuntimeError, match="Job for mxrelay-metrics.service failed"):
            collect()
        assert text() == before
        assert hosts.on(MX, "ls", "-A", DIRECTORY).split() == ["full", "mxrelay.prom"]
        assert "make room on its file system; the old file stays" in hosts.on(MX, "journalctl", "-u", f"{UNIT}.service")
    finally:
        hosts.on(MX, "umount", DIRECTORY)


def test_program_is_a_plugin_for_monitoring(outage: Outage) -> None:
    assert outage.code == 2
    assert outage.line.startswith("MXRELAY CRITICAL - the first message bounces in ")
    assert "1 message waiting | waiting=1;;;0 " in outage.line
    found = hosts.testinfra_host(MX).run(f"{PROGRAM} check")
    assert (found.rc in (0, 1), found.stderr) == (True, "")
    assert re.fullmatch(r"MXRELAY (OK|WARNING) - .*0 messages waiting \| waiting=0;;;0 .*\n", found.stdout)


@pytest.mark.long
@pytest.mark.parametrize("labelled", [1000, MANY])
def test_many_domains_are_within_the_limits_of_a_scrape(labelled: int) -> None:
    rows = "".join(f"d{number}.example x\n" for number in range(MANY))
    people = "".join(f"someone@d{number}.example x\n" for number in range(MANY))
    hosts.on(MX, "sh", "-ec", "cat > /etc/postfix/many; postmap hash:/etc/postfix/many", given=rows)
    hosts.on(MX, "sh", "-ec", "cat > /etc/postfix/people; postmap hash:/etc/postfix/people", given=people)
    configuration = f"/etc/postfix/{UNIT}.json"
    do(
        SAVE,
        f'cp -p {configuration} /root/; sed -i \'s/"domains": 1000/"domains": {labelled}/\' {configuration}',
        'postconf "relay_domains=$(postconf -h relay_domains) hash:/etc/postfix/many"',
        'postconf "relay_recipient_maps=$(postconf -h relay_recipient_maps) hash:/etc/postfix/people"',
    )
    try:
        collect()
        assert "mxrelay_relay_domains 10002\n" in text()
        assert 'mxrelay_collect_success{part="verify"} 1\n' in text()
        series = len(re.findall(r"^mxrelay_queue_messages\{", text(), re.MULTILINE))
        assert series == min(labelled, MANY + 2) + 1
        # The default of scrape_timeout.
        prometheus.configure("10s", MX)
        assert hosts.wait_for(lambda: prometheus.value("mxrelay_relay_domains") == MANY + 2, SECONDS_TO_FIRE)
        assert prometheus.value("up") == 1
    finally:
        prometheus.configure("1s", MX)
        do(RESTORE, f"cp -p /root/{UNIT}.json {configuration}; rm /etc/postfix/many* /etc/postfix/people*")
        collect()


def test_report_writes_the_same_at_the_controller(tmp_path: Path) -> None:
    path = tmp_path / "mx.prom"
    files = {"report_path": str(tmp_path / "mx.html"), "report_metrics": str(path)}
    assert playbooks.play("metrics", "mxrelay.postfix.report", variables=files).code == 0
    written = path.read_text(encoding="utf-8")
    assert f'mxrelay_queue_messages{{host="{MX}",domain="away.example"}} 0\n' in written
    assert prometheus.promtool("check", "metrics", given=written) == ""
    names = [{line for line in told.splitlines() if line.startswith("# TYPE")} for told in (written, text())]
    assert names[1] - names[0] == {"# TYPE mxrelay_collect_duration_seconds gauge"}


def test_nothing_is_left_of_metrics_that_are_absent() -> None:
    assert playbooks.play("metrics", METRICS, variables={"mx_metrics_state": "absent"}).changed[MX] == 1
    assert hosts.on(MX, "sh", "-c", f"ls -A {DIRECTORY} /etc/postfix /etc/systemd/system | grep {UNIT} || true") == ""
    assert hosts.on(MX, "ls", "-A", DIRECTORY) == ""
    assert hosts.on(MX, "systemctl", "list-units", "--all", f"{UNIT}*", "--no-legend") == ""
    assert playbooks.play("metrics", METRICS).changed[MX] == 1
    assert "# EOF\n" in text()
