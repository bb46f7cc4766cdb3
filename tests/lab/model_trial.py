# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try each mutant of the model against the unit tests: python -m lab.model_trial ROOT [--tenth] [WORD...].

A process that has loaded pytest and nothing of the collection forks for each mutant; its child loads the collection
with one file changed, and runs the tests at the mirrored path. What these leave alive meets all others that import it,
and then those of its whole room.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import importlib.machinery
import importlib.util
import io
import json
import os
import pathlib
import re
import resource
import signal
import sys
import time
import types
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import hypothesis
import pytest

from lab.model_mutants import MODEL, TENTH, Mutant, mutants

ALL_TESTS = pathlib.Path("tests/unit/plugins")
TESTS = ALL_TESTS / "module_utils/_model"
PACKAGE = "ansible_collections.mxrelay.postfix.plugins.module_utils._model"
OPTIONS = ("--quiet", "--exitfirst", "--assert=plain", "--tb=no", "-p", "no:cacheprovider", "-p", "no:testinfra")
# A child has the time of the whole tests so many times, and some seconds; it is a mutant that never ends, else.
TIMES, SECONDS = 5, 20
MEMORY = 4 * 2**30
# What children end with.
ALIVE, NOTICED = 0, 1


class Changed(importlib.machinery.SourceFileLoader):
    """Loads the one module that a mutant changes."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(module_of(mutant.file), str(MODEL.resolve() / mutant.file))
        self._mutant = mutant

    def get_code(self, _fullname: str) -> types.CodeType:
        """Return the changed code."""
        return self._mutant.code()


@dataclasses.dataclass(frozen=True)
class Finder:
    """Finds the changed module before Python finds the one that is there."""

    loader: Changed

    def find_spec(self, fullname: str, *_more: object) -> importlib.machinery.ModuleSpec | None:
        """Return this module's spec, and nothing for all others."""
        if fullname != self.loader.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.loader.path, loader=self.loader)


def module_of(file: str) -> str:
    """Return the name of the module in a file of the model."""
    return ".".join([PACKAGE, *pathlib.PurePath(file).with_suffix("").parts]).removesuffix(".__init__")


def stages(file: str) -> list[tuple[str, ...]]:
    """Return the tests that a file's mutants meet: of the file itself, of all that import it, of all of its room."""
    path = pathlib.PurePath(file)
    room = sorted((TESTS / path.parent).glob("test_*.py"))
    nearest = [test for test in room if test.name == f"test_{path.name}"]
    importing = re.compile(rf"from {re.escape(module_of(file))} import ")
    near = [test for test in sorted(ALL_TESTS.rglob("test_*.py")) if importing.search(test.read_text("utf-8"))]
    met: set[pathlib.Path] = set()
    found = []
    for tests in (nearest, near, room):
        found.append(tuple(str(test) for test in tests if test not in met))
        met.update(tests)
    return [tests for tests in found if tests]


def passes(tests: Sequence[str], mutant: Mutant | None = None) -> bool:
    """Run tests in this process, which has loaded nothing of the collection yet; return whether they pass."""
    if mutant:
        sys.meta_path.insert(0, Finder(Changed(mutant)))
    # What fails need not be made small, and need not be kept.
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    usual = hypothesis.settings.get_profile("ci")
    hypothesis.settings.register_profile("ci", usual, phases=phases, database=None)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return pytest.main([*OPTIONS, *tests]) == pytest.ExitCode.OK


def in_a_child(tests: Sequence[str], seconds: float, mutant: Mutant | None = None) -> int:
    """Run tests in a forked process, which ends after that time; return its id."""
    child = os.fork()
    if not child:
        code = NOTICED
        try:
            signal.alarm(int(seconds))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            code = ALIVE if passes(tests, mutant) else NOTICED
        finally:
            os._exit(code)
    return child


@dataclasses.dataclass
class Trial:
    """Mutants on their way through their stages, as many at once as there are processors."""

    seconds: dict[tuple[str, ...], float] = dataclasses.field(default_factory=dict)

    def survivors(self, tried: Iterable[Mutant]) -> Iterator[Mutant]:
        """Yield each mutant that no test notices."""
        waiting = [(mutant, stages(mutant.file)) for mutant in tried][::-1]
        running: dict[int, tuple[Mutant, list[tuple[str, ...]]]] = {}
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                mutant, left = waiting.pop()
                if not left:
                    yield mutant
                    continue
                running[in_a_child(left[0], self.limit(left[0]), mutant)] = mutant, left[1:]
            if running:
                child, status = os.wait()
                mutant, left = running.pop(child)
                if os.waitstatus_to_exitcode(status) == ALIVE:
                    waiting.append((mutant, left))

    def limit(self, tests: tuple[str, ...]) -> float:
        """Return how long these tests may take. Raises RuntimeError if they fail without a mutant."""
        if tests not in self.seconds:
            began = time.monotonic()
            _child, status = os.waitpid(in_a_child(tests, 3600), 0)
            if os.waitstatus_to_exitcode(status) != ALIVE:
                raise RuntimeError(f"{' '.join(tests)}: fails as it is")
            self.seconds[tests] = time.monotonic() - began
        return SECONDS + TIMES * self.seconds[tests]


def counted(keys: Iterable[tuple[str, ...]]) -> list[tuple[Any, ...]]:
    """Return each key with how many mutants have it: a function may say the same twice."""
    return [(*key, number) for key, number in collections.Counter(keys).items()]


def main(report: str, *words: str) -> None:
    """Try the mutants whose lines contain the words; write the keys of all that were tried, and of the survivors.

    Of these with --tenth a tenth.
    """
    wanted = set(words) - {TENTH}
    tried = [mutant for mutant in mutants(MODEL) if all(word in str(mutant) for word in wanted)]
    if TENTH in words:
        tried = [mutant for mutant in tried if mutant.drawn]
    alive = []
    for mutant in Trial().survivors(tried):
        print(f"survives: {mutant}", flush=True)
        alive.append(mutant.key)
    told = {"tried": counted(mutant.key for mutant in tried), "alive": counted(alive)}
    pathlib.Path(report).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
