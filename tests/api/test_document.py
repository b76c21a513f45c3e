"""openapi.yaml is OpenAPI 3.1, as the schema of the OpenAPI Initiative has it."""

import json
import unittest

import jsonschema
import yaml

from documents import ROOT, METHODS
from harness.case import required
from harness.process import cache_folder

Validator = jsonschema.Draft202012Validator


class OpenApiDocument(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.document = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))

    def validator(self):
        """Of documents; the schemas in them are looked at by themselves."""
        folder = cache_folder() / "openapi"
        if not folder.exists() and not required("openapi"):
            self.skipTest("the schema of OpenAPI is not there: tools/setup.sh openapi")
        schemas = [json.loads(path.read_text(encoding="utf-8")) for path in folder.rglob("*.json")]
        by_id = {schema["$id"]: schema for schema in schemas}
        base = next(schema for name, schema in by_id.items() if "/schema-base/" in name)
        return Validator(base, resolver=jsonschema.RefResolver.from_schema(base, store=by_id))

    def errors(self, document):
        return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
                for error in self.validator().iter_errors(document)]

    def test_is_openapi(self):
        self.assertEqual([], self.errors(self.document))

    def test_what_is_none_is_told(self):
        path = next(iter(self.document["paths"]))
        broken = json.loads(json.dumps(self.document))
        method = next(method for method in METHODS if method in broken["paths"][path])
        broken["paths"][path][method]["responses"] = {"all": {}}
        self.assertTrue(self.errors(broken))

    def test_schemas_are_json_schema(self):
        for name, schema in self.document["components"]["schemas"].items():
            with self.subTest(name):
                Validator.check_schema(schema)

    def test_references_lead_somewhere(self):
        def references(node):
            if isinstance(node, dict):
                yield from ([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
                node = list(node.values())
            for part in node if isinstance(node, list) else []:
                yield from references(part)
        for reference in set(references(self.document)):
            target = self.document
            for part in reference.removeprefix("#/").split("/"):
                self.assertIn(part, target, reference)
                target = target[part]


if __name__ == "__main__":
    unittest.main()
