"""Asks the cells: a token for each way to come, every action on the object with it, and what the oracle says beside each."""

import dataclasses
import itertools
import json
import threading
import time

import grants
import levels
import requests_of
import rules
from words import ANCHOR, APIS, MAP, OPERATIONS, ROLE, Token

# A token lives 300 s.
KEPT_S = 150


@dataclasses.dataclass(frozen=True)
class Bearer:
    """A way to come with a token: `level` says which; generic ones are used for many objects."""

    subject: object
    kind: str
    name: str
    level: object = None  # of a token of the core function
    scopes: tuple = None  # of one of the SIM-S: audience, scopes
    shown_by: object = None  # over whose certificate, if not its own
    ready: str = None  # a token of before


@dataclasses.dataclass
class Cell:
    subject: str
    level: str
    action: str
    thing: str
    expected: object
    trace: str = None
    status: int = None
    cause: str = None
    fault: str = None
    reason: str = None

    def wrong(self):
        if (self.status, self.cause) != (self.expected.status, self.expected.cause):
            return "verdict"
        if self.reason not in self.expected.reasons:
            return "reason"
        return "answer" if self.fault else None

    def told(self):
        return {
            "subject": self.subject, "level": self.level, "action": self.action, "thing": self.thing, "wrong": self.wrong(),
            "expected": {"status": self.expected.status, "cause": self.expected.cause,
                         "reasons": sorted(map(str, self.expected.reasons)), "rows": self.expected.rows},
            "got": {"status": self.status, "cause": self.cause, "reason": self.reason, "fault": self.fault},
            "trace": self.trace,
        }


