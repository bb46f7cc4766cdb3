# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated files, hostile ones among them: what our model says they mean is what the real postmap reads."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.pattern_table import (
    PATTERN_TYPES,
    PatternTable,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.table import (
    Table,
    decode,
    fold,
    is_text,
    split_lines,
)
from faults import host
from faults.conftest import Extent
from lab import hosts
from unit.plugins.module_utils.hostile_tables import (
    lists_in_order,
    pattern_sources,
    sources,
    valid_keys,
    wanted_entries,
)

FILES = 2_000
CHANGES = 60
CHANGES_WHEN_LONG = 2_000
AT_ONCE = 250
UPDATES = 1_000
UPDATES_WHEN_SHORT = 30
UPDATED_ROWS = 5_000
AT_A_TIME = 5
# A row that stays, and one for a generated first line that continues the one before it.
STAYS = "stays@kept.example"
BEFORE = f"{STAYS} x\nfence@kept.example x\n".encode()
COMES = "comes@new.example"
CONFIGURATIONS = {True: "/etc/postfix-utf8", False: "/etc/postfix-ascii"}
MOST_TO_TELL = 5


def examples(strategy: SearchStrategy[Any], number: int, start: int) -> list[Any]:
    """Return that many examples; the same start gives the same ones."""
    found: list[Any] = []

    @seed(start)
    @settings(max_examples=number * 2, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def collect(example: Any) -> None:
        found.append(example)

    collect()
    unique = list({repr(example): example for example in found}.values())
    assert len(unique) >= number
    return unique[:number]


def on_host(files: list[bytes], what: str, orders: list[Any]) -> list[Any]:
    """Have something done with each of many files on the host; see dumper.py."""
    found: list[Any] = []
    for start in range(0, len(files), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        order = {"files": [content.decode("latin-1") for content in files[part]], what: orders[part]}
        found += json.loads(hosts.on(host.NAME, "python3", "/srv/faults/dumper.py", given=json.dumps(order)))
    return found


def rows(mapping: Mapping[str, str]) -> list[str]:
    return sorted(f"{key}\t{value}" for key, value in mapping.items())


def rows_told(told: str) -> list[str]:
    return sorted(decode(told.encode("latin-1")).split("\n")[:-1])


def shortest(wrong: list[Any]) -> tuple[int, list[Any]]:
    """How many cases went wrong, and a few of them that are easy to read."""
    return len(wrong), sorted(wrong, key=lambda case: len(case[0]))[:MOST_TO_TELL]


# What lasts longer is made first: the ports come with the agent, and the configurations are copies of the host's own.
on_a_prepared_host = pytest.mark.usefixtures("ports", "configurations")


@pytest.fixture(scope="module")
def configurations() -> None:
    """Instances that don't run, one that folds with UTF-8 and one that folds as Postfix did before."""
    for utf8, directory in CONFIGURATIONS.items():
        host.sh(
            f"cp -r /etc/postfix/. {directory} && postconf -c {directory} -e smtputf8_enable={'yes' if utf8 else 'no'}"
            f" queue_directory={directory} data_directory={directory} && touch -d 2020-01-01 {directory}/main.cf"
        )
    host.sh("cat > /srv/faults/dumper.py", given=(host.HERE / "dumper.py").read_text())


@on_a_prepared_host
def test_model_reads_what_postmap_reads(extent: Extent, start: int) -> None:
    """With and without UTF-8, and as each type; in the short form each file as one of the types."""
    files = examples(sources, FILES, start)
    kinds = list(host.SUFFIXES)
    reads = [
        (
            [(kind, utf8) for kind in kinds for utf8 in (True, False)]
            if extent.thorough
            else [(kinds[number % len(kinds)], number // len(kinds) % 2 == 0)]
        )
        for number in range(len(files))
    ]
    wrong, silent = [], []
    total = 0
    orders = [[(kind, CONFIGURATIONS[utf8]) for kind, utf8 in asked] for asked in reads]
    for source, asked, told in zip(files, reads, on_host(files, "reads", orders), strict=True):
        table = Table.parse(source)
        for (kind, utf8), (code, out, said) in zip(asked, told, strict=True):
            expected = rows(table.mapping(utf8))
            total += len(expected)
            if code != 0 or rows_told(out) != expected:
                wrong.append((source, kind, utf8, code, out, expected, said))
            if noticed(said, source) and not table.warnings:
                silent.append((source, kind, utf8, said))
    print(f"\n{len(files)} files, {sum(map(len, reads))} tables, {total} rows")
    assert shortest(wrong) == (0, [])
    assert shortest(silent) == (0, [])


def noticed(said: str, source: bytes) -> bool:
    """Whether postmap warned of something that it drops.

    Of equal keys it chooses one, `key:` it takes as it stands, and nothing is lost after a NUL in a comment.
    """
    harmless = ["duplicate entry", "is this an alias file"]
    if not any(b"\0" in line and is_text(line) for line in split_lines(source)):
        harmless.append("after null byte")
    return any("warning" in line and not any(words in line for words in harmless) for line in said.splitlines())


@on_a_prepared_host
@pytest.mark.parametrize("way", ["as usual", "in a copy", "in order"])
def test_change_gives_what_is_wanted(way: str, extent: Extent, start: int) -> None:
    """Plan and apply with the real postmap, from hostile files: the wanted entries, the foreign ones, nothing else.

    Or from such as a list was written to, of which the next list, in the same order, changes some lines.
    """
    number = CHANGES_WHEN_LONG if extent.thorough else CHANGES
    kinds = list(host.SUFFIXES)
    hostile = st.tuples(sources, wanted_entries, st.sets(valid_keys, max_size=3), st.booleans())
    cases = examples(lists_in_order if way == "in order" else hostile, number, start)
    if way == "in a copy":
        # An index is changed in a copy if some row changes and some other row stays: so it is in each of these.
        cases = [(BEFORE + source, {**wanted, STAYS: "x", COMES: "x"}, *others) for source, wanted, *others in cases]
    orders = [
        {
            "kind": kinds[place % len(kinds)],
            "configuration": CONFIGURATIONS[utf8_of(place, len(kinds))],
            "utf8": utf8_of(place, len(kinds)),
            "set": wanted,
            "remove": sorted(unwanted),
            "purge": purge,
            "copied": way != "as usual",
        }
        for place, (_source, wanted, unwanted, purge) in enumerate(cases)
    ]
    wrong = []
    copies = compared = 0
    for place, told in enumerate(on_host([case[0] for case in cases], "changes", orders)):
        copies += told["copies"]
        compared += told["compared"]
        source, wanted, unwanted, purge = cases[place]
        utf8 = utf8_of(place, len(kinds))
        before = Table.parse(source).mapping(utf8)
        gone = set(before) if purge else {fold(key, utf8) for key in unwanted}
        expected = {key: value for key, value in before.items() if key not in gone}
        expected.update({fold(key, utf8): value for key, value in wanted.items()})
        right = (rows_told(told["rows"]), told["changed"][1]) == (rows(expected), False)
        if not right or any(name.startswith(".mxrelay-") for name in told["files"]):
            wrong.append((source, orders[place], told, expected))
    print(f"\n{copies} of {number} in a copy, {compared} by comparing texts")
    assert shortest(wrong) == (0, [])
    assert way != "in a copy" or copies > number // 2
    assert way != "in order" or compared > number // 2


@on_a_prepared_host
@pytest.mark.types(host.CHANGEABLE, host.CHANGEABLE)
def test_many_updates_in_a_row_equal_a_build(kind: str, extent: Extent, chance: random.Random) -> None:
    """Five addresses come and five go each time, in copies of copies, of which no index is built in between.

    Where all rows were replaced by and by, the pages of a tree are half full, so it has twice its size.
    """
    number = UPDATES if extent.thorough else UPDATES_WHEN_SHORT
    listed = [host.address(place) for place in range(UPDATED_ROWS)]
    rounds = []
    source = "".join(f"{key} x\n" for key in listed).encode()
    for place in range(number):
        chance.shuffle(listed)
        new = [host.address(UPDATED_ROWS + place * AT_A_TIME + more) for more in range(AT_A_TIME)]
        rounds.append((new, listed[:AT_A_TIME]))
        listed = listed[AT_A_TIME:] + new
    (told,) = on_host([source], "updates", [{"kind": kind, "rounds": rounds, "most": number}])
    print(f"\n{kind}: {told['copies']} copies, index of {told['sizes'][0]} bytes, {told['sizes'][1]} if built")
    assert [rows_told(dumped) for dumped in told["rows"]] == [rows(dict.fromkeys(listed, "x"))] * 2
    assert told["copies"] == number
    assert told["sizes"][0] < 3 * told["sizes"][1]


@on_a_prepared_host
@pytest.mark.types(host.CHANGEABLE, ("lmdb",))
def test_copies_end_with_a_build(kind: str) -> None:
    """What nobody thought of that spoils an index lasts no longer than that."""
    rounds = [([host.address(number)], []) for number in range(1, 6)]
    source = f"{host.address(0)} x\n".encode()
    (told,) = on_host([source], "updates", [{"kind": kind, "rounds": rounds, "most": 3}])
    assert [rows_told(dumped) for dumped in told["rows"]] == [[f"{host.address(number)}\tx" for number in range(6)]] * 2
    assert told["copies"] == 1


def utf8_of(place: int, kinds: int) -> bool:
    """Whether the case at this place is folded with UTF-8: every type meets both."""
    return place // kinds % 2 == 0


@on_a_prepared_host
@pytest.mark.types(PATTERN_TYPES, PATTERN_TYPES)
def test_patterns_have_the_results_that_the_model_reads(kind: str, extent: Extent, start: int) -> None:
    files = examples(pattern_sources(kind), CHANGES_WHEN_LONG if extent.thorough else CHANGES, start)
    expected = []
    for source in files:
        results: dict[str, str] = {}
        for pattern, result in PatternTable.parse(source, kind).mapping(True).items():
            results.setdefault(matched(pattern, kind), result)
        expected.append(results)
    told = on_host(files, "questions", [(kind, list(results)) for results in expected])
    wrong = [
        (source, results, answers)
        for source, results, answers in zip(files, expected, told, strict=True)
        if rows_told(answers) != rows(results)
    ]
    assert shortest(wrong) == (0, [])


def matched(pattern: str, kind: str) -> str:
    """The one key that a generated pattern matches."""
    if kind == "cidr":
        return pattern.partition("/")[0]
    return pattern[1:].rpartition(pattern[0])[0].strip("^$").replace("\\", "")
