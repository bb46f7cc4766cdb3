# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
from collections.abc import Sequence

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.commands import Result
from ansible_collections.mxrelay.postfix.plugins.module_utils._ports.postfix import Postfix, parse_parameters
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.old_mx_host import OldMxHost
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.whole_output import WholeOutput

SET = "mydestination = $myhostname, localhost\nrelay_domains = $mydestination\n"
ALL = f"myhostname = mx.example\n{SET}"


class OldCommands(WholeOutput):
    """postconf before 2.10: it knows -n, and no -x."""

    def run(self, argv: Sequence[str], *_input: object) -> Result:
        assert list(argv[:3]) == ["postconf", "-c", "/etc/postfix"]
        options = [word for word in argv[3:] if word.startswith("-")]
        if "-x" in options:
            error = "postconf: invalid option -- 'x'\npostconf: fatal: usage: postconf [-c config_dir] [name...]\n"
            return Result(1, "", error)
        names = [word for word in argv[3:] if word not in options]
        lines = (SET if "-n" in options else ALL).splitlines(keepends=True)
        return Result(0, "".join(line for line in lines if not names or line.split()[0] in names), "")


@pytest.mark.parametrize(
    ("names", "options", "found"),
    [
        (["relay_domains"], ["-x"], {"relay_domains": "mx.example, localhost"}),
        (["relay_domains"], [], {"relay_domains": "$mydestination"}),
        (
            [],
            ["-n", "-x"],
            {"mydestination": "mx.example, localhost", "relay_domains": "mx.example, localhost"},
        ),
    ],
)
def test_values_are_expanded_here_where_postconf_is_too_old_to(
    names: list[str], options: list[str], found: dict[str, str]
) -> None:
    assert Postfix(OldCommands()).parameters(names, options) == found


def test_other_failures_of_postconf_stay_failures() -> None:
    class Broken(WholeOutput):
        def run(self, *_call: object) -> Result:
            return Result(1, "", "postconf: fatal: open /etc/postfix/main.cf: Permission denied\n")

    with pytest.raises(HostError) as caught:
        Postfix(Broken()).parameters(["relay_domains"], ["-x"])
    assert caught.value.message == (
        "postconf failed: fatal: open /etc/postfix/main.cf: Permission denied; correct /etc/postfix/main.cf"
    )


def test_postfix_that_cannot_expand_its_parameters_is_not_taken_for_one_that_is_missing(tmp_path: pathlib.Path) -> None:
    class Broken(WholeOutput):
        def run(self, *_call: object) -> Result:
            warning = 'postconf: warning: truncated macro reference: "${x"\n'
            return Result(1, "", f"{warning}{warning}postconf: fatal: macro processing error\n")

    assert not Postfix(Broken(), str(tmp_path)).installed()
    (tmp_path / "main.cf").touch()
    with pytest.raises(HostError) as caught:
        Postfix(Broken(), str(tmp_path)).installed()
    assert caught.value.message == (
        'postconf failed: warning: truncated macro reference: "${x"; fatal: macro processing error; '
        f"correct {tmp_path}/main.cf"
    )


def test_names_that_an_old_postconf_leaves_out_come_from_main_cf(tmp_path: pathlib.Path) -> None:
    main_cf = "mynetworks = 127.0.0.0/8 $my_nets\nmy_nets = $inner\ninner = 0.0.0.0/0\n"
    postfix = OldMxHost(str(tmp_path), "2.6.6", main_cf).postfix()
    expanded = {"mynetworks": "127.0.0.0/8 0.0.0.0/0", "my_nets": "0.0.0.0/0", "inner": "0.0.0.0/0"}
    assert postfix.parameters(options=["-n", "-x"]) == expanded
    assert postfix.parameters(["mynetworks", "inner"], ["-x"]) == {
        "mynetworks": "127.0.0.0/8 0.0.0.0/0",
        "inner": "0.0.0.0/0",
    }
    every = postfix.parameters()
    assert (every["mynetworks"], every["my_nets"], every["inner"]) == ("127.0.0.0/8 $my_nets", "$inner", "0.0.0.0/0")
    assert "my_nets" not in postfix.parameters(options=["-d"])


def test_release_is_asked_once(tmp_path: pathlib.Path) -> None:
    host = OldMxHost(str(tmp_path), "2.6.6")
    postfix = host.postfix()
    assert [postfix.has(feature) for feature in ("flush_by_queue_id", "own_names_listed")] == [True, False]
    assert host.commands == [["postconf", "-d", "-h", "mail_version"]]


@pytest.mark.parametrize("running", [True, False])
def test_lock_of_the_master_tells_whether_postfix_runs(tmp_path: pathlib.Path, running: bool) -> None:
    host = FakeMxHost(str(tmp_path))
    host.running = running
    assert host.postfix().running() is running
    assert host.postfix().reload() is running
    assert host.reloads() == int(running)


def test_postfix_whose_daemons_are_elsewhere_is_not_running(tmp_path: pathlib.Path) -> None:
    host = FakeMxHost(str(tmp_path), "daemon_directory = /nowhere\n")
    assert host.postfix().running() is False


@pytest.mark.parametrize("odd", ["\u2028", "\u0085", "\f", "\v", "\x1c"])
def test_only_a_newline_ends_a_parameter(odd: str) -> None:
    text = f"mynetworks = 127.0.0.0/8 x{odd} 0.0.0.0/0\nsoft_bounce = no\n"
    assert parse_parameters(text) == {"mynetworks": f"127.0.0.0/8 x{odd} 0.0.0.0/0", "soft_bounce": "no"}
