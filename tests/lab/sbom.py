# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bill of materials of an artifact, in CycloneDX' JSON: what it is, and what it uses on controllers and on hosts.

`python -m lab.sbom ARTIFACT REQUIRES_ANSIBLE EPOCH FILE` writes it. A process of its own keeps CycloneDX' library,
which is slow to import, from other words.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import pathlib
import sys
import uuid

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from lab.reproducible import MANIFEST, member

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/mxrelay/mxrelay.postfix")
# Python's libraries by PyPI's names, and what uses them. Nothing of theirs is in the artifact.
LIBRARIES = {
    "dnspython": "questions to DNS, on hosts",
    "idna": "internationalised domains, on hosts",
    "ldap3": "recipients from a directory, where it is read",
    "psycopg2": "recipients from PostgreSQL, where it is read",
    "pymysql": "recipients from MySQL and MariaDB, where they are read",
}


def bill(artifact: pathlib.Path, requires_ansible: str, epoch: int) -> str:
    """Return the bill as text, the same for the same artifact. Raises ValueError where CycloneDX' schema forbids it."""
    information = json.loads(member(artifact, MANIFEST))["collection_info"]
    digest = hashlib.sha256(artifact.read_bytes()).hexdigest()
    name, version = f"{information['namespace']}.{information['name']}", information["version"]
    subject = Component(
        type=ComponentType.APPLICATION,
        bom_ref=f"{name}@{version}",
        group=information["namespace"],
        name=information["name"],
        version=version,
        description=information["description"],
        licenses=[LicenseFactory().make_from_string(text) for text in information["license"]],
        purl=PackageURL("github", information["namespace"], name, version),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        external_references=[ExternalReference(type=ExternalReferenceType.VCS, url=XsUri(information["repository"]))],
    )
    bom = Bom(
        serial_number=uuid.uuid5(NAMESPACE, digest),
        components=[_ansible_core(requires_ansible), *(_library(*item) for item in LIBRARIES.items())],
    )
    bom.metadata.timestamp = datetime.datetime.fromtimestamp(epoch, datetime.UTC)
    bom.metadata.component = subject
    bom.register_dependency(subject, bom.components)
    text = str(JsonV1Dot6(bom).output_as_string(indent=2)) + "\n"
    refused = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if refused is not None:
        raise ValueError(f"CycloneDX' schema forbids this bill of materials: {refused}")
    return text


def _ansible_core(versions: str) -> Component:
    return Component(
        type=ComponentType.APPLICATION,
        bom_ref="ansible-core",
        name="ansible-core",
        description="runs the collection, on controllers",
        scope=ComponentScope.REQUIRED,
        purl=PackageURL("pypi", None, "ansible-core"),
        properties=[Property(name="mxrelay:versions", value=versions)],
    )


def _library(name: str, used_for: str) -> Component:
    return Component(
        type=ComponentType.LIBRARY,
        bom_ref=name,
        name=name,
        description=used_for,
        scope=ComponentScope.OPTIONAL,
        purl=PackageURL("pypi", None, name),
    )


if __name__ == "__main__":
    pathlib.Path(sys.argv[4]).write_text(bill(pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
