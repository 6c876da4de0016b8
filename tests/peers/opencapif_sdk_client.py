"""opencapif_sdk 0.1.24, unmodified, against `metaseal serve --compat opencapif`: from onboarding a provider to offboarding
everybody, and what the listener refuses beside it.

METASEAL_READY names the ready file, METASEAL_COMPAT_ADMIN_PASSWORD the administrator's password."""

import base64
import contextlib
import io
import json
import logging
import os
import secrets
import sys
import tempfile
import urllib.parse

os.environ["NO_PROXY"] = "localhost"
work = tempfile.mkdtemp(prefix="opencapif-")
os.chdir(work)  # the SDK writes its log below the working directory

import jwt
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from opencapif_sdk import (
    capif_invoker_connector,
    capif_invoker_event_feature,
    capif_logging_feature,
    capif_provider_connector,
    capif_provider_event_feature,
    service_discoverer,
)

logging.getLogger().setLevel(logging.ERROR)
ready = json.load(open(os.environ["METASEAL_READY"]))
compat, ccf, san = (ready["urls"][name] for name in ("ccf_compat", "ccf", "san"))
host, port = urllib.parse.urlsplit(compat).hostname, str(urllib.parse.urlsplit(compat).port)
ca = ready["ca"]


def check(what, condition, seen=""):
    if not condition:
        raise SystemExit(f"not so: {what} {seen}")
    print(f"ok  {what}")


def answers(what, response, status, *words):
    fits = response.status_code == status and all(word in response.text for word in words)
    check(what, fits, f"{response.status_code} {response.text[:400]}")
    return response


def send(method, url, **options):
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, verify=ca, timeout=20, **options)


# --- users -----------------------------------------------------------------------------------------------------------

admin_password = os.environ["METASEAL_COMPAT_ADMIN_PASSWORD"]
for name, password in [("admin", "password123"), ("admin", ""), ("root", admin_password)]:
    answers(f"no login as {name} with another password", send("POST", f"{compat}/login", auth=(name, password)), 401)
answers("no users without a login", send("GET", f"{compat}/getUsers"), 401)
login = answers("the administrator logs in", send("POST", f"{compat}/login", auth=("admin", admin_password)), 200)
bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}
passwords = {}
uuids = {}
for name in ["prov-a", "prov-b", "inv-a", "inv-b", "gone"]:
    passwords[name] = secrets.token_urlsafe(16)
    user = {"username": name, "password": passwords[name], "email": f"{name}@op.example", "country": "ES"}
    made = answers(f"user {name} is made", send("POST", f"{compat}/createUser", json=user, headers=bearer), 201)
    uuids[name] = made.json()["uuid"]
answers("no name twice", send("POST", f"{compat}/createUser", json=user, headers=bearer), 409)
users = answers("users are listed without passwords", send("GET", f"{compat}/getUsers", headers=bearer), 200)
check("five of them", sorted(user["username"] for user in users.json()["users"]) == sorted(passwords))
check("no hash among them", "argon2" not in users.text and "password" not in users.text)
answers("a user gets a credential", send("GET", f"{compat}/getauth", auth=("gone", passwords["gone"])), 200, "ca_root")
unused = send("GET", f"{compat}/getauth", auth=("gone", passwords["gone"])).json()["access_token"]
answers("a user is deleted", send("DELETE", f"{compat}/deleteUser/{uuids['gone']}", headers=bearer), 204)
answers("and is gone", send("GET", f"{compat}/getauth", auth=("gone", passwords["gone"])), 401)
answers("a user administers nothing", send("POST", f"{compat}/login", auth=("inv-a", passwords["inv-a"])), 401)


# --- provider --------------------------------------------------------------------------------------------------------

def generation(name):
    return {
        "csr_common_name": name,
        "csr_organizational_unit": "discovery",
        "csr_organization": "op",
        "csr_locality": "Madrid",
        "csr_state_or_province_name": "Madrid",
        "csr_country_name": "ES",
        "csr_email_address": f"{name}@op.example",
    }


