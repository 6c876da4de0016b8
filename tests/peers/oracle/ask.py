"""Asks over the wire: kept-alive TLS, a connection for each thread, party and server; reasons from the operator's records."""

import concurrent.futures
import http.client
import json
import ssl
import threading
import urllib.parse


class Party:
    """Whoever opens connections: with a certificate, or without one."""

    def __init__(self, name, ca, cert=None, key=None):
        self.name = name
        self.context = ssl.create_default_context(cafile=ca)
        if cert:
            self.context.load_cert_chain(cert, key)


class Answer:
    def __init__(self, status, headers, raw):
        self.status, self.headers, self.raw = status, headers, raw
        # `00-<trace>-<span>-<flags>`
        parts = (headers.get("traceparent") or "").split("-")
        self.trace = parts[1] if len(parts) == 4 else None

    def json(self):
        return json.loads(self.raw) if self.raw else None

    @property
    def cause(self):
        """`cause` of problem details; `error` of a token endpoint (RFC 6749 5.2)."""
        if self.status < 400 or not self.raw:
            return None
        body = self.json()
        return body.get("cause") or body.get("error")

    def expect(self, *statuses):
        if self.status not in statuses:
            raise RuntimeError(f"{self.status}, not {statuses}: {self.raw[:400]!r}")
        return self


class Wire:
    """All connections of a run."""

    def __init__(self):
        self.own = threading.local()

    def ask(self, party, method, url, body=None, headers=None):
        at = urllib.parse.urlsplit(url)
        target = at.path + ("?" + at.query if at.query else "")
        kept = self.own.__dict__.setdefault("connections", {})
        place = (party, at.netloc)
        for attempt in range(2):
            connection = kept.pop(place, None)
            fresh = connection is None
            if fresh:
                connection = http.client.HTTPSConnection(at.hostname, at.port, context=party.context, timeout=60)
            try:
                connection.request(method, target, body=body, headers=headers or {})
                answer = connection.getresponse()
                raw = answer.read()
            except (http.client.HTTPException, ConnectionError, ssl.SSLError):
                connection.close()
                # A kept connection may have been closed by the server while nobody used it.
                if fresh or attempt:
                    raise
                continue
            if answer.will_close:
                connection.close()
            else:
                kept[place] = connection
            return Answer(answer.status, answer.headers, raw)

    def json(self, party, method, url, body=None, headers=None, media="application/json"):
        headers = dict(headers or {})
        if body is not None:
            headers["Content-Type"] = media
        return self.ask(party, method, url, None if body is None else json.dumps(body), headers)

    def form(self, party, url, fields, headers=None):
        headers = dict(headers or {}) | {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask(party, "POST", url, urllib.parse.urlencode(fields), headers)


class Admin:
    """The operator, by certificate."""

    def __init__(self, wire, ready):
        self.wire, self.base = wire, ready["urls"]["admin"] + "/v1"
        self.party = Party("operator", ready["ca"], ready["admin"]["cert"], ready["admin"]["key"])

    def __call__(self, method, path, body=None):
        return self.wire.json(self.party, method, self.base + path, body)

    def heads(self, functions):
        """The last record of each function's audit, to read on from."""
        found = {}
        for function in functions:
            after = 0
            for items in self.audit(function, after):
                after = items[-1]["seq"]
            found[function] = after
        return found

    def audit(self, function, after):
        """Pages of the audit of a function behind a place."""
        while True:
            path = f"/audit?function={function}&limit=1000&after={after}"
            items = self(f"GET", path).expect(200).json()["items"]
            if not items:
                return
            yield items
            after = items[-1]["seq"]

    def reasons(self, heads, wanted):
        """The reason of each of these traces, `None` where it was granted: from the audit, and of requests that were
        refused too early to be in it one by one, from what `why` says of them."""
        found = {}
        for function, after in heads.items():
            for items in self.audit(function, after):
                for item in items:
                    # What else was done on the way, as a question to an owner, is in the audit as well.
                    if item.get("trace") in wanted and found.get(item["trace"]) is None:
                        found[item["trace"]] = item.get("reason")
        missing = sorted(wanted - found.keys())
        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            found.update(zip(missing, threads.map(self.why, missing)))
        return found

    def why(self, trace):
        answer = self("GET", f"/traces/{trace}/why")
        return answer.json().get("reason") if answer.status == 200 else f"no trace ({answer.status})"
