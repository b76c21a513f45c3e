"""What the checks of a pipe find."""

import copy

from .penstock import mapping


class Findings:
    """For tests that have a penstock, a source and `good`, the specification of a pipe."""

    def findings(self, name, spec=None):
        return [finding for finding in self.penstock.check(spec or self.good)["findings"]
                if finding["check"] == name]

    def found(self, name, severity, spec=None):
        """The first finding of the check; it must be of this severity."""
        finding = self.findings(name, spec)[0]
        self.assertEqual(severity, finding["severity"], finding)
        return finding

    def assert_mends(self, name, severity, *words, spec=None):
        """The check finds it, and what it says to run makes it pass. Returns that statement."""
        finding = self.found(name, severity, spec)
        for word in words:
            self.assertIn(word, finding["message"])
        self.assertTrue(finding["statement"].endswith(";"), finding)
        self.source.run(*filter(None, finding["statement"].split("; ")))
        self.found(name, "ok", spec)
        return finding["statement"]

    def changed(self, **mysql):
        spec = copy.deepcopy(self.good)
        spec["source"]["mysql"].update(mysql)
        return spec

    def of_tables(self, *tables, **more):
        return self.changed(tableMappings=[mapping("shop", table, **more) for table in tables])
