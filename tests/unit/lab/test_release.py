# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lab import release, signing

GALAXY = "namespace: mxrelay\nversion: 1.0.0-dev\nreadme: README.md\n"
# As gpg --with-colons lists one secret key with a subkey.
LISTED = """\
sec:u:255:22:1111111111111111:1796041627:::u:::scESC:::+::ed25519:::0:
fpr:::::::::AAAAAAAAAAAAAAAAAAAAAAAA1111111111111111:
grp:::::::::BBBB:
uid:u::::1796041627::CCCC::Somebody <somebody@mxrelay.example>::::::::::0:
ssb:u:255:18:2222222222222222:1796041627::::::e:::+::cv25519::
fpr:::::::::DDDDDDDDDDDDDDDDDDDDDDDD2222222222222222:
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A checkout with a fragment, everything committed."""
    (tmp_path / "changelogs/fragments").mkdir(parents=True)
    (tmp_path / "changelogs/fragments/new.yml").write_text("minor_changes: []\n")
    (tmp_path / "galaxy.yml").write_text(GALAXY)
    _git(tmp_path, "init", "--quiet")
    _git(tmp_path, "add", "--all")
    _git(tmp_path, "commit", "--quiet", "--message", "Begin")
    return tmp_path


def _git(tree: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=tree, env={**os.environ, **release.NOBODY}, check=True)


def test_next_version_is_that_of_galaxy_yml_without_its_suffix() -> None:
    assert release.next_version(GALAXY, "") == "1.0.0"
    assert release.next_version(GALAXY, "1.1.0") == "1.1.0"


def test_next_version_after_a_release_is_the_next_patch() -> None:
    assert release.next_version("name: postfix\nversion: 1.2.9\n", "") == "1.2.10"


@pytest.mark.parametrize("version", ["1.0", "1.0.0-rc1", "v1.0.0", "1.0.0\n"])
def test_version_that_is_none_is_refused(version: str) -> None:
    with pytest.raises(release.ReleaseError, match="has a version such as"):
        release.next_version(GALAXY, version)


def test_only_the_version_of_galaxy_yml_changes() -> None:
    assert release.with_version(GALAXY, "1.0.0") == "namespace: mxrelay\nversion: 1.0.0\nreadme: README.md\n"


def test_clean_tree_may_be_released(tree: Path) -> None:
    before = release.state(tree)
    release.refuse(tree, "1.0.0")
    assert release.state(tree) == before


@pytest.mark.parametrize("name", ["galaxy.yml", "new.txt"])
def test_uncommitted_file_is_refused(tree: Path, name: str) -> None:
    before = release.state(tree)
    (tree / name).write_text("changed\n")
    with pytest.raises(release.ReleaseError, match=name):
        release.refuse(tree, "1.0.0")
    assert release.state(tree) != before


def test_version_with_a_tag_is_refused(tree: Path) -> None:
    before = release.state(tree)
    _git(tree, "tag", "1.0.0")
    with pytest.raises(release.ReleaseError, match="tag 1.0.0 exists"):
        release.refuse(tree, "1.0.0")
    assert release.state(tree) != before


def test_release_without_fragments_is_refused(tree: Path) -> None:
    _git(tree, "rm", "--quiet", "changelogs/fragments/new.yml")
    _git(tree, "commit", "--quiet", "--message", "Take the fragment away")
    with pytest.raises(release.ReleaseError, match="nothing to release"):
        release.refuse(tree, "1.0.0")


def test_commands_of_git_that_fail_say_why(tree: Path) -> None:
    with pytest.raises(release.ReleaseError, match="git rev-parse: fatal"):
        release.git(tree, "rev-parse", "--verify", "nothing")


def test_files_are_made_again_of_a_release_only() -> None:
    assert release.released_version("version: 1.0.0\n", "HEAD") == "1.0.0"
    with pytest.raises(release.ReleaseError, match="HEAD is no release: its galaxy.yml has the version 1.0.0-dev"):
        release.released_version(GALAXY, "HEAD")


def test_release_has_one_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        release.asked(["--unsigned", "--version", "1.0.0", "--of", "1.0.0"])
    assert "not allowed with" in capsys.readouterr().err


@pytest.mark.parametrize("options", [[], ["--version", "1.0.0"], ["--key", "A", "--unsigned"]])
def test_release_says_who_signs(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        release.asked(options)
    assert "--unsigned" in capsys.readouterr().err


def test_options_of_a_release() -> None:
    assert release.asked(["--dry"]) == release.Wanted("", "", dry=True)
    assert release.asked(["--key", "AB", "--version", "2.0.0"]) == release.Wanted("2.0.0", "AB", dry=False)
    assert release.asked(["--unsigned"]) == release.Wanted("", "", dry=False)
    assert release.asked(["--of", "1.0.0", "--key", "AB"]) == release.Wanted("", "AB", dry=False, of="1.0.0")


def test_checksums_are_lines_of_sha256sum(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert release.checksums(tmp_path / "empty") == f"{digest}  empty\n"


def test_two_builds_differ_in_mask_zone_and_depth() -> None:
    one, two = release.BUILDERS
    assert one[1] != two[1]
    assert one[2].keys() == two[2].keys() == {"TZ", "PYTHONHASHSEED"}
    assert not set(one[2].values()) & set(two[2].values())


def test_fingerprint_is_that_of_the_primary_key() -> None:
    assert signing.fingerprints(LISTED) == ["AAAAAAAAAAAAAAAAAAAAAAAA1111111111111111"]


def test_tag_is_named_and_never_pushed_by_the_command() -> None:
    assert "  git push origin HEAD 1.0.0" in release.what_next("1.0.0", "abc", Path("/files")).splitlines()
    source = Path(release.__file__).read_text(encoding="utf-8")
    assert '"push"' not in source
    assert source.count('"tag"') == 2  # lists them, both times
