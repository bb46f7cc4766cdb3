# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places in a JSON document, such as `value[].proxyAddresses[]`, and the texts that are there.

A name leads to a member of an object, `[]` to each item of a list, and `[name=text]` or `[name!=text]` to those of
which a member is that, or is not. A place that ends with `?` may be missing. A member whose name has dots, such as
`@odata.nextLink`, is meant before one below another.

Nothing of what a document holds is shown in an error, since it may be many people's addresses, or a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput, SourceError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.formats import utf8_text

_STEP = re.compile(r"([^\[\]]+)|\[([^\[\]]*)\]")
_CONDITION = re.compile(r"([^!=]+)(!?=)(.*)")
_REMEDY = "correct addresses, or look at what is answered"


@dataclass(frozen=True)
class _Items:
    """Each item of a list, or those of which a member is, or is not, a text."""

    member: str = ""
    equal: bool = True
    text: str = ""


_Steps = Sequence[Union[str, _Items]]


@dataclass(frozen=True)
class JsonPlace:
    """A place as it is written, and the steps that lead there: names of members, and items of lists."""

    text: str
    steps: _Steps
    optional: bool = False


def json_place(text: str, option: str) -> JsonPlace:
    """The place that is written so. Raises InvalidInput."""
    bare = text[:-1] if text.endswith("?") else text
    parts = [match.group(0) for match in _STEP.finditer(bare)]
    if not bare or "".join(parts) != bare:
        raise _no_place(text, option)
    steps = [_step(part, number > 0, text, option) for number, part in enumerate(parts)]
    return JsonPlace(text, steps, bare != text)


def _step(part: str, inside: bool, text: str, option: str) -> str | _Items:
    if not part.startswith("["):
        name = part[1:] if inside and part.startswith(".") else "" if inside else part
        if "" in name.split("."):
            raise _no_place(text, option)
        return name
    if part == "[]":
        return _Items()
    condition = _CONDITION.fullmatch(part[1:-1])
    if condition is None:
        raise _no_place(text, option)
    return _Items(condition.group(1), condition.group(2) == "=", condition.group(3))


def _no_place(text: str, option: str) -> InvalidInput:
    return InvalidInput(f'{option} "{text}" is not a place in a document; write it such as value[].mail')


def document_of(data: bytes, where: str) -> Any:
    """What a JSON text holds. Raises SourceError for another text, and for one that is cut."""
    text = utf8_text(data, where)
    if not text.strip():
        raise SourceError(f"{where} answers with nothing; look at its log")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise SourceError(
            f"{where} does not answer with JSON, or it is cut (line {error.lineno}, column {error.colno}); "
            "correct the url, or the format of the source"
        ) from None
    except (ValueError, RecursionError):
        raise SourceError(f"{where} answers with JSON that is out of bounds; look at what is answered") from None


def json_member(node: Mapping[str, Any], name: str) -> tuple[bool, Any]:
    """Whether an object has a member, and its value. A dot leads to the member of a member, unless it is in a name."""
    if name in node:
        return True, node[name]
    for dot in (match.start() for match in re.finditer(r"\.", name)):
        below = node.get(name[:dot])
        if isinstance(below, Mapping):
            found, value = json_member(below, name[dot + 1 :])
            if found:
                return found, value
    return False, None


class PlaceReader:
    """Reads one place in each of the documents of a source."""

    def __init__(self, place: JsonPlace) -> None:
        self._place = place
        self._found = False
        self._missing = False

    def texts(self, document: Any, where: str) -> Iterator[str]:
        """The texts there, without empty ones. Raises SourceError where the document does not lead there.

        A member of an item may be null or missing, as long as one item has it: see `check`.
        """
        return self._below(document, self._place.steps, where, False)

    def check(self, where: str) -> None:
        """Raises SourceError if there were items, and none had what the place names."""
        if self._missing and not self._found and not self._place.optional:
            raise SourceError(
                f"{where} has nothing at {self._place.text} in any item; {_REMEDY}, or write {self._place.text}? if "
                "that is how it is"
            )

    def _below(self, node: Any, steps: _Steps, where: str, inside: bool) -> Iterator[str]:
        if not steps:
            self._found = True
            return self._leaf(node, where)
        step = steps[0]
        if isinstance(step, _Items):
            return self._items(node, step, steps[1:], where, inside)
        return self._member(node, step, steps[1:], where, inside)

    def _leaf(self, node: Any, where: str) -> Iterator[str]:
        if isinstance(node, str):
            if node:
                yield node
        elif node is not None:
            hint = f"write {self._place.text}[]" if isinstance(node, list) else _REMEDY
            raise SourceError(f"{where} has {_kind(node)} at {self._place.text}, not text; {hint}")

    def _items(self, node: Any, step: _Items, rest: _Steps, where: str, inside: bool) -> Iterator[str]:
        if inside and not node:
            self._found = True
        if inside and node is None:
            return
        if not isinstance(node, list):
            raise SourceError(f"{where} has {_kind(node)} instead of a list at {self._place.text}; {_REMEDY}")
        for item in node:
            if not step.member or self._meets(item, step, where):
                yield from self._below(item, rest, where, True)

    def _meets(self, item: Any, step: _Items, where: str) -> bool:
        found, value = json_member(item, step.member) if isinstance(item, Mapping) else (False, None)
        if not found:
            raise SourceError(f"{where} has an item without {step.member} at {self._place.text}; {_REMEDY}")
        return (_as_text(value) == step.text) == step.equal

    def _member(self, node: Any, name: str, rest: _Steps, where: str, inside: bool) -> Iterator[str]:
        if not isinstance(node, Mapping):
            raise SourceError(f"{where} has {_kind(node)} instead of an object at {self._place.text}; {_REMEDY}")
        found, value = json_member(node, name)
        if found:
            yield from self._below(value, rest, where, inside)
        elif inside or self._place.optional:
            self._missing = True
        else:
            raise SourceError(f"{where} has nothing at {self._place.text}; {_REMEDY}")


def _kind(value: Any) -> str:
    if isinstance(value, (str, list, Mapping)):
        return "text" if isinstance(value, str) else "a list" if isinstance(value, list) else "an object"
    return "a number" if isinstance(value, (int, float)) and not isinstance(value, bool) else json.dumps(value)


def _as_text(value: Any) -> str:
    """How a value is written in a condition: text as it is, and null, true, false and numbers as in JSON."""
    return value if isinstance(value, str) else json.dumps(value)