def description(name, aefs):
    """An API at some functions, as a provider has it in a file."""
    profile = {
        "aefId": "",
        "versions": [
            {
                "apiVersion": "v1",
                "resources": [
                    {
                        "resourceName": "anchors",
                        "commType": "REQUEST_RESPONSE",
                        "uri": "/anchors",
                        "custOpName": "look",
                        "operations": ["GET", "POST"],
                        "description": "Anchors of a building",
                    }
                ],
            }
        ],
        "protocol": "HTTP_1_1",
        "dataFormat": "JSON",
        "securityMethods": ["OAUTH", "PSK"],
        "interfaceDescriptions": [{"ipv4Addr": "192.0.2.7", "port": 8086, "securityMethods": ["OAUTH"]}],
    }
    return {
        "apiName": name,
        "aefProfiles": [profile for _ in range(aefs)],
        "description": "of a test",
        "supportedFeatures": "fffff",
        "shareableInfo": {"isShareable": True, "capifProvDoms": ["string"]},
        "serviceAPICategory": "string",
        "apiSuppFeats": "fffff",
        "pubApiPath": {"ccfIds": ["string"]},
        "ccfId": "string",
    }


def config(name, api=None, aefs=0, publish=None, filters=None):
    """The configuration file of a user of the SDK."""
    path = os.path.join(work, f"{name}.json")
    api_path = os.path.join(work, f"{name}-api.json")
    if api is not None:
        json.dump(description(api, aefs), open(api_path, "w"))
    body = {
        "capif_host": host,
        "register_host": host,
        "capif_https_port": port,
        "capif_register_port": port,
        "capif_username": name,
        "capif_password": passwords[name],
        "debug_mode": "False",
        "invoker": {
            "invoker_folder": os.path.join(work, "invokers"),
            "capif_callback_url": "https://invoker.example/notifications",
            "supported_features": "fffffff",
            "cert_generation": generation(name),
            "discover_filter": {"api-name": "", "api-version": ""},
            "events": {"description": ["SERVICE_API_AVAILABLE"], "eventFilters": filters},
            "check_authentication_data": {"ip": "", "port": ""},
        },
        "provider": {
            "provider_folder": os.path.join(work, "providers"),
            "supported_features": "0",
            "cert_generation": generation(name),
            "apfs": "1",
            "aefs": str(aefs),
            "publish_req": publish or {"service_api_id": "", "publisher_apf_id": "", "publisher_aefs_ids": []},
            "api_description_path": api_path,
            "events": {
                "description": ["SERVICE_API_INVOCATION_SUCCESS"],
                "eventFilters": [{"apiInvokerIds": ["INV1"]}],
                "notificationDestination": "https://provider.example/notifications",
                "websockNotifConfig": {"websocketUri": "string", "requestWebsocketUri": True},
            },
            "log": {
                "apiName": "building-a",
                "apiVersion": "v1",
                "resourceName": "anchors",
                "uri": "http://192.0.2.7:8086/building-a/v1/anchors",
                "protocol": "HTTP_1_1",
                "operation": "GET",
                "result": "200",
            },
        },
    }
    json.dump(body, open(path, "w"))
    return path


class Provider:
    def __init__(self, name, api, aefs):
        self.name, self.api, self.aefs = name, api, aefs
        self.folder = os.path.join(work, "providers", name)
        self.sdk = capif_provider_connector(config(name, api, aefs))
        self.sdk.onboard_provider()
        self.ids = json.load(open(f"{self.folder}/provider_capif_ids.json"))

    def use(self, api_id="", feature=capif_provider_connector):
        publish = {
            "service_api_id": api_id,
            "publisher_apf_id": self.ids["APF-1"],
            "publisher_aefs_ids": [self.ids[f"AEF-{n}"] for n in range(1, self.aefs + 1)],
        }
        return feature(config(self.name, self.api, self.aefs, publish))

    def cert(self, function):
        return (f"{self.folder}/{function.lower()}.crt", f"{self.folder}/{function}_private_key.key")


class Invoker:
    def __init__(self, name):
        self.name, self.folder = name, os.path.join(work, "invokers", name)
        self.path = config(name)
        self.sdk = capif_invoker_connector(self.path)
        self.sdk.onboard_invoker()
        self.details = f"{self.folder}/capif_api_security_context_details-{name}.json"
        self.id = json.load(open(self.details))["api_invoker_id"]
        self.cert = (f"{self.folder}/{name}.crt", f"{self.folder}/private.key")

    def tokens(self):
        found = service_discoverer(self.path)
        found.discover()
        found.get_tokens()
        return found.token


