# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we read in main.cf and master.cf is what Postfix reads: generated files, and those of Debian's packages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.main_cf import MainCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.configuration.master_cf import MasterCf
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from integration.host import Host
from unit.plugins.module_utils import configuration_strategies as generated

FIXTURES = Path(__file__).parents[1] / "unit/fixtures"
CASES = (150, 2000)
BATCH = 250
# Malformed in one way each; both Postfix and we have to say so.
BROKEN_MAIN_CF = ("a = b\nno equals sign\n", "= value\n", "a b = c\n", "a = b\n\0c = d\n")
BROKEN_MASTER_CF = (
    "smtp inet n - - - -\n",
    "smtp ined n - - - - smtpd\n",
    "smtp inet x - - - - smtpd\n",
    "smtp inet n - - x - smtpd\n",
    "smtp inet n - - 5x - smtpd\n",
    "smtp inet n - - -1 - smtpd\n",
    "smtp inet n - - - x smtpd\n",
    "smtp inet n - - - -1 smtpd\n",
)
_UNUSED = re.compile(r"unused parameter: ([^=]*)=(.*)")


def examples(strategy: st.SearchStrategy[str], count: int) -> list[str]:
    """Different texts of the strategy, the same ones in each run of the short form."""
    found: dict[str, None] = {}

    @settings(max_examples=count, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    @given(strategy)
    def collect(text: str) -> None:
        found.setdefault(text)

    collect()
    return list(found)


def read_all(host: Host, files: Sequence[dict[str, str]], *options: str) -> list[tuple[int, str, str]]:
    """What postconf says about each pair of files."""
    answers: list[tuple[int, str, str]] = []
    for start in range(0, len(files), BATCH):
        host.on("rm", "-rf", "/srv/cases")
        tree = {}
        for number, texts in enumerate(files[start : start + BATCH]):
            tree.update({f"{number}/{name}": texts.get(name, "") for name in ("main.cf", "master.cf")})
        host.put_tree("/srv/cases", tree)
        directories = [f"/srv/cases/{number}" for number in range(len(files[start : start + BATCH]))]
        answers += [tuple(answer) for answer in host.ask("read_many", directories=directories, options=list(options))]
    return answers


def said(out: str, err: str) -> dict[str, str]:
    """The parameters that postconf found in main.cf; those that nothing uses it tells in warnings."""
    values = {}
    for line in out.split("\n"):
        name, _equals, value = line.partition(" =")
        # postconf names its own configuration directory among what is set.
        if name and name != "config_directory":
            values[name] = value[1:]
    for name, value in _UNUSED.findall(err):
        values[name] = value
    return values


def read(text: str) -> dict[str, str]:
    """The values as we read them; postconf prints any amount of blanks as one."""
    return {name: re.sub(r"[ \t\r\n]+", " ", value) for name, value in MainCf(text).values.items()}


def test_generated_main_cf_means_what_postconf_prints(machine: Host, long: bool) -> None:
    texts = examples(generated.main_cf(), CASES[long])
    assert len(texts) > CASES[long] // 2
    answers = read_all(machine, [{"main.cf": text} for text in texts], "-n")
    for text, (code, out, err) in zip(texts, answers, strict=True):
        assert code == 0, (text, err)
        assert said(out, err) == read(text), text
    print(f"\n{len(texts)} generated main.cf")


def test_generated_master_cf_means_what_postconf_prints(machine: Host, long: bool) -> None:
    texts = examples(generated.master_cf(), CASES[long])
    assert len(texts) > CASES[long] // 2
    files = [{"master.cf": text} for text in texts]
    listed = read_all(machine, files, "-M")
    overridden = read_all(machine, files, "-P")
    for text, (code, out, err), (_code, overrides, _err) in zip(texts, listed, overridden, strict=True):
        assert code == 0, (text, err)
        # postconf resolves lines, comments and the forms of options; what it prints is one plain line a service.
        assert MasterCf(text).services == MasterCf(out).services, text
        assert len(out.splitlines()) == len(MasterCf(text).services), text
        told = {line for line in overrides.splitlines() if line.rsplit("/", 1)[0] not in MasterCf(text).duplicates}
        assert told == override_lines(text), text
    print(f"\n{len(texts)} generated master.cf")


def override_lines(text: str) -> set[str]:
    """The overrides as `postconf -P` prints them: `smtp/inet/name = value`. Not those of services that stand twice."""
    file = MasterCf(text)
    services = [service for service in file.services if service.key not in file.duplicates]
    found = [(service.key, name, value) for service in services for name, value in service.overrides.items()]
    return {f"{key}/{name} = {value}" if value else f"{key}/{name} =" for key, name, value in found}


def test_main_cf_that_postfix_can_not_read_is_told_by_us(machine: Host) -> None:
    answers = read_all(machine, [{"main.cf": text} for text in BROKEN_MAIN_CF], "-n")
    assert [code for code, _out, _err in answers] == [1] * len(BROKEN_MAIN_CF)
    for text in BROKEN_MAIN_CF:
        with pytest.raises(HostError):
            MainCf(text)


def test_master_cf_that_postfix_can_not_read_is_told_by_us(machine: Host) -> None:
    answers = read_all(machine, [{"master.cf": text} for text in BROKEN_MASTER_CF], "-M")
    assert [code for code, _out, _err in answers] == [1] * len(BROKEN_MASTER_CF)
    for text in BROKEN_MASTER_CF:
        with pytest.raises(HostError):
            MasterCf(text)


def test_main_cf_of_debian_means_what_postconf_prints(machine: Host) -> None:
    texts = [path.read_text() for path in sorted(FIXTURES.glob("*/main.cf.*"))]
    assert len(texts) == 12
    answers = read_all(machine, [{"main.cf": text} for text in texts], "-n")
    for text, (code, out, err) in zip(texts, answers, strict=True):
        assert code == 0, err
        assert said(out, err) == read(text)


def test_master_cf_of_debian_means_what_postconf_prints(machine: Host) -> None:
    texts = [path.read_text() for path in sorted(FIXTURES.glob("*/master.cf.*"))]
    assert len(texts) == 4
    answers = read_all(machine, [{"master.cf": text} for text in texts], "-M")
    for text, (code, out, err) in zip(texts, answers, strict=True):
        assert code == 0, err
        assert MasterCf(out).services == MasterCf(text).services
