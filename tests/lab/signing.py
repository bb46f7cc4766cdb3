# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign files by gpg; a dry release has a key of its own that is thrown away."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping

from lab import engine

PROGRAMS = ("gpg", "gpg-agent", "gpgconf")


class SigningError(Exception):
    """A file can't be signed; the message says why."""


@dataclasses.dataclass(frozen=True)
class Signer:
    """A secret key, and the environment in which gpg finds it."""

    fingerprint: str
    environment: Mapping[str, str]

    def sign(self, path: pathlib.Path) -> pathlib.Path:
        """Write a detached signature beside the file; return its path."""
        signature = path.with_name(f"{path.name}.asc")
        options = ("--local-user", self.fingerprint, "--armor", "--yes", "--output", str(signature))
        gpg(self.environment, *options, "--detach-sign", str(path))
        return signature

    def public_key(self) -> str:
        """Return the public key, armoured."""
        return gpg(self.environment, "--armor", "--export", self.fingerprint)


def gpg(environment: Mapping[str, str], *options: str) -> str:
    """Run gpg, and return what it prints. Raises SigningError with what it complains of."""
    ran = subprocess.run(
        ["gpg", "--batch", "--quiet", *options], env=environment, check=False, capture_output=True, text=True
    )
    if ran.returncode:
        raise SigningError(ran.stderr.strip())
    return ran.stdout


def have_gpg() -> None:
    """Install GnuPG where it is missing. Raises LabError where that can't be done."""
    if not all(shutil.which(program) for program in PROGRAMS):
        engine.install(*PROGRAMS)


def own_key(key: str) -> Signer:
    """Return the signer with the user's secret key that this names. Raises SigningError without exactly one."""
    listed = gpg(os.environ, "--with-colons", "--list-secret-keys", key)
    found = fingerprints(listed)
    if len(found) != 1:
        raise SigningError(f"{key!r} names {len(found)} secret keys; name one by its fingerprint")
    return Signer(found[0], os.environ)


@contextlib.contextmanager
def throw_away_key() -> Iterator[Signer]:
    """Make a key for one day in a home of its own, and remove both in the end."""
    # Short, as the name of the agent's socket may have no more than 107 characters.
    with tempfile.TemporaryDirectory(prefix="mxrelay-", dir="/tmp", ignore_cleanup_errors=True) as home:
        environment = {**os.environ, "GNUPGHOME": home}
        identity = "A dry release of mxrelay.postfix <nobody@mxrelay.example>"
        unlocked = ("--pinentry-mode", "loopback", "--passphrase", "")
        gpg(environment, *unlocked, "--quick-generate-key", identity, "ed25519", "sign", "1d")
        try:
            listed = gpg(environment, "--with-colons", "--list-secret-keys")
            yield Signer(fingerprints(listed)[0], environment)
        finally:
            subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=False, capture_output=True)


def fingerprints(listed: str) -> list[str]:
    """Return the fingerprints of the primary keys in gpg's list with colons."""
    found, primary = [], False
    for fields in (line.split(":") for line in listed.splitlines()):
        if fields[0] in ("sec", "ssb"):
            primary = fields[0] == "sec"
        elif fields[0] == "fpr" and primary:
            found.append(fields[9])
    return found
