# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.certificate_problems import (
    ends_tls,
    unverifiable,
    why_not_verified,
)
from ansible_collections.mxrelay.postfix.plugins.module_utils._model.evidence.certificate import (
    ServedCertificate,
)
from ansible_collections.mxrelay.postfix.tests.unit.plugins.module_utils.shown_certificates import (
    A_DAY,
    DEAD,
    FILES,
    ISSUER,
    NOW,
    OWN,
    PLAIN,
    REFUSED,
    SHOWN,
)


def test_files_that_begin_with_the_own_certificate_are_of_use() -> None:
    assert list(ends_tls(FILES)) == []
    unread = replace(FILES, unread={"/c": "is missing", "/k": "is missing"}, own=None)
    assert [problem.cause for problem in ends_tls(unread)] == ["/c is missing", "/k is missing"]


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({}, None),
        ({"unlinked": {0: "bad signature"}}, "certificate 1 in /c was not issued by certificate 2 (bad signature)"),
        ({"certificates": [replace(OWN, ends=19999 * A_DAY)]}, "certificate 1 in /c expired on 2024-10-03"),
        ({"certificates": [OWN, replace(ISSUER, ends=0)]}, "certificate 2 in /c expired on 1970-01-01"),
        (
            {"certificates": [replace(OWN, begins=20001 * A_DAY)]},
            "certificate 1 in /c is not valid before 2024-10-05",
        ),
        (
            {"certificates": [replace(OWN, names=("a.example", "b.example"))]},
            "/c is for a.example, b.example, and not for mx.example or mx2.example",
        ),
        ({"certificates": [replace(OWN, names=())]}, "/c is for no DNS name, and not for mx.example or mx2.example"),
        ({"certificates": [replace(OWN, names=("mx2.example",))]}, None),
    ],
)
def test_files_that_senders_do_not_take(change: dict[str, Any], cause: str | None) -> None:
    problems = unverifiable(replace(FILES, **change), ["mx.example", "mx2.example"], NOW)
    assert [problem.cause for problem in problems] == ([cause] if cause else [])


def test_name_is_not_judged_where_none_is_known() -> None:
    assert list(unverifiable(replace(FILES, certificates=[replace(OWN, names=())]), [], NOW)) == []


@pytest.mark.parametrize(
    ("served", "why"),
    [
        (SHOWN, ""),
        (DEAD, ""),
        (PLAIN, "it does not offer TLS"),
        (REFUSED, "it answers STARTTLS with 454 not available"),
        (
            replace(SHOWN, untrusted="self-signed"),
            "its certificate leads to no root that is trusted here (self-signed)",
        ),
        (
            replace(SHOWN, certificate=replace(OWN, names=("a.example",))),
            "its certificate is for a.example, and not for mx.example",
        ),
        (
            replace(SHOWN, certificate=replace(OWN, ends=0)),
            "its certificate expired on 1970-01-01",
        ),
    ],
)
def test_why_senders_with_mta_sts_skip_it(served: ServedCertificate, why: str) -> None:
    assert why_not_verified(served, "mx.example", NOW) == why
