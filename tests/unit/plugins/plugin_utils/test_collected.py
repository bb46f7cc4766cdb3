# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import multiprocessing
import pathlib
import time
from dataclasses import asdict, replace

import pytest
from ansible import constants

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.errors import HostError
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.reading import Reading
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.sources.summary import by_domain, summary_of
from ansible_collections.mxrelay.postfix.plugins.plugin_utils import collected
from ansible_collections.mxrelay.postfix.plugins.plugin_utils.collected import (
    Collected,
    collected_once,
    failed_read,
    source_key,
    taken_apart_by_domain,
)

AT = "2026-01-31T09:00:00Z"
READING = Reading(("a@x.example", "b@y.example", "c@bücher.example", "d@x.example"), frozenset({"z.example"}))


@pytest.fixture(autouse=True)
def _controller(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    monkeypatch.setattr(collected, "now", lambda: AT)


def fetched(folder: pathlib.Path, cut: int = 0, reading: Reading = READING) -> pathlib.Path:
    """What the module leaves for the controller, without its last lines."""
    domains = by_domain(reading)
    lines = [json.dumps(asdict(summary_of(reading, domains, AT))), *(key for keys in domains.values() for key in keys)]
    path = folder / "fetched"
    path.write_text("".join(f"{line}\n" for line in lines[: len(lines) - cut]), encoding="utf-8")
    return path


def test_each_domain_gets_its_list(tmp_path: pathlib.Path) -> None:
    found = taken_apart_by_domain(fetched(tmp_path), tmp_path)
    result = found.result(["xn--bcher-kva.example", "x.example", "z.example", "no.example"])
    lists = {name: pathlib.Path(path).read_text(encoding="utf-8") for name, path in result.pop("lists").items()}
    assert lists == {"x.example": "a@x.example\nd@x.example\n", "xn--bcher-kva.example": "c@xn--bcher-kva.example\n"}
    assert result == {"changed": False, **found.summary.told(list(result["domains"])), "problem": ""}
    assert result["undeclared"] == {"y.example": 1}
    assert not (tmp_path / "fetched").exists()


def test_list_has_its_domain_as_it_is_declared(tmp_path: pathlib.Path) -> None:
    """The table takes no address of another spelling in the list of a domain."""
    both = Reading(("c@bücher.example", '"a@b"@xn--bcher-kva.example'))
    found = taken_apart_by_domain(fetched(tmp_path, reading=both), tmp_path)
    for name in ("bücher.example", "xn--bcher-kva.example"):
        lists = found.result([name])["lists"]
        text = pathlib.Path(lists[name]).read_text(encoding="utf-8")
        assert (lists.keys(), text) == ({name}, f'c@{name}\n"a@b"@{name}\n')


def test_every_domain_is_told_if_none_is_declared(tmp_path: pathlib.Path) -> None:
    result = taken_apart_by_domain(fetched(tmp_path), tmp_path).result([])
    assert result["lists"].keys() == {"x.example", "y.example", "bücher.example"}
    assert result["domains"].keys() == {*result["lists"], "z.example"}


def test_list_that_is_cut_on_its_way_is_not_believed(tmp_path: pathlib.Path) -> None:
    path = fetched(tmp_path, cut=1)
    with pytest.raises(HostError) as caught:
        taken_apart_by_domain(path, tmp_path)
    assert caught.value.message == f"{path}: is cut; run again"


def test_failed_read_is_told() -> None:
    result = failed_read("it is gone").result(["x.example"])
    assert (result["problem"], result["complete"], result["lists"], result["read_at"]) == ("it is gone", False, {}, AT)
    assert result["domains"]["x.example"]["why_incomplete"] == "it is gone"


def test_host_that_lacks_a_package_is_asked_again() -> None:
    found = failed_read("python3-ldap3 was not found", "python3-ldap3")
    assert found.result(["x.example"])["lacks"] == "python3-ldap3"
    assert "lacks" not in failed_read("it is gone").result(["x.example"])
    answers = [found, failed_read("it is gone"), failed_read("it was asked again")]
    assert [collected_once("key", lambda _folder: answers.pop(0)).problem for _time in range(3)] == [
        "python3-ldap3 was not found",
        "it is gone",
        "it is gone",
    ]


def test_source_is_asked_once(tmp_path: pathlib.Path) -> None:
    asked: list[pathlib.Path] = []

    def collect(folder: pathlib.Path) -> Collected:
        asked.append(folder)
        return taken_apart_by_domain(fetched(folder), folder)

    first = collected_once("key", collect)
    assert collected_once("key", collect) == first
    assert asked == [tmp_path / "mxrelay-sources" / "key"]
    assert [asked[0].stat().st_mode & 0o777, asked[0].parent.stat().st_mode & 0o777] == [0o700, 0o700]
    collected_once("other", collect)
    assert len(asked) == 2


def _ask(key: str, place: pathlib.Path) -> None:
    def collect(folder: pathlib.Path) -> Collected:
        with (place / "asked").open("a") as stream:
            stream.write(f"{folder.name}\n")
        time.sleep(0.2)
        return failed_read("why")

    assert collected_once(key, collect).problem == "why"


def test_processes_wait_for_the_first_that_asks(tmp_path: pathlib.Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_ask, args=("key", tmp_path)) for _number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert (tmp_path / "asked").read_text() == "key\n"


def test_key_is_of_what_is_asked_where() -> None:
    listed = {"type": "file", "path": "/list"}
    assert source_key(listed, "a", []) == source_key(dict(reversed(listed.items())), "a")
    assert source_key(listed, "a", []) != source_key(listed, "b", [])
    assert source_key(listed, "a", []) != source_key({**listed, "path": "/other"}, "a", [])
    assert source_key(listed, "a", ["x.example"]) != source_key(listed, "a")
    assert source_key(listed, "a", ["x.example", "y.example"]) == source_key(listed, "a", ["y.example", "x.example"])


def test_what_depends_on_the_domains_is_known_of_those_that_were_asked_or_told(tmp_path: pathlib.Path) -> None:
    found = taken_apart_by_domain(fetched(tmp_path), tmp_path)
    assert found.knows(["never.example"])
    asked = replace(found, asked=["asked.example"])
    assert asked.knows(["asked.example", "xn--bcher-kva.example", "x.example"])
    assert not asked.knows(["asked.example", "never.example"])
    kept = [collected_once("key", lambda _folder: asked).asked for _time in range(2)]
    assert kept == [["asked.example"]] * 2
