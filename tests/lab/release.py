# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a release in a clone: version, changelog, artifact, bill of materials, checksums, signatures.

Only when all of it passed its checks does the checkout get the release's commit; in a dry release it never does.
Nothing is pushed and no tag is set.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence

import nox
import yaml

from lab import checkout, signing
from lab.collection import build_artifact, content_faults
from lab.commands import succeeds
from lab.counts import FAILED, Count, run_pytest
from lab.engine import LabError
from lab.reproducible import MANIFEST, member

VERSION = re.compile(r"^version: (.+)$", re.MULTILINE)
RELEASED = re.compile(r"\d+\.\d+\.\d+")
SUMS = "SHA256SUMS"
KEY = "release-key.asc"
# Who commits in the clone of a dry release, which is thrown away.
NOBODY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "A dry release"), ("EMAIL", "nobody@mxrelay.example"))
}
# The two builds differ in whatever must not matter.
BUILDERS: tuple[tuple[str, int, Mapping[str, str]], ...] = (
    ("one", 0o022, {"TZ": "UTC", "PYTHONHASHSEED": "1"}),
    ("two/deeper", 0o077, {"TZ": "Pacific/Auckland", "PYTHONHASHSEED": "2"}),
)


class ReleaseError(Exception):
    """There is no release; the message says why."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the user asks for; an empty version is the next one, an empty key none.

    `of`: the commit of a release that is made already, if its files are wanted again.
    """

    version: str
    key: str
    dry: bool
    of: str = ""


def release(session: nox.Session) -> Count:
    """Make a release, and run the checks that users are told of on its files."""
    wanted = asked(session.posargs)
    top = checkout.CACHE / checkout.LAB / "release"
    before = state(checkout.ROOT)
    try:
        clone, version, commit = made(session, top, wanted.of) if wanted.of else make(session, top, wanted)
        with signer(wanted) as key:
            files = publish(session, clone, top / "files", commit, key)
        counts = checked(session, files, version)
        if wanted.dry and state(checkout.ROOT) != before:
            session.warn("the checkout has changed during the dry release")
            counts += FAILED
        if counts.failed or wanted.dry:
            return counts
        if not wanted.of:
            git(checkout.ROOT, "pull", "--quiet", "--ff-only", str(clone), commit)
    except (ReleaseError, LabError, signing.SigningError) as error:
        session.error(str(error))
    session.log(what_next(version, commit, files))
    return counts


def make(session: nox.Session, top: pathlib.Path, wanted: Wanted) -> tuple[pathlib.Path, str, str]:
    """Commit the release in a clone; return the clone, the version, the commit."""
    version = next_version((checkout.ROOT / "galaxy.yml").read_text(), wanted.version)
    if not wanted.dry:
        refuse(checkout.ROOT, version)
    clone = clone_of(session, top, dry=wanted.dry)
    return clone, version, commit_release(session, clone, version, dry=wanted.dry)


def made(session: nox.Session, top: pathlib.Path, commit: str) -> tuple[pathlib.Path, str, str]:
    """Have a clone at a release that is made already; return the clone, the version, the commit."""
    clone = clone_of(session, top, dry=False)
    git(clone, "checkout", "--quiet", "--detach", commit)
    return clone, released_version((clone / "galaxy.yml").read_text(), commit), git(clone, "rev-parse", "HEAD").strip()


def asked(options: Sequence[str]) -> Wanted:
    """Read the options of the word release."""
    parser = argparse.ArgumentParser(prog="./run release", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--version", default="", help="what to release; by default galaxy.yml's without -dev, or the next"
    )
    which.add_argument(
        "--of", default="", help="make the files of a release again, such as to sign them: its tag or commit"
    )
    parser.add_argument("--dry", action="store_true", help="change nothing, and sign with a key that is thrown away")
    key = parser.add_mutually_exclusive_group()
    key.add_argument("--key", default="", help="the secret key that signs, by its fingerprint")
    key.add_argument("--unsigned", action="store_true", help="sign nothing")
    given = parser.parse_args(options)
    if not (given.dry or given.key or given.unsigned):
        parser.error("name the key that signs with --key, or say --unsigned or --dry")
    return Wanted(given.version, given.key, given.dry, given.of)


