# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for AWX: keeps what the modules of awx.awx create by its API, and notes each request for a change.

It knows no rules of AWX; it answers as its API does: lists with filters, objects, associations, surveys, approvals. A
job that is launched has run, well unless its template is among those that are `failing`.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import urllib.parse
from collections.abc import Iterator
from typing import Any

ROOT = "/api/v2/"
TYPES = {
    "job_templates": "job_template",
    "workflow_job_templates": "workflow_job_template",
    "projects": "project",
    "workflow_approval_templates": "workflow_approval",
}
Item = dict[str, Any]


class Controller:
    """What is in AWX: objects by their kind and number, what belongs to which, surveys, and the changes so far."""

    def __init__(self) -> None:
        self.items: dict[str, dict[int, Item]] = {}
        self.belongs: dict[str, list[int]] = {}
        self.surveys: dict[str, Any] = {}
        self.changes: list[tuple[str, str, Any]] = []
        self.failing: set[str] = set()
        self._next = 1
        self.add("organizations", {"name": "Default"})
        self.add("credential_types", {"name": "Machine", "kind": "ssh"})

    def add(self, kind: str, fields: Item) -> Item:
        """Keep a new object, and return it as the API shows it."""
        number, self._next = self._next, self._next + 1
        url = f"{ROOT}{kind}/{number}/"
        item = {**fields, "id": number, "url": url, "type": TYPES.get(kind, kind), "summary_fields": {}}
        if kind == "projects":
            item["scm_revision"] = "0" * 40
        item["related"] = {name: f"{url}{name}/" for name in ("survey_spec", "update", "launch")}
        if "project" in fields:
            item["organization"] = self.items["projects"][int(fields["project"])]["organization"]
        self.items.setdefault(kind, {})[number] = item
        return item

    @property
    def launched(self) -> list[tuple[str, Any]]:
        """The templates whose jobs were launched, by their names, with what was asked; in the order of the launches."""
        launches = [
            (path.strip("/").split("/"), body) for _method, path, body in self.changes if path.endswith("/launch/")
        ]
        return [(str(self.items[kind][int(number)]["name"]), body) for (*_above, kind, number, _word), body in launches]

    def named(self, kind: str) -> dict[str, Item]:
        """Return the objects of a kind by their names."""
        return {str(item["name"]): item for item in self.items.get(kind, {}).values()}

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Return the status and content with which a request is answered."""
        if method != "GET":
            self.changes.append((method, path, body))
        words = path.removeprefix(ROOT).strip("/").split("/")
        if words in (["ping"], ["config"]):
            return 200, {"version": "24.6.1"}
        if len(words) == 1:
            return self._of_kind(method, words[0], query, body)
        item = self.items.get(words[0], {}).get(int(words[1]))
        if item is None:
            return 404, {"detail": "Not found."}
        if len(words) == 2:
            if method == "DELETE":
                self._remove(words[0], int(words[1]))
                return 204, None
            if method == "PATCH":
                item.update(body)
            return 200, item
        return self._of_item(method, words, item, body)

    def _of_kind(self, method: str, kind: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if method == "POST":
            return 201, self.add(kind, body)
        kinds = TYPES if kind == "unified_job_templates" else [kind]
        every = [item for name in kinds for item in self.items.get(name, {}).values()]
        return 200, listed([item for item in every if fits(item, query)])

    def _remove(self, kind: str, number: int) -> None:
        """Remove an object, and labels that nothing has any more."""
        del self.items[kind][number]
        templates = [f"{kind}/{number}" for kind in TYPES for number in self.items.get(kind, {})]
        used = {label for place in templates for label in self.belongs.get(f"{place}/labels", [])}
        labels = self.items.get("labels", {})
        self.items["labels"] = {number: label for number, label in labels.items() if number in used}

    def _of_item(self, method: str, words: list[str], item: Item, body: Any) -> tuple[int, Any]:
        place = "/".join(words)
        if words[2] == "survey_spec":
            if method == "POST":
                self.surveys[place] = body
            return 200, self.surveys.get(place, {})
        if words[2] == "launch":
            status = "failed" if item["name"] in self.failing else "successful"
            job = self.add("jobs", {"status": status, "created": "", "artifacts": {}})
            return 201, {**job, "job": job["id"]}
        if words[2] == "create_approval_template":
            made = self.add("workflow_approval_templates", body)
            item["related"]["unified_job_template"] = made["url"]
            return 201, made
        if method == "POST":
            members = self.belongs.setdefault(place, [])
            if body.get("disassociate"):
                members.remove(body["id"])
            else:
                members.append(body["id"])
            return 204, None
        if words[2] == "schedules":
            of_template = {"unified_job_template": words[1]}
            return 200, listed([each for each in self.items.get("schedules", {}).values() if fits(each, of_template)])
        kind = "workflow_job_template_nodes" if words[2].endswith("_nodes") else words[2]
        return 200, listed([self.items[kind][number] for number in self.belongs.get(place, [])])


def fits(item: Item, query: dict[str, str]) -> bool:
    """Whether an object is among those that a list is asked for."""
    either = {name.removeprefix("or__"): value for name, value in query.items() if name.startswith("or__")}
    every = {name: value for name, value in query.items() if name not in ("page_size",) and not name.startswith("or__")}
    return all(has(item, name, value) for name, value in every.items()) and (
        not either or any(has(item, name, value) for name, value in either.items())
    )


def has(item: Item, name: str, value: str) -> bool:
    """Whether an object's field has the value, or one of them where the name ends in __in."""
    values = value.split(",") if name.endswith("__in") else [value]
    return str(item.get(name.removesuffix("__in"))) in values


def listed(items: list[Item]) -> Item:
    """Return a list as the API shows it, all on one page."""
    return {"count": len(items), "next": None, "previous": None, "results": items}


@contextlib.contextmanager
def serving(controller: Controller) -> Iterator[str]:
    """Answer requests while the context lasts; gives the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        """Hands each request over."""

        def _respond(self) -> None:
            url = urllib.parse.urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size) or b"null")
            status, content = controller.answer(
                self.command, url.path, dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True)), body
            )
            data = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = _respond

        def log_message(self, format: str, *args: Any) -> None:
            """Stay silent."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
