# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of ./run. All sessions share the virtual environment that ./run made from requirements/."""

from __future__ import annotations

import atexit
import concurrent.futures
import fcntl
import json
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tarfile
import time
import xml.etree.ElementTree
from collections.abc import Iterable, Iterator, Sequence

import nox
import nox.command
import yaml

ROOT = pathlib.Path(__file__).parent
sys.path.insert(0, str(ROOT / "tests"))

from faults import mutants as engine_mutants
from lab import engine, images, mutants, network  # the lab's folder must be on the path first

nox.options.default_venv_backend = "none"

CACHE = ROOT / ".cache"
# Labs that are up at the same time differ in name; each has the collection installed for itself.
LAB = os.environ.get("MXRELAY_LAB", "mxrelay")
ARTIFACT = CACHE / LAB / "artifact"
COLLECTIONS = CACHE / LAB / "collections"
REPORTS = CACHE / "reports"
SOURCE_TREE = CACHE / "source"
COLLECTION_PATH = pathlib.Path("ansible_collections/mxrelay/postfix")
SCENARIOS = tuple(sorted(path.parent.name for path in ROOT.glob("molecule/*/molecule.yml")))
LANES = 2

# What a user of the collection needs, and nothing else, is in the artifact.
SHIPPED = {
    "FILES.json",
    "MANIFEST.json",
    "CHANGELOG.md",
    "CHANGELOG.rst",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "LICENSES",
    "README.md",
    "SECURITY.md",
    "changelogs",
    "docs",
    "extensions",
    "meta",
    "playbooks",
    "plugins",
    "roles",
}
SHIPPED_ALWAYS = (
    "MANIFEST.json",
    "FILES.json",
    "README.md",
    "LICENSE",
    "meta/runtime.yml",
    "plugins",
    "roles",
    "playbooks",
)


class Count(tuple[int, int]):
    """How many tests passed and failed."""

    def __add__(self, other: object) -> "Count":
        if not isinstance(other, Count):
            return NotImplemented
        return Count((self[0] + other[0], self[1] + other[1]))


PASSED = Count((1, 0))
FAILED = Count((0, 1))
NOTHING = Count((0, 0))


def succeeds(session: nox.Session, *command: str, **options: object) -> bool:
    """Run a command, and return whether its code was 0."""
    try:
        session.run(*command, external=True, **options)
    except nox.command.CommandFailed:
        return False
    return True


def gate(session: nox.Session, *command: str, **options: object) -> Count:
    """Run a command as one test."""
    return PASSED if succeeds(session, *command, **options) else FAILED


def reported(report: pathlib.Path) -> Count:
    """Return the counts of a JUnit report; none where no test ran."""
    if not report.exists():
        return NOTHING
    counts = NOTHING
    for suite in xml.etree.ElementTree.parse(report).getroot().iter("testsuite"):
        total = int(suite.get("tests", 0))
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0)) + int(suite.get("skipped", 0))
        counts += Count((total - bad, bad))
    return counts


def finish(session: nox.Session, counts: Count) -> None:
    """Tell the run of everything, if this is a part of it; fail the session if anything failed."""
    if "MXRELAY_COUNTS" in os.environ:
        pathlib.Path(os.environ["MXRELAY_COUNTS"]).write_text(json.dumps(counts))
    if counts[1] or not counts[0]:
        session.error(f"{counts[1]} failed")


def project_files(session: nox.Session) -> list[str]:
    """Return the files of this checkout that git tracks or would track."""
    listed = session.run(
        "git", "ls-files", "--cached", "--others", "--exclude-standard", external=True, silent=True, log=False
    )
    return [name for name in str(listed).splitlines() if (ROOT / name).is_file()]


def copy_tree(session: nox.Session, top: pathlib.Path) -> pathlib.Path:
    """Copy the checkout to where a collection must be below `top`; return the copy's path."""
    target = top / COLLECTION_PATH
    shutil.rmtree(top, ignore_errors=True)
    for name in project_files(session):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    return target