def next_version(galaxy: str, asked_for: str) -> str:
    """Return the version to release. Raises ReleaseError unless it is MAJOR.MINOR.PATCH.

    Where nothing is asked for, it is what galaxy.yml has before -dev; after a release, the next patch.
    """
    version, _dash, suffix = version_of(galaxy).partition("-")
    wanted = asked_for or version
    if not RELEASED.fullmatch(wanted):
        raise ReleaseError(f"a release has a version such as 1.2.3, and not {wanted or 'none'!r}")
    if asked_for or suffix:
        return wanted
    head, _dot, patch = wanted.rpartition(".")
    return f"{head}.{int(patch) + 1}"


def released_version(galaxy: str, commit: str) -> str:
    """Return the version of galaxy.yml in a release's commit. Raises ReleaseError if it is none."""
    version = version_of(galaxy)
    if not RELEASED.fullmatch(version):
        raise ReleaseError(f"{commit} is no release: its galaxy.yml has the version {version or 'none'}")
    return version


def version_of(galaxy: str) -> str:
    """Return the version that galaxy.yml has, or nothing."""
    found = VERSION.search(galaxy)
    return found[1] if found else ""


def with_version(galaxy: str, version: str) -> str:
    """Return galaxy.yml with another version."""
    return VERSION.sub(f"version: {version}", galaxy, count=1)


def state(tree: pathlib.Path) -> str:
    """Return what a dry release must leave as it is: the commit, the tags, what is not committed."""
    return git(tree, "rev-parse", "HEAD") + git(tree, "tag") + git(tree, "status", "--porcelain=v2")


def refuse(tree: pathlib.Path, version: str) -> None:
    """Raise ReleaseError where the tree has uncommitted changes, or the version is released already."""
    changed = git(tree, "status", "--porcelain").splitlines()
    if changed:
        raise ReleaseError(f"commit or stash first what is not committed ({len(changed)} files): {changed[0]}")
    if git(tree, "tag", "--list", version):
        raise ReleaseError(f"the tag {version} exists already")
    if not any((tree / "changelogs/fragments").glob("*.y*ml")):
        raise ReleaseError("changelogs/fragments is empty, so there is nothing to release")


@contextlib.contextmanager
def signer(wanted: Wanted) -> Iterator[signing.Signer | None]:
    """Have the key that signs, None for a release without signatures."""
    if wanted.dry or wanted.key:
        signing.have_gpg()
    if wanted.dry:
        with signing.throw_away_key() as key:
            yield key
    else:
        yield signing.own_key(wanted.key) if wanted.key else None


def clone_of(session: nox.Session, top: pathlib.Path, *, dry: bool) -> pathlib.Path:
    """Clone the checkout to where a collection must be; a dry release has what is not committed too."""
    shutil.rmtree(top, ignore_errors=True)
    clone = top / checkout.COLLECTION_PATH
    git(checkout.ROOT, "clone", "--quiet", ".", str(clone))
    if dry:
        git(clone, "rm", "-r", "--quiet", ".")
        for name in checkout.project_files(session):
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(checkout.ROOT / name, clone / name)
        git(clone, "add", "--all")
        if git(clone, "status", "--porcelain"):
            session.log("what is not committed is in this dry release; a real one would be refused")
    return clone


def commit_release(session: nox.Session, clone: pathlib.Path, version: str, *, dry: bool) -> str:
    """Set the version, turn the fragments into the changelog, commit; return the commit."""
    galaxy = clone / "galaxy.yml"
    galaxy.write_text(with_version(galaxy.read_text(), version))
    only_ours = {"ANSIBLE_COLLECTIONS_PATH": str(clone.parents[2]), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}
    with session.chdir(clone):
        for word in ("release", "lint"):
            if not succeeds(session, "antsibull-changelog", word, env=only_ours, quietly=True):
                raise ReleaseError(f"antsibull-changelog {word} failed")
    left = [path.name for path in (clone / "changelogs/fragments").glob("*.y*ml")]
    if left:
        raise ReleaseError(f"these fragments are not in the changelog: {left}")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", f"Release {version}", extra=NOBODY if dry else {})
    return git(clone, "rev-parse", "HEAD").strip()


