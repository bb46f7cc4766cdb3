# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have the images of the lab's hosts: from the engine, else built on a Debian that is there, pulled, or made here.

Images are named `mxrelay-lab/KIND:SUITE-DIGEST`; the digest covers every file of the images folder and the base
image, so that a change builds anew and nothing else does.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

from lab.engine import LabError, as_root, install, say

KINDS = ("mx", "mailhost", "dns", "tester")
SUITES = ("bullseye", "bookworm", "trixie", "forky", "sid")
DEFAULT_SUITE = "trixie"
CONTEXT = pathlib.Path(__file__).parent / "images"
SECONDS_TO_PULL = 120


def suite_wanted() -> str:
    """Return the Debian release of the hosts, from MXRELAY_LAB_SUITE."""
    suite = os.environ.get("MXRELAY_LAB_SUITE") or DEFAULT_SUITE
    if suite not in SUITES:
        raise LabError(f"MXRELAY_LAB_SUITE={suite}: not one of {', '.join(SUITES)}")
    return suite


def image_id(engine: str, name: str) -> str:
    """Return the engine's id of an image, empty where it has none of that name."""
    result = subprocess.run(
        [engine, "image", "inspect", "--format", "{{.Id}}", name], capture_output=True, text=True, check=False
    )
    return result.stdout.strip() if result.returncode == 0 else ""


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
    if shutil.which("debootstrap", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
        install("debootstrap")
    say(f"no registry answers; making Debian {suite} with debootstrap (about a minute)")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mxrelay-lab-"))
    root = folder / "root"
    try:
        options = ["--variant=minbase", "--include=ca-certificates,python3"]
        made = subprocess.run(
            as_root("debootstrap", *options, suite, str(root)), capture_output=True, text=True, check=False
        )
        if made.returncode != 0:
            raise LabError(f"debootstrap {suite} failed:\n{made.stdout[-2000:]}{made.stderr[-2000:]}")
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


def have_images(engine: str, suite: str) -> str:
    """Have the image of each kind of host for this suite; return their common tag."""
    base = base_image(engine, suite)
    tag = tag_of(engine, suite, base)
    for kind in KINDS:
        name = f"mxrelay-lab/{kind}:{tag}"
        if not image_id(engine, name):
            build(engine, kind, name, base)
    return tag
