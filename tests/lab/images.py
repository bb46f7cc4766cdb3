# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have the images of the lab's hosts: from the engine, else built on a Debian that is there, pulled, or made here.

Images are named `mxrelay-lab/KIND:SUITE-DIGEST`; the digest covers every file of the images folder and the base
image, so that a change builds anew and nothing else does. A scenario's own hosts can be of any suite; what surrounds
them is always of the same one.
"""

from __future__ import annotations

import concurrent.futures
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from lab.engine import LabError, as_root, install, say

MX = "mx"
SURROUNDINGS = ("mailhost", "dns", "tester")
SUITES = ("bullseye", "bookworm", "trixie", "forky", "sid")
DEFAULT_SUITE = "trixie"
CONTEXT = pathlib.Path(__file__).parent / "images"
SECONDS_TO_PULL = 120
# Of debootstrap, whose own mirror it is; this script makes all suites, also those that are newer than debootstrap.
OWN_MIRROR, SCRIPT = "", "sid"
ONE_INSTALLATION = threading.Lock()


def suite_wanted() -> str:
    """Return the Debian release of the MX hosts whose scenario names none, from MXRELAY_LAB_SUITE."""
    return known_suite(os.environ.get("MXRELAY_LAB_SUITE") or DEFAULT_SUITE, "MXRELAY_LAB_SUITE")


def known_suite(suite: str, place: str) -> str:
    """Return the suite. Raises LabError where the lab has none of that name."""
    if suite not in SUITES:
        raise LabError(f"{place}: {suite} is not one of {', '.join(SUITES)}")
    return suite


def image_id(engine: str, name: str) -> str:
    """Return the engine's id of an image, empty where it has none of that name."""
    result = subprocess.run(
        [engine, "image", "inspect", "--format", "{{.Id}}", name], capture_output=True, text=True, check=False
    )
    return result.stdout.strip() if result.returncode == 0 else ""


def remove_replaced(engine: str, name: str, before: str) -> None:
    """Remove the image that had this name before, if another has it now; what they share stays."""
    if before not in ("", image_id(engine, name)):
        subprocess.run([engine, "image", "rm", before], check=False, capture_output=True)


def pull(engine: str, name: str) -> bool:
    """Return whether a registry gave the image within the time."""
    say(f"asking a registry for {name}")
    try:
        result = subprocess.run(
            [engine, "pull", "--quiet", name], capture_output=True, check=False, timeout=SECONDS_TO_PULL
        )
    except subprocess.TimeoutExpired:
        return False
    return result.returncode == 0


def bootstrap(engine: str, suite: str, name: str) -> None:
    """Make a minimal Debian from its packages and give it to the engine."""
    with ONE_INSTALLATION:
        if shutil.which("debootstrap", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            install("debootstrap")
    say(f"no registry answers; making Debian {suite} with debootstrap (about a minute)")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mxrelay-lab-"))
    root = folder / "root"
    try:
        options = ["--variant=minbase", "--include=ca-certificates,python3"]
        command = as_root("debootstrap", *options, suite, str(root), OWN_MIRROR, SCRIPT)
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            problem = f"{made.stdout[-2000:]}{made.stderr[-2000:]}"
            raise LabError(f"no image of Debian {suite} is to be had: debootstrap failed:\n{problem}")
        with subprocess.Popen(as_root("tar", "-C", str(root), "-c", "."), stdout=subprocess.PIPE) as tar:
            subprocess.run([engine, "import", "-", name], stdin=tar.stdout, check=True, stdout=subprocess.DEVNULL)
        if tar.returncode != 0:
            raise LabError(f"tar of {root} ended with code {tar.returncode}")
    finally:
        subprocess.run(as_root("rm", "-rf", "--one-file-system", str(folder)), check=True)


def base_image(engine: str, suite: str) -> str:
    """Return the name of a bare Debian image of this suite that the engine has."""
    public = f"debian:{suite}"
    own = f"mxrelay-lab/debian:{suite}"
    for name in (public, own):
        if image_id(engine, name):
            return name
    if pull(engine, public):
        return public
    bootstrap(engine, suite, own)
    return own


def tag_of(engine: str, suite: str, base: str) -> str:
    """Return the tag that the images built from these files on this base have."""
    digest = hashlib.sha256(image_id(engine, base).encode())
    for path in sorted(path for path in CONTEXT.iterdir() if path.is_file()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{suite}-{digest.hexdigest()[:12]}"


def build(engine: str, kind: str, name: str, base: str) -> None:
    """Build the image of one kind of host."""
    say(f"building {name}")
    command = [engine, "build", "--build-arg", f"BASE={base}", "--target", kind, "--tag", name, str(CONTEXT)]
    result = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={**os.environ, "DOCKER_BUILDKIT": "0"},
    )
    if result.returncode != 0:
        raise LabError(f"{' '.join(command)} failed:\n{result.stdout[-4000:]}")


@contextmanager
def alone_with(suite: str, cache: pathlib.Path) -> Iterator[None]:
    """Nobody else of this checkout makes images of this suite in this block."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"images-{suite}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def have_images(engine: str, suite: str, kinds: Iterable[str], cache: pathlib.Path) -> str:
    """Have the images of these kinds of hosts for this suite; return their common tag."""
    with alone_with(suite, cache):
        base = base_image(engine, suite)
        tag = tag_of(engine, suite, base)
        for kind in kinds:
            name = f"mxrelay-lab/{kind}:{tag}"
            if not image_id(engine, name):
                build(engine, kind, name, base)
    return tag


def have_all(engine: str, kinds: Mapping[str, Iterable[str]], cache: pathlib.Path) -> tuple[str, dict[str, str]]:
    """Have what surrounds a scenario's hosts, and the hosts' kinds by suite; return the first's tag and each suite's.

    The suites are made at the same time, since most of it is waiting for packages. Raises LabError.
    """
    wanted = {suite: sorted(kinds_wanted) for suite, kinds_wanted in kinds.items()}
    wanted[DEFAULT_SUITE] = [*wanted.get(DEFAULT_SUITE, ()), *SURROUNDINGS]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        made = {suite: pool.submit(have_images, engine, suite, each, cache) for suite, each in wanted.items()}
        tags = {suite: future.result() for suite, future in made.items()}
    return tags[DEFAULT_SUITE], tags
