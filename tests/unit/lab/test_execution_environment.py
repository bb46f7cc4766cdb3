# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import execution_environment as environment

ROOT = Path(__file__).resolve().parents[3]
SHIPPED: dict[str, Any] = yaml.safe_load(
    (ROOT / "extensions/awx/execution-environment.yml").read_text(encoding="utf-8")
)


@pytest.fixture
def added(tmp_path: Path) -> Path:
    for name in ("mxrelay-postfix-1.0.0.tar.gz", "pip.conf"):
        (tmp_path / name).write_text("")
    return tmp_path


def test_lab_builds_what_is_shipped_with_another_base_and_the_collection_of_this_checkout(added: Path) -> None:
    core = environment.Core("lowest", "2.17.0", "bookworm")
    changed = environment.definition(SHIPPED, core, "mxrelay-lab/debian:bookworm", added)
    assert changed["images"] == {"base_image": {"name": "mxrelay-lab/debian:bookworm"}}
    assert changed["dependencies"]["ansible_core"] == {"package_pip": "ansible-core==2.17.0"}
    assert changed["dependencies"]["galaxy"]["collections"] == [
        {"name": "mxrelay-postfix-1.0.0.tar.gz", "type": "file"}
    ]
    assert changed["additional_build_files"] == [
        {"src": str(added / "pip.conf"), "dest": "lab"},
        {"src": str(added / "mxrelay-postfix-1.0.0.tar.gz"), "dest": "."},
    ]
    shipped_steps = SHIPPED["additional_build_steps"]["prepend_base"]
    assert changed["additional_build_steps"]["prepend_base"][-len(shipped_steps) :] == shipped_steps
    assert changed["dependencies"]["ansible_runner"] == SHIPPED["dependencies"]["ansible_runner"]
    assert changed["options"] == SHIPPED["options"]


def test_cores_are_the_lowest_that_is_allowed_and_the_newest_that_is_tested() -> None:
    pins = (ROOT / "requirements/tools.txt").read_text(encoding="utf-8")
    allowed = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["requires_ansible"]
    assert f">={environment.lowest().release}" == allowed
    assert f'ansible-core=={environment.newest().release}; python_version >= "3.12"\n' in pins
    assert f"{SHIPPED['dependencies']['ansible_runner']['package_pip']}\n" in pins


def test_container_is_told_of_this_machines_index_and_certificates_but_not_of_its_folders(tmp_path: Path) -> None:
    (tmp_path / "trusted.crt").write_text("a certificate")
    (tmp_path / "added").mkdir()
    asked = {
        "cert": str(tmp_path / "trusted.crt"),
        "index-url": "https://packages.example/simple",
        "extra-index-url": "file:///srv/simple https://more.example/simple",
        "find-links": "/srv/wheels",
        "constraint": "/etc/constraints.txt",
    }
    environment.pip_configuration(asked, tmp_path / "added")
    assert (tmp_path / "added/pip.conf").read_text(encoding="utf-8") == (
        "[global]\n"
        "constraint = /etc/lab/constraints.txt\n"
        "index-url = https://packages.example/simple\n"
        "extra-index-url = https://more.example/simple\n"
        "cert = /etc/lab/certificates.pem\n"
    )
    assert (tmp_path / "added/certificates.pem").read_text(encoding="utf-8") == "a certificate"


def test_machine_without_settings_of_pip_gives_the_container_none(tmp_path: Path) -> None:
    environment.pip_configuration({"find-links": "/srv/wheels", "extra-index-url": "file:///srv"}, tmp_path)
    assert (tmp_path / "pip.conf").read_text(encoding="utf-8") == "[global]\nconstraint = /etc/lab/constraints.txt\n"
    assert [path.name for path in tmp_path.iterdir()] == ["pip.conf"]


def test_setting_in_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text(
        "[global]\nproxy = http://file.example\nindex-url = https://file.example/simple\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_INDEX_URL", "https://environment.example/simple")
    asked = environment.asked_of_pip()
    assert (asked["index-url"], asked["proxy"]) == ("https://environment.example/simple", "http://file.example")
