# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds plugins/ to the layers that CONTRIBUTING.md names: imports go down only, and modules stay thin."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable
from pathlib import Path

import pytest

COLLECTION = "ansible_collections.mxrelay.postfix"
ROOT = Path(__file__).resolve().parents[2]
MODULE_UTILS = "plugins/module_utils"
MODULES = "plugins/modules"
LAYERS = ("_model", "_ports", "_engine", "_ansible")
OUTSIDE_WORLD = frozenset({"os", "subprocess", "socket"})
LONGEST_MAIN = 25
# Ansible asks each plugin for these by name.
ANSIBLE_NAMES = frozenset({"main", "ActionModule", "FilterModule", "ModuleDocFragment"})

Rule = Callable[[Path], "list[str]"]


def _python_files(root: Path, directory: str) -> list[Path]:
    return sorted((root / directory).rglob("*.py"))


def _place(root: Path, path: Path, node: ast.stmt | None = None) -> str:
    name = path.relative_to(root).as_posix()
    return name if node is None else f"{name}:{node.lineno}"


@functools.cache
def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _package(root: Path, path: Path) -> list[str]:
    return COLLECTION.split(".") + list(path.relative_to(root).parent.parts)


@functools.cache
def _imports(root: Path, path: Path) -> list[tuple[ast.stmt, str]]:
    """Each import statement, wherever it stands, with the full dotted name of what it asks for.

    `from a import b` gives `a.b`, since b may be a module; relative imports are resolved.
    """
    found: list[tuple[ast.stmt, str]] = []
    for node in ast.walk(_parse(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found.append((node, alias.name))
        elif isinstance(node, ast.ImportFrom):
            base = [node.module] if node.module else []
            if node.level:
                package = _package(root, path)
                base = package[: len(package) - node.level + 1] + base
            for alias in node.names:
                found.append((node, ".".join([*base, alias.name])))
    return found


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def _own_part(name: str) -> list[str]:
    """The path of an imported name below plugins/, such as ["module_utils", "_model", "errors"]."""
    prefix = COLLECTION + ".plugins."
    return name[len(prefix) :].split(".") if name.startswith(prefix) else []


def _layer_of(root: Path, path: Path) -> str:
    return path.relative_to(root / MODULE_UTILS).parts[0]


def imports_that_go_up(root: Path) -> list[str]:
    """A file of module_utils may import its own layer and those below it, and no other plugin of the collection."""
    found = []
    for path in _python_files(root, MODULE_UTILS):
        layer = _layer_of(root, path)
        if layer not in LAYERS:
            continue
        allowed = LAYERS[: LAYERS.index(layer) + 1]
        for node, name in _imports(root, path):
            own = _own_part(name)
            if own and (own[0] != "module_utils" or len(own) < 2 or own[1] not in allowed):
                found.append(f"{_place(root, path, node)}: {layer} imports {name}")
    return found


def outside_world_in_the_model(root: Path) -> list[str]:
    """The model is pure: it does not reach files, processes or the network."""
    return [
        f"{_place(root, path, node)}: _model imports {name}"
        for path in _python_files(root, f"{MODULE_UTILS}/_model")
        for node, name in _imports(root, path)
        if name.split(".")[0] in OUTSIDE_WORLD
    ]


def ansible_below_its_layer(root: Path) -> list[str]:
    """Nothing below _ansible knows Ansible, so that it is tested and used without it."""
    return [
        f"{_place(root, path, node)}: {layer} imports {name}"
        for layer in LAYERS[: LAYERS.index("_ansible")]
        for path in _python_files(root, f"{MODULE_UTILS}/{layer}")
        for node, name in _imports(root, path)
        if _within(name, "ansible")
    ]


def names_that_are_not_private(root: Path) -> list[str]:
    """Users must not build on module_utils: all it holds are the layers, and those begin with an underscore."""
    found = []
    for path in _python_files(root, MODULE_UTILS):
        parts = path.relative_to(root / MODULE_UTILS).parts
        if parts == ("__init__.py",):
            continue
        if parts[0] not in LAYERS:
            found.append(f"{_place(root, path)}: is in none of the layers {', '.join(LAYERS)}")
    return found


def imports_past_the_ansible_layer(root: Path) -> list[str]:
    """A module names its parts: Ansible itself, the _ansible layer, the model's constants and the engine's work.

    What it must not do is act by itself: no ports, and no operating system.
    """
    return [
        f"{_place(root, path, node)}: a module imports {name}"
        for path in _python_files(root, MODULES)
        for node, name in _imports(root, path)
        if name.split(".")[0] in OUTSIDE_WORLD or _own_part(name)[:2] == ["module_utils", "_ports"]
    ]


def mains_that_are_long(root: Path) -> list[str]:
    """main() names the parts of a module, in at most LONGEST_MAIN lines; a module without one can't run."""
    found = []
    for path in _python_files(root, MODULES):
        if path.name == "__init__.py":
            continue
        mains = [node for node in _parse(path).body if isinstance(node, ast.FunctionDef) and node.name == "main"]
        if not mains:
            found.append(f"{_place(root, path)}: has no main()")
        for node in mains:
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_MAIN:
                found.append(f"{_place(root, path, node)}: main() has {lines} lines, at most {LONGEST_MAIN}")
    return found


def annotations_evaluated_early(root: Path) -> list[str]:
    """Python 3.9 reads `str | None` in an annotation only where annotations are not evaluated."""
    found = []
    for path in _python_files(root, "plugins"):
        tree = _parse(path)
        code = [node for node in tree.body if not isinstance(node, ast.Expr)]
        if code and not any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and "annotations" in {alias.name for alias in node.names}
            for node in code
        ):
            found.append(f"{_place(root, path)}: lacks from __future__ import annotations")
    return found


def _functions(path: Path) -> list[str]:
    nodes = ast.walk(_parse(path))
    return [node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def logic_without_a_test_file(root: Path) -> list[str]:
    """A plugin file with a function has tests in a file of its name at the mirrored path.

    Files of constants and of classes without methods hold data: what uses them tests them.
    """
    found = []
    for path in _python_files(root, "plugins"):
        own = path.relative_to(root)
        test = root / "tests/unit" / own.parent / f"test_{own.name}"
        tested = test.exists() and any(name.startswith("test_") for name in _functions(test))
        if _functions(path) and not tested:
            found.append(f"{own.as_posix()}: has no tests in {test.relative_to(root).as_posix()}")
    return found


def _room_imports(root: Path, layer: str) -> dict[str, set[str]]:
    """What each room of a layer imports of it: a room is a subfolder, or a file beside the subfolders."""
    rooms: dict[str, set[str]] = {}
    for path in _python_files(root, f"{MODULE_UTILS}/{layer}"):
        room = path.relative_to(root / MODULE_UTILS / layer).with_suffix("").parts[0]
        own = [_own_part(name) for _node, name in _imports(root, path)]
        asked = {name[2] for name in own if name[:2] == ["module_utils", layer] and len(name) > 2}
        rooms.setdefault(room, set()).update(asked - {room})
    return rooms


def rooms_that_import_in_circles(root: Path) -> list[str]:
    """The rooms of _model and of _engine are layers too: none is asked, even by way of others, for what it asks."""
    found = []
    for layer in ("_model", "_engine"):
        rooms = _room_imports(root, layer)
        # Rooms whose imports are all settled, again and again; what is left asks in a circle, or for such a one.
        settled: set[str] = set()
        while True:
            free = {room for room, asked in rooms.items() if (asked & set(rooms)) <= settled} - settled
            if not free:
                break
            settled |= free
        left = set(rooms) - settled
        found += [
            f"{layer}: {room} imports {', '.join(sorted(rooms[room] & left))}, in a circle" for room in sorted(left)
        ]
    return found


def lines_ended_by_more_than_a_newline(root: Path) -> list[str]:
    """To Postfix, systemd and the kernel only a newline ends a line: to str.splitlines() U+2028 and NEL do as well.

    What those say may hold such characters, in the middle of a value that somebody else wrote.
    """
    return [
        f"{_place(root, path)}:{node.lineno}: calls splitlines"
        for path in _python_files(root, "plugins")
        for node in ast.walk(_parse(path))
        if isinstance(node, ast.Attribute) and node.attr == "splitlines"
    ]


def loops_over_ones(root: Path) -> list[str]:
    """A loop variable is called after what it holds."""
    return [
        f"{_place(root, path)}:{node.target.lineno}: loops over each one of what?"
        for directory in ("plugins", "tests")
        for path in _python_files(root, directory)
        for node in ast.walk(_parse(path))
        if isinstance(node, (ast.For, ast.comprehension)) and getattr(node.target, "id", "") == "one"
    ]


def names_with_two_meanings(root: Path) -> list[str]:
    """No two files define a public class or function of the same name, so a name says which one is meant."""
    first: dict[str, Path] = {}
    found = []
    for path in _python_files(root, "plugins"):
        for node in _parse(path).body:
            if not isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            if node.name.startswith("_") or node.name in ANSIBLE_NAMES:
                continue
            other = first.setdefault(node.name, path)
            if other != path:
                found.append(f"{_place(root, path, node)}: {node.name} is also defined in {_place(root, other)}")
    return found


RULES: tuple[Rule, ...] = (
    imports_that_go_up,
    outside_world_in_the_model,
    ansible_below_its_layer,
    names_that_are_not_private,
    imports_past_the_ansible_layer,
    mains_that_are_long,
    annotations_evaluated_early,
    logic_without_a_test_file,
    rooms_that_import_in_circles,
    lines_ended_by_more_than_a_newline,
    loops_over_ones,
    names_with_two_meanings,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_collection_keeps_rule(rule: Rule) -> None:
    assert rule(ROOT) == []


def test_every_layer_is_there() -> None:
    """A moved folder must not turn the rules into checks of nothing."""
    assert [layer for layer in LAYERS if not _python_files(ROOT, f"{MODULE_UTILS}/{layer}")] == []


FUTURE = "from __future__ import annotations\n"
OWN = f"{COLLECTION}.plugins.module_utils"


@pytest.mark.parametrize(
    ("rule", "path", "code", "complaint"),
    [
        pytest.param(
            imports_that_go_up,
            "plugins/module_utils/_model/x.py",
            f"{FUTURE}from {OWN}._ports.files import read_file\n",
            f"plugins/module_utils/_model/x.py:2: _model imports {OWN}._ports.files.read_file",
            id="absolute import of a higher layer",
        ),
        pytest.param(
            imports_that_go_up,
            "plugins/module_utils/_ports/x.py",
            f"{FUTURE}from .._engine import table\n",
            f"plugins/module_utils/_ports/x.py:2: _ports imports {OWN}._engine.table",
            id="relative import of a higher layer",
        ),
        pytest.param(
            imports_that_go_up,
            "plugins/module_utils/_engine/x.py",
            f"{FUTURE}def f():\n    import {OWN}._ansible.run\n",
            f"plugins/module_utils/_engine/x.py:3: _engine imports {OWN}._ansible.run",
            id="import inside a function",
        ),
        pytest.param(
            imports_that_go_up,
            "plugins/module_utils/_ports/x.py",
            f"{FUTURE}from {OWN} import _engine\n",
            f"plugins/module_utils/_ports/x.py:2: _ports imports {OWN}._engine",
            id="import of a higher layer's package",
        ),
        pytest.param(
            imports_that_go_up,
            "plugins/module_utils/_ansible/x.py",
            f"{FUTURE}from {COLLECTION}.plugins.modules import transport\n",
            f"plugins/module_utils/_ansible/x.py:2: _ansible imports {COLLECTION}.plugins.modules.transport",
            id="import of a module",
        ),
        *(
            pytest.param(
                outside_world_in_the_model,
                "plugins/module_utils/_model/x.py",
                f"{FUTURE}{statement}\n",
                f"plugins/module_utils/_model/x.py:2: _model imports {name}",
                id=statement,
            )
            for statement, name in (
                ("import os", "os"),
                ("from os import path", "os.path"),
                ("import os.path as p", "os.path"),
                ("import subprocess", "subprocess"),
                ("from socket import create_connection", "socket.create_connection"),
            )
        ),
        *(
            pytest.param(
                ansible_below_its_layer,
                f"plugins/module_utils/{layer}/x.py",
                f"{FUTURE}from ansible.module_utils.basic import AnsibleModule\n",
                f"plugins/module_utils/{layer}/x.py:2: {layer} imports ansible.module_utils.basic.AnsibleModule",
                id=f"Ansible in {layer}",
            )
            for layer in ("_model", "_ports", "_engine")
        ),
        pytest.param(
            names_that_are_not_private,
            "plugins/module_utils/tables.py",
            FUTURE,
            "plugins/module_utils/tables.py: is in none of the layers _model, _ports, _engine, _ansible",
            id="public name in module_utils",
        ),
        pytest.param(
            names_that_are_not_private,
            "plugins/module_utils/_other/tables.py",
            FUTURE,
            "plugins/module_utils/_other/tables.py: is in none of the layers _model, _ports, _engine, _ansible",
            id="a layer that nobody named",
        ),
        pytest.param(
            imports_past_the_ansible_layer,
            "plugins/modules/x.py",
            f"{FUTURE}from {OWN}._ports.files import read_file\n\n\ndef main():\n    pass\n",
            f"plugins/modules/x.py:2: a module imports {OWN}._ports.files.read_file",
            id="ports in a module",
        ),
        pytest.param(
            imports_past_the_ansible_layer,
            "plugins/modules/x.py",
            f"{FUTURE}import subprocess\n\n\ndef main():\n    pass\n",
            "plugins/modules/x.py:2: a module imports subprocess",
            id="processes in a module",
        ),
        pytest.param(
            mains_that_are_long,
            "plugins/modules/x.py",
            f"{FUTURE}def main():\n" + "    pass\n" * 25,
            "plugins/modules/x.py:2: main() has 26 lines, at most 25",
            id="main of 26 lines",
        ),
        pytest.param(
            mains_that_are_long,
            "plugins/modules/x.py",
            FUTURE,
            "plugins/modules/x.py: has no main()",
            id="no main",
        ),
        pytest.param(
            annotations_evaluated_early,
            "plugins/module_utils/_model/x.py",
            "import re\n",
            "plugins/module_utils/_model/x.py: lacks from __future__ import annotations",
            id="annotations evaluated",
        ),
        pytest.param(
            lines_ended_by_more_than_a_newline,
            "plugins/plugin_utils/x.py",
            f"{FUTURE}lines = 'text'.splitlines()\n",
            "plugins/plugin_utils/x.py:2: calls splitlines",
            id="splitlines",
        ),
        pytest.param(
            loops_over_ones,
            "plugins/plugin_utils/x.py",
            f"{FUTURE}names = [one.name for one in ()]\n",
            "plugins/plugin_utils/x.py:2: loops over each one of what?",
            id="loop variable that says nothing",
        ),
        pytest.param(
            logic_without_a_test_file,
            "plugins/plugin_utils/x.py",
            f"{FUTURE}def f():\n    pass\n",
            "plugins/plugin_utils/x.py: has no tests in tests/unit/plugins/plugin_utils/test_x.py",
            id="function without a test file",
        ),
        pytest.param(
            logic_without_a_test_file,
            "plugins/filter/x.py",
            f"{FUTURE}class A:\n    def f(self):\n        pass\n",
            "plugins/filter/x.py: has no tests in tests/unit/plugins/filter/test_x.py",
            id="method without a test file",
        ),
    ],
)
def test_rule_names_the_breach(tmp_path: Path, rule: Rule, path: str, code: str, complaint: str) -> None:
    breach = tmp_path / path
    breach.parent.mkdir(parents=True)
    breach.write_text(code, encoding="utf-8")
    assert rule(tmp_path) == [complaint]


def _write(root: Path, files: dict[str, str]) -> None:
    for name, code in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")


def test_test_file_without_a_test_is_a_breach(tmp_path: Path) -> None:
    test = "tests/unit/plugins/module_utils/_model/test_x.py"
    code = f"{FUTURE}def f():\n    pass\n"
    _write(tmp_path, {"plugins/module_utils/_model/x.py": code, test: code})
    assert logic_without_a_test_file(tmp_path) == [f"plugins/module_utils/_model/x.py: has no tests in {test}"]


@pytest.mark.parametrize(
    ("imports", "complaints"),
    [
        ({"a/x": "b.y", "b/y": "b.z"}, []),
        ({"a/x": "a.y", "a/y": "a.x"}, []),
        ({"a/x": "b.y", "b/y": "a.z"}, ["_model: a imports b, in a circle", "_model: b imports a, in a circle"]),
        (
            {"a/x": "b.y", "b/y": "names", "names": "a.z", "c/x": "c.y"},
            [
                "_model: a imports b, in a circle",
                "_model: b imports names, in a circle",
                "_model: names imports a, in a circle",
            ],
        ),
    ],
)
def test_rooms_in_a_circle_are_named(tmp_path: Path, imports: dict[str, str], complaints: list[str]) -> None:
    for name, asked in imports.items():
        _write(tmp_path, {f"{MODULE_UTILS}/_model/{name}.py": f"{FUTURE}from {OWN}._model.{asked} import f\n"})
    assert rooms_that_import_in_circles(tmp_path) == complaints


def test_name_with_two_meanings_is_a_breach(tmp_path: Path) -> None:
    code = f"{FUTURE}class Record:\n    pass\n\n\ndef read():\n    pass\n\n\ndef _split():\n    pass\n"
    _write(
        tmp_path,
        {
            "plugins/module_utils/_engine/x.py": code,
            "plugins/module_utils/_model/x.py": code,
            "plugins/modules/x.py": f"{FUTURE}def read():\n    pass\n\n\ndef main():\n    pass\n",
            "plugins/modules/y.py": f"{FUTURE}class A:\n    def read(self):\n        pass\n\n\ndef main():\n    pass\n",
        },
    )
    assert names_with_two_meanings(tmp_path) == [
        "plugins/module_utils/_model/x.py:2: Record is also defined in plugins/module_utils/_engine/x.py",
        "plugins/module_utils/_model/x.py:6: read is also defined in plugins/module_utils/_engine/x.py",
        "plugins/modules/x.py:2: read is also defined in plugins/module_utils/_engine/x.py",
    ]


def test_rules_accept_what_is_right(tmp_path: Path) -> None:
    files = {
        "plugins/module_utils/__init__.py": "",
        "plugins/module_utils/_model/errors.py": f"{FUTURE}import re\n",
        "plugins/module_utils/_ports/files.py": f"{FUTURE}import os\nfrom {OWN}._model.errors import HostError\n",
        "plugins/module_utils/_engine/table.py": f"{FUTURE}from .._ports import files\nfrom . import lock\n",
        "plugins/module_utils/_ansible/run.py": (
            f"{FUTURE}from ansible.module_utils.basic import AnsibleModule\nfrom {OWN}._engine import table\n"
        ),
        "plugins/modules/x.py": (
            f"{FUTURE}from {OWN}._ansible.run import run_module\n\n\ndef main():\n" + "    pass\n" * 24
        ),
        "plugins/module_utils/_model/states.py": f"{FUTURE}class State:\n    name: str\n",
        "tests/unit/plugins/modules/test_x.py": f"{FUTURE}def test_x():\n    pass\n",
    }
    _write(tmp_path, files)
    assert {rule.__name__: rule(tmp_path) for rule in RULES} == {rule.__name__: [] for rule in RULES}
