# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated files, hostile ones among them: what our model says they mean is what the real postmap reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.table import Table, decode, is_text, split_lines
from hypothesis import HealthCheck, given, seed, settings
from hypothesis.strategies import SearchStrategy
from lab import hosts

from faults import host
from faults.conftest import Extent
from unit.plugins.module_utils.hostile_tables import sources

FILES = 2_000
AT_ONCE = 250
CONFIGURATIONS = {True: "/etc/postfix", False: "/etc/postfix-ascii"}
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


def read_by_postmap(files: list[bytes], reads: list[list[tuple[str, bool]]]) -> list[list[tuple[int, bytes, bytes]]]:
    """What the host's postmap reads from the files, for each type and way of folding that is asked for."""
    found: list[list[tuple[int, bytes, bytes]]] = []
    for start in range(0, len(files), AT_ONCE):
        order = {
            "files": [one.decode("latin-1") for one in files[start : start + AT_ONCE]],
            "reads": [[(kind, CONFIGURATIONS[utf8]) for kind, utf8 in one] for one in reads[start : start + AT_ONCE]],
        }
        told = json.loads(hosts.on(host.NAME, "python3", "/srv/faults/dumper.py", given=json.dumps(order)))
        found += [[(code, out.encode("latin-1"), err.encode("latin-1")) for code, out, err in one] for one in told]
    return found


@pytest.fixture(scope="module")
def configurations(ports: object) -> None:
    """An instance beside the host's own that folds as Postfix did before it knew UTF-8."""
    host.sh(
        f"cp -r /etc/postfix/. {CONFIGURATIONS[False]} && postconf -c {CONFIGURATIONS[False]} -e smtputf8_enable=no"
        " && touch -d 2020-01-01 /etc/postfix*/main.cf && cat > /srv/faults/dumper.py",
        given=(host.HERE / "dumper.py").read_text(),
    )


def test_model_reads_what_postmap_reads(configurations: None, extent: Extent, start: int) -> None:
    """With and without UTF-8, and as each type; in the short form each file as one of the types."""
    files = examples(sources, FILES, start)
    kinds = list(host.SUFFIXES)
    reads = [
        [(kind, utf8) for kind in kinds for utf8 in (True, False)]
        if extent.thorough
        else [(kinds[number % len(kinds)], number // len(kinds) % 2 == 0)]
        for number in range(len(files))
    ]
    wrong = []
    silent = []
    rows = 0
    for source, asked, told in zip(files, reads, read_by_postmap(files, reads), strict=True):
        table = Table.parse(source)
        for (kind, utf8), (code, out, err) in zip(asked, told, strict=True):
            expected = table.mapping(utf8)
            rows += len(expected)
            read = sorted(decode(out).split("\n")[:-1])
            if code != 0 or read != sorted(f"{key}\t{value}" for key, value in expected.items()):
                wrong.append((source, kind, utf8, code, out, expected, err))
            if noticed(err, source) and not table.warnings:
                silent.append((source, kind, utf8, err))
    print(f"\n{len(files)} files, {sum(map(len, reads))} tables, {rows} rows")
    assert (len(wrong), sorted(wrong, key=lambda one: len(one[0]))[:MOST_TO_TELL]) == (0, [])
    assert (len(silent), sorted(silent, key=lambda one: len(one[0]))[:MOST_TO_TELL]) == (0, [])


def noticed(said: bytes, source: bytes) -> bool:
    """Whether postmap warned of something that it drops.

    Of equal keys it chooses one, `key:` it takes as it stands, and nothing is lost after a NUL in a comment.
    """
    harmless = [b"duplicate entry", b"is this an alias file"]
    if not any(b"\0" in line and is_text(line) for line in split_lines(source)):
        harmless.append(b"after null byte")
    return any(b"warning" in line and not any(one in line for one in harmless) for line in said.splitlines())
