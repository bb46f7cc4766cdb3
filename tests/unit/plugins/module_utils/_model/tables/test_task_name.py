# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.tables.task_name import digest_of, with_digests

NAME = {"purge": True, "domains": ["x.example"]}
DIGESTS = {"/a": digest_of(b"a"), "/b": digest_of(b"b")}


def test_digest_is_that_of_the_bytes() -> None:
    assert digest_of(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_order_of_keys_makes_no_other_name() -> None:
    name = with_digests(NAME, DIGESTS)
    assert (len(name), set(name) - set("0123456789abcdef")) == (64, set())
    assert with_digests(dict(reversed(NAME.items())), dict(reversed(DIGESTS.items()))) == name


@pytest.mark.parametrize(
    ("name", "digests"),
    [
        ({**NAME, "purge": False}, DIGESTS),
        ({**NAME, "purge": "True"}, DIGESTS),
        (NAME, {**DIGESTS, "/b": digest_of(b"c")}),
        (NAME, {"/a": DIGESTS["/a"], "/c": DIGESTS["/b"]}),
        (NAME, {}),
    ],
)
def test_whatever_differs_makes_another_name(name: object, digests: dict[str, str]) -> None:
    assert with_digests(name, digests) != with_digests(NAME, DIGESTS)
