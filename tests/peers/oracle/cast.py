"""Who there is, and what they made."""

import dataclasses
import secrets
import time

import requests_of
import rules
from words import ANCHOR, APIS, MAP, ROLE, Thing
from world import AREA, INSIDE, OUTSIDE, TOUR

HOUR = 3600


@dataclasses.dataclass
class Cast:
    invokers: list  # with every right that an onboarding gives
    sim: list
    lost: list  # invokers whose tokens are good no more
    bounded: object  # an invoker that was enrolled for the management of anchors alone
    without_oauth: object  # an invoker that negotiated no tokens
    lost_tokens: dict  # (subject, role) -> a token of before


def people(world):
    """Everybody who asks. Time is moved once, so that tokens of before have expired."""
    lost = [
        world.invoker("expired", lost=frozenset(["EXPIRED"])),
        world.invoker("offboarded", lost=frozenset(["REVOKED_CLIENT", "REVOKED_SUBJECT", "REVOKED_KEY", "REVOKED_TOKEN"])),
        world.invoker("revoked", lost=frozenset(["REVOKED_CLIENT", "REVOKED_SUBJECT"])),
    ]
    expired, gone, revoked = lost
    names = ["owner", "listed", "provider-1", "provider-2", "unlisted"]
    invokers = [world.invoker(name) for name in names]
    servers = [
        world.val_server("oracle-owner"), world.val_server("oracle-listed"), world.val_server("oracle-by-service", [TOUR]),
        world.val_server("oracle-unlisted", ["oracle-other"]),
    ]
    world.user_client("oracle-ue", [TOUR])
    users = [
        world.user("oracle-anna", "oracle-ue", [], INSIDE), world.user("oracle-ben", "oracle-ue", [], OUTSIDE),
        world.user("oracle-cleo", "oracle-ue", [TOUR], INSIDE), world.user("oracle-dora", "oracle-ue", ["oracle-other"], INSIDE),
    ]
    bounded, without = world.invoker("bounded", ["ssan-sanm"]), world.invoker("without-tokens", methods=["PKI"])

    # Certificates are of now; then time goes on by more than the 300 s of a token and 30 s of leeway (CON-38, IMP-13).
    kept = [(ROLE[kind], APIS[kind]) for kind in (ANCHOR, MAP)]
    tokens = {(expired, role): world.coarse(expired, role, apis) for role, apis in kept}
    world.shift_s = 700
    world.admin("PUT", "/test/clock", {"offsetS": world.shift_s}).expect(200, 204)
    tokens |= {(subject, role): world.coarse(subject, role, apis) for subject in (gone, revoked) for role, apis in kept}
    world.offboard(gone)
    body = {"kind": "client", "value": world.invoker_ids[revoked], "issuer": world.urls["ccf"]}
    world.admin("POST", "/revocations", body).expect(200, 201)
    return Cast(invokers, servers + users, lost, bounded, without, tokens)


