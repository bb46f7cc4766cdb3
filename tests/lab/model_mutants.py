# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break the model in every place where it decides, one place at a time.

What is changed: comparisons, `and` and `or`, conditions (always, never), numbers and truth values, arithmetic and sets,
what a function returns, statements that stand for themselves, and calls whose opposite is as likely. Texts are not.
"""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import os
import pathlib
import types
from collections.abc import Iterator
from typing import Any

import yaml

MODEL = pathlib.Path("plugins/module_utils/_model")
# By its path below the model. What a mutant changes is nothing that anybody could see, for the reason given.
EQUIVALENT = pathlib.Path(__file__).with_name("equivalent_mutants.yml")
# The option that has a tenth of the mutants tried.
TENTH = "--tenth"

# Data that ./run generate writes, and that tests hold against what it is made from.
GENERATED = "by ./run generate; change it there"

OPPOSITES: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
OTHER_NAMES = {
    "all": "any",
    "any": "all",
    "endswith": "startswith",
    "max": "min",
    "min": "max",
    "partition": "rpartition",
    "rpartition": "partition",
    "sorted": "list",
    "startswith": "endswith",
}
# Methods whose result is a tidied form of what they are called on.
TIDYING = ("casefold", "lower", "lstrip", "rstrip", "strip", "upper")
# Characters of a statement on either side of what is changed, where it is long.
AROUND = 60
HEADED = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.FunctionDef, ast.ClassDef)


@dataclasses.dataclass
class Site:
    """A place of a tree, and what comes there instead."""

    parent: ast.AST
    field: str
    index: int | None
    new: Any

    def swap(self) -> None:
        """Put the new thing there; called again, the old one."""
        held = getattr(self.parent, self.field)
        if self.index is None:
            setattr(self.parent, self.field, self.new)
            self.new = held
        else:
            held[self.index], self.new = self.new, held[self.index]


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One change: in which file below the model, in which function, of which statement, to what."""

    file: str
    function: str
    line: int
    before: str
    after: str
    site: Site = dataclasses.field(compare=False, repr=False)
    tree: ast.Module = dataclasses.field(compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.function}: {self.before}  →  {self.after}"

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names the change, also after lines have moved."""
        return self.file, self.function, self.before, self.after

    @property
    def drawn(self) -> bool:
        """Whether it is in the tenth of all that is always the same, as long as nobody edits what it changes."""
        return int(hashlib.sha256(repr(self.key).encode()).hexdigest(), 16) % 10 == 0

    def code(self) -> types.CodeType:
        """Return the file's code with this change; the tree has it from then on."""
        self.site.swap()
        code: types.CodeType = compile(ast.fix_missing_locations(self.tree), self.file, "exec", dont_inherit=True)
        return code


def mutants(model: pathlib.Path) -> list[Mutant]:
    """Every mutant of every file below the folder."""
    return [
        mutant
        for path in sorted(model.rglob("*.py"))
        if GENERATED not in path.read_text(encoding="utf-8")
        for mutant in mutants_of(str(path.relative_to(model)), path.read_text(encoding="utf-8"))
    ]


def mutants_of(file: str, source: str) -> list[Mutant]:
    """Every mutant of one file."""
    tree = ast.parse(source)
    found = []
    for statement, function, site in _sites(tree, tree, ""):
        before = _line(statement)
        replaced = site.new
        site.swap()
        after = _line(replaced if isinstance(replaced, ast.stmt) else statement)
        site.swap()
        if after != before:
            found.append(Mutant(file, function, statement.lineno, *_around(before, after), site, tree))
    return found


def equivalent() -> dict[tuple[str, str, str, str], str]:
    """Return the reason of each mutant that is known to be equivalent, by its key."""
    told = yaml.safe_load(EQUIVALENT.read_text(encoding="utf-8")) or {}
    return {
        (file, entry["in"], entry["before"], entry["after"]): entry["because"]
        for file, entries in told.items()
        for entry in entries
    }


def _sites(node: ast.AST, statement: Any, function: str) -> Iterator[tuple[Any, str, Site]]:
    """Yield each place below the node, with the statement and the function that it is in."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "ctx", "type_comment"):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr):
                continue
            inside = child if isinstance(child, ast.stmt) else statement
            name = ".".join(filter(None, (function, getattr(child, "name", "")))) if _names(child) else function
            for new in _instead(child, node, field):
                yield inside, name, Site(node, field, index, new)
            yield from _sites(child, inside, name)


def _names(node: ast.AST) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.ClassDef))


def _instead(node: Any, parent: ast.AST, field: str) -> Iterator[ast.AST]:
    """Yield what may come instead of a node."""
    if type(node) in OPPOSITES:
        yield OPPOSITES[type(node)]()
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, (bool, int)):
            yield ast.Constant(not node.value if isinstance(node.value, bool) else node.value + 1)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.Name) and node.id in OTHER_NAMES and isinstance(parent, ast.Call) and field == "func":
        # A list has no key and is in no reverse order.
        if node.id != "sorted" or not parent.keywords:
            yield ast.Name(OTHER_NAMES[node.id], ast.Load())
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in OTHER_NAMES:
            other = ast.Attribute(node.func.value, OTHER_NAMES[node.func.attr], ast.Load())
            yield ast.Call(other, node.args, node.keywords)
        elif node.func.attr in TIDYING:
            yield node.func.value
    elif isinstance(node, ast.Return) and not (node.value is None or isinstance(node.value, ast.Constant)):
        yield ast.Return(ast.Constant(None))
    elif _stands_for_itself(node):
        yield ast.Pass()
    if field == "test" and isinstance(parent, (ast.If, ast.IfExp)) and not isinstance(node, ast.Constant):
        yield ast.Constant(True)
        yield ast.Constant(False)
    elif field == "ifs":
        yield ast.Constant(True)


def _stands_for_itself(node: ast.AST) -> bool:
    """Whether a statement does something by itself, and is no docstring."""
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    return isinstance(node, (ast.AugAssign, ast.Break, ast.Continue, ast.Delete, ast.Raise))


def _around(before: str, after: str) -> tuple[str, str]:
    """Return what differs of two texts, with some of what is around it."""
    begin = len(os.path.commonprefix([before, after]))
    end = len(os.path.commonprefix([before[begin:][::-1], after[begin:][::-1]]))
    first = max(0, begin - AROUND)

    def cut(text: str) -> str:
        middle = text[first : len(text) - max(0, end - AROUND)]
        return f"{'… ' if first else ''}{middle}{' …' if end > AROUND else ''}"

    return cut(before), cut(after)


def _line(statement: ast.AST) -> str:
    """Return a statement as one line, without what is below its head."""
    if not isinstance(statement, HEADED):
        return ast.unparse(statement).replace("\n", " ")
    # `elif` is an `if` here; what is in `else` are statements of their own.
    bare = {"body": [ast.Pass()], "decorator_list": [], "orelse": [], "handlers": [], "finalbody": [ast.Pass()]}
    fields = {name: bare.get(name, value) for name, value in ast.iter_fields(statement)}
    return ast.unparse(ast.copy_location(type(statement)(**fields), statement)).splitlines()[0]
