"""Lists of several anchors: whoever may discover only part of one reads that part (contract, section 7), a token that names one
anchor shows one (S2-L2), and a change of several is all or nothing (S2-L3, sheet 4.2)."""

import dataclasses
import itertools
import json

import grants
import levels
import rules
from asking import Cell
from levels import instance, service
from requests_of import MERGE
from words import ANCHOR, APIS, ROLE, Thing, Token
from world import body_of


@dataclasses.dataclass
class Shelf:
    """A list: its anchors by label."""

    owner: object
    anchors: dict

    @property
    def any(self):
        return next(iter(self.anchors.values()))


def make(world, cast, tokens):
    """A list of each owner: one anchor for everybody, one for the listed, one for nobody else, one of past days."""
    owner, listed, one, *_ = cast.invokers
    now = world.now()
    for by in (owner, cast.sim[0], cast.sim[4]):
        named = tuple(("VAL_SERVER", next(iter(subject.ids))) for subject in (listed, one, cast.sim[1]))
        members = {
            "a": dict(visibility="UNIVERSAL"),
            "b": dict(visibility="RESTRICTED", entities=named),
            "c": dict(visibility="PRIVATE"),
            "d": dict(visibility="UNIVERSAL", period=(now - 7200, now - 3600)),
        }
        shelf = Shelf(by, {label: Thing(f"list-{by.name}", ANCHOR, by, **more) for label, more in members.items()})
        body = body_of(shelf.any)
        body["anchors"] = {label: body_of(thing)["anchors"]["a"] for label, thing in shelf.anchors.items()}
        told = world.send(by, tokens(by, ANCHOR), "POST", world.url(ANCHOR), body).expect(201)
        for label, thing in shelf.anchors.items():
            thing.list = told.headers["location"].rsplit("/", 1)[1]
            thing.number = told.json()["anchors"][label]["anchorId"]
            world.by_identifier[(ANCHOR, thing.identifier)] = thing
        world.shelves.append(shelf)


def of_list(shelf):
    """Tokens that are tried on a list: details by name."""
    ids = {label: thing.identifier for label, thing in shelf.anchors.items()}
    named = {"coarse": None, "SERVICE read": [service(ANCHOR, "read")], "SERVICE update": [service(ANCHOR, "update")]}
    for label, own in ids.items():
        named[f"INSTANCE of {label}"] = [instance(ANCHOR, own)]
        named[f"INSTANCE read of {label}"] = [instance(ANCHOR, own, "read")]
        named[f"INSTANCE update of {label}"] = [instance(ANCHOR, own, "update")]
        named[f"INSTANCE delete of {label}"] = [instance(ANCHOR, own, "delete")]
    for two in itertools.combinations(ids, 2):
        named[f"INSTANCE of {' and '.join(two)}"] = [instance(ANCHOR, ids[label], "read", "update") for label in two]
    return named


# What is asked: the labels that are updated or removed; nothing: a read; everything removed: the list is deleted.
ACTIONS = {
    "read": ("", ""), "update a": ("a", ""), "update b": ("b", ""), "update c": ("c", ""), "update a and b": ("ab", ""),
    "update a and c": ("ac", ""), "remove b": ("", "b"), "update a and remove c": ("a", "c"), "delete": ("", "abcd"),
}


def decide(token, shelf, action, now):
    """The verdict, and the labels that a read shows."""
    update, remove = ACTIONS[action]
    verbs = {"read"} if action == "read" else {"delete"} if action == "delete" else {"update", "create", "delete"}
    no = rules.credential(token)
    if not no and "ssan-sanm" not in token.opens and token.subject.issuer == "ccf":
        no = rules.refused("SCOPE_NARROW", rules.NARROW)
    if not no and not rules.names_any_of(token, ANCHOR, verbs, shelf.any):
        no = rules.refused("DETAILS_NARROW", rules.NARROW)
    if no:
        return no, None
    shut = {label: rules.hidden(thing, token.subject, now) for label, thing in shelf.anchors.items()}
    opened = [label for label, why in shut.items() if not why]
    if not opened:
        return rules.refused(frozenset().union(*(why.reasons for why in shut.values())), "T2, contract 7"), None
    if action == "read":
        shown = {label for label in opened if rules.holds(token, ANCHOR, "read", shelf.anchors[label])}
        if not shown:
            return rules.refused({"NOT_FOUND", "NOT_VISIBLE"}, "S2-L2"), None
        return rules.granted(200, "S2-L2, contract 7"), shown
    if shelf.owner is not token.subject:
        return rules.refused("NOT_OWNER", "S3-I2, contract 7"), None
    held = all(rules.holds(token, ANCHOR, "update", shelf.anchors[label]) for label in update) and all(
        rules.holds(token, ANCHOR, "delete", shelf.anchors[label]) for label in remove)
    return (rules.granted(200, "S2-L3") if held else rules.refused("DETAILS_NARROW", "S2-L3, S2-6c")), None


def request(world, shelf, action, number):
    update, remove = ACTIONS[action]
    at = world.url(ANCHOR, shelf.any)
    if action == "read":
        return "GET", at + "?supp-feats=1", None
    if action == "delete":
        return "DELETE", at, None
    anchors = {label: {"name": f"changed {number}"} for label in update} | {label: None for label in remove}
    return "PATCH", at, {"suppFeat": "1", "anchors": anchors}


def ask(matrix, token, text, name, shelf):
    world = matrix.world
    for action in ACTIONS:
        expected, shown = decide(token, shelf, action, world.now())
        if expected.good and ACTIONS[action][1]:
            continue  # the list stays as it is
        method, url, body = request(world, shelf, action, next(matrix.numbers))
        answer = world.send(token.subject, text, method, url, body, MERGE if body else "application/json")
        cell = Cell(token.subject.name, name, action, shelf.any.name, expected)
        if shown is not None and answer.status == 200:
            got = set(answer.json()["anchors"])
            cell.fault = None if got == shown else f"shows {sorted(got)}, not {sorted(shown)}"
        matrix.note(cell, answer)


def run(matrix):
    """Every subject on every list."""
    world = matrix.world
    for shelf in world.shelves:
        for subject in matrix.cast.invokers:
            for name, elements in of_list(shelf).items():
                fields = {"scope": world.scope(ROLE[ANCHOR], APIS[ANCHOR])}
                if elements is not None:
                    fields["authorization_details"] = json.dumps(levels.to_wire(elements))
                expected = grants.decide(world, subject, ANCHOR, APIS[ANCHOR], elements, world.now(), matrix.by_owner)
                answer = world.ask_core(subject, fields)
                cell = Cell(subject.name, name, "token", shelf.any.name, expected)
                good = answer.status == 200 and expected.status == 200
                if good and elements is not None:
                    granted = answer.json().get("authorization_details") or []
                    cell.fault = None if levels.from_wire(granted) == frozenset(expected.details) else f"grants {granted}"
                matrix.note(cell, answer)
                if good:
                    token = Token(subject, frozenset(APIS[ANCHOR]), expected.details, ROLE[ANCHOR])
                    ask(matrix, token, answer.json()["access_token"], name, shelf)
        for subject in matrix.cast.sim:
            name, audience, scopes = levels.of_sim(ANCHOR)[0]
            text = world.of_sim(subject, audience, scopes)
            ask(matrix, Token(subject, frozenset(scopes), None, audience), text, name, shelf)
