"""The oracle of the token endpoint: what the core function grants of a request (S2-1 to S2-3, S3-6 to S3-8)."""

import dataclasses

import rules
from words import ALL, ANCHOR, MAP, Element

# Actions that the sheet knows (4.2); `localize` is of maps.
ACTIONS = {
    ANCHOR: frozenset({"create", "read", "update", "delete", "discover", "subscribe"}),
    MAP: frozenset({"create", "read", "update", "delete", "discover", "subscribe", "localize"}),
}
DETAILS = "invalid_authorization_details"


@dataclasses.dataclass(frozen=True)
class Grant:
    status: int
    cause: str  # `error` of RFC 6749 5.2
    reasons: frozenset
    details: tuple = None
    rows: str = ""


def no(status, error, reasons, rows):
    return Grant(status, error, frozenset([reasons] if isinstance(reasons, str) else reasons), None, rows)


def owner_allows(world, subject, element, action, now):
    """What the owner's policy leaves of one action (S3-7b; the rules of the object as they were published, S3-4b): `None` for
    nothing, else the entries that it is limited to, or ALL for no limit. Solution #3; SERVICE is the server's to decide."""
    thing = world.by_identifier.get((element.kind, element.thing))
    if thing is None or thing.absent:
        return None  # S3-6: not there and not allowed are one answer
    if rules.owns(thing, subject):
        return ALL
    if rules.denied(thing, subject, action):
        return None  # a denial overrides (sheet 4.3)
    said = rules.visibility(thing)
    listed = rules.named(thing, subject)
    if said == "PRIVATE" or said == "RESTRICTED" and not listed:
        return None
    if thing.period and thing.period[1] < now:
        return None
    readable = {"discover", "read", "subscribe", "localize"} if listed else {"discover", "read"}
    if action in readable:
        return ALL
    if action == "update" and rules.provides(thing, subject):
        return frozenset(part for part, by in thing.parts.items() if by is subject) or None
    return None


# What the owner's policy does not let through; the rows do not name which of them it is.
NOT_ALLOWED = frozenset({"NOT_VISIBLE", "NOT_ALLOWED_ENTITY", "OWNER_DENIED", "DETAILS_NARROW", "OUTSIDE_PERIOD"})
# Where nothing is said at all, the owner may be asked, and until an answer it is no (S3-N2, CON-22).
ASKED = frozenset({"OWNER_REQUIRED", "AUTHORIZATION_ASKED"})


def why_not(world, kind, element):
    """Reasons in audit for an element of which nothing is granted; to the requester they are one answer (S3-6). Which of
    several elements gives a refusal its reason is not said."""
    if element.kind != kind:
        return frozenset({"NOT_ENTITLED", "SCOPE_NARROW"})  # details broader than the scope (FFS-02)
    thing = world.by_identifier.get((element.kind, element.thing))
    if thing is None or thing.absent:
        return frozenset({"NOT_FOUND"})
    silent = not thing.visibility and not thing.entities and not thing.services
    return NOT_ALLOWED | (ASKED if silent else frozenset())


def decide(world, subject, kind, apis, elements, now, by_owner):
    """What is granted of `elements` for the APIs `apis` of the server of `kind`. `by_owner`: solution #3 is in force."""
    if subject.lost:
        reasons = subject.lost | {"CLIENT_AUTH_WRONG", "CLIENT_UNKNOWN", "PEER_REFUSED"}
        return no(401, "invalid_client", reasons, "S3-0a, IMP-09")
    if elements is None:
        return Grant(200, None, frozenset([None]), None, "S2-1, S2-3")
    left = []
    for element in elements:
        if element.kind != kind:  # details broader than the scope (FFS-02)
            continue
        kept = {}
        for action in sorted(element.actions):
            limit = ALL
            if by_owner and element.level != "SERVICE":
                limit = owner_allows(world, subject, element, action, now)
            if limit is None:
                continue
            if limit != ALL:
                if element.level != "SERVICE_INFO":
                    continue
                limit = limit if element.parts == ALL else limit & element.parts
                if not limit:
                    continue
            else:
                limit = element.parts
            kept.setdefault(limit, set()).add(action)
        left += [dataclasses.replace(element, actions=frozenset(actions), parts=parts) for parts, actions in kept.items()]
    if not left:
        reasons = frozenset().union(*(why_not(world, kind, element) for element in elements))
        return no(400, DETAILS, reasons, "S2-2b, S3-7b, S3-7c, FFS-02")
    return Grant(200, None, frozenset([None]), tuple(left), "S2-2b, S2-2c, S3-7c, S3-8")


