# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab runs every example but those that it names with a reason."""

from __future__ import annotations

from lab import examples

HOST = "mx1.lab.example"


def shown() -> list[dict[str, object]]:
    pages = [*examples.ROOT.glob("docs/*.md"), *examples.ROOT.glob("roles/*/README.md"), examples.ROOT / "README.md"]
    lists = [tasks for page in pages for tasks in examples.of_page(str(page.relative_to(examples.ROOT)))]
    modules = [path.stem for path in examples.ROOT.glob("plugins/modules/*.py") if path.stem != "__init__"]
    return [thing for things in (*lists, *map(examples.of_module, modules)) for thing in things]


def test_reasons_are_about_examples_that_there_are() -> None:
    assert examples.NOT_RUN.keys() - {thing["name"] for thing in shown()} == set()


def test_all_others_are_run_but_plays_for_other_groups() -> None:
    runs = [play for plays in examples.runnable(HOST).values() for play in plays]
    run = {thing["name"] for play in runs for thing in (play["tasks"] if play["name"] == "Run examples" else [play])}
    left = [thing for thing in shown() if thing["name"] not in run | examples.NOT_RUN.keys()]
    assert sorted(str(thing["hosts"]) for thing in left) == [
        "mail_hosts",
        "mx",
        "secondary_mx:primary_mx",
        "secondary_mx:primary_mx",
    ]


def test_tasks_become_a_play_and_plays_stay() -> None:
    task = {"name": "Do it", "mxrelay.postfix.postfix_info": {}}
    left_out = {"name": "Trust two MX hosts", "mxrelay.postfix.mx_trust": {}}
    play = {"name": "Play it", "hosts": "primary_mx", "tasks": [task]}
    assert [found["tasks"] for found in examples.plays([task, left_out], HOST)] == [[task]]
    assert examples.plays([left_out], HOST) == []
    assert examples.plays([play], HOST) == [{**play, "vars": examples.VARIABLES}]
