# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of ./run. All sessions share the virtual environment that ./run made from requirements/."""

from __future__ import annotations

import atexit
import os
import pathlib
import sys

import nox

sys.path.insert(0, str(pathlib.Path(__file__).parent / "tests"))

from lab import (
    antsibull,
    attacks,
    checkout,
    controllers,
    cores,
    gates,
    lanes,
    measurements,
    mutation,
    preview,
    rulebooks,
    targets,
)
from lab.branches import coverage_of_branches
from lab.collection import build, install_collection
from lab.counts import PASSED, finish
from lab.docsite import docsite
from lab.environment import find_engine, lab_environment, lab_images, remove_lab
from lab.generate import generate
from lab.importer import importer
from lab.matrix import matrix
from lab.release import release
from lab.sanity import sanity, units
from lab.scenarios import molecule

nox.options.default_venv_backend = "none"


@nox.session(name="unit")
def unit_session(session: nox.Session) -> None:
    """Unit tests; options go to pytest."""
    finish(session, gates.unit(session))


@nox.session(name="coverage")
def coverage_session(session: nox.Session) -> None:
    """Branches of plugins/ that unit tests take, and scenarios if named (--labs: all); docs/coverage.md; --long."""
    finish(session, coverage_of_branches(session))


@nox.session(name="lint")
def lint_session(session: nox.Session) -> None:
    """Linting of Python code and its types, of Ansible content, changelog and licences."""
    finish(session, gates.lint(session))


@nox.session(name="docs")
def docs_session(session: nox.Session) -> None:
    """Linting of the documentation of modules and roles."""
    finish(session, gates.docs(session))


@nox.session(name="docsite")
def docsite_session(session: nox.Session) -> None:
    """Build the docsite of the guides and of the reference, without a warning."""
    finish(session, docsite(session))


@nox.session(name="sanity")
def sanity_session(session: nox.Session) -> None:
    """Sanity tests of ansible-test; options go to it."""
    finish(session, sanity(session))


@nox.session(name="units")
def units_session(session: nox.Session) -> None:
    """Run the unit tests once more, by ansible-test: on this Python, or with its options such as --python."""
    finish(session, units(session))


@nox.session(name="generate")
def generate_session(session: nox.Session) -> None:
    """Write the files that are made from specifications: of roles, playbooks and surveys."""
    generate(checkout.ROOT)
    finish(session, PASSED)


@nox.session(name="build")
def build_session(session: nox.Session) -> None:
    """Build the artifact, check its content, install it for the lab."""
    finish(session, build(session))


@nox.session(name="importer")
def importer_session(session: nox.Session) -> None:
    """Import the artifact as Ansible Galaxy does, without a warning; --long: with its ansible-lint."""
    finish(session, importer(session))


@nox.session(name="antsibull")
def antsibull_session(session: nox.Session) -> None:
    """Run the sessions of antsibull-nox, as antsibull-nox.toml has them."""
    finish(session, antsibull.antsibull(session))


@nox.session(name="release")
def release_session(session: nox.Session) -> None:
    """Make a release: --key FINGERPRINT signs it (--unsigned: nothing does); --dry changes nothing; --version."""
    finish(session, release(session))


@nox.session(name="images")
def images_session(session: nox.Session) -> None:
    """Have the container engine, and the images of the lab's hosts."""
    lab_images(session)
    finish(session, PASSED)


@nox.session(name="molecule")
def molecule_session(session: nox.Session) -> None:
    """Scenarios on real hosts: all or those named; --keep leaves the lab's shared hosts up and uses them; --long."""
    finish(session, molecule(session))


@nox.session(name="matrix")
def matrix_session(session: nox.Session) -> None:
    """Each two ways of setting Postfix up on every Debian, --full: what is left of all; writes docs/matrix.md."""
    finish(session, matrix(session))


@nox.session(name="controllers")
def controllers_session(session: nox.Session) -> None:
    """The roles on hosts by each supported ansible-core on each Python; --gates: its ansible-test; releases of it."""
    finish(session, cores.controllers(session))


@nox.session(name="demo")
def demo_session(session: nox.Session) -> None:
    """Show an outage in the lab (--remove: remove that lab), or with -i INVENTORY what would change on your hosts."""
    lab = os.environ.get("MXRELAY_LAB", "mxrelay-demo")
    if preview.inventory_options(session.posargs):
        preview.show_changes(session)
        return
    if session.posargs not in ([], ["--remove"]):
        session.error("demo takes --remove, or -i INVENTORY with options of ansible-playbook")
    if session.posargs:
        remove_lab(session, find_engine(session), lab)
        return
    install_collection(session)
    environment = lab_environment(session, lab=lab)
    session.run("python", "-m", "lab.demo", environment["MXRELAY_LAB_ENGINE"], env=environment, external=True)


@nox.session(name="mutate-roles")
def mutate_roles_session(session: nox.Session) -> None:
    """Remove each role task in turn, or those whose file and name contain the words; its claim must turn red."""
    mutation.mutate_roles(session)


@nox.session(name="faults")
def faults_session(session: nox.Session) -> None:
    """Kills, full disks, races and generated files against the table engine; --long for 50 kills of each type."""
    finish(session, attacks.faults(session))


@nox.session(name="integration")
def integration_session(session: nox.Session) -> None:
    """Modules on a real Postfix, what it reads in generated files, edits that race and runs that are killed; --long."""
    finish(session, attacks.integration(session))


@nox.session(name="targets")
def targets_session(session: nox.Session) -> None:
    """Integration targets, all or those named, by ansible-test; --long: also by the one of the lowest ansible-core."""
    finish(session, targets.targets(session))


@nox.session(name="awx")
def awx_session(session: nox.Session) -> None:
    """Playbooks as jobs of AWX, in an execution environment that is built; --long: also on the lowest ansible-core."""
    finish(session, controllers.awx(session))


@nox.session(name="eda")
def eda_session(session: nox.Session) -> None:
    """Rulebooks, run by ansible-rulebook with events, against what stands in for AWX."""
    finish(session, rulebooks.eda(session))


@nox.session(name="mutate-engine")
def mutate_engine_session(session: nox.Session) -> None:
    """Break the table engine in each way that tests/faults/mutants.py names; an attack must notice each."""
    mutation.mutate_engine(session)


@nox.session(name="mutate-model")
def mutate_model_session(session: nox.Session) -> None:
    """Break the model in each place, or where file, line and function contain the words; a unit test must notice."""
    mutation.mutate_model(session)


@nox.session(name="bench")
def bench_session(session: nox.Session) -> None:
    """Measure on a lab host: no-change, or tables beside what a user would do instead; options after the word."""
    measurements.bench(session)


@nox.session(name="test")
def test_session(session: nox.Session) -> None:
    """Everything: unit tests, linting, sanity, documentation, build, scenarios; output is shown of what fails."""
    if session.posargs:
        session.error("test takes no options")
    counts = lanes.run_all(session)
    # nox prints its own verdict after this function; the counts are to be the last line.
    atexit.register(print, f"{counts.passed} passed, {counts.failed} failed", flush=True)
    finish(session, counts)
