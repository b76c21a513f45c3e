"""The Debian package in a bare folder, and the systemd unit."""

import gzip
import os
import pathlib
import re
import subprocess
import unittest

from harness.process import ROOT, Folder, sanitizer_options

FILES = {"/etc/penstock/penstock.yaml", "/lib/systemd/system/penstock.service",
         "/usr/bin/penstock", "/usr/bin/penstock-clickhouse", "/usr/share/doc/penstock/README.md",
         "/usr/share/doc/penstock/copyright", "/usr/share/doc/penstock/openapi.yaml",
         "/usr/share/doc/penstock/docs/configuration.md",
         "/usr/share/doc/penstock/examples/own-clickhouse.yaml",
         "/usr/share/doc/penstock/SECURITY.md", "/usr/share/doc/penstock/docs/operations.md",
         "/usr/share/man/man1/penstock.1.gz", "/usr/share/bash-completion/completions/penstock",
         "/usr/share/zsh/vendor-completions/_penstock",
         "/usr/share/fish/vendor_completions.d/penstock.fish",
         "/usr/share/penstock/grafana-dashboard.json", "/usr/share/penstock/prometheus-rules.yaml"}


def run(*words, **more):
    done = subprocess.run(list(map(str, words)), text=True, capture_output=True, check=False,
                          timeout=300, **more)
    if done.returncode != 0:
        raise AssertionError(f"{words[0]}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Package(unittest.TestCase):
    """Made of the build that is being tested."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.enterClassContext(Folder("package"))
        build = ROOT / os.environ.get("PENSTOCK_BUILD", "build/dev")
        run("cpack", "-G", "DEB", "--config", build / "CPackConfig.cmake", "-B", cls.folder,
            cwd=build)
        [cls.package] = cls.folder.glob("*.deb")
        cls.root = cls.folder / "root"
        run("dpkg", "-x", cls.package, cls.root)
        run("dpkg", "-e", cls.package, cls.folder / "control")

    def test_what_is_in_it(self):
        files = {"/" + str(path.relative_to(self.root)) for path in self.root.rglob("*")
                 if path.is_file()}
        self.assertEqual(set(), FILES - files)
        extra = {path for path in files - FILES if not path.startswith("/usr/share/")}
        self.assertEqual(set(), extra)
        for path in ("penstock", "penstock-clickhouse"):
            self.assertEqual(0o755, (self.root / "usr/bin" / path).stat().st_mode & 0o7777)

    def test_its_control(self):
        control = (self.folder / "control/control").read_text()
        self.assertRegex(control, r"(?m)^Package: penstock$")
        self.assertRegex(control, r"(?m)^Depends: .*libc6 .*libmariadb3")
        self.assertEqual("/etc/penstock/penstock.yaml\n",
                         (self.folder / "control/conffiles").read_text())
        for script in ("postinst", "prerm", "postrm"):
            run("sh", "-n", self.folder / "control" / script)

    def test_it_runs_from_a_bare_folder(self):
        version = re.search(r"VERSION (\d+\.\d+\.\d+)", (ROOT / "CMakeLists.txt").read_text())[1]
        self.assertEqual(f"penstock {version}\n",
                         run(self.root / "usr/bin/penstock", "--version", cwd="/",
                             env={"PATH": "/usr/bin:/bin", **sanitizer_options()}))

    def test_the_manual_page_is_of_this_version(self):
        page = gzip.decompress((self.root / "usr/share/man/man1/penstock.1.gz").read_bytes())
        self.assertEqual(run(self.root / "usr/bin/penstock", "manual", env=sanitizer_options()),
                         page.decode())

    def test_the_unit(self):
        if not pathlib.Path("/usr/bin/systemd-analyze").exists():
            self.skipTest("systemd-analyze is not there: tools/setup.sh test")
        unit = self.folder / "penstock.service"
        text = (self.root / "lib/systemd/system/penstock.service").read_text()
        self.assertIn("ExecStart=/usr/bin/penstock serve", text)
        unit.write_text(text.replace("/usr/bin/penstock", str(self.root / "usr/bin/penstock")))
        self.assertEqual("", run("systemd-analyze", "verify", "--man=no", unit))
