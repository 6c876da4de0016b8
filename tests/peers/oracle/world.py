"""The world that the matrix asks about: parties, anchors and maps of mixed owners, visibility, rules, parts, periods and areas,
all made over the interfaces that anybody has."""

import base64
import datetime
import hashlib
import html
import json
import pathlib
import random
import re
import secrets
import tempfile
import time
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ask import Admin, Party, Wire
from words import ANCHOR, MAP, ROLE, Subject

INSIDE, OUTSIDE = (2.355, 48.855), (2.45, 48.95)
AREA = (2.35, 48.85, 2.36, 48.86)
CALLBACK = "https://localhost:9443/oracle"
REDIRECT = "http://127.0.0.1/cb"
SCOPES = {
    "san": ["3gpp:seal:san.read", "3gpp:seal:san.write", "3gpp:seal:san.discover"],
    "sm": ["3gpp:seal:sm.read", "3gpp:seal:sm.write", "3gpp:seal:sm.localize"],
}
TOUR = "oracle-tour"


def key_and_csr():
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode(), csr.public_bytes(serialization.Encoding.PEM).decode()


class World:
    def __init__(self, ready):
        self.ready, self.urls, self.wire = ready, ready["urls"], Wire()
        self.admin = Admin(self.wire, ready)
        self.aefs = {aef["role"]: aef["aefId"] for aef in ready["demo"]["aefs"]}
        self.folder = tempfile.TemporaryDirectory(prefix="oracle-")
        self.nobody = Party("nobody", ready["ca"])
        # Party, and for API invokers identifier, by subject.
        self.parties, self.invoker_ids, self.clients = {}, {}, {}
        self.things, self.shelves, self.by_identifier, self.bodies = [], [], {}, {}
        self.shift_s = 0

    def now(self):
        return time.time() + self.shift_s

    # --- parties ------------------------------------------------------------------------------------------------------

    def party(self, name, cert, key):
        files = [pathlib.Path(self.folder.name) / f"{name}.{ending}" for ending in ("pem", "key")]
        for file, text in zip(files, (cert, key)):
            file.touch(0o600)
            file.write_text(text)
        return Party(name, self.ready["ca"], *files)

    def invoker(self, name, apis=(), methods=("OAUTH",), lost=frozenset()):
        """Enrols, onboards and negotiates (S3-0a, S2-0)."""
        body = {"kind": "api_invoker", "name": name, "apis": list(apis), "expiresInS": 300}
        secret = self.admin("POST", "/enrolments", body).expect(200, 201).json()["secret"]
        key, csr = key_and_csr()
        body = {"onboardingInformation": {"apiInvokerPublicKey": csr}, "notificationDestination": CALLBACK}
        made = self.wire.json(self.nobody, "POST", self.urls["ccf"] + "/api-invoker-management/v1/onboardedInvokers", body,
                              {"Authorization": f"Bearer {secret}"}).expect(201)
        told = made.json()
        own = told["apiInvokerId"]
        party = self.party(name, told["onboardingInformation"]["apiInvokerCertificate"], key)
        entries = [{"aefId": aef, "prefSecurityMethods": list(methods)} for aef in self.aefs.values()]
        body = {"securityInfo": entries, "notificationDestination": CALLBACK}
        self.wire.json(party, "PUT", f"{self.urls['ccf']}/capif-security/v1/trustedInvokers/{own}", body).expect(200, 201)
        subject = Subject(name, "ccf", "VAL_SERVER", frozenset([own]), provider=own, lost=lost)
        self.parties[subject], self.invoker_ids[subject] = party, own
        return subject

    def offboard(self, subject):
        path = f"/api-invoker-management/v1/onboardedInvokers/{self.invoker_ids[subject]}"
        self.wire.ask(self.parties[subject], "DELETE", self.urls["ccf"] + path).expect(204)

    def val_server(self, name, services=()):
        key, csr = key_and_csr()
        body = {"kind": "val_server", "auth": "tls_client_auth", "scopes": ["3gpp:seal:san", "3gpp:seal:sm"],
                "valServices": list(services), "callbackHosts": ["localhost"], "csr": csr}
        made = self.admin("PUT", f"/clients/{name}", body).expect(201).json()
        subject = Subject(name, "sim", "VAL_SERVER", frozenset([name]), frozenset(services), provider=name)
        self.parties[subject] = self.party(name, made["cert"], key)
        return subject

    def user_client(self, name, services):
        body = {"kind": "sim_c", "auth": "client_secret_basic", "redirectUris": [REDIRECT], "bearer": True,
                "scopes": ["openid", *SCOPES["san"], *SCOPES["sm"]], "valServices": list(services),
                "callbackHosts": ["localhost"]}
        self.clients[name] = (self.admin("PUT", f"/clients/{name}", body).expect(201).json()["secret"], frozenset(services))

    def user(self, name, client, services, place):
        password, ue = secrets.token_urlsafe(18), f"ue-{name}"
        body = {"password": password, "valUserId": f"{name}@oracle.example", "valUeIds": [ue],
                "gpsi": f"msisdn-99{random.Random(name).randrange(10 ** 9):09}", "valServices": list(services), "roles": []}
        self.admin("PUT", f"/users/{name}", body).expect(200, 201)
        lon, lat = place
        self.admin("PUT", f"/positions/{ue}", {"lon": lon, "lat": lat, "at": iso(self.now())}).expect(200, 201, 204)
        ids = frozenset([f"{name}@oracle.example", ue])
        # VAL services of a token: the client's ∩ the user's (contract section 7).
        subject = Subject(name, "sim", "VAL_CLIENT", ids, frozenset(services) & self.clients[client][1], place, client)
        self.parties[subject] = self.nobody
        self.clients[subject] = (client, password, ue)
        return subject

    # --- tokens -------------------------------------------------------------------------------------------------------

    def ask_core(self, subject, fields, security=None, party=None):
        """`POST /securities/{securityId}/token` (S2-1)."""
        own = self.invoker_ids[subject]
        fields = {"grant_type": "client_credentials", "client_id": own} | fields
        url = f"{self.urls['ccf']}/capif-security/v1/securities/{security or own}/token"
        return self.wire.form(party or self.parties[subject], url, fields)

    def scope(self, role, apis):
        return f"3gpp#{self.aefs[role]}:{','.join(apis)}"

    def coarse(self, subject, role, apis):
        return self.ask_core(subject, {"scope": self.scope(role, apis)}).expect(200).json()["access_token"]

    def of_sim(self, subject, role, scopes):
        """A token of the SIM-S (contract section 4)."""
        resource = self.urls[role]
        if subject.kind == "VAL_SERVER":
            fields = {"grant_type": "client_credentials", "client_id": subject.name, "scope": " ".join(scopes),
                      "resource": resource}
            answer = self.wire.form(self.parties[subject], self.urls["sim_mtls"] + "/token", fields)
            return answer.expect(200).json()["access_token"]
        return self.log_in(subject, resource, scopes)

    def log_in(self, subject, resource, scopes):
        client, password, ue = self.clients[subject]
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = urllib.parse.urlencode({
            "response_type": "code", "client_id": client, "scope": " ".join(["openid", *scopes]), "redirect_uri": REDIRECT,
            "state": secrets.token_urlsafe(12), "nonce": secrets.token_urlsafe(12), "acr_values": "3gpp:acr:password",
            "code_challenge": challenge, "code_challenge_method": "S256", "resource": resource, "val_ue_id": ue})
        sim = self.urls["sim"]
        page = self.wire.ask(self.nobody, "GET", f"{sim}/authorize?{query}").expect(200)
        form = re.search(r"<form[^>]*method=\"post\".*?</form>", page.raw.decode(), re.S | re.I).group(0)
        attribute = lambda name, tag: html.unescape(re.search(rf'{name}="([^"]*)"', tag).group(1))
        fields = {attribute("name", tag): attribute("value", tag)
                  for tag in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", form)}
        fields |= {"username": subject.name, "password": password}
        cookies = "; ".join(cookie.split(";")[0] for cookie in page.headers.get_all("set-cookie") or [])
        action = urllib.parse.urljoin(f"{sim}/authorize", attribute("action", form))
        told = self.wire.form(self.nobody, action, fields, {"Cookie": cookies, "Origin": sim}).expect(302)
        back = urllib.parse.parse_qs(urllib.parse.urlsplit(told.headers["location"]).query)
        basic = base64.b64encode(f"{client}:{self.clients[client][0]}".encode()).decode()
        fields = {"grant_type": "authorization_code", "code": back["code"][0], "redirect_uri": REDIRECT,
                  "code_verifier": verifier, "resource": resource}
        answer = self.wire.form(self.nobody, f"{sim}/token", fields, {"Authorization": f"Basic {basic}"})
        return answer.expect(200).json()["access_token"]

    # --- objects ------------------------------------------------------------------------------------------------------

    def send(self, subject, token, method, url, body=None, media="application/json"):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.wire.json(self.parties[subject], method, url, body, headers, media)

    def url(self, kind, thing=None):
        lists = {ANCHOR: "/ssan-sanm/v1/anchors-lists", MAP: "/ssm-smm/v1/spatial-maps"}[kind]
        own = "" if thing is None else f"/{thing.list if kind == ANCHOR else thing.number}"
        return self.urls[ROLE[kind]] + lists + own

    def make(self, thing, tokens):
        """Makes an object by its owner, and the entries of its other providers by these."""
        token = tokens(thing.owner, thing.kind)
        own = [part for part, by in thing.parts.items() if by is thing.owner]
        body = body_of(thing, own)
        told = self.send(thing.owner, token, "POST", self.url(thing.kind), body).expect(201)
        made = told.json()
        if thing.kind == ANCHOR:
            thing.list = told.headers["location"].rsplit("/", 1)[1]
            thing.number = made["anchors"]["a"]["anchorId"]
        else:
            thing.number = made["smProf"]["mapId"]
        self.by_identifier[(thing.kind, thing.identifier)] = thing
        self.things.append(thing)

    def furnish(self, thing, tokens):
        """The entries of providers who are not the owner (S2-L3)."""
        for provider in {by for by in thing.parts.values() if by is not thing.owner}:
            entries = [part for part, by in thing.parts.items() if by is provider]
            patch = patch_of(thing, entries=entries)
            self.send(provider, tokens(provider, thing.kind), "PATCH", self.url(thing.kind, thing), patch,
                      "application/merge-patch+json").expect(200)

    def deny(self, thing):
        """What the owner keeps at the core function beside what its server told (sheet 4.3)."""
        def subject(who):
            if who is None:
                return "ANY_ONBOARDED"
            return {"valServiceId": who} if isinstance(who, str) else {"apiInvokerId": self.invoker_ids[who]}

        policies = [
            {"policyId": f"no-{number}", "subjects": [subject(who)], "actions": sorted(actions), "effect": "DENY"}
            for number, (who, actions) in enumerate(thing.denials)]
        path = f"/owners/{self.invoker_ids[thing.owner]}/resources/{self.aefs[ROLE[thing.kind]]}"
        url = f"{self.urls['ccf']}/capif-resource-auth/v1{path}/{thing.identifier.replace('/', ':')}/policies"
        self.wire.json(self.parties[thing.owner], "PUT", url, {"authPolicies": policies}).expect(200)

    def keep_bodies(self, tokens):
        """What the owner reads: the base of a full replacement."""
        for thing in self.things:
            if not thing.absent:
                url = self.url(thing.kind, thing) + "?supp-feats=1"
                told = self.send(thing.owner, tokens(thing.owner, thing.kind), "GET", url).expect(200)
                self.bodies[thing.name] = told.json() | {"suppFeat": "1"}


def iso(at):
    return datetime.datetime.fromtimestamp(int(at), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def geographic(area):
    west, south, east, north = area
    corners = [(west, south), (east, south), (east, north), (west, north)]
    points = [{"lon": lon, "lat": lat} for lon, lat in corners]
    return {"geoServAr": {"geoArs": [{"shape": "POLYGON", "pointList": points}]}}


def own_members(thing, entries):
    """Members that anchors and maps have alike; rules have another name in each."""
    members = {"name": thing.name}
    if thing.visibility:
        members["visibility"] = thing.visibility
    if thing.period:
        members["timePeriod"] = dict(zip(("startTime", "stopTime"), map(iso, thing.period)))
    if entries:
        members["servInfos"] = [{"servInfoId": part, "info": "of the owner"} for part in entries]
    rules = {}
    if thing.entities:
        rules["allowedEntities"] = [
            {name: value for name, value in (("type", kind), ("identifier", own)) if value} for kind, own in thing.entities]
    if thing.services:
        rules["valServiceList"] = list(thing.services)
    return members, rules


def body_of(thing, entries=()):
    members, rules = own_members(thing, entries)
    if thing.kind == ANCHOR:
        lon, lat = INSIDE
        anchor = members | {"premises": f"premises of {thing.name}", "posInfo": {"pos": {
            "shape": "LOCAL_3D_POINT_UNCERTAINTY_ELLIPSOID",
            "localOrigin": {"coordinateId": "oracle", "point": {"lon": lon, "lat": lat}, "horizAxesOrientation": 0},
            "point": {"x": 0.5, "y": 0.5, "z": 1.6},
            "uncertaintyEllipsoid": {"semiMajor": 0.1, "semiMinor": 0.1, "vertical": 0.1, "orientationMajor": 0},
            "confidence": 90}}}
        if rules:
            anchor["rules"] = rules
        if thing.area:
            anchor["svcArea"] = geographic(thing.area)
        service = {"serviceId": thing.name, "endPt": {"uri": "https://oracle.example/service"}}
        return {"valServInfo": service, "anchors": {"a": anchor}, "suppFeat": "1"}
    info = members | {"lyrInf": [{"area": geographic(AREA), "mapAsc": "floor"}]}
    if rules:
        info["allwEnt"] = rules
    return {"svcId": thing.name, "areaInt": geographic(AREA), "mapInf": info, "suppFeat": "1"}


def patch_of(thing, name=None, entries=()):
    inner = {} if name is None else {"name": name}
    if entries:
        inner["servInfos"] = [{"servInfoId": part, "info": secrets.token_hex(4)} for part in entries]
    return {"suppFeat": "1"} | ({"anchors": {"a": inner}} if thing.kind == ANCHOR else {"smProf": inner})