def spoilt(subject):
    """Token requests that no policy could let through: what is sent, status, error, reasons, rows. `{aef}` and `{id}` are the
    server and the requester; `{other}` is another invoker."""
    def instance(**more):
        return {"type": ANCHOR, "level": "INSTANCE", "identifier": "list/1", "actions": ["read"]} | more

    scope = {"scope": "3gpp#{aef}:ssan-sanm"}
    malformed = ("DETAILS_UNKNOWN", "S2-1")
    scopes = [
        ("no scope", None, "SCOPE_UNKNOWN", "S2-1"),
        ("scope without prefix", "{aef}:ssan-sanm", "SCOPE_UNKNOWN", "S2-1"),
        ("API that is not published", "3gpp#{aef}:ssan-none", "METHOD_NOT_NEGOTIATED", "S2-1"),
        ("API of another server", "3gpp#{aef}:ssm-smm", "METHOD_NOT_NEGOTIATED", "NA-6"),
        ("two servers", "3gpp#{aef}:ssan-sanm;{sm}:ssm-smm", {"SCOPE_UNKNOWN", "TARGET_WRONG"}, "CON-38"),
        ("unknown server", "3gpp#AEFnone:ssan-sanm", "METHOD_NOT_NEGOTIATED", "NA-6"),
    ]
    rows = [(what, {"scope": sent} if sent else {}, 400, "invalid_scope", *more) for what, sent, *more in scopes]
    rows += [
        ("in the name of another", scope | {"client_id": "{other}"}, 401, "invalid_client", "CLIENT_AUTH_WRONG", "S2-0, T4a"),
        ("another grant", scope | {"grant_type": "password"}, 400, "unsupported_grant_type", "GRANT_WRONG", "S2-N1"),
    ]
    # What is no JSON array of objects is no parameter at all (RFC 6749 5.2); RFC 9396 5 has its error for the objects.
    twice = '[{"type":"3gpp_spatial_anchor","type":"3gpp_spatial_anchor","level":"SERVICE","actions":["read"]}]'
    for what, sent in (("no JSON", "["), ("no array", "{}"), ("duplicate member", twice)):
        rows.append((what, scope | {"authorization_details": sent}, 400, "invalid_request", "REQUEST_MALFORMED", "S2-1"))
    details = [
        ("empty", "[]"),
        ("no element", '["x"]'),
        ("unknown type", [instance(type="3gpp_weather")]),
        ("unknown level", [instance(level="EVERYTHING")]),
        ("unknown action", [instance(actions=["own"])]),
        ("no action", [instance(actions=[])]),
        ("action of maps", [instance(actions=["localize"])]),
        ("no identifier", [{"type": ANCHOR, "level": "INSTANCE", "actions": ["read"]}]),
        ("wildcard", [instance(identifier="list/*")]),
        ("wildcard list", [instance(identifier="*")]),
        ("prefix", [instance(identifier="list/")]),
        ("encoded", [instance(identifier="list%2F1")]),
        ("leading zero", [instance(identifier="list/01")]),
        ("identifier at level SERVICE", [instance(level="SERVICE")]),
        ("parts at level INSTANCE", [instance(servInfoIds=["x"])]),
        ("no parts at level SERVICE_INFO", [instance(level="SERVICE_INFO")]),
        ("located elsewhere", [instance(locations=["AEFnone"])]),
        ("33 elements", [instance(identifier=f"list/{number + 1}") for number in range(33)]),
    ]
    rows += [(what, scope | {"authorization_details": sent}, 400, DETAILS, *malformed) for what, sent in details]
    return rows
