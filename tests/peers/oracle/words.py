"""The words of the oracle: subjects, objects, tokens, verdicts, and the tables of the outside contract."""

import dataclasses

ANCHOR, MAP = "3gpp_spatial_anchor", "3gpp_spatial_map"
ALL = "ALL"

# What each reason is on the wire (contract, section 6). From the stage `resource` on, whoever may not discover the object
# is told one 404 (T1, T2, S3-6).
WIRE = {
    None: (None, None),
    "TOKEN_MISSING": (401, "TOKEN_MISSING"),
    "HOLDER_WRONG": (401, "INVALID_TOKEN"),
    "AUDIENCE_WRONG": (401, "INVALID_TOKEN"),
    "EXPIRED": (401, "INVALID_TOKEN"),
    "REVOKED_TOKEN": (401, "INVALID_TOKEN"),
    "REVOKED_SUBJECT": (401, "INVALID_TOKEN"),
    "REVOKED_CLIENT": (401, "INVALID_TOKEN"),
    "REVOKED_KEY": (401, "INVALID_TOKEN"),
    "SCOPE_NARROW": (403, "INSUFFICIENT_SCOPE"),
    "DETAILS_NARROW": (403, "INSUFFICIENT_SCOPE"),
    "NOT_OWNER": (403, "UNAUTHORIZED_OPERATION"),
    "PART_OF_OTHER_PROVIDER": (403, "UNAUTHORIZED_OPERATION"),
    "OUTSIDE_AREA": (403, "OUTSIDE_SERVICE_AREA"),
    "NOT_FOUND": (404, "RESOURCE_NOT_FOUND"),
    "NOT_VISIBLE": (404, "RESOURCE_NOT_FOUND"),
    "NOT_ALLOWED_ENTITY": (404, "RESOURCE_NOT_FOUND"),
    "OUTSIDE_PERIOD": (404, "RESOURCE_NOT_FOUND"),
    "OWNER_DENIED": (403, "UNAUTHORIZED_OPERATION"),
}


@dataclasses.dataclass(frozen=True)
class Subject:
    """Who asks: an API invoker (S2-D2), a VAL server of the SIM-S, or a VAL user at a VAL UE (S3-I3)."""

    name: str
    issuer: str  # ccf | sim
    kind: str  # VAL_SERVER | VAL_CLIENT
    ids: frozenset  # what an allowed entity may name it by
    services: frozenset = frozenset()  # VAL services of its tokens
    place: tuple = None  # longitude, latitude
    provider: str = None  # as what it provides service information
    lost: frozenset = frozenset()  # why none of its tokens is good any more


@dataclasses.dataclass
class Thing:
    """An anchor, alone in its list, or a map. `number` is `None` until it is made; an absent one is never made."""

    name: str
    kind: str
    owner: Subject
    visibility: str = None
    entities: tuple = ()  # (type, identifier or None)
    services: tuple = ()
    period: tuple = None  # start, stop
    area: tuple = None  # west, south, east, north
    parts: dict = dataclasses.field(default_factory=dict)  # servInfoId -> Subject
    denials: tuple = ()  # (Subject, VAL service or None for every API invoker; actions), kept by its owner at the core function
    absent: bool = False
    list: str = None
    number: int = None

    @property
    def identifier(self):
        return f"{self.list}/{self.number}" if self.kind == ANCHOR else str(self.number)


@dataclasses.dataclass(frozen=True)
class Element:
    """An element of `authorization_details` (sheet 4.2)."""

    kind: str
    level: str  # SERVICE | INSTANCE | SERVICE_INFO
    actions: frozenset
    thing: str = None  # identifier
    parts: object = None  # frozenset of servInfoIds, or ALL


@dataclasses.dataclass(frozen=True)
class Token:
    """A token as it was granted. `details` of none: a coarse one (sheet 4.2: legacy scope stays the gate)."""

    subject: Subject
    opens: frozenset  # CAPIF: names of APIs; SIM-S: scopes
    details: tuple = None
    audience: str = None  # san | sm
    spoilt: frozenset = frozenset()  # reasons for which it is worth nothing


@dataclasses.dataclass(frozen=True)
class Verdict:
    status: int
    cause: str
    reasons: frozenset
    rows: str = ""

    @property
    def good(self):
        return self.status < 400


# action of the matrix -> API (path), action of sheet 4.2, scope of contract section 4, status when granted, role
OPERATIONS = {
    ANCHOR: {
        "create": ("ssan-sanm", "create", "3gpp:seal:san.write", 201),
        "read": ("ssan-sanm", "read", "3gpp:seal:san.read", 200),
        "update_body": ("ssan-sanm", "update", "3gpp:seal:san.write", 200),
        "update_own_part": ("ssan-sanm", "update", "3gpp:seal:san.write", 200),
        "update_foreign_part": ("ssan-sanm", "update", "3gpp:seal:san.write", 200),
        "update_mixed": ("ssan-sanm", "update", "3gpp:seal:san.write", 200),
        "replace_without_foreign_part": ("ssan-sanm", "update", "3gpp:seal:san.write", 200),
        "delete": ("ssan-sanm", "delete", "3gpp:seal:san.write", 204),
        "discover": ("ssan-disc", "discover", "3gpp:seal:san.discover", 200),
        "subscribe": ("ssan-sanm", "subscribe", "3gpp:seal:san.discover", 201),
    },
    MAP: {
        "create": ("ssm-smm", "create", "3gpp:seal:sm.write", 201),
        "read": ("ssm-smm", "read", "3gpp:seal:sm.read", 200),
        "update_body": ("ssm-smm", "update", "3gpp:seal:sm.write", 200),
        "update_own_part": ("ssm-smm", "update", "3gpp:seal:sm.write", 200),
        "update_foreign_part": ("ssm-smm", "update", "3gpp:seal:sm.write", 200),
        "update_mixed": ("ssm-smm", "update", "3gpp:seal:sm.write", 200),
        "replace_without_foreign_part": ("ssm-smm", "update", "3gpp:seal:sm.write", 200),
        "delete": ("ssm-smm", "delete", "3gpp:seal:sm.write", 204),
        "discover": ("ssm-disc", "discover", "3gpp:seal:sm.read", 200),
        "subscribe": ("ssm-smm", "subscribe", "3gpp:seal:sm.write", 201),
        "localize": ("ssm-loc", "localize", "3gpp:seal:sm.localize", 200),
    },
}
APIS = {kind: sorted({row[0] for row in rows.values()}) for kind, rows in OPERATIONS.items()}
ROLE = {ANCHOR: "san", MAP: "sm"}
