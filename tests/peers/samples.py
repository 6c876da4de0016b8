"""Holds the samples of CAPIF bodies, which the types read and write unchanged, against the published OpenAPI documents: each
fits its schema, and together they have every member that the documents define."""

import json
import os
import pathlib
import sys

from schemas import Documents

here = pathlib.Path(__file__).resolve().parents[2]
folder = pathlib.Path(os.environ.get("METASEAL_OPENAPI", here / "../shared/openapi"))
if not folder.is_dir():
    print("!" * 78, f"!! The published OpenAPI documents are not in {folder}:", "!! no sample of CAPIF was held against them. "
          "Name their folder in METASEAL_OPENAPI.", "!" * 78, sep="\n", file=sys.stderr)
    sys.exit(0)

# What no sample can have: the form and the claims of a token are no JSON bodies; what else is missing is named with the reason.
NOT_A_BODY = {"AccessTokenReq", "AccessTokenClaims", "ResOwnerId"}
# TS 29.572: one sample of an address is enough. TS 29.523: muting of notifications is not offered.
FOREIGN = {"CivicAddress", "GeographicArea", "ReportingInformation"}

documents = Documents(folder)
names = sorted(path.name for path in folder.glob("TS29222_*.yaml"))
home = {}
for name in names:
    for schema in documents.load(name)["components"].get("schemas", {}):
        home.setdefault(schema, name)
seen = {}


def resolve(name, node):
    """The document, the name and the text of the schema that a node refers to."""
    if "$ref" not in node:
        return name, None, node
    other, _, pointer = node["$ref"].partition("#")
    name = other or name
    schema = pointer.rsplit("/", 1)[-1]
    return name, schema, documents.load(name)["components"]["schemas"][schema]


def walk(name, node, value):
    """Notes which members of which schema a sample has."""
    name, schema, node = resolve(name, node)
    if schema in FOREIGN:
        return
    for part in node.get("allOf", []):
        walk(name, part, value)
    if isinstance(value, list):
        for element in value:
            walk(name, node.get("items", {}), element)
    elif isinstance(value, dict):
        for member, inner in node.get("properties", {}).items():
            if member in value:
                seen.setdefault((name, schema), set()).add(member)
                walk(name, inner, value[member])


faults, held = [], 0
for path in sorted((here / "fuzz/corpus/capif_body").glob("*.json")):
    schema = path.name.split(".")[0]
    sample = json.loads(path.read_text(encoding="utf-8"))
    reference = f"#/components/schemas/{schema}"
    faults += [f"{path.name}: {fault}" for fault in documents.faults(home[schema], reference, sample)]
    walk(home[schema], {"$ref": reference}, sample)
    held += 1

missing, members = [], 0
for name in names:
    for schema, node in documents.load(name)["components"].get("schemas", {}).items():
        if schema in NOT_A_BODY:
            continue
        properties = set(node.get("properties", {}))
        members += len(properties)
        absent = properties - seen.get((name, schema), set())
        missing += [f"{name} {schema}.{member} is in no sample" for member in sorted(absent)]
if faults or missing:
    raise SystemExit("\n".join(faults + missing))
print(f"{held} samples of CAPIF bodies fit the published documents and have all of their {members} members")
