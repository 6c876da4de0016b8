"""The oracle: what the requirement rows say of a request, and why. Written from the rows that each rule cites and from the
outside contract (its sections 4 to 7), and from nothing of the program.

A verdict holds every reason that the rows leave open; where they name one, it is one."""

from words import ALL, ANCHOR, MAP, OPERATIONS, ROLE, WIRE, Verdict

NARROW = "S2-6c, S2-L1, S2-L2, FFS-02"


def granted(status, rows=""):
    return Verdict(status, None, frozenset([None]), rows)


def refused(reasons, rows, hidden=False):
    reasons = frozenset([reasons] if isinstance(reasons, str) else reasons)
    (wire,) = {WIRE["NOT_FOUND" if hidden else reason] for reason in reasons}
    return Verdict(*wire, reasons, rows)


# --- who may discover an object ---------------------------------------------------------------------------------------


def named(thing, subject):
    """Whether the rules name the subject (S3-I1b; contract section 7: lists are OR-ed, no identifier = any of the type)."""
    by_entity = any(
        kind in (None, subject.kind) and (name in subject.ids if name is not None else kind is not None)
        for kind, name in thing.entities
    )
    return by_entity or bool(set(thing.services) & subject.services)


def visibility(thing):
    """Absent: RESTRICTED where rules exist, else PRIVATE (contract section 7; S3-I1d: most restrictive)."""
    if thing.visibility:
        return thing.visibility
    return "RESTRICTED" if thing.entities or thing.services else "PRIVATE"


def owns(thing, subject):
    """The owner is the subject of the creating token (S3-4a)."""
    return thing.owner is subject


def denied(thing, subject, action):
    """Whether the owner keeps a denial at the core function, which overrides (sheet 4.3) and counts at every level of token
    (S3-I2); the owner is always allowed."""
    def about(who):
        if who is None:
            return subject.issuer == "ccf"
        return who is subject or who in subject.services

    return not owns(thing, subject) and any(about(who) and action in actions for who, actions in thing.denials)


def unlisted(thing, subject):
    """A denied one may not be named either; the rows do not say which is told."""
    return {"NOT_ALLOWED_ENTITY"} if visibility(thing) == "RESTRICTED" and not named(thing, subject) else set()


def hidden(thing, subject, now):
    """Why an object is not there for the subject, as a refusal; `None` when it is."""
    if thing.absent:
        return refused("NOT_FOUND", "T1, T2")
    if owns(thing, subject):
        return None  # contract section 7: the owner is always allowed, also outside `timePeriod`
    if denied(thing, subject, "discover"):
        return refused({"OWNER_DENIED", *unlisted(thing, subject)}, "S3-I2, S3-7b", hidden=True)
    said = visibility(thing)
    if said == "PRIVATE":  # ignores rules (contract section 7)
        return refused("NOT_VISIBLE", "S3-I1d, S3-I2")
    if said == "RESTRICTED" and not named(thing, subject):
        return refused("NOT_ALLOWED_ENTITY", "S3-I1b, S3-I2, KI1-3")
    if thing.period and not thing.period[0] <= now <= thing.period[1]:
        return refused("OUTSIDE_PERIOD", "contract 7: others get 404")
    if thing.area and subject.kind == "VAL_CLIENT":  # IMP-47; a VAL server is at no place
        west, south, east, north = thing.area
        if not (west <= subject.place[0] <= east and south <= subject.place[1] <= north):
            # May discover it, and is told so: the cause of contract section 6.
            return refused("OUTSIDE_AREA", "IMP-47, contract 6")
    return None


def provides(thing, subject):
    """Whether the subject keeps service information of its own there: the owner, or a listed VAL server (S2-L3, contract
    section 7; S3-I1d: universal visibility implies no update; PRIVATE ignores rules)."""
    if owns(thing, subject):
        return True
    return subject.kind == "VAL_SERVER" and visibility(thing) != "PRIVATE" and named(thing, subject)


# --- what a token opens -----------------------------------------------------------------------------------------------


def holds(token, kind, action, thing=None, part=None):
    """Whether a token of the core function grants an action on the service (no `thing`), on an object, or on one entry of its
    service information (sheet 4.2: three levels; SERVICE_INFO grants nothing on the body)."""
    if token.details is None:
        return True
    for element in token.details:
        if element.kind != kind or action not in element.actions:
            continue
        if element.level == "SERVICE":
            return True
        if thing is None or element.thing != thing.identifier:
            continue
        if element.level == "INSTANCE":
            return True
        if part is not None and (element.parts == ALL or part in element.parts):
            return True
    return False


def names_any_of(token, kind, actions, thing):
    """Whether the token names the object, or a part of it, for any of these actions. Decided before it is looked whether there
    is one (T2, S3-6; design section 2: told plainly up to `operation`)."""
    if token.details is None:
        return True
    return any(
        element.kind == kind and element.actions & actions
        and (element.level == "SERVICE" or of_path(element.thing, kind) == of_path(thing.identifier, kind))
        for element in token.details
    )


def of_path(identifier, kind):
    """What of an identifier the path of a request names: the list of an anchor."""
    return identifier.rsplit("/", 1)[0] if kind == ANCHOR else identifier


