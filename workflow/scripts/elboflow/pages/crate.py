"""A finished run as an RO-Crate: its files, and what each of them is in ro-crate-metadata.json.

The profile is Workflow Run Crate 0.5, https://w3id.org/ro/wfrun/workflow/0.5. rocrate is no part of
requirements.txt, since few ask for a crate: requirements-crate.txt has it.
"""

import hashlib
import json
import mimetypes
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from elboflow.reading.errors import InputError

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
LICENCES = {"MIT": "https://spdx.org/licenses/MIT"}
TYPES = {
    ".jinja": "text/plain", ".rst": "text/x-rst", ".safetensors": "application/octet-stream",
    ".tex": "text/x-tex", ".yaml": "application/yaml", ".md": "text/markdown",
}  # fmt: skip
# By the keys of build.json, which has Horovod only where ranks add by it.
SOFTWARE = {
    "python": "https://www.python.org/",
    "torch": "https://pytorch.org/",
    "horovod": "https://horovod.ai/",
}
# Of the checkout, beside its folder workflow/, which is copied whole.
CHECKOUT_FILES = {
    "README.md": "What the workflow is",
    "CITATION.cff": "How it is cited",
    "LICENSE": "Its licence",
    "requirements.txt": "Packages of the Python that runs Snakemake",
}
RUN = {
    "name": "Training and evaluation",
    "description": "All runs were trained, measured on test images, and reported.",
    "actionStatus": "http://schema.org/CompletedActionStatus",
}


def write_crate(
    folder: Path,
    checkout: Path,
    results: Path,
    *,
    inputs: Iterable[Path],
    outputs: Iterable[Path],
    build: Path,
    snakemake_version: str,
) -> None:
    """Copy a run's files into a folder, with their description.

    Args:
        folder: to be made.
        checkout: of the workflow, whose CITATION.cff says whom it is by.
        results: below which most of the files lie; their paths in the crate begin there.
        inputs: configurations, frozen specifications and manifests of data.
        outputs: the first of them is the report, whose time is taken for that of the run's end.
        build: build.json of the training environment, whose versions are told.
    """
    from rocrate.rocrate import ROCrate

    citation = yaml.safe_load((checkout / "CITATION.cff").read_text())
    outputs = list(outputs)
    ended = datetime.fromtimestamp(int(outputs[0].stat().st_mtime), UTC).isoformat()
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(TERMS)
    authors = alone([add_author(crate, author) for author in citation["authors"]])
    licence = add(crate, LICENCES[citation["license"]], "CreativeWork", name=citation["license"])
    workflow = crate.add_workflow(
        checkout / "Snakefile", "Snakefile", main=True, lang="snakemake",
        lang_version=snakemake_version,
        properties={
            "name": citation["title"], "version": citation["version"], "author": authors,
            "license": licence, "softwareRequirements": add_software(crate, build),
            "encodingFormat": "text/plain",
        },
    )  # fmt: skip
    add_checkout(crate, workflow, checkout)
    used = [add_result(crate, path, results) for path in inputs]
    made = [add_result(crate, path, results) for path in outputs]
    crate.add_action(
        workflow, "#run", object=used, result=made, properties=RUN | {"endTime": ended}
    )
    describe(crate, citation, authors, licence, ended)
    crate.write(folder)
    sources = shutil.ignore_patterns("__pycache__")
    shutil.copytree(checkout / "workflow", folder / "workflow", ignore=sources, dirs_exist_ok=True)


def add_checkout(crate: Any, workflow: Any, checkout: Path) -> None:
    """Add the files beside the Snakefile; the folder workflow/ is copied when all is described."""
    workflow["hasPart"] = crate.add_dataset(
        dest_path="workflow", properties={"name": "Rules and programs of the workflow"}
    )
    for name, what in CHECKOUT_FILES.items():
        add_file(crate, checkout / name, name, what)
    crate.get("README.md")["about"] = crate.root_dataset


def describe(crate: Any, citation: Any, authors: Any, licence: Any, ended: str) -> None:
    """Say what the crate as a whole is, and which profiles it follows."""
    crate.name = "Results of ELBOFlow"
    crate.description = " ".join(citation["abstract"].split())
    crate.datePublished = datetime.fromisoformat(ended)
    crate.license = licence
    crate.creator = authors
    crate.root_dataset["author"] = authors
    crate.root_dataset["mentions"] = crate.get("#run")
    crate.root_dataset["conformsTo"] = [
        add(crate, identifier, "CreativeWork", name=name, version=identifier.rpartition("/")[2])
        for identifier, name in PROFILES.items()
    ]


def alone(values: list[Any]) -> Any:
    """A value as JSON-LD of crates has it: one alone is no list."""
    return values[0] if len(values) == 1 else values


def add(crate: Any, identifier: str, type_: str, **properties: Any) -> Any:
    """Add what is no file."""
    return crate.add_jsonld({"@id": identifier, "@type": type_, **properties})


def add_author(crate: Any, author: dict[str, str]) -> Any:
    """Add an author of a CITATION.cff: a person, or where there is but a name an organisation."""
    if "name" in author:
        identifier = "#" + author["name"].replace(" ", "-")
        return add(crate, author.get("website", identifier), "Organization", name=author["name"])
    name = f"{author['given-names']} {author['family-names']}"
    return add(crate, author.get("orcid", "#" + name.replace(" ", "-")), "Person", name=name)


def add_software(crate: Any, build: Path) -> list[Any]:
    """Add what the models were trained with, and the versions of it."""
    versions = json.loads(build.read_text())
    return [
        add(
            crate, f"{url}#{versions[name]}", "SoftwareApplication",
            name=name, softwareVersion=versions[name], url=url,
        )
        for name, url in SOFTWARE.items()
        if name in versions
    ]  # fmt: skip


def add_result(crate: Any, path: Path, results: Path) -> Any:
    """Add a file with its place below the results; one of the user's as this folder has it.

    So a model of a class of one's own finds the file of that class from the crate's folder. What
    lies outside of this folder is known by its name alone.
    """
    whole, here = path.resolve(), Path.cwd().resolve()
    if whole.is_relative_to(results.resolve()):
        name = str(whole.relative_to(results.resolve()))
        return add_file(crate, path, f"results/{name}", name)
    place = str(
        whole.relative_to(here) if whole.is_relative_to(here) else Path("config", path.name)
    )
    if crate.get(place):
        raise InputError(f"{path}: another file has its place in the crate, {place}; rename it")
    return add_file(crate, path, place, path.name)


def add_file(crate: Any, path: Path, place: str, what: str) -> Any:
    """Add a file with its digest, size and format."""
    content = path.read_bytes()
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"
    properties = {
        "name": what,
        "encodingFormat": kind,
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return crate.add_file(path, place, properties=properties)
