"""Authlib, unmodified: authorization code with PKCE, refresh, introspection and revocation by a bearer client."""

import html
import json
import os
import re
import secrets
import urllib.parse

import requests
from authlib.integrations.requests_client import OAuth2Session

ready = json.load(open(os.environ["METASEAL_READY"]))
sim, san = ready["urls"]["sim"], ready["urls"]["san"]
user = next(u for u in ready["demo"]["users"] if u["user"] == "alice")
client = next(c for c in ready["demo"]["clients"] if c["clientId"] == "ue-bearer")
redirect_uri = "http://127.0.0.1:40124/cb"


def check(what, condition):
    if not condition:
        raise SystemExit(f"not so: {what}")
    print(f"ok  {what}")


def login(url):
    with requests.Session() as browser:
        browser.trust_env, browser.verify = False, ready["ca"]
        page = browser.get(url, allow_redirects=False)
        check("the login page is shown", page.status_code == 200)
        form = re.search(r"<form[^>]*method=\"post\".*?</form>", page.text, re.S | re.I).group(0)
        action = html.unescape(re.search(r'action="([^"]*)"', form).group(1))
        fields = {}
        for tag in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", form):
            name, value = (re.search(rf'{a}="([^"]*)"', tag).group(1) for a in ("name", "value"))
            fields[name] = html.unescape(value)
        fields |= {"username": user["user"], "password": user["password"]}
        answer = browser.post(urllib.parse.urljoin(url, action), data=fields, allow_redirects=False)
        check("the login is answered with 302", answer.status_code == 302)
        return answer.headers["location"]


metadata = requests.get(f"{sim}/.well-known/openid-configuration", verify=ready["ca"]).json()
session = OAuth2Session(
    "ue-bearer", client["secret"], redirect_uri=redirect_uri, code_challenge_method="S256",
    scope="openid 3gpp:seal:san.read 3gpp:seal:san.discover", token_endpoint_auth_method="client_secret_basic",
)
session.trust_env, session.verify = False, ready["ca"]
verifier = secrets.token_urlsafe(48)
url, state = session.create_authorization_url(
    metadata["authorization_endpoint"], code_verifier=verifier, acr_values="3gpp:acr:password", resource=san,
    nonce=secrets.token_urlsafe(12))
token = session.fetch_token(
    metadata["token_endpoint"], authorization_response=login(url), code_verifier=verifier, state=state, resource=san)
check("a bearer token of at most 300 s", token["token_type"].lower() == "bearer" and token["expires_in"] <= 300)

answer = session.get(f"{san}/ssan-disc/v1/spatial-anchors?limit=3")
check("anchors are discovered with it", answer.status_code == 200 and answer.json()["results"])
seen = session.introspect_token(metadata["introspection_endpoint"], token=token["access_token"]).json()
check("introspection calls the token active", seen["active"] is True)
renewed = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"], resource=san)
check("a refresh token renews it", renewed["access_token"] != token["access_token"])
session.revoke_token(metadata["revocation_endpoint"], token=renewed["access_token"])
answer = requests.get(
    f"{san}/ssan-disc/v1/spatial-anchors", headers={"Authorization": f"Bearer {renewed['access_token']}"},
    verify=ready["ca"])
check("a revoked token is refused at once", answer.status_code == 401)