# --- Parts: each runs some tests and returns their count -----------------------------------------------------------


def unit(session: nox.Session) -> Count:
    """Run the unit tests in a copy whose path is a collection's."""
    tree = copy_tree(session, SOURCE_TREE)
    report = REPORTS / "unit.xml"
    report.unlink(missing_ok=True)
    with session.chdir(tree):
        well = succeeds(
            session,
            "python",
            "-m",
            "pytest",
            "tests/unit",
            f"--junitxml={report}",
            *session.posargs,
            env={"PYTHONPATH": str(SOURCE_TREE), "PYTHONDONTWRITEBYTECODE": "1"},
        )
    counts = reported(report)
    return counts if well or counts[1] else counts + FAILED


def lint(session: nox.Session) -> Count:
    """Run ansible-lint, and the lint of changelog and licences."""
    # Roles and playbooks name the collection's own content in full, so that content must be installed.
    install_collection(session)
    ansible_home = {"ANSIBLE_HOME": str(CACHE / "ansible"), "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)}
    counts = gate(session, "ansible-lint", "--offline", "--strict", "--profile", "production", env=ansible_home)
    counts += gate(session, "antsibull-changelog", "lint")
    return counts + gate(session, "reuse", "lint", "--lines")


def docs(session: nox.Session) -> Count:
    """Lint the documentation of modules and roles."""
    top = CACHE / "docs"
    # Without the collections of the virtual environment, of which ours names none, this takes seconds, not minutes.
    only_ours = {"ANSIBLE_COLLECTIONS_PATH": str(top), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}
    with session.chdir(copy_tree(session, top)):
        return gate(
            session,
            "antsibull-docs",
            "lint-collection-docs",
            "--plugin-docs",
            "--validate-collection-refs=all",
            "--skip-rstcheck",
            ".",
            env=only_ours,
        )


def interpreters_first() -> str:
    """Return a PATH on which pyenv's interpreters come before its shims, which answer for versions that are not set."""
    folders = os.environ["PATH"].split(os.pathsep)
    shims = [folder for folder in folders if pathlib.Path(folder).name == "shims"]
    real = [str(path) for shim in shims for path in pathlib.Path(shim).parent.glob("versions/3.*/bin")]
    return os.pathsep.join([*(folder for folder in folders if folder not in shims), *real])


def carry_pip_settings(session: nox.Session, home: pathlib.Path) -> None:
    """Write the user's own pip settings (files and PIP_ variables) to a home folder that ansible-test hands to pip."""
    listed = str(session.run("python", "-m", "pip", "config", "list", external=True, silent=True, log=False))
    settings = dict(re.findall(r"^(?:global|user|:env:)\.(\S+)='(.*)'$", listed, re.MULTILINE))
    path = home / ".config/pip/pip.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{name} = {value.encode().decode('unicode_escape')}" for name, value in settings.items()]
    path.write_text("\n".join(["[global]", *(line.replace("\n", "\n  ") for line in lines)]) + "\n")


def sanity(session: nox.Session) -> Count:
    """Run ansible-test sanity."""
    import ansible_test._internal as internal  # only this session needs it, and it is slow to find

    home = CACHE / "ansible-test"
    infrastructure = pathlib.Path(internal.__file__).with_name("python_requirements.py").read_text()
    pip_version = re.search(r"pip='([0-9.]+)'", infrastructure)
    if pip_version is None:
        session.error("ansible-test no longer says which pip it wants; see sanity() in noxfile.py")
    bootstrap = home / f".ansible/test/cache/get_pip_{pip_version[1].replace('.', '_')}.py"
    bootstrap.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(ROOT / "tests/lab/get_pip.py", bootstrap)
    carry_pip_settings(session, home)
    with session.chdir(copy_tree(session, CACHE / "sanity")):
        # Below a checkout that ignores it, ansible-test would find no files; a repository of its own has them all.
        session.run("git", "init", "--quiet", external=True, log=False)
        session.run("git", "add", "--all", external=True, log=False)
        return gate(
            session,
            "ansible-test",
            "sanity",
            "--requirements",
            "--color",
            "no",
            *session.posargs,
            env={"HOME": str(home), "PATH": interpreters_first()},
        )


