"""Holds every request and answer of a VAL server's session against the published OpenAPI documents."""

import base64
import http.client
import json
import os
import pathlib
import ssl
import sys
import urllib.parse

from schemas import Documents

ready = json.load(open(os.environ["METASEAL_READY"]))
folder = pathlib.Path(os.environ.get("METASEAL_OPENAPI", pathlib.Path(__file__).resolve().parents[2] / "../shared/openapi"))
if not folder.is_dir():
    print("!" * 78, f"!! The published OpenAPI documents are not in {folder}:", "!! nothing was held against them. "
          "Name their folder in METASEAL_OPENAPI.", "!" * 78, sep="\n", file=sys.stderr)
    sys.exit(0)

documents = Documents(folder)
held = 0


def context(client):
    context = ssl.create_default_context(cafile=ready["ca"])
    context.load_cert_chain(client["cert"], client["key"])
    return context


def send(origin, client, method, target, body=None, headers=None):
    url = urllib.parse.urlsplit(origin)
    connection = http.client.HTTPSConnection(url.hostname, url.port, context=context(client), timeout=20)
    connection.request(method, target, body=body, headers=headers or {})
    answer = connection.getresponse()
    raw = answer.read()
    connection.close()
    return answer, raw


def token(client, scope, resource):
    form = urllib.parse.urlencode(
        {"grant_type": "client_credentials", "client_id": client["clientId"], "scope": scope, "resource": resource})
    answer, raw = send(ready["urls"]["sim_mtls"], client, "POST", "/token", form,
                       {"Content-Type": "application/x-www-form-urlencoded"})
    if answer.status != 200:
        raise SystemExit(f"no token: {answer.status} {raw!r}")
    return json.loads(raw)["access_token"]


class Api:
    def __init__(self, document, role, base, client, scope):
        self.document, self.origin, self.base, self.client = document, ready["urls"][role], base, client
        self.token = token(client, scope, self.origin)

    def call(self, method, path, expected, body=None, query=None, media="application/json"):
        global held
        operation = documents.operation(self.document, method, path)
        faults = []
        if body is not None:
            schema = operation["requestBody"]["content"]
            schema = (schema.get(media) or next(iter(schema.values())))["schema"]
            faults += [f"request {fault}" for fault in documents.faults(self.document, schema, body)]
            held += 1
        target = self.base + path + ("?" + urllib.parse.urlencode(query) if query else "")
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers["Content-Type"] = media
        answer, raw = send(self.origin, self.client, method, target, body and json.dumps(body), headers)
        where = f"{method} {self.base}{path}"
        if answer.status != expected:
            raise SystemExit(f"{where}: {answer.status}, not {expected}: {raw[:300]!r}")
        content = json.loads(raw) if raw else None
        if content is not None:
            declared = operation["responses"].get(str(answer.status)) or operation["responses"]["default"]
            if answer.status >= 400:
                problem = "#/components/schemas/ProblemDetails"
                faults += documents.faults("TS29122_CommonData.yaml", problem, content)
                if answer.getheader("content-type") != "application/problem+json":
                    faults.append("an error is not application/problem+json")
            else:
                schema = declared["content"]["application/json"]["schema"]
                faults += [f"answer {fault}" for fault in documents.faults(self.document, schema, content)]
            held += 1
        if answer.status == 201 and not answer.getheader("location"):
            faults.append("201 without Location")
        if faults:
            raise SystemExit(f"{where}:\n  " + "\n  ".join(faults))
        print(f"ok  {where} {answer.status}")
        return answer, content


def clients(name):
    return next(c for c in ready["demo"]["clients"] if c["clientId"] == name)


def position(lon, lat):
    return {"pos": {
        "shape": "LOCAL_3D_POINT_UNCERTAINTY_ELLIPSOID",
        "localOrigin": {"coordinateId": "hall-1", "point": {"lon": lon, "lat": lat}, "horizAxesOrientation": 0},
        "point": {"x": 3.2, "y": 1.1, "z": 1.6},
        "uncertaintyEllipsoid": {"semiMajor": 0.1, "semiMinor": 0.1, "vertical": 0.1, "orientationMajor": 0},
        "confidence": 90}}


area = {"geoServAr": {"geoArs": [{"shape": "POLYGON", "pointList": [
    {"lon": 2.350, "lat": 48.850}, {"lon": 2.351, "lat": 48.850}, {"lon": 2.351, "lat": 48.851}]}]}}


