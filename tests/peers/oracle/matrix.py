"""The matrix subjects × actions × resources × visibility × token level, asked over the wire and held against the oracle:
verdict and reason of every cell.

    python tests/peers/oracle/matrix.py [--cells N | --all] [--seed N] [--owner-policy on|off|probe] [--json FILE]

Reads METASEAL_READY. Prints a table; exits 1 on any mismatch, which the JSON file then names cell by cell."""

import argparse
import collections
import concurrent.futures
import dataclasses
import json
import os
import random
import sys
import time

import cast as people
import grants
import levels
import lists
from asking import Bearer, Matrix
from words import ALL, ANCHOR, APIS, MAP, ROLE, Element
from world import World

THREADS = 4
FUNCTIONS = ["san", "sm", "ccf"]


def bearers(matrix):
    """Every way to come, with the kinds of objects that it is tried on."""
    world, cast = matrix.world, matrix.cast
    found = []
    for kind in (ANCHOR, MAP):
        for subject in cast.invokers:
            for level in levels.levels(kind, matrix.absent[kind]):
                found.append(Bearer(subject, kind, level.name, level=level))
        for subject in cast.sim:
            for name, audience, scopes in levels.of_sim(kind):
                found.append(Bearer(subject, kind, name, scopes=(audience, tuple(scopes))))
        for subject in cast.lost:
            found.append(Bearer(subject, kind, "coarse, of before", ready=cast.lost_tokens[(subject, ROLE[kind])]))
        thief, victim = cast.invokers[4], cast.invokers[0]
        coarse = levels.Level("coarse")
        found.append(Bearer(victim, kind, "stolen by another invoker", level=coarse, shown_by=thief))
        found.append(Bearer(victim, kind, "stolen by a VAL server of the SIM-S", level=coarse, shown_by=cast.sim[0]))
        server = cast.sim[0]
        scopes = levels.of_sim(kind)[0]
        found.append(Bearer(server, kind, "stolen by an invoker", scopes=(scopes[1], tuple(scopes[2])), shown_by=victim))
        found.append(Bearer(victim, kind, "none"))
        found.append(Bearer(cast.sim[-1], kind, "none"))
    return found


def sample(matrix, ways, wanted, seed):
    """Units of work: for each way to come the same share of the objects, drawn by `seed`."""
    draw = random.Random(seed)
    whole = sum(len(matrix.of_kind[way.kind]) for way in ways)
    # So many cells come of a unit, as counted with `--all`; a token that is refused is used for none.
    share = 1.0 if wanted is None else min(1.0, wanted / ((6.0 if matrix.by_owner else 8.6) * whole))
    units = []
    for way in ways:
        things = matrix.of_kind[way.kind]
        count = max(2, round(share * len(things)))
        chosen = draw.sample(things, min(count, len(things)))
        if matrix.absent[way.kind] not in chosen and draw.random() < 0.25:
            chosen.append(matrix.absent[way.kind])
        units += [(way, thing, number == 0) for number, thing in enumerate(chosen)]
    draw.shuffle(units)
    return units


def owner_policy(world, cast):
    """Whether solution #3 is in force: a token for an object that is not there is refused."""
    fields = {"scope": world.scope("san", ["ssan-sanm"]), "authorization_details": json.dumps(
        [{"type": ANCHOR, "level": "INSTANCE", "identifier": "no-such-list/1", "actions": ["read"]}])}
    return world.ask_core(cast.invokers[4], fields).expect(200, 400).status == 400


def settle(world, cast):
    """Waits until the core function knows of every object (S3-4a, IMP-15): until then it stays private."""
    until = time.time() + 60
    for thing in world.things:
        if thing.absent:
            continue
        for subject in cast.invokers:
            element = Element(thing.kind, "SERVICE_INFO", frozenset(["update"]), thing.identifier, ALL)
            for element in (element, dataclasses.replace(element, level="INSTANCE", actions=frozenset(["read"]), parts=None)):
                expected = grants.decide(world, subject, thing.kind, APIS[thing.kind], [element], world.now(), True)
                fields = {"scope": world.scope(ROLE[thing.kind], APIS[thing.kind]),
                          "authorization_details": json.dumps(levels.to_wire([element]))}
                while expected.status == 200 and time.time() < until:
                    got = world.ask_core(subject, fields)
                    if got.status == 200 and levels.from_wire(got.json()["authorization_details"]) == frozenset(expected.details):
                        break
                    time.sleep(0.2)