def build(session: nox.Session) -> Count:
    """Build the artifact, hold its content against what users need, and install it."""
    counts = install_collection(session)
    for artifact in ARTIFACT.glob("*.tar.gz"):
        with tarfile.open(artifact) as archive:
            names = archive.getnames()
        surplus = sorted({name.split("/")[0] for name in names} - SHIPPED)
        missing = [name for name in SHIPPED_ALWAYS if name not in names]
        if surplus or missing:
            session.warn(f"artifact: not for users: {surplus or 'none'}; missing: {missing or 'none'}")
        counts += FAILED if surplus or missing else PASSED
    return counts


def install_collection(session: nox.Session) -> Count:
    """Build the artifact and install it where the lab's playbooks find it: what users get is what runs."""
    shutil.rmtree(ARTIFACT, ignore_errors=True)
    shutil.rmtree(COLLECTIONS, ignore_errors=True)
    source = copy_tree(session, CACHE / LAB / "source")
    options = {"env": {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)}, "silent": True, "log": False}
    counts = gate(
        session, "ansible-galaxy", "collection", "build", "--output-path", str(ARTIFACT), str(source), **options
    )
    for artifact in ARTIFACT.glob("*.tar.gz"):
        counts += gate(
            session,
            "ansible-galaxy",
            "collection",
            "install",
            "--offline",
            "--force",
            "--collections-path",
            str(COLLECTIONS),
            str(artifact),
            **options,
        )
    return counts


def suites_of(scenarios: Iterable[str]) -> set[str]:
    """Return the Debian releases of the scenarios' MX hosts."""
    platforms = [
        platform
        for name in scenarios
        for platform in yaml.safe_load((ROOT / f"molecule/{name}/molecule.yml").read_text())["platforms"]
    ]
    wanted = images.suite_wanted()
    return {images.known_suite(one.get("suite", wanted), str(one["name"])) for one in platforms}


