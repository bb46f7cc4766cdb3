# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.configuration.change import (
    apply_configuration,
    rehearse_configuration,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError, Refused
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_configuration_host import (
    ConfigurationHost,
    identity,
)


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> ConfigurationHost:
    return ConfigurationHost(tmp_path)


def test_outcome_is_tried_before_it_goes_live(host: ConfigurationHost) -> None:
    host.change(parameters={"soft_bounce": True})
    assert host.commands.staged == [
        "postconf -n",
        "postconf -d -h mail_version",
        "postconf -M",
        "postconf mail_owner",
        "postfix check",
    ]
    text = host.main_cf.read_text()
    assert host.commands.texts["postconf -n: main.cf"] == text
    assert host.commands.texts["postconf -n: master.cf"] == host.master_cf.read_text()
    checked = host.commands.texts["postfix check: main.cf"]
    assert checked.startswith(text)
    own = dict(line.split(" = ") for line in checked[len(text) :].strip().split("\n"))
    assert sorted(own) == ["data_directory", "queue_directory"]
    assert not any(os.path.exists(path) or path.startswith(str(host.main_cf.parent)) for path in own.values())


def test_rehearsal_asks_postconf_only_and_writes_nothing(host: ConfigurationHost) -> None:
    before = identity(host.main_cf)
    assert rehearse_configuration(host.postfix, host.plan(parameters={"soft_bounce": True})).changed
    assert host.commands.staged == ["postconf -n", "postconf -d -h mail_version", "postconf -M"]
    assert identity(host.main_cf) == before


@pytest.mark.parametrize(("version", "asked"), [("2.8.14", False), ("2.9.0", True)])
def test_postfix_is_asked_for_services_from_2_9_on(host: ConfigurationHost, version: str, asked: bool) -> None:
    host.commands.defaults = f"mail_version = {version}\nsoft_bounce = no\n"
    host.change(parameters={"soft_bounce": True})
    assert ("postconf -M" in host.commands.staged) is asked


def test_what_old_releases_look_for_beside_main_cf_is_there(host: ConfigurationHost) -> None:
    for name in ("dynamicmaps.cf", "post-install", "postfix-script"):
        (host.main_cf.parent / name).touch()
    (host.main_cf.parent / "postfix-files.d").mkdir()
    (host.main_cf.parent / "transport").touch()
    rehearse_configuration(host.postfix, host.plan(parameters={"soft_bounce": True}))
    assert host.commands.files == [
        "dynamicmaps.cf",
        "main.cf",
        "master.cf",
        "post-install",
        "postfix-files.d",
        "postfix-script",
    ]


@pytest.mark.parametrize(
    ("command", "err", "why"),
    [
        ("postfix check", "postfix: fatal: bad boolean configuration: x = y\n", "bad boolean configuration: x = y"),
        ("postfix check", "", "postfix check ended with 1, and the mail log says why"),
        ("postconf -n", "postconf: fatal: @/main.cf, line 3: what\n", "{}/main.cf, line 3: what"),
        (
            "postconf -M",
            "postconf: fatal: @/master.cf: line 1: bad field count\n",
            "{}/master.cf: line 1: bad field count",
        ),
    ],
)
def test_outcome_that_postfix_refuses_does_not_go_live(
    host: ConfigurationHost, command: str, err: str, why: str
) -> None:
    before = identity(host.main_cf)
    plan = host.plan(parameters={"soft_bounce": True})

    class Once(dict[str, Result]):
        def get(self, asked: str, default: Any = None) -> Any:
            return self.pop(asked, default)

    host.commands.results = Once({command: Result(1, "", err)})
    with pytest.raises(Refused) as caught:
        apply_configuration(host.postfix, plan)
    assert str(caught.value) == (
        f"{host.main_cf}: Postfix does not accept the outcome: {why.format(host.main_cf.parent)}; nothing was changed"
    )
    assert identity(host.main_cf) == before
    assert sorted(os.listdir(host.main_cf.parent)) == ["main.cf", "master.cf"]


def test_what_postfix_refused_before_as_well_is_a_warning(host: ConfigurationHost) -> None:
    host.commands.results["postfix check"] = Result(1, "", "postfix: fatal: no such user\n")
    plan = host.change(parameters={"soft_bounce": True})
    assert plan.warnings == [
        f"{host.main_cf}: Postfix did not accept the configuration before the change: no such user"
    ]
    assert "soft_bounce = yes" in host.main_cf.read_text()


def test_unused_and_undefined_parameters_are_warnings(host: ConfigurationHost) -> None:
    host.commands.results["postconf -n"] = Result(
        0,
        "",
        "postconf: warning: @/main.cf: unused parameter: a=b\npostconf: warning: @/main.cf: undefined parameter: c\n"
        "postconf: warning: @/main.cf, line 9: overriding earlier entry: d=e\n",
    )
    directory = host.main_cf.parent
    assert host.change(parameters={"soft_bounce": True}).warnings == [
        f"{directory}/main.cf: unused parameter: a=b",
        f"{directory}/main.cf: undefined parameter: c",
    ]


def test_table_type_that_postfix_does_not_have_is_refused(host: ConfigurationHost) -> None:
    plan = host.plan(parameters={"transport_maps": "proxy:hush:/t"})
    with pytest.raises(HostError) as caught:
        apply_configuration(host.postfix, plan)
    assert str(caught.value) == (
        'this host\'s Postfix has no lookup tables of type "proxy"; it has cidr, static. Install the package for that '
        "type, or use another one; nothing was changed"
    )
    assert plan.table_types == ["proxy", "hush"]
