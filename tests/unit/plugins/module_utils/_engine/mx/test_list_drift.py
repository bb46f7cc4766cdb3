# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.list_drift import MOST_ASKED, ask_about_lists
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.probe import ask_mail_hosts
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.mx.reading import MapReader
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.domain import DomainEvidence, Talk
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.host import Capture, HostState
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.lists import DriftEvidence, ListEvidence
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.mx.probe_senders import ProbeSenders
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost, FakeProber

UNKNOWN = (550, "5.1.1 unknown")


class Lab:
    """A host with a list of each domain, and mail hosts that know these."""

    def __init__(self, directory: Path, rows: str) -> None:
        host = FakeMxHost(str(directory))
        host.table("relay_recipients", rows)
        values = {"myhostname": "mx.example", "relay_recipient_maps": f"hash:{host.path('relay_recipients')}"}
        self.state = HostState(values=values)
        self.reader = MapReader(host.postfix())
        self.prober = FakeProber()
        self.prober.answers = {"mxrelay-probe-": UNKNOWN}

    def ask(self, *domains: DomainEvidence, seconds: float = 60.0) -> list[str]:
        hops = [hop for domain in domains for hop in (domain, *domain.others)]
        ask_mail_hosts(hops, self.state, self.prober, ProbeSenders())
        self.prober.talks.clear()
        self.prober.approaches.clear()
        return ask_about_lists(domains, self.state, self.reader, self.prober, time.monotonic() + seconds)


def rows(count: int, name: str = "x.example") -> str:
    return "".join(f"u{number}@{name} x\n" for number in range(count))


def domain(name: str = "x.example", route: str = "relay:[mail.example]:2525", **fields: Any) -> DomainEvidence:
    given = {"followed": ListEvidence(), "probe_recipient": f"u0@{name}", **fields}
    return DomainEvidence(name, name, answer=Capture("hash:/t", name, route), **given).with_others()


def test_mail_host_is_asked_about_a_few_listed_and_vanished_ones_and_nobody(tmp_path: Path) -> None:
    lab = Lab(tmp_path, rows(40) + "postmaster@x.example x\n@x.example x\nv@y.example x\n")
    gone = tuple(f"gone{number}@x.example" for number in range(20))
    lab.prober.answers["gone"] = UNKNOWN
    followed = domain(followed=ListEvidence(vanished=gone))
    assert lab.ask(followed) == []
    ((server, port, asked),) = lab.prober.talks
    assert (server, port) == ("mail.example", 2525)
    assert len(set(asked)) == 2 * MOST_ASKED + 1 == 11
    assert set(asked[:5]) <= {f"u{number}@x.example" for number in range(40)}
    assert asked[5].startswith("mxrelay-probe-")
    assert set(asked[6:]) <= set(gone)
    ((approach, [(sender, _asked)]),) = lab.prober.approaches
    assert (approach.helo, approach.twice, sender) == ("mx.example", False, "")
    assert followed.drift == DriftEvidence("mail.example", 5, 5)


def test_others_are_drawn_each_time(tmp_path: Path) -> None:
    lab = Lab(tmp_path, rows(40))
    asked = set()
    for _run in range(30):
        lab.ask(domain())
        asked.update(lab.prober.talks[0][2][:5])
    assert len(asked) > 20


def test_differences_are_seen(tmp_path: Path) -> None:
    lab = Lab(tmp_path, rows(3))
    lab.prober.answers["u1@"] = UNKNOWN
    followed = domain(followed=ListEvidence(vanished=("back@x.example", "u2@x.example")))
    lab.ask(followed)
    # What has gone and is back in the list has not gone.
    assert followed.drift == DriftEvidence("mail.example", 3, 1, ("u1@x.example",), ("back@x.example",))


def test_domain_that_follows_nothing_is_not_asked_about(tmp_path: Path) -> None:
    lab = Lab(tmp_path, rows(3))
    assert lab.ask(domain(followed=None)) == []
    assert lab.prober.talks == []


def test_domain_of_which_nothing_is_listed_or_has_gone_is_not_asked_about(tmp_path: Path) -> None:
    lab = Lab(tmp_path, "postmaster@x.example x\n")
    assert lab.ask(domain(probe_recipient="")) == []
    assert lab.prober.talks == []


@pytest.mark.parametrize(
    "answers",
    [
        {"mxrelay-probe-": (250, "ok")},
        {"banner": (554, "go away")},
        {"MAIL": (450, "later")},
        {"u0@": (450, "greylisted")},
    ],
)
def test_mail_host_that_takes_everybody_or_does_not_take_this_host_is_not_asked_again(
    tmp_path: Path, answers: dict[str, tuple[int, str]]
) -> None:
    lab = Lab(tmp_path, rows(3))
    lab.prober.answers.update(answers)
    followed = domain()
    assert lab.ask(followed) == []
    assert (lab.prober.talks, followed.drift) == ([], None)


def test_mail_host_that_breaks_off_is_not_asked_again(tmp_path: Path) -> None:
    lab = Lab(tmp_path, rows(3))
    followed = domain(talk=Talk("mail.example", "it hangs up", (220, "ready"), mail=(250, "ok")))
    assert ask_about_lists([followed], lab.state, lab.reader, lab.prober, time.monotonic() + 60) == []
    assert lab.prober.talks == []


def test_mail_host_that_does_not_answer_leaves_the_question_to_the_next(tmp_path: Path) -> None:
    lab = Lab(tmp_path, rows(3))
    lab.prober.dead.add("dead.example")
    followed = domain(route="relay:[dead.example],[mail.example],[more.example]")
    lab.ask(followed)
    assert [server for server, _port, _asked in lab.prober.talks] == ["mail.example"]
    assert [hop.drift for hop in (followed, *followed.others)] == [None, DriftEvidence("mail.example", 3, 0), None]


def test_lists_for_which_there_is_no_time_left_are_counted(tmp_path: Path) -> None:
    lab = Lab(tmp_path, rows(3) + rows(3, "y.example"))
    assert lab.ask(domain(), domain("y.example"), seconds=0) == [
        "the lists of 2 more domains were not compared with their mail hosts; name these domains to do so"
    ]
    assert lab.prober.talks == []