def find_engine(session: nox.Session) -> str:
    """Return the command of the container engine, which is installed and started where it has to be."""
    CACHE.mkdir(exist_ok=True)
    try:
        with (CACHE / "lab.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another part may be installing it
            return engine.find_engine(CACHE)
    except engine.LabError as error:
        session.error(str(error))


def lab_images(session: nox.Session, scenarios: Iterable[str] = ("default",)) -> tuple[str, str, dict[str, str]]:
    """Have engine and images for the scenarios; return the engine's command and the images' tags."""
    command = find_engine(session)
    try:
        return command, *images.have_all(command, suites_of(scenarios), CACHE)
    except engine.LabError as error:
        session.error(str(error))


def lab_environment(
    session: nox.Session, scenarios: Iterable[str] = ("default",), lab: str = LAB, keep: bool = False
) -> dict[str, str]:
    """Have what the lab's hosts for the scenarios need; return what its playbooks and tests read.

    What is left of an earlier lab of this name is removed, unless it is to be kept.
    """
    command, tag, mx_tags = lab_images(session, scenarios)
    if not keep:
        remove_lab(session, command, lab)
    try:
        net = network.have_network(command, lab)
    except engine.LabError as error:
        session.error(str(error))
    return {
        **{name: value for name, value in os.environ.items() if name == "DOCKER_HOST"},
        "MXRELAY_LAB": lab,
        "MXRELAY_LAB_ENGINE": command,
        "MXRELAY_LAB_NET": net,
        "MXRELAY_LAB_TAG": tag,
        "MXRELAY_LAB_MX_TAGS": json.dumps(mx_tags),
        "MXRELAY_LAB_SUITE": images.suite_wanted(),
        "ANSIBLE_HOME": str(CACHE / "ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "PYTHONPATH": str(ROOT / "tests"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def remove_lab(session: nox.Session, command: str, lab: str = LAB) -> None:
    """Remove the lab's containers and network; images stay."""
    label = f"label=mxrelay-lab={lab}"
    found = session.run(command, "ps", "--all", "--quiet", "--filter", label, external=True, silent=True, log=False)
    if str(found).split():
        session.run(command, "rm", "--force", "--volumes", *str(found).split(), external=True, silent=True, log=False)
    found = session.run(command, "network", "ls", "--quiet", "--filter", label, external=True, silent=True, log=False)
    if str(found).split():
        session.run(command, "network", "rm", *str(found).split(), external=True, silent=True, log=False)


def scenario(session: nox.Session, name: str, environment: dict[str, str]) -> Count:
    """Run one scenario from nothing to nothing: each of its assertions is a test, and the whole sequence is one."""
    report = REPORTS / f"molecule-{name}.xml"
    report.unlink(missing_ok=True)
    began = time.monotonic()
    sequence = gate(
        session,
        "molecule",
        "test",
        "--scenario-name",
        name,
        env={**environment, "MOLECULE_COMMAND_BORDERS": "false", "PYTEST_ADDOPTS": f"--junitxml={report}"},
    )
    counts = reported(report)
    if not counts[0]:
        session.warn(f"molecule {name}: nothing was verified")
        sequence = FAILED
    session.log(f"molecule {name}: {counts[0]} assertions passed, {counts[1]} failed, {time.monotonic() - began:.0f} s")
    return counts + sequence


def molecule(session: nox.Session) -> Count:
    """Run the scenarios named, or all, against the collection as installed from its artifact."""
    words = [word for word in session.posargs if word != "--keep"]
    unknown = sorted(set(words) - set(SCENARIOS))
    if unknown:
        session.error(f"no scenario {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    counts = build(session)
    if not (COLLECTIONS / COLLECTION_PATH / "MANIFEST.json").exists():
        return counts
    keep = "--keep" in session.posargs
    environment = lab_environment(session, words or SCENARIOS, keep=keep)
    for name in words or SCENARIOS:
        counts += scenario(session, name, environment)
    if not keep:
        remove_lab(session, environment["MXRELAY_LAB_ENGINE"])
    return counts


# --- Sessions: the words of ./run ----------------------------------------------------------------------------------


@nox.session(name="unit")
def unit_session(session: nox.Session) -> None:
    """Unit tests; options go to pytest."""
    finish(session, unit(session))


@nox.session(name="lint")
def lint_session(session: nox.Session) -> None:
    """Linting of Ansible content, changelog and licences."""
    finish(session, lint(session))


@nox.session(name="docs")
def docs_session(session: nox.Session) -> None:
    """Linting of the documentation of modules and roles."""
    finish(session, docs(session))


@nox.session(name="sanity")
def sanity_session(session: nox.Session) -> None:
    """Sanity tests of ansible-test; options go to it."""
    finish(session, sanity(session))


@nox.session(name="build")
def build_session(session: nox.Session) -> None:
    """Build the artifact, check its content, install it for the lab."""
    finish(session, build(session))


@nox.session(name="images")
def images_session(session: nox.Session) -> None:
    """Have the container engine, and the images of the lab's hosts."""
    lab_images(session)
    finish(session, PASSED)


@nox.session(name="molecule")
def molecule_session(session: nox.Session) -> None:
    """Scenarios on real hosts: all or those named; --keep uses the lab's shared hosts again, and leaves them up."""
    finish(session, molecule(session))


@nox.session(name="demo")
def demo_session(session: nox.Session) -> None:
    """Show an outage in the lab (--remove: remove that lab), or with -i INVENTORY what would change on your hosts."""
    lab = os.environ.get("MXRELAY_LAB", "mxrelay-demo")
    if any(word.startswith(("-i", "--inventory")) for word in session.posargs):
        show_changes(session)
        return
    if session.posargs not in ([], ["--remove"]):
        session.error("demo takes --remove, or -i INVENTORY with options of ansible-playbook")
    if session.posargs:
        remove_lab(session, find_engine(session), lab)
        return
    install_collection(session)
    environment = lab_environment(session, lab=lab)
    session.run("python", "-m", "lab.demo", environment["MXRELAY_LAB_ENGINE"], env=environment, external=True)


def show_changes(session: nox.Session) -> None:
    """Run the shipped playbooks in check mode on the user's own inventory, for the groups that it has."""
    install_collection(session)
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)}
    with session.chdir(os.environ.get("MXRELAY_CALLED_FROM", str(ROOT))):
        inventories = inventory_options(session.posargs)
        listed = session.run(
            "ansible-inventory",
            *inventories,
            "--list",
            env=environment,
            external=True,
            silent=True,
            stderr=None,
            log=False,
        )
        groups = [group for group in ("primary_mx", "secondary_mx") if json.loads(str(listed)).get(group)]
        if not groups:
            session.error(
                "the inventory has neither a group primary_mx nor a group secondary_mx with hosts; see README.md"
            )
        for group in groups:
            session.run(
                "ansible-playbook",
                f"mxrelay.postfix.{group}",
                "--check",
                "--diff",
                *session.posargs,
                env=environment,
                external=True,
            )


def inventory_options(words: Sequence[str]) -> list[str]:
    """Return those of ansible-playbook's options that name inventories."""
    found = []
    for at, word in enumerate(words):
        if word in ("-i", "--inventory"):
            found += words[at : at + 2]
        elif word.startswith(("-i", "--inventory=")):
            found.append(word)
    return found


@nox.session(name="mutate-roles")
def mutate_roles_session(session: nox.Session) -> None:
    """Remove each role task in turn, or those whose file and name contain the words; its claim must turn red."""
    install_collection(session)
    environment = lab_environment(session)
    mutated = CACHE / "mutated"
    shutil.rmtree(mutated, ignore_errors=True)
    shutil.copytree(COLLECTIONS, mutated)
    environment["ANSIBLE_COLLECTIONS_PATH"] = str(mutated)
    roles, copy = (top / COLLECTION_PATH / "roles" for top in (COLLECTIONS, mutated))
    wanted = [one for one in mutants.mutants(roles) if all(word in str(one) for word in session.posargs)]
    verdicts = {}
    ready = ""
    # Those that share a host follow each other.
    for mutant in sorted(wanted, key=lambda one: (one.claim.scenario, one.claim.host)):
        mutants.restore(roles, copy)
        if mutant.claim.host != "converged" or ready != mutant.claim.scenario or not steps(
            session, mutant.claim.scenario, environment, "converge"
        ):
            new = ("destroy", "create", "converge") if mutant.claim.host == "converged" else ("destroy", "create")
            if not steps(session, mutant.claim.scenario, environment, *new):
                session.error(f"{mutant.claim.scenario}: the whole roles don't converge")
        ready = mutant.claim.scenario if mutant.claim.host == "converged" else ""
        mutant.take_out(roles, copy)
        verdicts[mutant] = red(session, mutant.claim, environment)
        session.log(f"{mutant}: {verdicts[mutant] or 'NOBODY NOTICED'}")
    remove_lab(session, environment["MXRELAY_LAB_ENGINE"])
    for mutant, verdict in verdicts.items():
        print(f"{mutant}: {verdict or 'NOBODY NOTICED'}")
    unnoticed = [mutant for mutant, verdict in verdicts.items() if not verdict]
    if unnoticed or not verdicts:
        session.error(f"{len(unnoticed)} of {len(verdicts)} removed tasks were not noticed")


def steps(session: nox.Session, name: str, environment: dict[str, str], *words: str) -> bool:
    """Run steps of a scenario quietly; return whether all succeeded."""
    return all(
        succeeds(session, "molecule", word, "--scenario-name", name, env=environment, silent=True, log=False)
        for word in words
    )


def red(session: nox.Session, claim: mutants.Claim, environment: dict[str, str]) -> str:
    """Return what goes red when the claim is made with the mutated roles, the empty string where nothing does."""
    if claim.host == "new" and not steps(session, claim.scenario, environment, "converge"):
        return f"{claim.scenario}: converge"
    report = REPORTS / "mutant.xml"
    report.unlink(missing_ok=True)
    options = f"--exitfirst -k {claim.tests} --junitxml={report}"
    steps(session, claim.scenario, {**environment, "PYTEST_ADDOPTS": options}, "verify")
    failure = first_failure(report)
    return f"{claim.scenario}: {failure}" if failure else ""


def first_failure(report: pathlib.Path) -> str:
    """Return the name of the first test that failed, the empty string where there is none."""
    if report.exists():
        for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                return str(case.get("name"))
    return ""


@nox.session(name="faults")
def faults_session(session: nox.Session) -> None:
    """Kills, full disks, races and generated files against the table engine; --long for 50 kills of each type."""
    install_collection(session)
    environment = faults_host(session)
    report = REPORTS / "faults.xml"
    report.unlink(missing_ok=True)
    well = attacked(session, environment, f"--junitxml={report}", *session.posargs)
    remove_lab(session, environment["MXRELAY_LAB_ENGINE"])
    counts = reported(report)
    finish(session, counts if well or counts[1] else counts + FAILED)


def faults_host(session: nox.Session) -> dict[str, str]:
    """Bring up a new lab; return what the attacks on its host read."""
    environment = lab_environment(session)
    environment["PYTHONPATH"] += f"{os.pathsep}{COLLECTIONS}"
    if not steps(session, "both", environment, "destroy", "create"):
        session.error("the lab does not come up; try ./run molecule both")
    return environment


def attacked(session: nox.Session, environment: dict[str, str], *options: str) -> bool:
    """Run the attacks; return whether nothing gave way."""
    return succeeds(session, "python", "-m", "pytest", "--capture=no", "tests/faults", *options, env=environment)


@nox.session(name="integration")
def integration_session(session: nox.Session) -> None:
    """Modules on a real Postfix, what it reads in generated files, edits that race and runs that are killed; --long."""
    install_collection(session)
    environment = lab_environment(session)
    environment["PYTHONPATH"] += f"{os.pathsep}{COLLECTIONS}"
    report = REPORTS / "integration.xml"
    report.unlink(missing_ok=True)
    options = [f"--junitxml={report}", *session.posargs]
    well = succeeds(session, "python", "-m", "pytest", "--capture=no", "tests/integration", *options, env=environment)
    remove_lab(session, environment["MXRELAY_LAB_ENGINE"])
    counts = reported(report)
    finish(session, counts if well or counts[1] else counts + FAILED)


@nox.session(name="mutate-engine")
def mutate_engine_session(session: nox.Session) -> None:
    """Break the table engine in each way that tests/faults/mutants.py names; an attack must notice each."""
    install_collection(session)
    installed = COLLECTIONS / COLLECTION_PATH
    environment = faults_host(session)
    verdicts = {}
    for mutant in engine_mutants.MUTANTS:
        if all(word in mutant.name for word in session.posargs):
            original = (installed / mutant.file).read_text()
            (installed / mutant.file).write_text(mutant.applied(original))
            report = REPORTS / "mutant.xml"
            report.unlink(missing_ok=True)
            attacked(session, environment, f"--junitxml={report}", "--exitfirst", "-k", mutant.attacks)
            verdicts[mutant.name] = first_failure(report)
            (installed / mutant.file).write_text(original)
    remove_lab(session, environment["MXRELAY_LAB_ENGINE"])
    for name, verdict in verdicts.items():
        print(f"{name}: {verdict or 'NOBODY NOTICED'}")
    if not verdicts or not all(verdicts.values()):
        session.error(f"{sum(not verdict for verdict in verdicts.values())} of {len(verdicts)} were not noticed")


BENCHES = {"no-change": "bench.no_change", "tables": "bench.tables"}


@nox.session(name="bench")
def bench_session(session: nox.Session) -> None:
    """Measure on a lab host: no-change, or tables beside what a user would do instead; options after the word."""
    kind, *options = session.posargs or ("no-change",)
    if kind not in BENCHES:
        session.error(f"no bench {kind}; there are {', '.join(BENCHES)}")
    install_collection(session)
    environment = lab_environment(session)
    for step in ("destroy", "create"):
        session.run("molecule", step, "--scenario-name", "both", env=environment, external=True, silent=True)
    session.run("python", "-m", BENCHES[kind], *options, env=environment, external=True)
    remove_lab(session, environment["MXRELAY_LAB_ENGINE"])


# Each is a run of its own: the word, and its options. What others wait for comes first.
FAST_PARTS = (("images",), ("sanity",), ("unit",), ("lint",), ("docs",))


def scenario_parts() -> Iterator[tuple[str, ...]]:
    """Yield the scenarios, those with much to verify first, so that the lanes end at about the same time."""

    def length(name: str) -> int:
        return sum(path.stat().st_size for path in ROOT.glob(f"molecule/{name}/tests/*.py"))

    for name in sorted(SCENARIOS, key=length, reverse=True):
        yield ("molecule", "--keep", name)


def run_part(words: Sequence[str], lane: int) -> Count:
    """Run one part in the lab of a lane; say how it ended, and show its output where it failed."""
    title = " ".join(word for word in words if word != "--keep")
    log = REPORTS / f"{title.replace(' ', '-')}.log"
    told = log.with_suffix(".json")
    told.unlink(missing_ok=True)
    began = time.monotonic()
    with log.open("w") as output:
        subprocess.run(
            ["nox", "--noxfile", str(ROOT / "noxfile.py"), "--session", words[0], "--", *words[1:]],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "MXRELAY_LAB": lane_lab(lane), "MXRELAY_COUNTS": str(told)},
            check=False,
        )
    counts = Count(json.loads(told.read_text())) if told.exists() else FAILED
    verdict = f"{title}: {counts[0]} passed, {counts[1]} failed, {time.monotonic() - began:.0f} s"
    print(f"{log.read_text()}{verdict}" if counts[1] else verdict, flush=True)
    return counts


def lane_lab(lane: int) -> str:
    """Return the name of a lane's lab."""
    return f"{LAB}-{lane}"


def remove_lane_labs(session: nox.Session) -> None:
    """Remove the labs of all lanes."""
    command = find_engine(session)
    for lane in range(LANES):
        remove_lab(session, command, lane_lab(lane))


@nox.session(name="test")
def test_session(session: nox.Session) -> None:
    """Everything: unit tests, linting, sanity, documentation, build, scenarios; output is shown of what fails."""
    if session.posargs:
        session.error("test takes no options")
    REPORTS.mkdir(parents=True, exist_ok=True)
    lanes: queue.SimpleQueue[int] = queue.SimpleQueue()
    for lane in range(LANES):
        lanes.put(lane)

    def in_a_free_lane(words: Sequence[str]) -> Count:
        lane = lanes.get()
        try:
            return run_part(words, lane)
        finally:
            lanes.put(lane)

    remove_lane_labs(session)  # a run that was cut off left its own
    with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
        counts = sum(pool.map(in_a_free_lane, [*FAST_PARTS, ("faults",), ("integration",), *scenario_parts()]), NOTHING)
    remove_lane_labs(session)
    # nox prints its own verdict after this function; the counts are to be the last line.
    atexit.register(print, f"{counts[0]} passed, {counts[1]} failed", flush=True)
    finish(session, counts)
