# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text that Prometheus reads, the same as OpenMetrics 1.0 and as its older text format 0.0.4.

All metrics are gauges, since the two formats write counters differently. What only OpenMetrics knows, `# UNIT` and
`# EOF`, is a comment to the older format, which the textfile collector of node_exporter reads.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Union

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.quoted import ADDRESS, SOMEBODY

PREFIX = "mxrelay_"
SECONDS = "seconds"
BYTES = "bytes"

Number = Union[int, float]
Sample = tuple[Mapping[str, str], Number]


@dataclass(frozen=True)
class Family:
    """A metric: its name without PREFIX, what it says, samples by their labels, and the unit that ends its name."""

    name: str
    help: str
    samples: Sequence[Sample]
    unit: str = ""


def exposition(parts: Iterable[tuple[Mapping[str, str], Sequence[Family]]]) -> str:
    """The text of the families of all parts, whose labels each of their samples gets as well.

    Families of one name are one. A family without samples is left out. What looks like an address is none in a label.
    """
    known: dict[str, Family] = {}
    samples: dict[str, dict[str, Number]] = {}
    for labels, families in parts:
        for family in families:
            known.setdefault(family.name, family)
            for own, value in family.samples:
                samples.setdefault(family.name, {})[_labels({**labels, **own})] = value
    lines = [line for name in known if name in samples for line in _lines(known[name], samples[name])]
    return "".join(f"{line}\n" for line in [*lines, "# EOF"])


def _lines(family: Family, samples: Mapping[str, Number]) -> list[str]:
    name = f"{PREFIX}{family.name}"
    unit = [f"# UNIT {name} {family.unit}"] if family.unit else []
    head = [f"# HELP {name} {_escaped(family.help)}", f"# TYPE {name} gauge", *unit]
    return head + [f"{name}{labels} {written_number(value)}" for labels, value in samples.items()]


def _labels(labels: Mapping[str, str]) -> str:
    told = ",".join(f'{name}="{_escaped(ADDRESS.sub(SOMEBODY, value))}"' for name, value in labels.items())
    return f"{{{told}}}" if told else ""


def _escaped(text: str) -> str:
    plain = text.encode("utf-8", "replace").decode("utf-8")
    return plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def written_number(value: Number) -> str:
    """A number as both formats write it."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def read_sample(text: str, name: str) -> float | None:
    """The value of the sample without labels that a text has of this name; None if it has none."""
    for line in text.split("\n"):
        word, _blank, value = line.partition(" ")
        if word == f"{PREFIX}{name}":
            try:
                return float(value)
            except ValueError:
                return None
    return None
