"""Bodies made of a schema: some that fit it, and some that are wrong in one place."""

import random

WORDS = ("a", "shop", "x" * 300, "", "ünï", "0", "a.b", "`; DROP", "\u0000", "\u202e", "null")
NUMBERS = (0, 1, -1, 1000, 2**31, 2**63, 2**64, 1.5, 1e300)


class Generator:
    def __init__(self, document, seed):
        self.document = document
        self.random = random.Random(seed)

    def one(self, schema, depth=0):
        """A value that fits the schema, as far as the schema tells."""
        schema = self.document.resolve(schema)
        if "oneOf" in schema:
            return self.one(self.random.choice(schema["oneOf"]), depth)
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        kind = schema.get("type", "object")
        kind = self.random.choice(kind) if isinstance(kind, list) else kind
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            count = self.random.randint(schema.get("minItems", 0), 2)
            return [self.one(schema.get("items", {}), depth + 1) for _ in range(count)]
        if kind in ("integer", "number"):
            low = schema.get("minimum", 0)
            step = schema.get("multipleOf", 1)
            return low + step * self.random.randint(0, (schema.get("maximum", low + 9) - low) // step)
        return {"boolean": lambda: self.random.random() < 0.5, "null": lambda: None,
                "string": lambda: self.random.choice(WORDS)}[kind]()

    def _object(self, schema, depth):
        wanted = schema.get("required", [])
        return {name: self.one(each, depth + 1) for name, each in schema.get("properties", {}).items()
                if name in wanted or self.random.random() < 0.4}

    def broken(self, value):
        """A copy with one place changed: another type, another number, a field more or fewer."""
        if isinstance(value, dict) and value and self.random.random() < 0.85:
            name = self.random.choice(list(value))
            return {**value, name: self.broken(value[name])}
        if isinstance(value, list) and value and self.random.random() < 0.7:
            return [self.broken(value[0]), *value[1:]]
        if isinstance(value, dict):
            less = dict(value)
            if less and self.random.random() < 0.5:
                del less[self.random.choice(list(less))]
                return less
            return {**value, self.random.choice(("extra", "host ", "__proto__", "")): 1}
        return self.random.choice((None, True, [], {}, [[]], {"a": {}}, *WORDS, *NUMBERS))