def objects(world, cast, tokens, by_owner, settle):
    """Anchors and maps: every owner with every kind of visibility, rules, parts, period and area (S3-I1a to S3-I3)."""
    owner, listed, one, two, unlisted = cast.invokers
    server_owner, server_listed = cast.sim[:2]
    anna = cast.sim[4]
    now = world.now()
    past, active, future = (now - 2 * HOUR, now - HOUR), (now - HOUR, now + HOUR), (now + HOUR, now + 2 * HOUR)

    def server(subject):
        return ("VAL_SERVER", next(iter(subject.ids)))

    both = (server(one), server(two))
    everybody = (("VAL_SERVER", None), ("VAL_CLIENT", None))
    by_user, by_ue = sorted(anna.ids)  # "oracle-anna@…" before "ue-…"
    kinds = {
        "universal": dict(visibility="UNIVERSAL"),
        "universal-parts": dict(visibility="UNIVERSAL", entities=both, parts=dict(p1=one, p2=two)),
        "listed": dict(visibility="RESTRICTED", entities=(server(listed), server(server_listed))),
        "listed-parts": dict(visibility="RESTRICTED", entities=(server(listed), *both), parts=dict(p0=None, p1=one, p2=two)),
        "servers": dict(visibility="RESTRICTED", entities=(("VAL_SERVER", None),)),
        "clients": dict(visibility="RESTRICTED", entities=(("VAL_CLIENT", None),)),
        "user": dict(visibility="RESTRICTED", entities=(("VAL_CLIENT", by_user), server(one))),
        "ue": dict(entities=(("VAL_CLIENT", by_ue),)),
        "service": dict(visibility="RESTRICTED", services=(TOUR,)),
        "service-or-listed": dict(services=("oracle-else", TOUR), entities=(server(listed),)),
        "private-with-rules": dict(visibility="PRIVATE", entities=everybody, services=(TOUR,)),
        "by-rules": dict(entities=(server(listed), server(one))),
        "nothing-said": dict(),
        "past": dict(visibility="UNIVERSAL", period=past),
        "future": dict(visibility="RESTRICTED", entities=(server(listed), ("VAL_CLIENT", None)), period=future),
        "active": dict(visibility="RESTRICTED", entities=(server(listed), server(server_listed), server(one)), period=active,
                       parts=dict(p0=None, p1=one)),
        "area": dict(visibility="UNIVERSAL", area=AREA),
        "listed-area": dict(entities=(("VAL_CLIENT", None), server(listed)), area=AREA),
    }
    every = (server(listed), *both)
    # What its owner, an API invoker, keeps at the core function beside the rules.
    of_owner = {
        "denied-discover": dict(visibility="RESTRICTED", entities=every, denials=((listed, {"discover"}),)),
        "denied-read": dict(visibility="UNIVERSAL", entities=every, denials=((None, {"read", "localize"}),)),
        "denied-update": dict(visibility="RESTRICTED", entities=every, parts=dict(p1=one, p2=two), denials=((one, {"update"}),)),
        "denied-service": dict(visibility="UNIVERSAL", denials=((TOUR, {"read"}), (two, {"discover", "read"}))),
    }
    for kind in (ANCHOR, MAP):
        for by in (owner, server_owner, anna):
            for name, members in (kinds | (of_owner if by is owner and by_owner else {})).items():
                if kind == MAP and "area" in members:
                    continue  # a service area is a member of anchors
                members = dict(members)
                parts = {part: who or by for part, who in members.pop("parts", {}).items()}
                short = f"{'anchor' if kind == ANCHOR else 'map'}-{by.name}-{name}"
                world.make(Thing(short, kind, by, parts=parts, **members), tokens)
    parts = {thing.name: thing.parts for thing in world.things}
    denials = {thing.name: thing.denials for thing in world.things}
    for thing in world.things:
        thing.parts = {part: by for part, by in thing.parts.items() if by is thing.owner}
        thing.denials = ()
    settle(world, cast)
    for thing in world.things:
        thing.parts = parts[thing.name]
        world.furnish(thing, tokens)
    # Denials come last, and are in force when the server has heard of them.
    settle(world, cast)
    world.keep_bodies(tokens)
    for thing in world.things:
        if denials[thing.name]:
            thing.denials = denials[thing.name]
            world.deny(thing)
            heard(world, thing, cast, tokens)
    world.ues_inside = {ue for subject in cast.sim if subject.place == INSIDE for ue in subject.ids if ue.startswith("ue-")}
    for kind in (ANCHOR, MAP):
        thing = Thing(f"{'anchor' if kind == ANCHOR else 'map'}-absent", kind, None, absent=True,
                      list=secrets.token_urlsafe(16), number=1 + secrets.randbelow(2**31 - 2))
        world.things.append(thing)
        world.by_identifier[(kind, thing.identifier)] = thing


def heard(world, thing, cast, tokens):
    """Waits until the server has heard of the denials: they are told by the core function a moment later."""
    until = time.time() + 30
    for subject in cast.invokers:
        denied = next((action for action in ("discover", "read", "update") if rules.denied(thing, subject, action)), None)
        if denied is None:
            continue
        # An update of nothing is refused like any other.
        method, body = ("PATCH", {"suppFeat": "1"}) if denied == "update" else ("GET", None)
        media = requests_of.MERGE if body else "application/json"
        while time.time() < until:
            answer = world.send(subject, tokens(subject, thing.kind), method, world.url(thing.kind, thing), body, media)
            if answer.status in (403, 404) and world.admin.why(answer.trace) == "OWNER_DENIED":
                return
            time.sleep(0.1)
        raise SystemExit(f"the server has not heard of what the owner of {thing.name} denies")
