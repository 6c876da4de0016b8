"""Holds every recorded exchange of a demo run against the published OpenAPI documents."""

import json
import os
import pathlib
import sys
import urllib.parse

from schemas import Documents

folder = pathlib.Path(os.environ.get("METASEAL_OPENAPI", pathlib.Path(__file__).resolve().parents[2] / "../shared/openapi"))
if not folder.is_dir():
    print("!" * 78, f"!! The published OpenAPI documents are not in {folder}:", "!! no exchange of the demo was held against "
          "them. Name their folder in METASEAL_OPENAPI.", "!" * 78, sep="\n", file=sys.stderr)
    sys.exit(0)

APIS = {
    "/ssan-sanm/v1": "TS29437_SS_SAnManagement.yaml",
    "/ssan-disc/v1": "TS29437_SS_SAnDiscovery.yaml",
    "/ssm-smm/v1": "TS29437_SS_SmManagement.yaml",
    "/ssm-disc/v1": "TS29437_SS_SmDiscovery.yaml",
}
documents = Documents(folder)
held, refused, faults = 0, 0, []
for line in open(sys.argv[1], encoding="utf-8"):
    exchange = json.loads(line)
    path = urllib.parse.urlsplit(exchange["url"]).path
    base = next((base for base in APIS if path.startswith(base + "/")), None)
    if base is None or path.endswith("/content"):
        continue
    name = APIS[base]
    try:
        operation = documents.operation(name, exchange["method"], path[len(base):])
    except KeyError:
        continue
    where = f"{exchange['method']} {base} {exchange['status']}"
    if exchange["status"] < 400:
        # The published schema of a patch asks for a position in every anchor that it touches, which would make each
        # patch repeat it; servers and clients of ours do not.
        partial = exchange["method"] == "PATCH" and "posInfo" not in json.dumps(exchange["request"])
        if exchange["request"] is not None and not partial:
            schema = next(iter(operation["requestBody"]["content"].values()))["schema"]
            faults += [f"{where}: request {fault}" for fault in documents.faults(name, schema, exchange["request"])]
        content = operation["responses"][str(exchange["status"])].get("content", {}).get("application/json")
        if content:
            faults += [f"{where}: answer {fault}" for fault in documents.faults(name, content["schema"], exchange["response"])]
        held += 1
    elif exchange["response"] is not None:
        problem = "#/components/schemas/ProblemDetails"
        faults += [f"{where}: {fault}" for fault in documents.faults("TS29122_CommonData.yaml", problem, exchange["response"])]
        refused += 1
if faults:
    raise SystemExit("\n".join(sorted(set(faults))[:40]))
if held < 20:
    raise SystemExit(f"only {held} exchanges were recorded")
print(f"{held} served and {refused} refused exchanges of the demo are as the published documents say")