a = Provider("prov-a", "building-a", 2)
check("the functions of a provider have certificates", all(key in a.ids for key in ("AMF", "AEF-1", "AEF-2", "APF-1")))
api_a = a.use().publish_services()["apiId"]
a.use(api_a).get_service()
read = json.load(open(f"{a.folder}/service_received.json"))
operations = [operation["custOpName"] for operation in read["aefProfiles"][0]["versions"][0]["custOperations"]]
check("a service API is published as it was sent", operations == ["check-authentication", "revoke-authentication"])
a.use(api_a).get_all_services()
check("and listed", [api["apiId"] for api in json.load(open(f"{a.folder}/service_received.json"))] == [api_a])
check("and replaced", a.use(api_a).update_service()["apiId"] == api_a)
b = Provider("prov-b", "building-b", 1)
api_b = b.use().publish_services()["apiId"]

# --- invoker ---------------------------------------------------------------------------------------------------------

one, two = Invoker("inv-a"), Invoker("inv-b")
check("identifiers are letters and digits", one.id.isalnum() and a.ids["AEF-1"].isalnum())
token = one.tokens()
found = json.load(open(one.details))["registered_security_contexes"]
check("both providers' APIs are found, and no other", sorted(api["api_name"] for api in found) == ["building-a", "building-b"])
leaf = x509.load_pem_x509_certificate(open(f"{a.folder}/capif_cert_server.pem", "rb").read())
claims = jwt.decode(token, leaf.public_key(), algorithms=["RS256"])
check("a token verifies with the certificate of the listener", claims["sub"] == one.id and claims["iss"] == compat)
check("and names three functions", claims["scope"].count(":") == 3, claims["scope"])
again = one.tokens()
check("a second one updates the security context", again != token)

one.sdk = capif_invoker_connector(one.path)
one.sdk.update_invoker()
print("ok  an invoker is changed")

events = capif_invoker_event_feature(config("inv-a", filters=[{"apiIds": [api_a]}]))
subscriptions = f"{one.folder}/capif_subscriptions_id.json"
check("an invoker subscribes", events.create_subscription("mine", "4") is None)
check("and changes it", events.update_subcription("mine", "4") is None)
mine = json.load(open(subscriptions))[one.id]["mine"]
check("and unsubscribes", events.delete_subscription("mine") is None)
answers(
    "after which there is none",
    send("DELETE", f"{compat}/capif-events/v1/{one.id}/subscriptions/{mine}", cert=one.cert),
    401,
    "You are not the owner of this resource",
)
events = a.use(api_a, capif_provider_event_feature)
check("an AEF subscribes", events.create_subscription("logs", a.ids["AEF-1"], "4") is None)
check("and changes it", events.update_subcription("logs", a.ids["AEF-1"], "4") is None)
# After a change the SDK has forgotten the subscription: another one is given up.
check("and once more", events.create_subscription("more", a.ids["AEF-1"], "4") is None)
check("and unsubscribes", events.delete_subscription("more", a.ids["AEF-1"]) is None)

checked = a.use(api_a).check_invoker_authentication(one.id, a.ids["AEF-1"], api_a, "0", "")
check("an AEF sees the security context", checked["status"] == 200, checked)
status, logged = a.use(api_a, capif_logging_feature).create_logs(a.ids["AEF-1"], token)
check("an AEF logs an invocation", status == 201 and logged["apiInvokerId"] == one.id, logged)

# --- what is refused (sheet 5.2 and 5.6) -----------------------------------------------------------------------------


def form(client, scope, **more):
    return {"grant_type": "client_credentials", "client_id": client, "client_secret": "string", "scope": scope} | more


def token_at(security):
    return f"{compat}/capif-security/v1/securities/{security}/token"


def csr():
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


scope = f"3gpp#{a.ids['AEF-1']}:building-a"
answers("a token with the own name", send("POST", token_at(one.id), data=form(one.id, scope), cert=one.cert), 200)
answers("a repeated function is one", send("POST", token_at(one.id), data=form(one.id, f"{scope};{a.ids['AEF-2']}:building-a;{a.ids['AEF-1']}:building-a"), cert=one.cert), 200)
refused = [
    ("client_id of another", two, one.id, form(two.id, scope), one.cert),
    ("securityId of another", two, two.id, form(one.id, scope), one.cert),
    ("all of another", two, two.id, form(two.id, scope), one.cert),
]
for what, _, security, body, cert in refused:
    answers(f"no token: {what}", send("POST", token_at(security), data=body, cert=cert), 400, "invalid_client")
