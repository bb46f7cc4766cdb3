# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest

from lab import model_trial
from lab.model_mutants import Mutant, mutants_of
from lab.model_trial import Finder, Trial, counted, module_of, stages
from lab.mutation import by_room, figures, model_rows, model_table

ENTRIES = "ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.entries"


def test_mutant_meets_the_tests_of_its_file_then_those_that_import_it_then_its_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_trial, "ALL_TESTS", tmp_path)
    monkeypatch.setattr(model_trial, "TESTS", tmp_path / "_model")
    names = ("_model/tables/test_entries.py", "test_b.py", "_model/tables/test_edit.py", "test_a.py")
    own, other, beside, foreign = (tmp_path / name for name in names)
    own.parent.mkdir(parents=True)
    for test in (own, other):
        test.write_text(f"from {ENTRIES} import merged\n")
    for test in (beside, foreign):
        test.write_text(f"from {ENTRIES}_of import merged\n")
    assert stages("tables/entries.py") == [(str(own),), (str(other),), (str(beside),)]
    assert stages("unknown/file.py") == []


def test_module_of_a_folder_is_its_name() -> None:
    assert module_of("tables/entries.py") == ENTRIES
    assert module_of("tables/__init__.py") == ENTRIES.rpartition(".")[0]


def test_changed_module_is_loaded_from_the_mutant_and_no_other_is_found() -> None:
    (mutant,) = mutants_of("tables/entries.py", "VALUE = 1\n")
    finder = Finder(model_trial.Changed(mutant))
    assert finder.find_spec(f"{ENTRIES}_of", None) is None
    spec = finder.find_spec(ENTRIES, None, None)
    assert spec is not None
    assert spec.origin is not None
    assert spec.origin.endswith("plugins/module_utils/_model/tables/entries.py")
    told: dict[str, int] = {}
    exec(finder.loader.get_code(ENTRIES), told)
    assert told["VALUE"] == 2


def test_what_one_stage_leaves_alive_meets_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children of this test end as told: by the tests that they are given and the mutant that they have."""
    noticed = mutants_of("a.py", "A = 1\n") + mutants_of("b.py", "B = 1\n")
    (alive,) = mutants_of("c.py", "C = 1\n")
    monkeypatch.setattr(model_trial, "stages", lambda _file: [("near",), ("far",)])

    def passes(tests: tuple[str, ...], mutant: Mutant | None = None) -> bool:
        return mutant is None or (tests, mutant.file) not in {(("near",), "a.py"), (("far",), "b.py")}

    monkeypatch.setattr(model_trial, "passes", passes)
    assert list(Trial().survivors([*noticed, alive])) == [alive]


def test_tests_that_fail_as_they_are_judge_no_mutant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_trial, "stages", lambda _file: [("near",)])
    monkeypatch.setattr(model_trial, "passes", lambda _tests, _mutant=None: False)
    with pytest.raises(RuntimeError, match=r"^near: fails as it is$"):
        list(Trial().survivors(mutants_of("a.py", "A = 1\n")))


def test_figures_of_a_file_tell_equivalent_mutants_from_those_not_noticed() -> None:
    key = ("a.py", "f", "if b:")
    tried = {(*key, "if True:"): 2, (*key, "if False:"): 1, ("c.py", "", "D = 1", "D = 2"): 1}
    alive = {(*key, "if True:"): 2, (*key, "if False:"): 1}
    rows = model_rows(tried, alive, [(*key, "if True:")])
    assert rows == {"a.py": "| `a.py` | 3 | 0 | 2 | 1 |\n", "c.py": "| `c.py` | 1 | 1 | 0 | 0 |\n"}
    assert model_table({**rows, "gone.py": "old\n"}, {"a.py", "c.py", "e.py"}) == (
        "| file | mutants | noticed | equivalent | not noticed |\n"
        "|---|---|---|---|---|\n"
        "| `a.py` | 3 | 0 | 2 | 1 |\n"
        "| `c.py` | 1 | 1 | 0 | 0 |\n"
        "\n"
        "1 of 3 files with mutants were not tried yet.\n"
    )


def test_figures_of_a_tenth_are_told_by_folder() -> None:
    keys = [
        ("tables/a.py", "f", "if b:", "if True:"),
        ("tables/b.py", "f", "if b:", "if True:"),
        ("c.py", "", "1", "2"),
    ]
    rows = model_rows(*by_room(dict.fromkeys(keys, 1), {keys[1]: 1}, [keys[1]]))
    assert figures("folder", rows).splitlines()[2:] == ["| `.` | 1 | 1 | 0 | 0 |", "| `tables` | 2 | 1 | 1 | 0 |"]


def test_tenth_is_drawn_by_what_changes_and_not_by_its_line() -> None:
    source = "".join(f"A{number} = {number}\n" for number in range(200))
    drawn = {mutant.key for mutant in mutants_of("a.py", source) if mutant.drawn}
    assert 5 < len(drawn) < 40
    assert {mutant.key for mutant in mutants_of("a.py", f"\n\n{source}") if mutant.drawn} == drawn


def test_mutants_that_look_alike_are_counted() -> None:
    assert counted([("a", "b"), ("c", "d"), ("a", "b")]) == [("a", "b", 2), ("c", "d", 1)]