def publish(
    session: nox.Session, clone: pathlib.Path, files: pathlib.Path, commit: str, key: signing.Signer | None
) -> pathlib.Path:
    """Write the files of a release to a folder; return it. Raises ReleaseError where two builds differ."""
    files.mkdir()
    epoch = int(git(clone, "show", "--no-patch", "--format=%ct", commit))
    one, two = (built(session, clone, epoch, *builder) for builder in BUILDERS)
    if one.read_bytes() != two.read_bytes():
        raise ReleaseError(f"two builds of one commit differ: {one} and {two}")
    faults = content_faults(one)
    if faults:
        raise ReleaseError(f"the artifact {faults}")
    artifact = files / one.name
    shutil.copyfile(one, artifact)
    manifest = files / MANIFEST
    manifest.write_bytes(member(artifact, MANIFEST))
    materials = files / f"{artifact.name.removesuffix('.tar.gz')}.cdx.json"
    requires = yaml.safe_load((clone / "meta/runtime.yml").read_text())["requires_ansible"]
    in_tests = {"PYTHONPATH": str(checkout.ROOT / "tests")}
    write_bill = ("python", "-m", "lab.sbom", str(artifact), requires, str(epoch), str(materials))
    if not succeeds(session, *write_bill, env=in_tests, quietly=True):
        raise ReleaseError("there is no valid bill of materials; what was said is above")
    sums = files / SUMS
    sums.write_text(checksums(artifact, manifest, materials))
    if key is not None:
        for path in (artifact, manifest, sums):
            key.sign(path)
        (files / KEY).write_text(key.public_key())
    return files


def built(
    session: nox.Session, clone: pathlib.Path, epoch: int, folder: str, mask: int, extra: Mapping[str, str]
) -> pathlib.Path:
    """Build the artifact from a clone of its own, with this mask and environment; return its path."""
    place = clone.parents[2] / "builds" / folder
    place.mkdir(parents=True)
    with mask_of(mask):
        git(place, "clone", "--quiet", str(clone), "source")
        return build_artifact(session, place / "source", place, epoch, **extra)


@contextlib.contextmanager
def mask_of(mask: int) -> Iterator[None]:
    """Have another umask for a while."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def checksums(*paths: pathlib.Path) -> str:
    """Return the lines by which sha256sum checks the files."""
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths)


def checked(session: nox.Session, files: pathlib.Path, version: str) -> Count:
    """Run the tests of a release's files, among them the commands of docs/release-checks.md."""
    environment = {
        "MXRELAY_RELEASE_FILES": str(files),
        "MXRELAY_RELEASE_VERSION": version,
        "PYTHONPATH": str(checkout.ROOT / "tests"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    session.posargs.clear()  # they are not for pytest
    tests = "tests/release" if (files / KEY).exists() else "tests/release/test_files.py"
    return run_pytest(session, "release", tests, env=environment)


def what_next(version: str, commit: str, files: pathlib.Path) -> str:
    """Return what is left to a person."""
    return "\n".join(
        [
            f"{version} is commit {commit}; its files are in {files}. Nothing is published. What is left to you:",
            f"  git tag --sign --message 'Release {version}' {version} {commit}",
            f"  git push origin HEAD {version}",
            f"  ansible-galaxy collection publish {files}/mxrelay-postfix-{version}.tar.gz",
            "Attach the files to the release of the tag. Set the next version, with -dev, in galaxy.yml, and",
            f"PREVIOUS in tests/lab/upgrade.py to {version}.",
        ]
    )


def git(tree: pathlib.Path, *words: str, extra: Mapping[str, str] | None = None) -> str:
    """Run git in a tree, and return what it prints. Raises ReleaseError with what it complains of."""
    environment = {**os.environ, **(extra or {})}
    ran = subprocess.run(["git", *words], cwd=tree, env=environment, check=False, capture_output=True, text=True)
    if ran.returncode:
        raise ReleaseError(f"git {words[0]}: {ran.stderr.strip()}")
    return ran.stdout