for what, body in [
    ("nothing negotiated", form(two.id, scope)),
    ("no scope", {"grant_type": "client_credentials", "client_id": two.id}),
    ("another grammar", form(two.id, "openid")),
    ("an AEF of the other listener", form(two.id, "3gpp#AEF00000000000000000000000000000000:ssan-sanm")),
]:
    answers(f"no token: {what}", send("POST", token_at(two.id), data=body, cert=two.cert), 400, "invalid_scope")
answers(
    "no token: details that would be lost",
    send("POST", token_at(one.id), data=form(one.id, scope, authorization_details="[]"), cert=one.cert),
    400,
    "invalid_authorization_details",
)
answers("no token: a parameter twice", send("POST", token_at(one.id), data=list(form(one.id, scope).items()) + [("scope", scope)], cert=one.cert), 400, "invalid_request")
answers("no token: an AEF asks", send("POST", token_at(one.id), data=form(one.id, scope), cert=a.cert("AEF-1")), 401, "unauthorized_client")
answers("no token without a certificate", send("POST", token_at(one.id), data=form(one.id, scope)), 401, "unauthorized_client")

context = f"{compat}/capif-security/v1/trustedInvokers/{one.id}?authenticationInfo=True&authorizationInfo=True"
own = answers("an AEF reads its part of a context", send("GET", context, cert=a.cert("AEF-1")), 200, "BEGIN CERTIFICATE").json()
check("and no other's", {entry["aefId"] for entry in own["securityInfo"]} == {a.ids["AEF-1"]})
other = answers("another AEF reads its own", send("GET", context, cert=b.cert("AEF-1")), 200)
check("and not the first one's", a.ids["AEF-1"] not in other.text)
wanted = {"securityInfo": [{"aefId": a.ids["AEF-1"], "prefSecurityMethods": ["OAUTH"]}], "notificationDestination": "https://i.example/"}
for function in ("AMF", "APF-1"):
    answers(f"{function} reads no context", send("GET", context, cert=a.cert(function)), 401, "User role must be aef")
answers("another invoker changes no context", send("PUT", context.split("?")[0], json=wanted, cert=two.cert), 401)
answers("an invoker without a context is told so", send("GET", context.replace(one.id, two.id), cert=a.cert("AEF-1")), 404, "API Invoker has no security context")

apis = f"{compat}/published-apis/v1"
whole = description("building-d", 1)
whole["aefProfiles"][0]["aefId"] = b.ids["AEF-1"]
answers("another APF changes no API", send("PUT", f"{apis}/{a.ids['APF-1']}/service-apis/{api_a}", json=whole, cert=b.cert("APF-1")), 401, "Certificate not authorized")
answers("nor under its own name", send("DELETE", f"{apis}/{b.ids['APF-1']}/service-apis/{api_a}", cert=b.cert("APF-1")), 404, "Service API not found")
stolen = description("building-c", 1)
stolen["aefProfiles"][0]["aefId"] = a.ids["AEF-1"]
answers("nor publishes at another's function", send("POST", f"{apis}/{b.ids['APF-1']}/service-apis", json=stolen, cert=b.cert("APF-1")), 400)
twice = description("building-a", 1)
twice["aefProfiles"][0]["aefId"] = a.ids["AEF-1"]
answers("nor a name twice", send("POST", f"{apis}/{a.ids['APF-1']}/service-apis", json=twice, cert=a.cert("APF-1")), 403, "Found service with same api name and aef id")

discover = f"{compat}/service-apis/v1/allServiceAPIs?api-invoker-id="
answers("nobody discovers as another", send("GET", discover + two.id, cert=one.cert), 401, "You are not the owner")
answers("nothing found is 404", send("GET", f"{discover}{one.id}&api-name=none", cert=one.cert), 404, "No API Published accomplish filter conditions")
answers("spatial services are not found here", send("GET", f"{discover}{one.id}&api-name=ssan-sanm", cert=one.cert), 404)
answers("nobody subscribes as another", send("POST", f"{compat}/capif-events/v1/{two.id}/subscriptions", json={"events": ["SERVICE_API_AVAILABLE"], "notificationDestination": "https://i.example/"}, cert=one.cert), 401)
entry = {"aefId": a.ids["AEF-2"], "apiInvokerId": one.id, "logs": [{"apiId": api_a, "apiName": "building-a", "apiVersion": "v1", "resourceName": "anchors", "protocol": "HTTP_1_1", "result": "200"}]}
answers("nobody logs as another", send("POST", f"{compat}/api-invocation-logs/v1/{a.ids['AEF-1']}/logs", json=entry, cert=a.cert("AEF-1")), 401, "Not identical AEF id")
answers("nobody offboards another", send("DELETE", f"{compat}/api-invoker-management/v1/onboardedInvokers/{two.id}", cert=one.cert), 404)
answers("nobody deregisters another", send("DELETE", f"{compat}/api-provider-management/v1/registrations/{a.ids['capif_registration_id']}", cert=b.cert("AMF")), 404)

