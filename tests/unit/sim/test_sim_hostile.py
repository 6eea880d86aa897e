"""Whatever is sent to whichever address, the answer is one that an engine gives, and the world stays whole."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from lxml import etree

from xcat_rhev.sim.call import SHAPES
from xcat_rhev.sim.dialect import Node, tree
from xcat_rhev.sim.resources import ROUTES
from xcat_rhev.sim.world import OWNERS

#: 500 is what an engine says to a document of another kind, and to ids that break its own checks.
ALLOWED = {200, 201, 202, 400, 404, 405, 409, 500}


def addresses(engine: Any, path: str) -> list[str]:
    """Fill a route's path with things that are there, and once with an id of something else."""
    words = path.split("/")
    for at, word in enumerate(words):
        if word.startswith("{"):
            things = engine.world.all(word[1:-1]) if word[1:-1] in engine.world.things else []
            words[at] = things[0]["id"] if things else "x"
    wrong = [engine.id("template", "Blank") if word.startswith("{") else word for word in path.split("/")]
    return ["/".join(words), "/".join(wrong)]


def every_body(dialect: Any) -> list[str]:
    """Give for each noun: nothing in it, everything in it with senseless values, and everything that is a reference."""
    bodies = ["", "<action/>", "<x/>", "<action><host/><vm/><network/><host_nics/><storage_domain/></action>"]
    for shape in {id(shape): shape for shape in SHAPES.values()}.values():
        bodies.append(f"<{shape.tag}/>")
        for value in ("", "-1", "true", "x" * 300, "99999999999999999999"):
            bodies.append(filled(tree(shape, dialect), value))
    wrapped = [f"<action>{body}</action>" for body in bodies if body.startswith(("<vm>", "<host>", "<network>"))]
    return bodies + wrapped


def filled(node: Node, value: str) -> str:
    """Write a document in which everything that the dialect knows stands, with one value."""
    attributes = "".join(f' {name}="{value}"' for name in node.attributes)
    inner = "".join(filled(kid, value) for kid in node.kids.values())
    if node.text is not None and node.text.kind == "ref":
        return f'<{node.tag} id="{value}"><name>{value}</name></{node.tag}>'
    return f"<{node.tag}{attributes}>{inner or (value if node.text is not None else '')}</{node.tag}>"


def plausible(engine: Any, node: Node, chance: random.Random) -> str:
    """Write a document with a part of what can stand there, words and references that fit."""
    inner = "".join(plausible(engine, kid, chance) for kid in node.kids.values() if chance.random() < 0.6)
    attributes = "".join(f' {name}="{value(engine, field, chance)}"' for name, field in node.attributes.items())
    if node.text is not None and node.text.kind == "ref":
        return f'<{node.tag} id="{value(engine, node.text, chance)}"/>'
    text = value(engine, node.text, chance) if node.text is not None and not inner else ""
    return f"<{node.tag}{attributes}>{inner or text}</{node.tag}>"


def value(engine: Any, field: Any, chance: random.Random) -> str:
    """Give a value that fits a field."""
    if field.kind == "ref":
        things = list(engine.world.things.get(field.to, {}))
        return str(chance.choice(things)) if things else "x"
    if field.words:
        return str(chance.choice(sorted(field.words)))
    return chance.choice(
        {"int": ["1", "2", "4096", "1073741824"], "bool": ["true", "false"]}.get(field.kind, ["a", "b", "c"])
    )


def whole(engine: Any) -> None:
    """Check that owners exist, that the indexes agree with the things, and that everything can be shown."""
    world = engine.world
    for kind, keys in OWNERS.items():
        keys = (*keys, "management_network") if kind == "cluster" else keys
        for thing in world.all(kind):
            for key in keys:
                target = key.replace("management_", "")
                if target in world.things and thing.get(key):
                    assert world.get(target, thing[key]) is not None, (kind, key, thing)
                    assert target != key or thing in world.of(kind, key, thing[key])
    for path in (
        "/vms",
        "/hosts",
        "/datacenters",
        "/clusters",
        "/networks",
        "/storagedomains",
        "/templates",
        "/tags",
        "/events",
    ):
        assert engine.get(path).status == 200


@pytest.mark.slow
@pytest.mark.parametrize("version", [(3, 0), (3, 6), (4, 5)])
def test_every_address_takes_every_body(make_engine: Any, version: tuple[int, int]) -> None:
    engine = make_engine(version)
    bodies = every_body(engine.dialect)
    for route in ROUTES:
        if not route.there(engine.dialect):
            continue
        for path in addresses(engine, route.path):
            for body in bodies if route.method in {"POST", "PUT"} else ["", "<action/>"]:
                answer = engine.call(route.method, path, body)
                assert answer.status in ALLOWED, (route.method, path, body, answer.body)
                if answer.body and answer.type == "application/xml":
                    etree.fromstring(answer.body)
        engine.later()
    whole(engine)


def _ends(shape: Any) -> tuple[str, str]:
    """Give the ends of the collection's and the item's path."""
    return "/" + shape.path.split("/")[-2], "/" + "/".join(shape.path.split("/")[-2:])


@pytest.mark.parametrize("seed", range(25))
def test_a_long_random_life_leaves_the_world_whole(make_engine: Any, seed: int) -> None:
    chance = random.Random(seed)
    engine = make_engine(chance.choice([(3, 0), (3, 6), (4, 5)]), hosts=3, vms=6)
    routes = [route for route in ROUTES if route.there(engine.dialect) and route.method != "GET"]
    shapes = list(SHAPES.values())
    for _ in range(400):
        route = chance.choice(routes)
        words = route.path.split("/")
        for at, word in enumerate(words):
            kind = word[1:-1] if word.startswith("{") else ""
            if kind and engine.world.things.get(kind):
                words[at] = chance.choice(list(engine.world.things[kind]))
        body = "<action/>"
        if route.method in {"POST", "PUT"} and not (route.action and chance.random() < 0.5):
            shape = chance.choice([one for one in shapes if route.path.endswith(_ends(one)) or route.action] or shapes)
            body = plausible(engine, tree(shape, engine.dialect), chance)
            body = f"<action>{body}</action>" if route.action else body
        answer = engine.call(route.method, "/".join(words), body)
        assert answer.status in ALLOWED, (route, body, answer.body)
        engine.later(chance.choice([0, 0.1, 0.5, 5]))
    kept = [engine.world.things, engine.world.schedule.dump(), engine.world.meta]
    assert json.loads(json.dumps(kept)) == kept, "a state file holds it as it is"
    engine.later(100)
    whole(engine)
