"""The tokens that are asked for: coarse ones, and each of the three levels of solution #2 with the right object, another, an
absent one, and parts of one's own and of others."""

import dataclasses

from grants import ACTIONS
from requests_of import foreign_part, own_part
from words import ALL, ANCHOR, APIS, MAP, ROLE, Element


@dataclasses.dataclass(frozen=True)
class Level:
    """A token to be asked for. `elements(thing, subject, other)`; none: a coarse token. Generic ones are of no object."""

    name: str
    apis: tuple = None  # None: all
    elements: object = None
    generic: bool = True


def service(kind, *actions):
    return Element(kind, "SERVICE", frozenset(actions or ACTIONS[kind]))


def instance(kind, identifier, *actions):
    return Element(kind, "INSTANCE", frozenset(actions or ACTIONS[kind]), identifier)


def info(kind, identifier, parts, *actions):
    parts = ALL if parts == ALL else frozenset(parts)
    return Element(kind, "SERVICE_INFO", frozenset(actions or ["update"]), identifier, parts)


def levels(kind, absent):
    """All levels of one kind of object. `absent`: one that is not there."""
    other_kind = MAP if kind == ANCHOR else ANCHOR
    found = [Level("coarse")]
    found += [Level(f"coarse {api}", (api,)) for api in APIS[kind]]
    found += [Level("SERVICE", elements=lambda *_: [service(kind)])]
    for action in sorted(ACTIONS[kind]):
        found.append(Level(f"SERVICE {action}", elements=lambda *_, action=action: [service(kind, action)]))
    found.append(Level("SERVICE of the other kind", elements=lambda *_: [service(other_kind, "read")]))

    def of_thing(name, elements):
        found.append(Level(name, elements=elements, generic=False))

    of_thing("INSTANCE", lambda thing, *_: [instance(kind, thing.identifier)])
    for action in sorted(ACTIONS[kind] - {"create"}):
        of_thing(f"INSTANCE {action}", lambda thing, *_, action=action: [instance(kind, thing.identifier, action)])
    of_thing("INSTANCE of another", lambda thing, subject, other: [instance(kind, other.identifier)])
    of_thing("INSTANCE of an absent one", lambda *_: [instance(kind, absent.identifier)])
    if kind == ANCHOR:
        of_thing("INSTANCE of an absent one of the list",
                 lambda thing, *_: [instance(kind, f"{thing.list}/{absent.number}")])
        of_thing("INSTANCE of its number in another list",
                 lambda thing, subject, other: [instance(kind, f"{other.list}/{thing.number}")])
    of_thing("INSTANCE of both", lambda thing, subject, other: [
        instance(kind, other.identifier, "read", "update"), instance(kind, thing.identifier, "read", "discover")])
    of_thing("SERVICE_INFO own", lambda thing, subject, _: [info(kind, thing.identifier, [own_part(thing, subject)])])
    of_thing("SERVICE_INFO foreign", lambda thing, subject, _: [
        info(kind, thing.identifier, [foreign_part(thing, subject) or "nobody"])])
    of_thing("SERVICE_INFO own and foreign", lambda thing, subject, _: [
        info(kind, thing.identifier, [own_part(thing, subject), foreign_part(thing, subject) or "nobody"], "read", "update")])
    of_thing("SERVICE_INFO ALL", lambda thing, *_: [info(kind, thing.identifier, ALL, "read", "update")])
    of_thing("SERVICE_INFO own in another", lambda thing, subject, other: [
        info(kind, other.identifier, [own_part(thing, subject)])])
    of_thing("INSTANCE read and SERVICE_INFO own", lambda thing, subject, _: [
        instance(kind, thing.identifier, "read"), info(kind, thing.identifier, [own_part(thing, subject)])])
    of_thing("SERVICE read and INSTANCE update", lambda thing, *_: [
        service(kind, "read"), instance(kind, thing.identifier, "update")])
    return found


def to_wire(elements):
    """`authorization_details` of a request."""
    told = []
    for element in elements:
        one = {"type": element.kind, "level": element.level, "actions": sorted(element.actions)}
        if element.thing:
            one["identifier"] = element.thing
        if element.level == "SERVICE_INFO":
            one["datatypes"] = ["service-info"]
            one |= {"servInfoScope": ALL} if element.parts == ALL else {"servInfoIds": sorted(element.parts)}
        told.append(one)
    return told


def from_wire(told):
    """What an answer says was granted."""
    def parts(one):
        if one["level"] != "SERVICE_INFO":
            return None
        return ALL if one.get("servInfoScope") == ALL else frozenset(one["servInfoIds"])

    return frozenset(
        Element(one["type"], one["level"], frozenset(one["actions"]), one.get("identifier"), parts(one)) for one in told)


# Tokens of the SIM-S have scopes and no levels (contract, section 4).
def of_sim(kind):
    role = ROLE[kind]
    scopes = {
        "san": ["san.read", "san.write", "san.discover"],
        "sm": ["sm.read", "sm.write", "sm.localize"],
    }
    own = [f"3gpp:seal:{scope}" for scope in scopes[role]]
    other = "sm" if role == "san" else "san"
    return [("all scopes", role, own), *[(scope.rsplit(".", 1)[1], role, [scope]) for scope in own],
            ("of the other server", other, [f"3gpp:seal:{scope}" for scope in scopes[other]])]