class Matrix:
    def __init__(self, world, cast, by_owner):
        self.world, self.cast, self.by_owner = world, cast, by_owner
        self.cells, self.late = [], {}
        self.kept, self.lock, self.numbers = {}, threading.Lock(), itertools.count(1)
        self.absent = {kind: next(t for t in world.things if t.absent and t.kind == kind) for kind in (ANCHOR, MAP)}
        self.of_kind = {kind: [t for t in world.things if t.kind == kind] for kind in (ANCHOR, MAP)}

    def note(self, cell, answer):
        cell.trace, cell.status, cell.cause = answer.trace, answer.status, answer.cause
        with self.lock:
            self.cells.append(cell)

    # --- tokens -------------------------------------------------------------------------------------------------------

    def token_of_core(self, bearer, thing):
        """Asks the core function, which is a cell of its own; the token, or nothing."""
        subject, kind, level = bearer.subject, bearer.kind, bearer.level
        other = self.neighbour(thing)
        elements = None if level.elements is None else level.elements(thing, subject, other)
        apis = level.apis or tuple(APIS[kind])
        fields = {"scope": self.world.scope(ROLE[kind], apis)}
        if elements is not None:
            fields["authorization_details"] = json.dumps(levels.to_wire(elements))
        now = self.world.now()
        expected = grants.decide(self.world, subject, kind, apis, elements, now, self.by_owner)
        answer = self.world.ask_core(subject, fields)
        cell = Cell(subject.name, level.name, "token", thing.name, expected)
        got = answer.json() or {}
        if answer.status == 200 and expected.status == 200:
            granted = got.get("authorization_details")
            if elements is None and granted is not None:
                cell.fault = "names details that were not asked for"
            if elements is not None and levels.from_wire(granted or []) != frozenset(expected.details):
                cell.fault = f"grants {granted}"
        self.note(cell, answer)
        if answer.status != 200 or expected.status != 200:
            return None
        return Token(subject, frozenset(apis), expected.details, ROLE[kind]), got["access_token"]

    def token(self, bearer, thing):
        generic = bearer.level is None or bearer.level.generic
        if not generic:
            return self.token_of_core(bearer, thing)
        with self.lock:
            kept = self.kept.get(bearer)
            own = kept[2] if kept else self.kept.setdefault(bearer, [0, None, threading.Lock()])[2]
        with own:
            kept = self.kept[bearer]
            if kept[0] + KEPT_S < time.time():
                kept[1], kept[0] = self.fetch(bearer, thing), time.time()
            return kept[1]

    def fetch(self, bearer, thing):
        if bearer.ready is not None:
            return Token(bearer.subject, frozenset(APIS[bearer.kind]), None, ROLE[bearer.kind]), bearer.ready
        if bearer.scopes:
            audience, scopes = bearer.scopes
            return (Token(bearer.subject, frozenset(scopes), None, audience),
                    self.world.of_sim(bearer.subject, audience, scopes))
        if bearer.level:
            return self.token_of_core(bearer, thing)
        return None, None

    def neighbour(self, thing):
        things = [one for one in self.of_kind[thing.kind] if not one.absent]
        return things[(things.index(thing) + 1) % len(things)] if thing in things else things[0]

    # --- cells --------------------------------------------------------------------------------------------------------

    def unit(self, bearer, thing, first):
        """Every action on one object with one token."""
        got = self.token(bearer, thing)
        if got is None:
            return
        token, text = got
        if bearer.shown_by:
            token = dataclasses.replace(token, spoilt=frozenset(["HOLDER_WRONG"]))
        for action in OPERATIONS[thing.kind]:
            subject = bearer.subject
            if not requests_of.applies(action, thing, subject):
                continue
            if thing.absent and action == "replace_without_foreign_part":
                continue
            expected = self.expect(token, action, thing, subject)
            made = action in ("create", "subscribe")
            if made and expected.good and not first:
                continue  # does not depend on the object
            if expected.good and self.changes_who_may(action, thing, subject):
                with self.lock:
                    self.late.setdefault((action == "delete", thing.name, action, subject.name), (bearer, thing, action))
                continue
            self.ask(bearer, token, text, action, thing, expected)

    def expect(self, token, action, thing, subject):
        part = requests_of.part_of(action, thing, subject) if subject else None
        return rules.decide(token, action, thing, part, self.world.now())

    def changes_who_may(self, action, thing, subject):
        """What is asked last, since it changes what others are told: a deletion, and an entry that was not there."""
        new = action in ("update_own_part", "update_mixed") and requests_of.own_part(thing, subject) not in thing.parts
        return action == "delete" or new

    def ask(self, bearer, token, text, action, thing, expected):
        world, subject = self.world, bearer.subject
        method, url, body, media = requests_of.build(world, action, thing, subject, next(self.numbers))
        answer = world.send(bearer.shown_by or subject, text, method, url, body, media)
        cell = Cell(subject.name, bearer.name, action, thing.name, expected)
        if answer.status < 300 and expected.good:
            cell.fault = requests_of.faults(world, action, thing, token, answer, world.now())
        self.note(cell, answer)
        if action == "subscribe" and answer.status == 201:
            world.send(bearer.shown_by or subject, text, "DELETE", answer.headers["location"])
        return answer

    def last(self, work):
        """What was put off: entries that were not there, then deletions, one of each object."""
        deleted = set()
        for (is_deletion, name, action, _), (bearer, thing, _) in sorted(work.items(), key=lambda one: one[0]):
            if name in deleted:
                continue
            if is_deletion:
                deleted.add(name)
            got = self.token(bearer, thing)
            if got is None:
                continue
            expected = self.expect(got[0], action, thing, bearer.subject)
            answer = self.ask(bearer, *got, action, thing, expected)
            if not is_deletion and answer.status == 200:
                thing.parts[requests_of.own_part(thing, bearer.subject)] = bearer.subject
            if is_deletion and answer.status == 204:
                thing.absent = True
                self.ask(bearer, *got, "read", thing, self.expect(got[0], "read", thing, bearer.subject))

    def spoilt_requests(self, subject):
        """Token requests that are wrong in themselves (S2-1)."""
        other = next(one for one in self.cast.invokers if one is not subject)
        names = {"aef": self.world.aefs["san"], "sm": self.world.aefs["sm"], "id": self.world.invoker_ids[subject],
                 "other": self.world.invoker_ids[other]}
        for what, fields, status, error, reasons, rows in grants.spoilt(subject):
            sent = {}
            for name, value in fields.items():
                if name == "authorization_details":
                    sent[name] = value if isinstance(value, str) else json.dumps(value)
                else:
                    sent[name] = value.format(**names)
            cell = Cell(subject.name, what, "token", "-", grants.no(status, error, reasons, rows))
            self.note(cell, self.world.ask_core(subject, sent))
        scope = {"scope": self.world.scope("san", ["ssan-sanm"])}
        client = grants.no(401, "invalid_client", "CLIENT_AUTH_WRONG", "S2-0, S2-6b")
        # In the path of another, and over the certificate of another.
        self.note(Cell(subject.name, "foreign securityId", "token", "-", client),
                  self.world.ask_core(subject, scope, security=names["other"]))
        self.note(Cell(subject.name, "foreign certificate", "token", "-", client),
                  self.world.ask_core(subject, scope, party=self.world.parties[other]))

    def limited_requests(self):
        """What an enrolment or a negotiation leaves out is not granted (NA-6, S2-N1, S2-0)."""
        cast, world = self.cast, self.world
        cases = [(cast.bounded, "san", api, api == "ssan-sanm") for api in APIS[ANCHOR]]
        cases += [(cast.bounded, "sm", api, False) for api in APIS[MAP]]
        cases += [(cast.without_oauth, ROLE[kind], api, False) for kind in (ANCHOR, MAP) for api in APIS[kind]]
        yes = grants.Grant(200, None, frozenset([None]), None, "IMP-09")
        narrow = grants.no(400, "invalid_scope", {"METHOD_NOT_NEGOTIATED", "SCOPE_UNKNOWN", "NOT_ENTITLED"}, "NA-6, S2-N1")
        for subject, role, api, allowed in cases:
            answer = world.ask_core(subject, {"scope": world.scope(role, [api])})
            self.note(Cell(subject.name, f"coarse {api}", "token", "-", yes if allowed else narrow), answer)
