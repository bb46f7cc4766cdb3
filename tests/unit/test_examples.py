# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds every example, of the guides, the roles and the modules, against the arguments that there are."""

from __future__ import annotations

import functools
import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.cli.playbook import PlaybookCLI
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.checks import every
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.definition import declared_sources
from lab.examples import BLOCK, blocks, of_module

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = Path(every.__file__).parents[7]
GUIDES = tuple(sorted(str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))))
ROLES = tuple(sorted(path.name for path in ROOT.glob("roles/*")))
MODULES = tuple(sorted(path.stem for path in ROOT.glob("plugins/modules/*.py") if path.stem != "__init__"))
PLAYBOOKS = tuple(sorted(path.name.partition(".")[0] for path in ROOT.glob("playbooks/*.meta.yml")))
GROUPS = ("primary_mx", "secondary_mx", "mail_hosts")
COMMAND = re.compile(r"`(ansible-playbook [^`]+)`")
OURS = re.compile(r"^mxrelay\.postfix\.(\w+)$")
# Words that stand for what only the reader has.
ELLIPSIS = "…"
Spec = dict[str, Any]


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _documents(name: str) -> list[Any]:
    """The examples of a page, but for sources with their logins, which test_source_recipes.py puts together."""
    return [] if name == "docs/source-recipes.md" else [yaml.safe_load(b) for b in blocks(_text(name), "yaml")]


@functools.cache
def _module_spec(name: str) -> tuple[Spec, Spec]:
    """The argument spec of a module, and its constraints."""
    module = importlib.import_module(f"ansible_collections.mxrelay.postfix.plugins.modules.{name}")
    told: list[tuple[Spec, Spec]] = []

    def run_module(_work: Any, spec: Spec, secrets: Any = None, reading: Any = None, **constraints: Any) -> None:
        del secrets, reading
        told.append((spec, constraints))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "run_module", run_module)
        module.main()
    return told[0]


@functools.cache
def _options(path: str, entry: str) -> Spec:
    return dict(yaml.safe_load(_text(path))["argument_specs"][entry]["options"])


@functools.cache
def _variables() -> Spec:
    """What an inventory can say: the variables of all roles and playbooks. What a run must be given is not required."""
    known: Spec = {}
    for role in ROLES:
        known.update(_options(f"roles/{role}/meta/argument_specs.yml", "main"))
    # Playbooks are stricter with types, and do not say what the items of a list are.
    for playbook in PLAYBOOKS:
        for name, spec in _options(f"playbooks/{playbook}.meta.yml", playbook).items():
            known[name] = {**known.get(name, {}), **spec}
    return {name: {**spec, "required": False} for name, spec in known.items()}


def _problems(given: Mapping[str, Any], spec: Spec, constraints: Spec | None = None) -> list[str]:
    """What is wrong with arguments. What a template becomes is known in a run; it is taken for what it should be."""
    unknown = sorted(given.keys() - spec.keys())
    templates = {name for name, value in given.items() if "{{" in str(value)}
    known = {name: {"type": "raw"} if name in templates else said for name, said in spec.items()}
    words = {name: value for name, value in given.items() if name in known}
    found = ArgumentSpecValidator(known, **(constraints or {})).validate(words)
    return [f"unknown: {', '.join(unknown)}"] * bool(unknown) + list(found.error_messages)


def _problems_of_variables(given: Mapping[str, Any]) -> list[str]:
    """Of those that are the collection's, by their beginnings; others, such as ansible_host, are the reader's."""
    beginnings = tuple(f"{name}_" for name in {*ROLES, *PLAYBOOKS})
    ours = {name: value for name, value in given.items() if name.startswith(beginnings)}
    known = {name: spec for name, spec in _variables().items() if name in ours}
    items = [
        (item, known[name]["options"])
        for name, value in ours.items()
        if "options" in known.get(name, {}) and isinstance(value, list)
        for item in value
        if isinstance(item, dict)
    ]
    return _problems(ours, known) + [problem for item in items for problem in _problems(*item)]


def _tasks(things: Any) -> Iterator[dict[str, Any]]:
    """Every task of a list of plays or of tasks."""
    for thing in things or []:
        inner = [thing.get(part) for part in ("tasks", "handlers", "pre_tasks", "post_tasks", "block", "rescue")]
        for part in inner:
            yield from _tasks(part)
        if not any(inner):
            yield thing


def _problems_of_tasks(things: Any) -> list[str]:
    problems = []
    for task in _tasks(things):
        for name in filter(None, map(OURS.match, task)):
            if name[1] not in MODULES:
                problems.append(f"no module {name[1]}")
                continue
            problems += _problems(task[name[0]] or {}, *_module_spec(name[1]))
    return problems


def _problems_of_plays(things: Any) -> list[str]:
    problems = _problems_of_tasks(things)
    for play in things:
        problems += _problems_of_variables(play.get("vars", {}))
        for role in play.get("roles", []):
            problems += _problems_of_variables(role.get("vars", {}))
    return problems


