# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open a page in Chromium as a person would, and say what happened: one order as JSON on stdin, the answer on stdout.

An order has `page` (a path), `width`, `height`, `dark`, `paper` (whether it is laid out for print), `scripts` (each an
expression; a promise is awaited), `picture` (a path for a screenshot of the whole page, or null; `clip` limits its
height) and `names` (whether to tell them). The answer has `problems` (errors and warnings of the console, exceptions),
`requests` (what the page asked for besides itself), `values` (of the scripts), `names` (role and name of what assistive
technology sees) and `seconds` (of processor time, until the page was loaded and painted, and then for the scripts).
"""

from __future__ import annotations

import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

BROWSER = (
    "chromium-headless-shell",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


class Browser:
    """Chromium, spoken to in its DevTools protocol over two pipes, where each message ends with a NUL."""

    def __init__(self, profile: str) -> None:
        their_in, self._out = os.pipe()
        self._in, their_out = os.pipe()
        wrapper = ["sh", "-c", f'exec "$@" 3<&{their_in} 4>&{their_out}', "sh", *BROWSER, f"--user-data-dir={profile}"]
        self._process = subprocess.Popen(wrapper, pass_fds=(their_in, their_out), stderr=subprocess.DEVNULL)
        os.close(their_in)
        os.close(their_out)
        self._rest = b""
        self._last = 0
        self.session: str | None = None
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.wait()

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            piece = os.read(self._in, 1 << 16)
            if not piece:
                raise RuntimeError("the browser has ended")
            self._rest += piece
        message, self._rest = self._rest.split(b"\0", 1)
        found: dict[str, Any] = json.loads(message)
        return found

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command to the page (before there is one, to the browser), and return its result."""
        self._last += 1
        order: dict[str, Any] = {"id": self._last, "method": method, "params": params}
        if self.session:
            order["sessionId"] = self.session
        os.write(self._out, json.dumps(order).encode() + b"\0")
        while True:
            message = self._message()
            if message.get("id") == self._last:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                result: dict[str, Any] = message["result"]
                return result
            self.events.append(message)

    def wait_for(self, event: str) -> None:
        while not any(told.get("method") == event for told in self.events):
            self.events.append(self._message())

    def value(self, script: str) -> Any:
        found = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(f"{script}: {found['exceptionDetails']}")
        return found["result"].get("value")


def visit(order: dict[str, Any], browser: Browser) -> dict[str, Any]:
    target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
    browser.session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Runtime", "Log", "Network"):
        browser.ask(f"{domain}.enable")
    # Time of the processor, since that of the clock says more about what else the machine does.
    browser.ask("Performance.enable", timeDomain="threadTicks")
    size = {"width": order["width"], "height": order["height"], "deviceScaleFactor": 1}
    browser.ask("Emulation.setDeviceMetricsOverride", mobile=order["width"] < 600, **size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if order["dark"] else "light"}
    browser.ask("Emulation.setEmulatedMedia", media="print" if order["paper"] else "", features=[scheme])
    browser.events.clear()
    page = pathlib.Path(order["page"]).as_uri()
    browser.ask("Page.navigate", url=page)
    browser.wait_for("Page.loadEventFired")
    # Two frames later everything has been laid out and painted.
    painted = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))"
    browser.value(painted)
    loaded = seconds(browser)
    values = [browser.value(script) for script in order["scripts"]]
    worked = seconds(browser) - loaded
    nodes = browser.ask("Accessibility.getFullAXTree")["nodes"] if order["names"] else []
    if order["picture"]:
        take_picture(order, browser)
    return {
        "problems": [problem for event in browser.events for problem in problems(event)],
        "requests": [url for event in browser.events for url in requests(event) if url != page],
        "values": values,
        "names": [
            [node["role"]["value"], node.get("name", {}).get("value", "")] for node in nodes if not node["ignored"]
        ],
        "seconds": [loaded, worked],
    }


def seconds(browser: Browser) -> float:
    metrics = browser.ask("Performance.getMetrics")["metrics"]
    return sum(float(metric["value"]) for metric in metrics if metric["name"] == "TaskDuration")


def take_picture(order: dict[str, Any], browser: Browser) -> None:
    height = browser.value("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": order["width"], "height": min(height, order.get("clip", height)), "scale": 1}
    shot = browser.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
    pathlib.Path(order["picture"]).write_bytes(base64.b64decode(shot["data"]))


def problems(event: dict[str, Any]) -> list[str]:
    params = event.get("params", {})
    if event.get("method") == "Runtime.exceptionThrown":
        return [json.dumps(params["exceptionDetails"])]
    if event.get("method") == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
        return [params["entry"]["text"]]
    if event.get("method") == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
        return [json.dumps(params["args"])]
    return []


def requests(event: dict[str, Any]) -> list[str]:
    if event.get("method") != "Network.requestWillBeSent":
        return []
    url = event["params"]["request"]["url"]
    return [] if url.startswith("data:") else [url]


def main() -> None:
    with tempfile.TemporaryDirectory() as profile, Browser(profile) as browser:
        json.dump(visit(json.load(sys.stdin), browser), sys.stdout)


if __name__ == "__main__":
    main()
