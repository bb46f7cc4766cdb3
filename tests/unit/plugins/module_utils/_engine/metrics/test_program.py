# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.metrics import program
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.metrics.collect import MetricsRequest
from ansible_collections.mxrelay.postfix.plugins.module_utils._engine.metrics.program import (
    main,
    metrics_text,
    read_metrics_request,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import InvalidInput
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.collected import MetricsFound
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_mx_host import FakeMxHost, FakeNetwork
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.fake_postqueue import queue_entry


class MetricsHost(FakeMxHost):
    """A host with a relay domain, mail, and the program's configuration."""

    def __init__(self, root: Path) -> None:
        (root / "postfix").mkdir()
        super().__init__(str(root / "postfix"), f"relay_domains = x.example\nqueue_directory = {root}\n")
        self.file = root / "mxrelay.prom"
        self.queue = queue_entry("A1", "deferred", "bob@x.example")
        self.argv = [str(root / "mxrelay-metrics.pyz")]
        self.configure()

    def configure(self, **others: Any) -> None:
        given = {"config_directory": self.config_directory, "path": str(self.file), **others}
        Path(self.argv[0]).with_suffix(".json").write_text(json.dumps(given), encoding="utf-8")

    def start(self, *words: str) -> int:
        return main([*self.argv, *words], self)


@pytest.fixture(name="host")
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MetricsHost:
    monkeypatch.setattr(program, "LocalNetwork", FakeNetwork)
    return MetricsHost(tmp_path)


def test_file_is_written_without_anybodys_address(host: MetricsHost, capsys: pytest.CaptureFixture[str]) -> None:
    assert host.start("write") == 0
    text = host.file.read_text(encoding="utf-8")
    assert 'mxrelay_queue_messages{domain="x.example"} 1\n' in text
    assert 'mxrelay_queue_deferred_recipients{domain="x.example",cause="other"} 1\n' in text
    assert re.search(r"^mxrelay_queue_free_bytes \d+$", text, re.MULTILINE)
    assert "@" not in text
    assert text.endswith("# EOF\n")
    assert capsys.readouterr() == ("", "")


def test_file_is_printed(host: MetricsHost, capsys: pytest.CaptureFixture[str]) -> None:
    assert host.start("print", f"{host.argv[0][:-4]}.json") == 0
    assert 'mxrelay_queue_messages{domain="x.example"} 1\n' in capsys.readouterr().out
    assert not host.file.exists()


def test_part_that_fails_is_told_and_the_file_written(host: MetricsHost, capsys: pytest.CaptureFixture[str]) -> None:
    host.start("write")
    verified = re.findall(r"^mxrelay_verify_timestamp_seconds .*", host.file.read_text(), re.MULTILINE)
    host.installed = False
    assert host.start("write") == 0
    text = host.file.read_text(encoding="utf-8")
    assert 'mxrelay_collect_success{part="queue"} 0\n' in text
    assert re.findall(r"^mxrelay_verify_timestamp_seconds .*", text, re.MULTILINE) == verified != []
    assert [line.partition(":")[0] for line in capsys.readouterr().err.splitlines()] == ["queue", "verify"]


def test_directory_that_is_not_there_fails(host: MetricsHost, capsys: pytest.CaptureFixture[str]) -> None:
    host.configure(path="/nowhere/mxrelay.prom")
    assert host.start("write") == 1
    assert capsys.readouterr().err == (
        "/nowhere/mxrelay.prom: can't be replaced: No such file or directory; the old file stays\n"
    )


def test_check_says_one_line_and_its_status(host: MetricsHost, capsys: pytest.CaptureFixture[str]) -> None:
    host.configure(thresholds={"oldest_age": [0, 1]})
    assert host.start("check") == 2
    out = capsys.readouterr().out
    assert re.match(r"MXRELAY CRITICAL - the oldest message has waited \d+ s; ", out)
    assert out.count("\n") == 1


@pytest.mark.parametrize("words", [["check", "/nowhere"], ["check", "/nowhere", "more"]])
def test_check_that_cannot_be_made_is_unknown(
    host: MetricsHost, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert host.start(*words) == 3
    assert capsys.readouterr().out.startswith("MXRELAY UNKNOWN - ")


@pytest.mark.parametrize("words", [[], ["wirte"]])
def test_usage_is_told(host: MetricsHost, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert host.start(*words) == 1
    assert capsys.readouterr().err == f"usage: {host.argv[0]} {{write|print|check}} [CONFIGURATION]\n"


def test_configuration_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(InvalidInput, match="can't be read as a configuration"):
        read_metrics_request(str(path))
    path.write_text('{"path": "/x", "of_a_later_release": 1}', encoding="utf-8")
    assert read_metrics_request(str(path)) == MetricsRequest(path="/x")


def test_another_instance_says_which_it_is() -> None:
    text = metrics_text(MetricsRequest("/etc/postfix-two/"), MetricsFound(5.0))
    assert 'mxrelay_collect_timestamp_seconds{config_directory="/etc/postfix-two"} 5\n' in text
    assert os.path.basename(MetricsRequest().config_directory) == "postfix"
