"""The published OpenAPI documents as JSON Schemas, so that what is on the wire can be held against them."""

import copy
import pathlib

import jsonschema
import referencing
import yaml


class Documents:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.loaded = {}
        self.registry = referencing.Registry(retrieve=self._retrieve)

    def load(self, name):
        if name not in self.loaded:
            text = (self.folder / name).read_text(encoding="utf-8")
            self.loaded[name] = adapt(yaml.load(text, Loader=yaml.CSafeLoader))
        return self.loaded[name]

    def _retrieve(self, uri):
        return referencing.Resource(contents=self.load(uri), specification=referencing.jsonschema.DRAFT4)

    def faults(self, name, schema, instance):
        """Where `instance` breaks a schema of the document `name`."""
        if isinstance(schema, str):
            schema = {"$ref": f"{name}{schema}"}
        else:
            schema = absolute(schema, name)
        validator = jsonschema.Draft4Validator(schema, registry=self.registry)
        return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in validator.iter_errors(instance)]

    def correct(self, name, where, published, right):
        """Reads a fault of a published document as it is meant, from now on. What is published is named, so that a
        document that is corrected some day is noticed here and the correction goes."""
        *parents, member = where.split("/")
        node = self.load(name)
        for parent in parents:
            node = node[parent]
        if node[member] != published:
            raise SystemExit(f"{name} no longer has {published} at {where}: take the correction away")
        node[member] = right
        # What was resolved before has the fault.
        self.registry = referencing.Registry(retrieve=self._retrieve)

    def operation(self, name, method, path):
        """The operation of a path as it is on the wire, e.g. `/anchors-lists/abc`."""
        for template, item in self.load(name)["paths"].items():
            mine, its = path.strip("/").split("/"), template.strip("/").split("/")
            if len(mine) == len(its) and all(t.startswith("{") or t == m for m, t in zip(mine, its)):
                if method.lower() in item:
                    return item[method.lower()]
        raise KeyError(f"{name} has no {method} {path}")


def adapt(node):
    """OpenAPI 3.0 `nullable` in the words of JSON Schema."""
    if isinstance(node, list):
        return [adapt(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {str(key): adapt(value) for key, value in node.items()}
    if node.pop("nullable", False) is True:
        return {"anyOf": [{"type": "null"}, node]}
    return node


def absolute(node, name):
    """A copy in which references into the same document name that document."""
    if isinstance(node, list):
        return [absolute(item, name) for item in node]
    if not isinstance(node, dict):
        return copy.copy(node)
    return {
        key: f"{name}{value}" if key == "$ref" and value.startswith("#") else absolute(value, name)
        for key, value in node.items()
    }