def anchors():
    document = "TS29437_SS_SAnManagement.yaml"
    api = Api(document, "san", "/ssan-sanm/v1", clients("vs-1"), "3gpp:seal:san.read 3gpp:seal:san.write")
    stranger = Api(document, "san", "/ssan-sanm/v1", clients("vs-2"), "3gpp:seal:san.read 3gpp:seal:san.write")
    body = {
        "valServInfo": {"serviceId": "museum-guide", "endPt": {"uri": "https://val.example/guide"}},
        "anchors": {"a1": {
            "posInfo": position(2.3505, 48.8504) | {"spaMapPos": {"spaMapId": "17", "spaMapLayerId": ["floor-0"]}},
            "specInfo": base64.b64encode(b'{"title":"x"}').decode(), "svcArea": area,
            "rules": {"allowedEntities": [{"type": "VAL_SERVER", "identifier": "vs-3"}]}}}}
    answer, made = api.call("POST", "/anchors-lists", 201, body)
    path = "/anchors-lists/" + answer.getheader("location").rsplit("/", 1)[1]
    _, read = api.call("GET", path, 200)
    assert read["anchors"]["a1"]["anchorId"] == made["anchors"]["a1"]["anchorId"]
    api.call("PUT", path, 200, read | {"valServInfo": read["valServInfo"] | {"serviceId": "museum-guide"}})
    patch = {"anchors": {"a2": {"posInfo": position(2.3506, 48.8505)}}}
    api.call("PATCH", path, 200, patch)
    stranger.call("GET", path, 404)
    stranger.call("DELETE", path, 404)
    discovery = Api("TS29437_SS_SAnDiscovery.yaml", "san", "/ssan-disc/v1", clients("vs-1"), "3gpp:seal:san.discover")
    ids = ",".join(str(a["anchorId"]) for a in made["anchors"].values())
    _, found = discovery.call("GET", "/spatial-anchors", 200, query={"anchor-ids": ids})
    assert len(found["results"]) == 1
    discovery.call("GET", "/spatial-anchors", 200, query={"area-int": json.dumps(area), "svc-id": "museum-guide"})
    discovery.call("GET", "/spatial-anchors", 400, query={"area-int": "{"})
    api.call("DELETE", path, 204)
    api.call("GET", path, 404)


def maps():
    document = "TS29437_SS_SmManagement.yaml"
    scope = "3gpp:seal:sm.read 3gpp:seal:sm.write"
    api = Api(document, "sm", "/ssm-smm/v1", clients("vs-1"), scope)
    stranger = Api(document, "sm", "/ssm-smm/v1", clients("vs-2"), scope)
    body = {"svcId": "museum-guide", "areaInt": area, "mapInf": {"lyrInf": [{"mapAsc": "floor-0"}]}}
    answer, made = api.call("POST", "/spatial-maps", 201, body)
    path = "/spatial-maps/" + answer.getheader("location").rsplit("/", 1)[1]
    _, read = api.call("GET", path, 200)
    api.call("PUT", path, 200, read)
    api.call("PATCH", path, 200, {"svcId": "museum-guide"})
    query = {"svc-id": "museum-guide", "map-id": made["smProf"]["mapId"]}
    api.call("GET", "/spatial-maps", 200, query=query)
    stranger.call("GET", path, 404)
    discovery = Api("TS29437_SS_SmDiscovery.yaml", "sm", "/ssm-disc/v1", clients("vs-1"), scope)
    discovery.call("GET", "/spatial-maps", 200, query={"app-svc-id": "museum-guide"})
    api.call("DELETE", path, 204)
    api.call("GET", path, 404)


CALLBACK = "https://localhost:9443/notifications"
POINT = {"geoServAr": {"geoArs": [{"shape": "POINT", "point": {"lon": 2.3505, "lat": 48.8504}}]}}


def lives(api, collection, body, patch, media="application/merge-patch+json"):
    """A resource from its creation to its end."""
    answer, made = api.call("POST", collection, 201, body)
    path = f"{collection}/" + answer.getheader("location").rsplit("/", 1)[1]
    _, read = api.call("GET", path, 200)
    api.call("PUT", path, 200, {name: value for name, value in read.items() if name != "report"})
    api.call("PATCH", path, 200, patch, media=media)
    api.call("DELETE", path, 204)
    api.call("GET", path, 404)
    return made


