# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a table of recipients takes, beside what a user would do instead; see docs/speed.md.

In each round every contender does the same on the same host, one after the other, so that what else the machine does
falls on all of them.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from typing import Any

from bench import plot
from lab import hosts, playbooks

HERE = pathlib.Path(__file__).parent
GUIDE = HERE.parents[1] / "docs/speed.md"
PICTURE = HERE.parents[1] / "docs/images/table-speed.svg"
RESULTS = HERE.parents[1] / ".cache/bench/tables.json"
SCENARIO = "both"
HOST = "mx1.lab.example"
DOMAIN = "bench.example"
FIRST, UNCHANGED, CHANGED = "first apply", "no change", "one address changed"
ADDED = "one address added by entry"
OURS, COPY, POSTMAP, LINES = "relay_recipients", "copy + postmap", "postmap alone", "lineinfile"
PATHS = {OURS: "/etc/postfix/bench_ours", COPY: "/etc/postfix/bench_copy", LINES: "/etc/postfix/bench_lines"}
PLAYBOOKS = {
    OURS: HERE / "relay_recipients.yml",
    COPY: HERE / "copy_and_postmap.yml",
    LINES: HERE / "lineinfile.yml",
}
ONE_ADDRESS = {OURS: HERE / "one_recipient.yml", LINES: HERE / "one_line.yml"}
# What others write behind an address.
THEIR_VALUE = "OK"
MEBIBYTE = 1024
# Runs the module's interpreter and notes what the largest of its processes had in memory, in KiB.
MEASURED = """#!/usr/bin/python3
import resource, subprocess, sys
code = subprocess.call(["/usr/bin/python3", *sys.argv[1:]])
with open("/run/bench-memory", "a") as stream:
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=stream)
sys.exit(code)
"""


@dataclasses.dataclass(frozen=True)
class Case:
    """What is measured; `contender` does `operation` to a table of that type and number of rows."""

    rows: int
    type: str
    operation: str
    contender: str