def run(arguments):
    began = time.time()
    world = World(json.load(open(os.environ["METASEAL_READY"])))
    cast = people.people(world)
    kept = {}

    def tokens(subject, kind):
        """A coarse token, to make the world with."""
        if (subject, kind) not in kept:
            role = ROLE[kind]
            kept[(subject, kind)] = (world.coarse(subject, role, APIS[kind]) if subject.issuer == "ccf"
                                     else world.of_sim(subject, role, levels.of_sim(kind)[0][2]))
        return kept[(subject, kind)]

    by_owner = {"on": True, "off": False, "probe": None}[arguments.owner_policy]
    if by_owner is None:
        by_owner = owner_policy(world, cast)
    lists.make(world, cast, tokens)
    people.objects(world, cast, tokens, by_owner, settle if by_owner else lambda *_: None)
    print(f"world of {len(cast.invokers) + 5} API invokers, {len(cast.sim)} parties of the SIM-S, {len(world.things)} anchors "
          f"and maps, {len(world.shelves)} lists of several, in {time.time() - began:.0f} s", flush=True)
    print(f"the owner's policy decides at the core function: {'yes' if by_owner else 'no'}", flush=True)

    matrix = Matrix(world, cast, by_owner)
    heads = world.admin.heads(FUNCTIONS)
    began = time.time()
    units = sample(matrix, bearers(matrix), None if arguments.all else arguments.cells, arguments.seed)
    with concurrent.futures.ThreadPoolExecutor(THREADS) as threads:
        for done in [threads.submit(matrix.unit, *unit) for unit in units]:
            done.result()
    lists.run(matrix)
    for subject in cast.invokers:
        matrix.spoilt_requests(subject)
    matrix.limited_requests()
    matrix.last(matrix.late)
    asked = time.time() - began
    reasons = world.admin.reasons(heads, {cell.trace for cell in matrix.cells})
    for cell in matrix.cells:
        cell.reason = reasons.get(cell.trace)
    return report(matrix.cells, asked, arguments)


def report(cells, seconds, arguments):
    rows = collections.defaultdict(collections.Counter)
    wrong = [cell for cell in cells if cell.wrong()]
    for cell in cells:
        row = rows[cell.subject]
        row["cells"] += 1
        row["granted"] += cell.status < 400
        row["refused"] += cell.status >= 400
        row["wrong"] += bool(cell.wrong())
    columns = ["cells", "granted", "refused", "wrong"]
    print(f"{'subject':24}" + "".join(f"{column:>9}" for column in columns))
    for name, row in rows.items():
        print(f"{name:24}" + "".join(f"{row[column]:9}" for column in columns))
    told = collections.Counter(reason for cell in cells if (reason := cell.reason))
    print("reasons: " + ", ".join(f"{reason} {count}" for reason, count in told.most_common()))
    print(f"{len(cells)} cells over the wire in {seconds:.0f} s, seed {arguments.seed}: {len(wrong)} mismatches")
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump([cell.told() for cell in wrong], file, indent=1)
    for cell in wrong[:10]:
        print(json.dumps(cell.told()))
    if len(cells) < arguments.least:
        print(f"fewer than {arguments.least} cells")
        return 1
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--cells", type=int, default=26_000, help="about so many cells")
    parser.add_argument("--least", type=int, default=20_000, help="fewer are a failure")
    parser.add_argument("--all", action="store_true", help="every cell")
    parser.add_argument("--seed", type=int, default=1, help="which cells are drawn")
    parser.add_argument("--owner-policy", choices=["on", "off", "probe"], default="on", help="whether solution #3 is in force")
    parser.add_argument("--json", help="where mismatches are written")
    sys.exit(run(parser.parse_args()))


if __name__ == "__main__":
    main()