def subscriptions():
    scope = "3gpp:seal:san.read 3gpp:seal:san.write 3gpp:seal:san.discover"
    api = Api("TS29437_SS_SAnManagement.yaml", "san", "/ssan-sanm/v1", clients("vs-1"), scope)
    events = [
        {"event": "ANCHOR_DISCOVERY", "evntFltr": {"discFltr": {"mgntEvts": ["ANCHOR_CREATION", "ANCHOR_DELETION"]}}},
        {"event": "UE_SPATIAL_ANCHOR_INTEREST", "evntFltr": {
            "ueFltr": {"rngVal": 25.0, "disc": True}, "anchrFltr": {"svcIds": ["museum-guide"], "areaInt": area}}},
        {"event": "SPATIAL_ANCHOR_IN_RANGE", "evntFltr": {"rngFltr": {
            "appRng": 10.5, "perSrch": True, "pose": {
                "orientation": {"x": 0, "y": 0, "z": 1, "w": 90}, "position": position(2.3505, 48.8504)["pos"]}}}}]
    made = lives(api, "/subscriptions", {
        "eventSubs": events, "notifUri": CALLBACK, "expTime": "2040-01-01T00:00:00Z",
        "reportReq": {"immRep": True, "notifMethod": "PERIODIC", "repPeriod": 3600, "maxReportNbr": 5,
                      "sampRatio": 50, "partitionCriteria": ["GEOAREA"], "notifFlag": "DEACTIVATE"}},
        {"expTime": "2041-01-01T00:00:00Z"})
    assert made["eventSubs"] == events
    lives(api, "/subscriptions", {"eventSubs": events[:1], "notifUri": CALLBACK, "reportReq": {"grpRepTime": 60}},
          {"reportReq": {"notifFlag": "RETRIEVAL"}})
    usage = Api("TS29437_SS_SAnUsage.yaml", "san", "/ssan-usg/v1", clients("vs-1"), scope)
    asked = {"event": "SPATIAL_ANCHOR_USAGE_INFORMATION", "evntFltr": {"anchAnlFltr": {"appId": "museum-guide", "area": area}}}
    usage.call("POST", "/subscriptions", 200, {"eventSubs": [asked]})
    lives(usage, "/subscriptions", {"eventSubs": [asked], "notifUri": CALLBACK, "sampInt": 600}, {"sampInt": 900},
          "application/json")
    used = [{"anchId": ready["demo"]["samples"]["anchorIds"][0], "access": 2,
             "repPer": {"startTime": "2026-01-01T00:00:00Z", "stopTime": "2026-01-01T01:00:00Z"}}]
    usage.call("POST", "/report", 204, {"anchUsg": used})
    usage.call("POST", "/report", 404, {"anchUsg": [used[0] | {"anchId": 1}]})


def around_maps():
    scope = "3gpp:seal:sm.read 3gpp:seal:sm.write"
    number = ready["demo"]["samples"]["mapId"]
    api = Api("TS29437_SS_SmManagement.yaml", "sm", "/ssm-smm/v1", clients("vs-1"), scope)
    lives(api, "/subscriptions", {
        "eventSubs": [{"event": "CHANGE_OF_OBJECTS", "mapId": {"mapIds": [number], "area": area}},
                      {"event": "LAYERS_MODIFICATION", "mapId": {"mapIds": [number]}, "evntFltr": {"layers": ["floor-0"]}}],
        "svcId": "museum-guide", "notifUri": CALLBACK}, {"expTime": "2041-01-01T00:00:00Z"})
    localization = Api("TS29437_SS_SmLocalization.yaml", "sm", "/ssm-loc/v1", clients("vs-1"), "3gpp:seal:sm.localize")
    localization.call("GET", "/localization", 200, query={"map-id": number})
    localization.call("GET", "/localization", 200, query={
        "map-id": number, "area-int": json.dumps(area), "target-ids": json.dumps([{"valUeId": "ue-alice"}])})
    localization.call("GET", "/localization", 400, query={"map-id": "x"})
    servers = Api("TS29437_SS_SmSmasRegistration.yaml", "sm", "/ssm-smasr/v1", clients("vs-1"), scope)
    lives(servers, "/registrations", {"expTime": "2040-01-01T00:00:00Z", "profile": {
        "smasInfo": {"endpoint": {"uri": "https://smas.example"}, "availLoc": POINT,
                     "availPeriod": {"timeWindows": [{"startTime": "2026-01-01T00:00:00Z", "stopTime": "2040-01-01T00:00:00Z"}]}},
        "spatMapInfoList": [{"mapId": number, "covArea": area}]}}, {"expTime": None})
    sources = Api("TS29437_SS_SmDataSourceDiscovery.yaml", "sm", "/ssm-dsdisc/v1", clients("vs-1"), scope)
    wanted = {"smDataIdentifier": "video-1", "smDataType": "image", "smDataArea": POINT}
    sources.call("GET", "/datasource-profiles", 200, query={
        "area-int": json.dumps(area), "ds-disc-fltr": json.dumps({"smInfoDets": [wanted]})})


