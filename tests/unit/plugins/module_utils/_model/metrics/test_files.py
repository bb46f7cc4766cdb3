# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

from ansible_collections.mxrelay.postfix.plugins.module_utils._model.metrics.files import (
    MetricsFiles,
    MetricsPlace,
    metrics_texts,
)


def test_files_of_the_first_instance_and_of_another() -> None:
    first, other = MetricsFiles("/etc/postfix/"), MetricsFiles("/etc/postfix-two.x")
    assert first.all == [
        "/etc/postfix/mxrelay-metrics.pyz",
        "/etc/postfix/mxrelay-metrics.json",
        "/etc/systemd/system/mxrelay-metrics.service",
        "/etc/systemd/system/mxrelay-metrics.timer",
    ]
    assert other.service == "/etc/systemd/system/mxrelay-metrics-postfix-two_x.service"
    assert (first.metrics("/m"), other.metrics("/m")) == ("/m/mxrelay.prom", "/m/mxrelay-postfix-two_x.prom")


def test_service_can_write_only_its_file_and_ends() -> None:
    files = MetricsFiles("/etc/postfix")
    place = MetricsPlace(files, "/m/mxrelay.prom", "/var/spool/postfix/pid", "/usr/bin/python3", b"program")
    texts = metrics_texts(place, {"path": "/m/mxrelay.prom"}, 60)
    service, timer = (texts[path].decode().split("\n") for path in (files.service, files.timer))
    assert (
        "ExecStart=/usr/bin/python3 -IB /etc/postfix/mxrelay-metrics.pyz write /etc/postfix/mxrelay-metrics.json"
        in (service)
    )
    assert [line for line in service if line.startswith(("ReadWrite", "ProtectSystem", "Timeout", "NoNew"))] == [
        "TimeoutStartSec=240",
        "ReadWritePaths=/m -/var/spool/postfix/pid",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
    ]
    assert "OnUnitActiveSec=60" in timer
    assert (texts[files.program], json.loads(texts[files.configuration])) == (b"program", {"path": "/m/mxrelay.prom"})


def test_order_of_settings_makes_no_other_file() -> None:
    files = MetricsFiles("/etc/postfix")
    place = MetricsPlace(files, "/m/mxrelay.prom", "/var/spool/postfix/pid", "/usr/bin/python3", b"program")
    one, other = (metrics_texts(place, dict(given), 60) for given in ((("a", 1), ("b", 2)), (("b", 2), ("a", 1))))
    assert one[files.configuration] == other[files.configuration]
