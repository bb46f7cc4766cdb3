# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a page in a real browser, in a container of its own, so that the machine needs none."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from lab import hosts, images

CACHE = pathlib.Path(__file__).parents[2] / ".cache"
NAME = "browser"
PAGE = "/tmp/page.html"
PICTURE = "/tmp/page.png"
HEIGHT = 900
# Of a long page the picture shows this much.
TALLEST = 2400


@dataclasses.dataclass(frozen=True)
class Visit:
    """What a browser said of a page; see images/browse.py."""

    problems: Sequence[str]
    requests: Sequence[str]
    values: Sequence[Any]
    names: frozenset[tuple[str, str]]
    seconds: Sequence[float]


@contextmanager
def started() -> Iterator[None]:
    """Have a browser until the end; its image is made where it is missing."""
    command = os.environ["MXRELAY_LAB_ENGINE"]
    tag = images.have_images(command, images.DEFAULT_SUITE, (NAME,), CACHE)
    name = hosts.container(NAME)
    label = f"mxrelay-lab={os.environ['MXRELAY_LAB']}"
    options = ["--detach", "--init", "--network", "none", "--name", name, "--label", label]
    hosts.engine("run", *options, f"mxrelay-lab/{NAME}:{tag}")
    try:
        yield
    finally:
        hosts.engine("rm", "--force", "--volumes", name)


def look(
    page: str,
    *scripts: str,
    width: int = 1280,
    dark: bool = False,
    paper: bool = False,
    names: bool = False,
    picture: pathlib.Path | None = None,
) -> Visit:
    """Open a page's text, run the scripts one after the other, and say what was seen."""
    hosts.on(NAME, "sh", "-c", f"cat > {PAGE}", given=page)
    order = {
        "page": PAGE,
        "width": width,
        "height": HEIGHT,
        "dark": dark,
        "paper": paper,
        "scripts": scripts,
        "names": names,
        "picture": PICTURE if picture else None,
        "clip": TALLEST,
    }
    seen = json.loads(hosts.on(NAME, "python3", "/usr/local/lib/browse.py", given=json.dumps(order)))
    if picture:
        picture.parent.mkdir(parents=True, exist_ok=True)
        hosts.engine("cp", f"{hosts.container(NAME)}:{PICTURE}", str(picture))
    return Visit(
        problems=seen["problems"],
        requests=seen["requests"],
        values=seen["values"],
        names=frozenset((role, name) for role, name in seen["names"]),
        seconds=seen["seconds"],
    )