def data_sources():
    """TS 24.550 `sm_smds`, whose published document (V19.0.0, API 1.0.1) has one fault: `dsProfile` of DataSourceRegReq is a
    Gpsi, a string, where DataSourcePatchRegReq of the same document has DataSourceProfile. All else is held as it is."""
    document, wrong = "TS24550_SS_SmDataSourceRegistration.yaml", "components/schemas/DataSourceRegReq/properties/dsProfile"
    profile = {"dsId": "camera-1", "smInformation": {
        "smDataIdentifier": "video-1", "smDataType": "image", "smDataArea": POINT, "smRawDataFormat": True,
        "smPosition": position(2.3505, 48.8504), "dsUpdateIntervalInfo": 60,
        "availabilityInfo": {"startTime": "2026-01-01T00:00:00Z", "stopTime": "2040-01-01T00:00:00Z"}}}
    body = {"requestorId": "vs-1", "notificationDestination": CALLBACK, "dsProfile": profile,
            "expTime": "2040-01-01T00:00:00Z", "valClientID": "val-client-1"}
    # That one member is all that the published text has against a right body.
    faults = documents.faults(document, "#/components/schemas/DataSourceRegReq", body)
    assert len(faults) == 1 and faults[0].startswith("dsProfile: "), faults
    string = body | {"dsProfile": "msisdn-33612345678"}
    assert documents.faults(document, "#/components/schemas/DataSourceRegReq", string) == []
    published = {"$ref": "TS29571_CommonData.yaml#/components/schemas/Gpsi"}
    documents.correct(document, wrong, published, {"$ref": "#/components/schemas/DataSourceProfile"})
    assert documents.faults(document, "#/components/schemas/DataSourceRegReq", body) == []
    print(f"!!  {document}: {wrong} is published as a Gpsi; held as DataSourceProfile")

    scope = "3gpp:seal:sm.read 3gpp:seal:sm.write"
    api = Api(document, "sm", "/sm_smds/v1", clients("vs-1"), scope)
    stranger = Api(document, "sm", "/sm_smds/v1", clients("vs-2"), scope)
    answer, made = api.call("POST", "/datasources-reg-lists", 201, body)
    assert made["dsProfile"] == profile, made
    path = "/datasources-reg-lists/" + answer.getheader("location").rsplit("/", 1)[1]
    stranger.call("DELETE", path, 404)
    profile["smInformation"]["dsUpdateIntervalInfo"] = 30
    _, changed = api.call("PUT", path, 200, body)
    assert changed["dsProfile"] == profile, changed
    profile["smInformation"]["smDataType"] = "depth"
    _, changed = api.call("PATCH", path, 200, {"expTime": "2041-01-01T00:00:00Z", "dsProfile": profile})
    assert (changed["dsProfile"], changed["expTime"]) == (profile, "2041-01-01T00:00:00Z"), changed
    # A string, which the published text asks for, is no profile; the answer to it is a published one.
    refused, raw = send(api.origin, api.client, "POST", api.base + "/datasources-reg-lists",
                        json.dumps(string),
                        {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"})
    problem = documents.faults("TS29122_CommonData.yaml", "#/components/schemas/ProblemDetails", json.loads(raw))
    assert refused.status == 400 and not problem, (refused.status, raw)
    api.call("DELETE", path, 204)
    api.call("DELETE", path, 404)


anchors()
maps()
subscriptions()
around_maps()
data_sources()
print(f"{held} requests and answers are as the published documents say")
