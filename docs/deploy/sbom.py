#!/usr/bin/env python3
"""Writes what a build is made of, as CycloneDX 1.5 JSON, from Cargo's own account of it.

    docs/deploy/sbom.py BINARY TARGET > artdag.cdx.json

Needs cargo and what is locked, in its cache or vendored, and no network. The same sources and the
same binary give the same text: no times, no paths, and a serial number made of the rest.
"""

import hashlib
import json
import pathlib
import subprocess
import sys
import tomllib
import uuid

# Crates that build scripts pack into the program.
PACKED = {"utoipa-swagger-ui-vendored"}
ROOT = pathlib.Path(__file__).resolve().parents[2]


def cargo(*words):
    # From the root: vendored sources are named by the configuration that stands there.
    command = ["cargo", words[0], "--locked", "--offline", *words[1:]]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def packages(target):
    """All that Cargo knows of, by name and version."""
    known = json.loads(cargo("metadata", "--format-version", "1", "--filter-platform", target))
    return {(package["name"], package["version"]): package for package in known["packages"]}


def edges(target, kinds):
    """Who needs whom, with the features that are asked for: each of the two by name and version."""
    words = ["--target", target, "--edges", kinds, "--prefix", "depth", "--format", " {p}"]
    found, above = {}, []
    for line in cargo("tree", *words).splitlines():
        depth, name, version = line.split(" ")[:3]
        one = (name, version.removeprefix("v"))
        found.setdefault(one, set())
        del above[int(depth) :]
        if above:
            found[above[-1]].add(one)
        above.append(one)
    return found


def checksums():
    with open(ROOT / "Cargo.lock", "rb") as file:
        locked = tomllib.load(file)["package"]
    return {(package["name"], package["version"]): package.get("checksum") for package in locked}


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, scope, checksum):
    told = {"type": "library", "bom-ref": purl(package), "name": package["name"], "version": package["version"]}
    if package.get("description"):
        told["description"] = " ".join(package["description"].split())
    told["scope"] = scope
    if checksum:
        told["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package.get("license"):
        # Cargo's old way to write OR.
        told["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    told["purl"] = purl(package)
    if package.get("repository"):
        told["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return told


def main(binary, target):
    known, sums = packages(target), checksums()
    # A macro runs in the compiler, as a build script does: only what they write becomes part of the program.
    linked = edges(target, "normal,no-proc-macro")
    needed = edges(target, "normal,build")
    root = next(iter(needed))

    program = component(known[root], "required", hashlib.sha256(pathlib.Path(binary).read_bytes()).hexdigest())
    program["type"] = "application"
    components = [
        component(known[one], "required" if one in linked or one[0] in PACKED else "excluded", sums.get(one))
        for one in sorted(needed)
        if one != root
    ]
    bom = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": program, "properties": [{"name": "artdag:target", "value": target}]},
        "components": components,
        "dependencies": [
            {"ref": purl(known[one]), "dependsOn": [purl(known[other]) for other in sorted(needed[one])]}
            for one in sorted(needed)
        ],
    }
    bom["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(bom, sort_keys=True))}"
    json.dump(bom, sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
