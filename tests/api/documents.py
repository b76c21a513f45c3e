"""The API's two documents, and answers held against them: openapi.yaml, ours, and the extract of the
public document of the service whose API it is, where that lies beside the repository."""

import copy
import functools
import json
import pathlib
import re

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
REFERENCE = "reference/clickpipes-mysql.openapi.json"
METHODS = ("get", "put", "post", "patch", "delete")


def _is_time(text):
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text) is not None


def _is_uuid(text):
    return re.fullmatch(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", text) is not None


FORMATS = jsonschema.FormatChecker(formats=())
for _name, _check in (("date-time", _is_time), ("uuid", _is_uuid)):
    FORMATS.checks(_name)(lambda value, check=_check: not isinstance(value, str) or check(value))


class Document:
    """An OpenAPI 3.1 document: its schemas are JSON Schema of 2020-12."""

    def __init__(self, document):
        self.document = document

    def paths(self):
        """(path, method, operation) of each."""
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield path, method, item[method]

    def resolve(self, node):
        while "$ref" in node:
            target = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def template(self, path):
        """The path of the document that a path of a request is an instance of."""
        segments = path.split("?")[0].strip("/").split("/")
        for template in self.document["paths"]:
            parts = template.strip("/").split("/")
            if len(parts) == len(segments) and all(
                    part.startswith("{") or part == segment
                    for part, segment in zip(parts, segments)):
                return template
        return None

    def answer(self, path, method, status):
        """The description of an answer; None where the document knows none."""
        template = self.template(path)
        if template is None or method.lower() not in self.document["paths"][template]:
            return None
        answers = self.document["paths"][template][method.lower()]["responses"]
        return self.resolve(answers[str(status)]) if str(status) in answers else None

    def problems(self, schema, value):
        """What is wrong with a value, a line each."""
        validator = jsonschema.Draft202012Validator(
            {**schema, "components": self.document["components"]}, format_checker=FORMATS)
        return [f"{error.json_path}: {error.message[:300]}" for error in
                validator.iter_errors(value)]


def closed(document):
    """The document with its objects closed: a field it does not name is a mistake. (What clients
    send may have others, what the server answers may not.)"""
    document = copy.deepcopy(document)
    parts = set()

    def visit(node):
        if isinstance(node, list):
            for each in node:
                visit(each)
        if not isinstance(node, dict):
            return
        parts.update(each["$ref"].split("/")[-1] for each in node.get("allOf", []) if "$ref" in each)
        if (isinstance(node.get("properties"), dict) or "allOf" in node) and \
                "additionalProperties" not in node:
            node["unevaluatedProperties"] = False
        for each in node.values():
            visit(each)
    visit(document)
    for name in parts:  # of which others are made
        document["components"]["schemas"][name].pop("unevaluatedProperties", None)
    return document


@functools.lru_cache
def ours():
    return Document(closed(yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))))


@functools.lru_cache
def reference():
    """None where it is not there."""
    for folder in ROOT.parents:
        for path in (folder / REFERENCE, folder / "shared" / REFERENCE):
            if path.exists():
                return Document(json.loads(path.read_text(encoding="utf-8")))
    return None