def credential(token):
    """The stages before `operation`."""
    if token is None:
        return refused("TOKEN_MISSING", "NA-1 to NA-4, KI1-R1")
    lost = token.spoilt | token.subject.lost
    return refused(lost, "S2-6b, S2-6d, IMP-09, IMP-13, IMP-14") if lost else None


def opens(token, kind, action, thing):
    """The stage `operation`: the scope is the gate, details only narrow it (FFS-02, S2-6c)."""
    api, verb, scope, _ = OPERATIONS[kind][action]
    if token.audience != ROLE[kind]:
        return refused("AUDIENCE_WRONG", "S2-6d, NB-2")
    if token.subject.issuer == "sim":
        return None if scope in token.opens else refused("SCOPE_NARROW", "NB-2, contract 4")
    if api not in token.opens:
        return refused("SCOPE_NARROW", NARROW)
    if action == "create" or action == "subscribe":  # no object is named: the service
        return None if holds(token, kind, verb) else refused("DETAILS_NARROW", NARROW)
    if action == "discover":  # each object that is found is asked for
        some = token.details is None or any(element.kind == kind and verb in element.actions for element in token.details)
        return None if some else refused("DETAILS_NARROW", NARROW)
    # A PUT or PATCH of a list may add and remove anchors: which actions it needs is told by its difference (sheet 4.2).
    verbs = {"update", "create", "delete"} if verb == "update" and kind == ANCHOR else {verb}
    return None if names_any_of(token, kind, verbs, thing) else refused("DETAILS_NARROW", NARROW)


# --- the decision -----------------------------------------------------------------------------------------------------


def touched(action, subject):
    """What a change touches: the body, and entries by whether they are the subject's own (S2-L3)."""
    return {
        "update_body": (True, ()),
        "update_own_part": (False, ("own",)),
        "update_foreign_part": (False, ("foreign",)),
        "update_mixed": (True, ("own",)),
        "replace_without_foreign_part": (False, ("foreign",)),
    }[action]


def decide(token, action, thing, part, now):
    """The verdict on an action of the bearer of `token` on an object; `part` is the entry of service information that the
    request touches, if it does."""
    kind = thing.kind
    _, verb, _, status = OPERATIONS[kind][action]
    no = credential(token) or opens(token, kind, action, thing)
    if no:
        return no
    subject = token.subject
    if action in ("create", "subscribe"):
        return granted(status, "S2-D1, S2-L1")
    shut = hidden(thing, subject, now)
    if action == "discover":
        return granted(status, "S2-D1, KI1-1")  # what is found: `finds`
    whole = holds(token, kind, verb, thing)
    if action in ("read", "localize"):
        if kind == MAP and not whole:
            return refused("DETAILS_NARROW", NARROW)  # the level grants nothing on the body
        if shut:
            return shut
        if denied(thing, subject, verb):
            return refused("OWNER_DENIED", "S3-7b")
        if not whole:  # nothing of the list is both named and open: as if there were none (S2-L2)
            return refused({"NOT_FOUND", "NOT_VISIBLE"}, "S2-L2, S2-L3")
        return granted(status, "S2-L1, S2-L2")
    if action == "delete":
        if kind == MAP and not whole:
            return refused("DETAILS_NARROW", NARROW)
        if shut:
            return shut
        if not owns(thing, subject):
            return refused("NOT_OWNER", "S3-I2, contract 7")
        return granted(status, "S2-D1") if whole else refused("DETAILS_NARROW", NARROW)
    if shut:
        return shut
    body, parts = touched(action, subject)
    no = may_touch(thing, subject, action, body, parts, part)
    if no:
        return no
    # Every part that is touched needs its grant, all or nothing (sheet 4.2).
    if body and not whole or parts and not holds(token, kind, verb, thing, part):
        return refused("DETAILS_NARROW", "S2-L3, S2-6c")
    return granted(status, "S2-L3")


def may_touch(thing, subject, action, body, parts, part):
    """Whose the touched parts are (S2-L3, IMP-45; contract section 7)."""
    if denied(thing, subject, "update"):
        # It may be refused for more than that; the rows do not say what is told first.
        return refused({"OWNER_DENIED", "NOT_OWNER", "PART_OF_OTHER_PROVIDER"}, "S3-7b")
    if not owns(thing, subject):
        if body or action == "replace_without_foreign_part" or not provides(thing, subject):
            return refused("NOT_OWNER", "S2-L3, S3-I1d, contract 7")
    if parts and part in thing.parts and thing.parts[part] is not subject:
        return refused("PART_OF_OTHER_PROVIDER", "S2-L3, IMP-45")
    return None


def finds(token, thing, now):
    """Whether a granted discovery shows the object (KI1-1, S2-L2: only what the token names and what stands open)."""
    return hidden(thing, token.subject, now) is None and (
        token.subject.issuer == "sim" or holds(token, thing.kind, "discover", thing))


def shows_all(thing, subject):
    """Whether a reader is shown rules and premises: the creator's only (T3b, S3-11, FFS-11, contract section 7)."""
    return owns(thing, subject)


def locates(thing, subject):
    """Whom a localization shows: the UEs in a map to the VAL server that owns it, the own UE to a user, else nobody (FFS-11)."""
    if subject.kind == "VAL_CLIENT":
        return "self"
    return "all" if owns(thing, subject) else "none"
