# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of the collection as one program file, for a host that has nothing else of it. See zipapp in Python's manual.

The file has the sources of what the program's main module imports, as they are in the module that makes it: in the
archive that Ansible sends, or on disk.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import zipfile
from collections.abc import Iterator

_COLLECTION = "ansible_collections.mxrelay.postfix."
# So that the same sources make the same bytes.
_MOMENT = (1980, 1, 1, 0, 0, 0)
_START = """\
# Of mxrelay.postfix, under the GPL-3.0-or-later.
import sys

from {name} import main

raise SystemExit(main(sys.argv))
"""


def program_archive(name: str, interpreter: str) -> bytes:
    """The program that calls `main(sys.argv)` of this module and ends with what it returns."""
    files = {"__main__.py": _START.format(name=name)}
    for module, (source, is_package) in sorted(_sources(name).items()):
        path = module.replace(".", "/")
        files[f"{path}/__init__.py" if is_package else f"{path}.py"] = source
        for parent in _parents(path):
            files.setdefault(f"{parent}/__init__.py", "")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, source in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path, _MOMENT), source)
    # -I: nothing but Python's own modules and those of the program are found, whoever starts it and wherever.
    return f"#!{interpreter} -IB\n".encode() + buffer.getvalue()


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _sources(name: str) -> dict[str, tuple[str, bool]]:
    """The source of the module and of all of the collection that it imports, and whether each is a package."""
    found: dict[str, tuple[str, bool]] = {}
    waiting = [name]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found[module] = _source(module)
            waiting += _imports(found[module][0])
    return found


def _source(module: str) -> tuple[str, bool]:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"{module} is not there", name=module)
    # Both of Python's loaders, of files and of archives, have it.
    source: str = spec.loader.get_source(module) or ""  # type: ignore[attr-defined]
    return source, spec.submodule_search_locations is not None


def _imports(source: str) -> Iterator[str]:
    """The modules of the collection that a source imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(_COLLECTION):
            members = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [member for member in members if _is_module(member)]
            yield from modules
            if len(modules) < len(members):
                yield node.module


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        # What it would be in is no package.
        return False
