# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules, roles and guides show, as plays for hosts of the scenario `mail_flow`, and what it needs there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^( *)```(yaml|sh)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# The inventory has no others.
GROUPS = ("primary_mx", "secondary_mx")
IMPORT = "ansible.builtin.import_playbook"
# What the reader has, and the lab has not.
VARIABLES = {"branch_login": "relay", "branch_password": "secret"}
# On the host, and beside the playbook on the controller.
HOST = "install -d /var/lib/prometheus/node-exporter; echo alice@z.example > /run/z.example.recipients"
LISTS = {"z.example.recipients": "alice@z.example\n"}
# What only another host, or another run, has what it needs for; each with the reason.
NOT_RUN = {
    "Undo what a failed run has changed": "needs the record of a run of a role",
    "Trust two MX hosts": "is for a mail host; the scenario trust does it",
    "Put everything back if it does": "needs the task before it",
    "Fail on errors": "needs a controller that reaches port 25 of the host",
    "Write the addresses of a domain in Active Directory to a file": "needs a directory; the scenario sync has one",
    "Make hosts the primary MX of a customer": "names a mail host that the lab's DNS does not have, and is refused",
    "Build the new index beside the old one": "needs postfix-lmdb; tests/integration does it",
    "Make Postfix read it": "needs the task before it",
    "Make the second instance a secondary MX": "needs a second instance; the scenario releases has one",
    "Ask what waits in the second instance": "needs a second instance; the scenario releases has one",
}
Tasks = list[dict[str, Any]]


def of_module(name: str) -> Tasks:
    """The tasks that a module shows."""
    tree = ast.parse((ROOT / f"plugins/modules/{name}.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "EXAMPLES":
            return list(yaml.safe_load(ast.literal_eval(node.value)))
    raise ValueError(f"{name} has no EXAMPLES")


def of_page(name: str) -> list[Tasks]:
    """The lists of tasks or of plays that a page shows."""
    shown = map(yaml.safe_load, blocks((ROOT / name).read_text(encoding="utf-8"), "yaml"))
    return [tasks for tasks in shown if isinstance(tasks, list)]


def blocks(text: str, language: str) -> Iterator[str]:
    """The examples of a language, without what they are indented by."""
    for indent, named, block in BLOCK.findall(text):
        if named == language:
            yield "".join(line.removeprefix(indent) for line in block.splitlines(keepends=True))


def plays(shown: Tasks, host: str) -> Tasks:
    """What of it the lab can run: plays as they are, tasks as a play for a host."""
    left = [thing for thing in shown if thing["name"] not in NOT_RUN]
    if any("hosts" in thing or IMPORT in thing for thing in left):
        whole = [thing for thing in left if IMPORT in thing or thing["hosts"] in GROUPS]
        return [
            thing if IMPORT in thing else {**thing, "vars": {**VARIABLES, **thing.get("vars", {})}} for thing in whole
        ]
    if not left:
        return []
    return [{"name": "Run examples", "hosts": host, "become": True, "gather_facts": False, "tasks": left}]


def runnable(host: str) -> dict[str, Sequence[dict[str, Any]]]:
    """The plays of each module and page that has any."""
    modules = sorted(path.stem for path in ROOT.glob("plugins/modules/*.py") if path.stem != "__init__")
    pages = sorted(
        str(path.relative_to(ROOT)) for word in ("*.md", "docs/*.md", "roles/*/README.md") for path in ROOT.glob(word)
    )
    found = {name: plays(of_module(name), host) for name in modules}
    found.update({page: [play for shown in of_page(page) for play in plays(shown, host)] for page in pages})
    return {name: shown for name, shown in found.items() if shown}
