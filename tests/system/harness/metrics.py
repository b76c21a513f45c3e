"""What a server tells at /metrics, and the table of docs/metrics.md."""

import re
import time
import urllib.request

from .process import ROOT

SAMPLE = re.compile(r'(\w+)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics(dict):
    """A scrape: {name: [(labels, value), ...]}, and how long the answer took."""

    def __init__(self, url):
        super().__init__()
        started = time.monotonic()
        with urllib.request.urlopen(url + "/metrics", timeout=30) as reply:
            self.content_type = reply.headers["Content-Type"]
            self.text = reply.read().decode()
        self.seconds = time.monotonic() - started
        for line in self.text.splitlines():
            if not line.startswith("#"):
                name, labels, value = SAMPLE.fullmatch(line).groups()
                self.setdefault(name, []).append((dict(LABEL.findall(labels or "")), float(value)))

    def value(self, name, **labels):
        """Of the one sample with these labels; None when there is none."""
        found = [value for given, value in self.get(name, [])
                 if labels.items() <= given.items()]
        assert len(found) < 2, f"{name} {labels} is ambiguous"
        return found[0] if found else None


def documented():
    """{name: (type, when there is a sample)} of every metric there is."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| [\w,]* \| ([\w ]+) \|",
                      (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE)
    return {name: (kind, there) for name, kind, there in rows}