# --- the two listeners apart -----------------------------------------------------------------------------------------

enrol = {"kind": "api_invoker", "name": "of a test", "expiresInS": 600}
enrolled = send("POST", f"{ready['urls']['admin']}/v1/enrolments", json=enrol, cert=(ready["admin"]["cert"], ready["admin"]["key"]))
native_secret = enrolled.json()["secret"]
compat_secret = send("GET", f"{compat}/getauth", auth=("inv-a", passwords["inv-a"])).json()["access_token"]
onboard = "api-invoker-management/v1/onboardedInvokers"
details = {"onboardingInformation": {"apiInvokerPublicKey": csr()}, "notificationDestination": "https://i.example/"}
for what, url, secret in [
    ("an enrolment of the operator", compat, native_secret),
    ("the credential of a user, at the other listener", ccf, compat_secret),
    ("the credential of a deleted user", compat, unused),
    ("nothing", compat, "string"),
]:
    headers = {"Authorization": f"Bearer {secret}"}
    answers(f"nobody is onboarded by {what}", send("POST", f"{url}/{onboard}", json=details, headers=headers), 401)
headers = {"Authorization": f"Bearer {compat_secret}"}
answers("a credential onboards once", send("POST", f"{compat}/{onboard}", json=details, headers=headers), 201)
details["onboardingInformation"]["apiInvokerPublicKey"] = csr()
answers("and not twice", send("POST", f"{compat}/{onboard}", json=details, headers=headers), 401)
answers("certificates of here open nothing there", send("POST", f"{ccf}/capif-security/v1/securities/{one.id}/token", data=form(one.id, scope), cert=one.cert), 401)
answers("nor discover there", send("GET", f"{ccf}/service-apis/v1/allServiceAPIs?api-invoker-id={one.id}", cert=one.cert), 403)
answers("nor follow its revocations", send("GET", f"{ccf}/revocations?after=0", cert=a.cert("AEF-1")), 403)
answers("nor publish there", send("GET", f"{ccf}/published-apis/v1/{a.ids['APF-1']}/service-apis", cert=a.cert("APF-1")), 403)
for what, spoil in [("as it is", lambda t: t), ("as at+jwt", lambda t: header(t, typ="at+jwt")), ("as ES256", lambda t: header(t, alg="ES256")), ("as none", lambda t: header(t, alg="none"))]:

    def header(text, **members):
        head, rest = text.split(".", 1)
        read = json.loads(base64.urlsafe_b64decode(head + "=="))
        return base64.urlsafe_b64encode(json.dumps(read | members).encode()).decode().rstrip("=") + "." + rest

    answer = send("GET", f"{san}/ssan-sanm/v1/anchors-lists/1", headers={"Authorization": f"Bearer {spoil(token)}"}, cert=one.cert)
    answers(f"the anchors server takes no token of this listener, {what}", answer, 401)

# --- the end ---------------------------------------------------------------------------------------------------------

with contextlib.redirect_stderr(io.StringIO()):
    a.use(api_a).unpublish_service()
answers("what was unpublished gives no token", send("POST", token_at(one.id), data=form(one.id, scope), cert=one.cert), 400, "invalid_scope")
capif_invoker_connector(one.path)
kept = tuple(os.path.join(work, f"kept-{name}") for name in ("crt", "key"))
for source, target in zip(one.cert, kept):
    open(target, "w").write(open(source).read())
capif_invoker_connector(one.path).offboard_invoker()
answers("an offboarded invoker is nobody", send("GET", discover + one.id, cert=kept), 401)
a.use().update_provider()
fresh = json.load(open(f"{a.folder}/provider_capif_ids.json"))
check("a provider is changed", fresh["capif_registration_id"] == a.ids["capif_registration_id"])
a.use().offboard_provider()
b.use().offboard_provider()
two.sdk.offboard_invoker()
check("nothing is left of the SDK's files", not any(os.path.exists(party.folder) for party in (a, b, one, two)))
sys.exit(0)