def _is_play(thing: Any) -> bool:
    return "hosts" in thing or "ansible.builtin.import_playbook" in thing


def _problems_of(document: Any) -> list[str]:
    """What is wrong with an example, as what it shows."""
    if isinstance(document, list):
        return _problems_of_plays(document) if any(map(_is_play, document)) else _problems_of_tasks(document)
    if document.keys() & set(GROUPS):
        return [problem for group in document.values() for problem in _problems_of_variables(group.get("vars", {}))]
    if all(isinstance(value, dict) and "type" in value for value in document.values()):
        declared_sources(document, "sources")
        return []
    members = _options("roles/primary_mx/meta/argument_specs.yml", "main")["primary_mx_domains"]["options"]
    if document.keys() <= members.keys():
        return _problems({"name": "customer.example", **document}, members)
    known = {name: value for name, value in document.items() if name in _variables()}
    return [*_problems_of_variables(document), *(["nothing of it is known"] if not known else [])]


@pytest.mark.parametrize("guide", GUIDES)
def test_example_of_a_guide_is_taken(guide: str) -> None:
    assert [problem for document in _documents(guide) for problem in _problems_of(document)] == []


@pytest.mark.parametrize("role", ROLES)
def test_example_of_a_role_is_taken(role: str) -> None:
    documents = _documents(f"roles/{role}/README.md")
    assert documents
    assert [problem for document in documents for problem in _problems_of(document)] == []


@pytest.mark.parametrize("module", MODULES)
def test_example_of_a_module_is_taken(module: str) -> None:
    examples = of_module(module)
    used = {name[1] for task in _tasks(examples) for name in filter(None, map(OURS.match, task))}
    assert module in used
    assert _problems_of(examples) == []


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([{"mxrelay.postfix.transport": {"entries": [{"pattern": "x.example", "host": "y"}]}}], "host"),
        ([{"hosts": "all", "tasks": [{"mxrelay.postfix.nothing": {}}]}], "no module nothing"),
        ([{"hosts": "all", "roles": [{"role": "x", "vars": {"secondary_mx_domain": []}}]}], "secondary_mx_domain"),
        ({"secondary_mx": {"vars": {"secondary_mx_domains": [{"name": "x", "host": "y"}]}}}, "host"),
        ({"secondary_mx_verify": "perhaps"}, "perhaps"),
        ({"mail_host": "x", "port": "all"}, "port"),
        ({"something": "else"}, "nothing of it is known"),
    ],
)
def test_wrong_example_is_noticed(document: Any, problem: str) -> None:
    assert problem in " ".join(_problems_of(document))


def _commands(guide: str) -> list[list[str]]:
    """The ansible-playbook commands of a guide, in examples and in sentences, as words."""
    text = _text(guide)
    lines = "\n".join(blocks(text, "sh")).replace("\\\n", " ").splitlines()
    spans = [" ".join(span.split()) for span in COMMAND.findall(BLOCK.sub("", text))]
    words = [shlex.split(line, comments=True) for line in (*lines, *spans) if "ansible-playbook" in line]
    return [line[line.index("ansible-playbook") :] for line in words if ELLIPSIS not in line]


def _problems_of_command(words: list[str]) -> list[str]:
    options = PlaybookCLI(words)
    options.init_parser()
    parsed = options.parser.parse_args(words[1:])
    problems = []
    for playbook in parsed.args:
        name = playbook.removeprefix("mxrelay.postfix.")
        if playbook != name and name not in PLAYBOOKS:
            problems.append(f"no playbook {name}")
    given: Spec = {}
    for extra in parsed.extra_vars:
        if extra.startswith("{"):
            given.update(yaml.safe_load(extra))
        elif not extra.startswith("@"):
            given.update(dict(word.split("=", 1) for word in shlex.split(extra)))
    return problems + _problems_of_variables(given)


@pytest.mark.parametrize("guide", GUIDES)
def test_command_of_a_guide_is_taken(guide: str) -> None:
    assert [problem for words in _commands(guide) for problem in _problems_of_command(words)] == []


def test_wrong_command_is_noticed() -> None:
    line = ["ansible-playbook", "mxrelay.postfix.nothing", "-i", "hosts.yml", "-e", "verify_prob=true"]
    assert _problems_of_command(line) == ["no playbook nothing", "unknown: verify_prob"]


def test_playbooks_of_guides_are_playbooks(tmp_path: Path) -> None:
    plays = [
        (guide, document)
        for guide in (*GUIDES, *(f"roles/{role}/README.md" for role in ROLES))
        for document in _documents(guide)
        if isinstance(document, list) and any(map(_is_play, document))
    ]
    assert len(plays) >= len(ROLES)
    for number, (guide, document) in enumerate(plays):
        name = f"{number}-{guide.replace('/', '-')}.yml"
        (tmp_path / name).write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    names = sorted(path.name for path in tmp_path.glob("*.yml"))
    checked = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "--syntax-check", *names],
        cwd=tmp_path,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert re.findall(r"^playbook: (.+)$", checked.stdout, re.MULTILINE) == names