class Lists:
    """The lists of one size on the controller: addresses and table source, before and after one address changed.

    They are in no order, as an export from a directory is.
    """

    def __init__(self, folder: pathlib.Path, rows: int) -> None:
        chance = random.Random(rows)
        letters = "abcdefghijklmnopqrstuvwxyz"
        names = [
            f"{chance.choice(letters)}{number:07d}.surname@dept{number % 20:02d}.{DOMAIN}" for number in range(rows)
        ]
        chance.shuffle(names)
        self.listed = names[0]
        self.folder = folder / str(rows)
        self.folder.mkdir()
        self._write("before", names)
        names[rows // 2] = f"new.{names[rows // 2]}"
        self._write("after", names)

    def _write(self, name: str, names: list[str]) -> None:
        (self.folder / f"{name}.list").write_text("".join(f"{address}\n" for address in names))
        (self.folder / f"{name}.table").write_text("".join(f"{address} x\n" for address in names))

    def variables(self, table_type: str, contender: str, name: str) -> dict[str, str]:
        return {
            "bench_list": str(self.folder / f"{name}.list"),
            "bench_source": str(self.folder / f"{name}.table"),
            "bench_path": PATHS[contender],
            "bench_type": table_type,
        }


def prepare() -> None:
    """Make the host one that relays for the domain, with every type of table, and fit to have its latency measured."""
    hosts.on(
        "mx1",
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-qq",
        "install",
        "--yes",
        "postfix",
        "postfix-lmdb",
        "postfix-cdb",
    )
    hosts.on("mx1", "sh", "-c", "cat > /usr/local/bin/measured-python && chmod 755 $_ /usr/local/bin/*", given=MEASURED)
    subdomains = " ".join(f"dept{number:02d}.{DOMAIN}" for number in range(20))
    hosts.on(
        "mx1",
        "postconf",
        f"relay_domains={subdomains}",
        "in_flow_delay=0",
        "inet_interfaces=all",
        "smtpd_relay_restrictions=permit_mynetworks, reject_unauth_destination",
    )
    hosts.on("mx1", "systemctl", "restart", "postfix")


def ansible(*command: str, python: str = "/usr/bin/python3", variables: Mapping[str, str] | None = None) -> float:
    """Run a command of Ansible with these environment variables; return its seconds, stop with what it said where it
    fails."""
    environment = {**os.environ, **playbooks.SETTINGS, "ANSIBLE_PYTHON_INTERPRETER": python, **(variables or {})}
    began = time.monotonic()
    done = subprocess.run(
        [command[0], *playbooks.inventories(SCENARIO), *command[1:]],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    seconds = time.monotonic() - began
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return seconds


def play(lists: Lists, table_type: str, contender: str, name: str, **options: Any) -> float:
    variables = json.dumps(lists.variables(table_type, contender, name))
    return ansible("ansible-playbook", str(PLAYBOOKS[contender]), "--extra-vars", variables, **options)


def forget(contender: str) -> None:
    """Remove the contender's table."""
    name = PATHS[contender].rpartition("/")[2]
    hosts.on("mx1", "sh", "-c", f"rm -f /etc/postfix/{name}* /etc/postfix/.{name}*")


def rounds(
    lists: Lists, table_type: str, contender: str, python: str = "/usr/bin/python3"
) -> Iterator[tuple[str, float]]:
    """Do all three operations once; give each with its seconds."""
    forget(contender)
    yield FIRST, play(lists, table_type, contender, "before", python=python)
    yield UNCHANGED, play(lists, table_type, contender, "before", python=python)
    yield CHANGED, play(lists, table_type, contender, "after", python=python)


def add_one(table_type: str, contender: str, **options: Any) -> float:
    """Add one address to the contender's table; return the seconds."""
    address = f"one.more@dept00.{DOMAIN}"
    variables = {"bench_path": PATHS[contender], "bench_type": table_type, "bench_address": address}
    return ansible("ansible-playbook", str(ONE_ADDRESS[contender]), "--extra-vars", json.dumps(variables), **options)


def added(lists: Lists, table_type: str, contender: str) -> float:
    """Add one address to a table that others wrote; return the seconds."""
    forget(contender)
    path = PATHS[contender]
    source = (lists.folder / "before.table").read_text().replace(" x\n", f" {THEIR_VALUE}\n")
    hosts.on("mx1", "sh", "-c", f"cat > {path} && chown root:postfix {path}", given=source)
    hosts.on("mx1", "postmap", f"{table_type}:{path}")
    return add_one(table_type, contender)


def sent(lists: Lists, table_type: str) -> dict[str, int]:
    """How many bytes go to the host for one changed address, and for the module alone, which is sent twice for that;
    and how long the list is."""
    forget(OURS)
    play(lists, table_type, OURS, "before")
    engine = str(shutil.which(os.environ["MXRELAY_LAB_ENGINE"]))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / pathlib.Path(engine).name).symlink_to(HERE / "counting.py")

        def counting(what: str) -> dict[str, str]:
            path = f"{folder}{os.pathsep}{os.environ['PATH']}"
            return {"PATH": path, "BENCH_ENGINE": engine, "BENCH_BYTES": str(folder / what)}

        play(lists, table_type, OURS, "after", variables=counting("changed"))
        add_one(table_type, OURS, variables=counting("module"))
        counts = {what: sum(map(int, (folder / what).read_text().split())) for what in ("changed", "module")}
    return {**counts, "list": (lists.folder / "after.list").stat().st_size}


def bare(table_type: str) -> float:
    """The seconds that postmap alone takes to build the index of the contender copy's source."""
    work = (
        "import subprocess, sys, time; began = time.monotonic(); subprocess.run(sys.argv[1:], check=True); "
        "print(time.monotonic() - began)"
    )
    return float(hosts.on("mx1", "python3", "-c", work, "postmap", f"{table_type}:{PATHS[COPY]}"))


def memory(lists: Lists, table_type: str) -> dict[str, float]:
    """The most memory, in MiB, that a process of our module has for each operation."""
    found = {}
    for operation, _seconds in rounds(lists, table_type, OURS, "/usr/local/bin/measured-python"):
        kibibytes = hosts.on("mx1", "sh", "-c", "cat /run/bench-memory; rm /run/bench-memory").split()
        found[operation] = max(map(int, kibibytes)) / MEBIBYTE
    return found


def latency(lists: Lists, table_type: str, contender: str) -> dict[str, Any]:
    """What a client sees while the table that Postfix looks into is replaced by one with an address more or less."""
    play(lists, table_type, contender, "before")
    hosts.on("mx1", "postconf", f"relay_recipient_maps={table_type}:{PATHS[contender]}")
    hosts.on("mx1", "postfix", "reload")
    # Postfix reads main.cf again and again while it is two seconds old.
    hosts.wait_for(lambda: hosts.on("mx1", "sh", "-c", "find /etc/postfix/main.cf -not -newermt '-3 seconds'"), 10)
    command = [
        os.environ["MXRELAY_LAB_ENGINE"],
        "exec",
        "--interactive",
        hosts.container("tester"),
        "python3",
        "-c",
        (HERE / "prober.py").read_text(),
        HOST,
        lists.listed,
        f"nobody@dept00.{DOMAIN}",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as prober:
        play(lists, table_type, contender, "after")
        told, _nothing = prober.communicate()
    return dict(json.loads(told))


def measure(options: argparse.Namespace, folder: pathlib.Path) -> dict[str, Any]:
    """All figures: lists of seconds by case, memory and latency at the largest size, the floor."""
    seconds: dict[Case, list[float]] = {}
    floor: list[float] = []
    all_lists = {rows: Lists(folder, rows) for rows in options.rows}
    for rows, lists in all_lists.items():
        for table_type in options.types:
            for _round in range(options.rounds):
                floor.append(ansible("ansible", HOST, "-m", "ansible.builtin.ping"))
                for contender in (OURS, COPY):
                    for operation, took in rounds(lists, table_type, contender):
                        seconds.setdefault(Case(rows, table_type, operation, contender), []).append(took)
                seconds.setdefault(Case(rows, table_type, FIRST, POSTMAP), []).append(bare(table_type))
                for contender in ONE_ADDRESS:
                    case = Case(rows, table_type, ADDED, contender)
                    seconds.setdefault(case, []).append(added(lists, table_type, contender))
            say(f"{rows} rows, {table_type}: measured")
    largest = all_lists[max(options.rows)]
    if options.lines:
        few = Lists(folder, options.lines)
        first = options.types[0]
        forget(LINES)
        seconds[Case(options.lines, first, FIRST, LINES)] = [play(few, first, LINES, "before")]
        say(f"{options.lines} entries line by line: measured")
    return {
        "rounds": options.rounds,
        "floor": floor,
        "seconds": [{**dataclasses.asdict(case), "seconds": took} for case, took in seconds.items()],
        "sent": sent(largest, options.types[0]),
        "memory": {table_type: memory(largest, table_type) for table_type in options.types},
        "latency": {
            table_type: {contender: latency(largest, table_type, contender) for contender in (OURS, COPY)}
            for table_type in options.types
        },
    }


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Figures:
    """The results, asked for by case."""

    def __init__(self, results: dict[str, Any]) -> None:
        self.results = results
        self._medians = {
            Case(run["rows"], run["type"], run["operation"], run["contender"]): statistics.median(run["seconds"])
            for run in results["seconds"]
        }
        self.floor = statistics.median(results["floor"])
        self.cases = [case for case in self._medians if case.contender == OURS and self.has(case, COPY)]
        self.sizes = sorted({case.rows for case in self.cases})
        self.types = list(dict.fromkeys(case.type for case in self.cases))

    def has(self, case: Case, contender: str) -> bool:
        return dataclasses.replace(case, contender=contender) in self._medians

    def of(self, case: Case, contender: str = "") -> float:
        return self._medians[dataclasses.replace(case, contender=contender or case.contender)]

    def ratio(self, case: Case) -> float:
        """Our time in multiples of that of copy and postmap."""
        return self.of(case) / self.of(case, COPY)

    def lines(self) -> tuple[int, float, float] | None:
        """How many entries were written line by line, and the seconds of each, and of the rest of such a run."""
        found = [case for case in self._medians if (case.contender, case.operation) == (LINES, FIRST)]
        if not found:
            return None
        return found[0].rows, (self._medians[found[0]] - self.floor) / found[0].rows, self.floor


def table(figures: Figures) -> Iterator[str]:
    yield "| rows | type | operation | relay_recipients, s | copy + postmap, s | ratio | postmap alone, s |"
    yield "|---:|---|---|---:|---:|---:|---:|"
    for case in figures.cases:
        alone = f"{figures.of(case, POSTMAP):.2f}" if figures.has(case, POSTMAP) else ""
        yield (
            f"| {case.rows:,} | {case.type} | {case.operation} | {figures.of(case):.2f} | "
            f"{figures.of(case, COPY):.2f} | {figures.ratio(case):.2f} | {alone} |"
        )


def aims(figures: Figures) -> Iterator[tuple[str, str, bool]]:
    """Each aim, what was seen, and whether it was reached."""
    largest = figures.sizes[-1]
    at_largest = [case for case in figures.cases if case.rows == largest]
    for operation, most in ((UNCHANGED, 1.25), (FIRST, 1.0), (CHANGED, 0.5)):
        seen = {case.type: figures.ratio(case) for case in at_largest if case.operation == operation}
        told = ", ".join(f"{table_type} {ratio:.2f}" for table_type, ratio in seen.items())
        # postmap changes no cdb index.
        most_of = {"cdb": 1.0} if operation == CHANGED else {}
        met = all(ratio <= most_of.get(table_type, most) for table_type, ratio in seen.items())
        but = ", cdb 1" if most_of else ""
        yield f"{operation}, {largest:,} rows: at most {most:g} times copy + postmap{but}", told, met
    by_entry = {
        table_type: figures.of(Case(largest, table_type, ADDED, OURS))
        / figures.of(Case(largest, table_type, ADDED, LINES))
        for table_type in figures.types
    }
    told = ", ".join(f"{table_type} {ratio:.2f}" for table_type, ratio in by_entry.items())
    met = max(by_entry.values()) <= 0.5
    yield f"{ADDED}, {largest:,} rows of others: at most 0.5 times lineinfile + postmap", told, met
    count = figures.results["sent"]
    of_list = count["changed"] - 2 * count["module"]
    module = f"twice the module, {count['module'] / 1000:.0f} kB"
    told = f"{of_list / count['list']:.2%} ({of_list / 1000:.0f} kB, and {module})"
    yield f"bytes sent for {CHANGED}, {largest:,} rows: at most 1% of the list", told, of_list <= count["list"] / 100
    lines = figures.lines()
    if lines and 1000 in figures.sizes:
        number, each, rest = lines
        ours = figures.of(Case(1000, figures.types[0], FIRST, OURS))
        times = (1000 * each + rest) / ours
        told = f"{times:.0f} times ({1000 * each + rest:.0f} s, from {number} entries, against {ours:.2f} s)"
        yield "1,000 recipients: at least 200 times faster than lineinfile", told, times >= 200
    most_memory = max(value for by_contender in figures.results["memory"].values() for value in by_contender.values())
    yield f"memory of the module at {largest:,} rows: at most 350 MiB", f"{most_memory:.0f} MiB", most_memory <= 350
    if len(figures.sizes) > 1:
        smaller = figures.sizes[-2]
        growth = max(figures.of(case) / figures.of(dataclasses.replace(case, rows=smaller)) for case in at_largest)
        told = f"{growth:.1f} times the time for {largest / smaller:g} times the rows"
        yield "time grows no faster than the rows", told, growth <= largest / smaller
    probes = {name: by_contender[OURS] for name, by_contender in figures.results["latency"].items()}
    slowest = max(seen["slowest"] for seen in probes.values())
    wrong = sum(len(seen["wrong"]) for seen in probes.values())
    told = f"{slowest:.2f} s, {wrong} of {sum(seen['asked'] for seen in probes.values())} refused"
    yield f"RCPT while {largest:,} rows are replaced: none over 0.2 s, none refused", told, slowest <= 0.2 and not wrong


def report(figures: Figures) -> str:
    """The figures as Markdown."""
    lines = [*table(figures), ""]
    number = figures.results["rounds"]
    lines += [f"`ansible -m ping` of the same moments: {figures.floor:.2f} s. Medians of {number}.", ""]
    lines += ["| rows | type | operation | relay_recipients, s | lineinfile + postmap, s | ratio |"]
    lines += ["|---:|---|---|---:|---:|---:|"]
    lines += [
        f"| {rows:,} | {table_type} | {ADDED} | {figures.of(case):.2f} | {figures.of(case, LINES):.2f} | "
        f"{figures.of(case) / figures.of(case, LINES):.2f} |"
        for rows in figures.sizes
        for table_type in figures.types
        for case in [Case(rows, table_type, ADDED, OURS)]
    ]
    lines += ["", "| aim | seen | |", "|---|---|---|"]
    lines += [f"| {aim} | {seen} | {'reached' if reached else '**missed**'} |" for aim, seen, reached in aims(figures)]
    lines += ["", "| type | memory, MiB: first / no change / one changed | slowest RCPT, s | with copy + postmap, s |"]
    lines += ["|---|---|---:|---:|"]
    for table_type in figures.types:
        used = figures.results["memory"][table_type]
        told = " / ".join(f"{used[operation]:.0f}" for operation in (FIRST, UNCHANGED, CHANGED))
        probed = figures.results["latency"][table_type]
        lines.append(f"| {table_type} | {told} | {probed[OURS]['slowest']:.3f} | {probed[COPY]['slowest']:.3f} |")
    return "\n".join(lines) + "\n"


def picture(figures: Figures) -> str:
    """A panel for each operation: seconds by rows, for every type and both contenders."""
    panels = []
    for operation in (FIRST, UNCHANGED, CHANGED):
        curves = [
            plot.Curve(
                f"{contender}, {table_type}",
                [(rows, figures.of(Case(rows, table_type, operation, contender))) for rows in figures.sizes],
                colour=number,
                dashed=contender == COPY,
            )
            for number, table_type in enumerate(figures.types)
            for contender in (OURS, COPY)
        ]
        panels.append(plot.Panel(operation, curves))
    return plot.svg(panels, "rows", "seconds", floor=("ansible -m ping", figures.floor))


def publish(markdown: str, drawing: str) -> None:
    """Put the figures into the guide."""
    start, end = "<!-- figures -->\n", "<!-- end of figures -->"
    before, _start, rest = GUIDE.read_text().partition(start)
    shown = f"![Seconds by rows: relay_recipients beside copy and postmap](images/{PICTURE.name})"
    GUIDE.write_text(f"{before}{start}\n{markdown}\n{shown}\n\n{end}{rest.partition(end)[2]}")
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(drawing)


def numbers(text: str) -> list[int]:
    return sorted(int(number) for number in text.split(","))


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench tables", description="Measure tables of recipients.")
    parser.add_argument("--rows", type=numbers, default=[1000, 100_000, 1_000_000], metavar="N,N")
    parser.add_argument("--types", type=lambda text: text.split(","), default=["hash", "lmdb", "cdb"], metavar="T,T")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=int, default=40, help="entries written line by line; 0: none")
    parser.add_argument("--publish", action="store_true", help="put the figures into docs/speed.md")
    parser.add_argument("--again", action="store_true", help="report the figures of the last run")
    options = parser.parse_args()
    if not options.again:
        prepare()
        with tempfile.TemporaryDirectory() as folder:
            results = measure(options, pathlib.Path(folder))
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps(results, indent=1))
    figures = Figures(json.loads(RESULTS.read_text()))
    markdown = report(figures)
    print(markdown)
    if options.publish:
        publish(markdown, picture(figures))


if __name__ == "__main__":
    main()
