"""What is sent for each action, and what its answer shows."""

import urllib.parse

import rules
from words import ANCHOR, Thing
from world import CALLBACK, body_of, patch_of

MERGE = "application/merge-patch+json"


def own_part(thing, subject):
    """The entry of service information that the subject has there, or a new one of its own."""
    return next((part for part, by in thing.parts.items() if by is subject), f"new-{subject.name}")


def foreign_part(thing, subject):
    return next((part for part, by in thing.parts.items() if by is not subject), None)


def part_of(action, thing, subject):
    if action in ("update_own_part", "update_mixed"):
        return own_part(thing, subject)
    if action in ("update_foreign_part", "replace_without_foreign_part"):
        return foreign_part(thing, subject)
    return None


def applies(action, thing, subject):
    """Whether there is such a request at all."""
    if action in ("update_foreign_part", "replace_without_foreign_part"):
        return foreign_part(thing, subject) is not None
    return True


def build(world, action, thing, subject, number):
    """Method, url, body, media type. `number` makes every change another."""
    at = world.url(thing.kind, thing)
    plain = "application/json"
    if action == "create":
        fresh = Thing(f"made-{number}", thing.kind, subject)
        return "POST", world.url(thing.kind), body_of(fresh), plain
    if action == "read":
        return "GET", at + "?supp-feats=1", None, plain
    if action == "update_body":
        return "PATCH", at, patch_of(thing, name=f"{thing.name} {number}"), MERGE
    if action in ("update_own_part", "update_foreign_part"):
        return "PATCH", at, patch_of(thing, entries=[part_of(action, thing, subject)]), MERGE
    if action == "update_mixed":
        return "PATCH", at, patch_of(thing, f"{thing.name} {number}", [own_part(thing, subject)]), MERGE
    if action == "replace_without_foreign_part":
        return "PUT", at, without(world.bodies[thing.name], thing.kind, foreign_part(thing, subject)), plain
    if action == "delete":
        return "DELETE", at, None, plain
    if action == "subscribe":
        return "POST", subscriptions(world, thing.kind), subscription(thing), plain
    if action == "localize":
        return "GET", f"{world.urls['sm']}/ssm-loc/v1/localization?map-id={thing.number}", None, plain
    query = {"supp-feats": "1"}
    if thing.kind == ANCHOR:
        query = urllib.parse.urlencode(query | {"anchor-ids": thing.number})
        return "GET", f"{world.urls['san']}/ssan-disc/v1/spatial-anchors?{query}", None, plain
    query = urllib.parse.urlencode(query | {"app-svc-id": thing.name})
    return "GET", f"{world.urls['sm']}/ssm-disc/v1/spatial-maps?{query}", None, plain


def subscriptions(world, kind):
    return world.urls["san"] + "/ssan-sanm/v1/subscriptions" if kind == ANCHOR else world.urls["sm"] + "/ssm-smm/v1/subscriptions"


def subscription(thing):
    if thing.kind == ANCHOR:
        return {"eventSubs": [{"event": "ANCHOR_DISCOVERY", "evntFltr": {}}], "notifUri": CALLBACK}
    event = {"event": "SPATIAL_MAP_READY", "mapId": {"mapIds": [thing.number]}}
    return {"eventSubs": [event], "svcId": thing.name, "notifUri": CALLBACK}


def without(body, kind, part):
    """A full replacement that drops one entry (S2-L3: that counts as touching it)."""
    inner = "anchors" if kind == ANCHOR else "smProf"
    changed = body["anchors"]["a"] if kind == ANCHOR else body["smProf"]
    left = [entry for entry in changed.get("servInfos", []) if entry["servInfoId"] != part]
    changed = {name: value for name, value in changed.items() if name != "servInfos"} | ({"servInfos": left} if left else {})
    return body | {inner: {"a": changed} if kind == ANCHOR else changed}


SECRET = {"rules", "premises", "allwEnt"}


def faults(world, action, thing, token, answer, now):
    """What is shown and should not be, or the other way round."""
    subject, body = token.subject, answer.json()
    if action == "read":
        shown = body["anchors"]["a"] if thing.kind == ANCHOR else body["smProf"]
        return secrets_in(shown, thing, subject)
    if action == "discover":
        if thing.kind == ANCHOR:
            found = {one["anchInfo"]["anchorId"]: one["anchInfo"] for one in body.get("results") or []}
        else:
            found = {one["mapId"]: one for one in body.get("mapsDisc") or []}
        expected = {thing.number} if rules.finds(token, thing, now) else set()
        if set(found) != expected:
            return f"finds {sorted(found)}, not {sorted(expected)}"
        return secrets_in(found[thing.number], thing, subject) if found else None
    if action == "localize":
        shown = {one["targetId"]["valUeId"] for one in body.get("results") or []}
        whom = rules.locates(thing, subject)
        inside = world.ues_inside
        expected = {"all": inside, "none": set(), "self": inside & subject.ids}[whom]
        return None if shown == expected else f"locates {sorted(shown)}, not {sorted(expected)}"
    return None


def secrets_in(shown, thing, subject):
    """T3b: rules and premises are their creator's only."""
    seen = SECRET & set(shown)
    return f"shows {sorted(seen)}" if seen and not rules.shows_all(thing, subject) else None
