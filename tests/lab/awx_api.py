# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask AWX what it has in an organization that is made for a test, and remove that at the end."""

from __future__ import annotations

import base64
import contextlib
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

ROOT = "/api/v2/"
# In the order in which they can be removed. A schedule goes with its template, and a label with the last that has it.
KINDS = ("workflow_job_templates", "job_templates", "projects", "inventories", "credentials")
ASK_FOR = 200


class Awx:
    """AWX at an address, with an organization of its own; who asks is as in the environment of awx.awx's modules."""

    def __init__(self, address: str, organization: str, environment: Mapping[str, str]) -> None:
        self.address = address.rstrip("/")
        self.organization = organization
        self._headers = {"Content-Type": "application/json", "Authorization": authorization(environment)}

    def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """Return what a request is answered; None where there is no content."""
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, sent, self._headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.loads(response.read() or b"null")

    def listed(self, path: str, **query: str) -> list[dict[str, Any]]:
        """Return all objects of a list."""
        following = f"{path}?{urllib.parse.urlencode({'page_size': str(ASK_FOR), **query})}"
        found: list[dict[str, Any]] = []
        while following:
            page = self.ask(following)
            found += page["results"]
            following = page["next"]
        return found

    @contextlib.contextmanager
    def organized(self) -> Iterator[Awx]:
        """Have the organization while the context lasts, and nothing of it afterwards."""
        made = self.ask(f"{ROOT}organizations/", "POST", {"name": self.organization})
        try:
            yield self
        finally:
            self.remove()
            self.ask(made["url"], "DELETE")

    def everything(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return what is in the organization, by kind and name, without kinds of which nothing is there."""
        organizations = self.listed(f"{ROOT}organizations/", name=self.organization)
        number = str(organizations[0]["id"])
        found = {kind: self.listed(f"{ROOT}{kind}/", organization=number) for kind in (*KINDS, "labels")}
        # An execution environment is of all organizations; that of the test has the name of its organization.
        found["execution_environments"] = self.listed(f"{ROOT}execution_environments/", name=self.organization)
        found["schedules"] = [
            schedule
            for template in found["job_templates"]
            for schedule in self.listed(f"{ROOT}job_templates/{template['id']}/schedules/")
        ]
        return {kind: {item["name"]: item for item in items} for kind, items in found.items() if items}

    def remove(self) -> None:
        """Remove what is in the organization, all but the labels that AWX removes itself."""
        there = self.everything()
        for kind in (*KINDS, "execution_environments"):
            for item in there.get(kind, {}).values():
                self.ask(item["url"], "DELETE")


def authorization(environment: Mapping[str, str]) -> str:
    """Return the header by which AWX knows who asks."""
    if environment.get("CONTROLLER_OAUTH_TOKEN"):
        return f"Bearer {environment['CONTROLLER_OAUTH_TOKEN']}"
    pair = f"{environment.get('CONTROLLER_USERNAME', '')}:{environment.get('CONTROLLER_PASSWORD', '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
