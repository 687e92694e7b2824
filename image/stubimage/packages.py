# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packages of any Debian suite, without a chroot and without touching this machine.

A private apt with an empty package status resolves what a few names need; each
package is downloaded and unpacked once, into a directory named after its
version, and stays there for the next build.
"""

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

from lab.sources import sourcesFor
from stubimage import ImageError


def run(*argv, **options):
    """Runs a tool and returns its output; its own words are the error if it fails."""
    result = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            check=False, **options)
    if result.returncode != 0:
        words = result.stderr.decode(errors="replace").strip() or result.stdout.decode(errors="replace").strip()
        raise ImageError(f"{argv[0]} failed with status {result.returncode}: {words[-2000:]}")
    return result.stdout


class Archive:
    """A suite's packages, kept below one cache directory."""

    def __init__(self, suite, cache, architecture="amd64"):
        self.suite = suite
        self.base = Path(cache) / f"apt-{suite}"
        self.unpacked = Path(cache) / "packages"
        self.architecture = architecture
        for part in ("lists/partial", "unused/partial", "archives", "etc"):
            (self.base / part).mkdir(parents=True, exist_ok=True)
        (self.base / "status").touch()
        sources = self.base / "etc/sources.list"
        text = sourcesFor(suite)
        if not sources.exists() or sources.read_text() != text:
            sources.write_text(text)
            self.stamp.unlink(missing_ok=True)

    @property
    def stamp(self):
        return self.base / "updated"

    def apt(self, tool, *argv, cwd=None):
        options = {
            "Dir::Etc": self.base / "etc",
            "Dir::Etc::sourcelist": self.base / "etc/sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::State": self.base,
            "Dir::State::lists": self.base / "lists",
            "Dir::State::status": self.base / "status",
            "Dir::Cache": self.base,
            "Dir::Cache::archives": self.base / "unused/",
            "APT::Architecture": self.architecture,
            "APT::Architectures": self.architecture,
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Debug::NoLocking": "true",
        }
        flags = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return run(tool, *flags, *argv, env={**os.environ, "LC_ALL": "C"}, cwd=cwd).decode()

    def update(self, always=False):
        """Fetches the lists, once, or again if always."""
        if always or not self.stamp.exists():
            self.apt("apt-get", "update", "-qq")
            self.stamp.touch()

    def kernelPackage(self, flavour):
        """The name of the package the flavour's meta package stands for."""
        text = self.apt("apt-cache", "depends", f"linux-image-{flavour}")
        match = re.search(r"^ +Depends: (linux-image-\S+)$", text, re.M)
        if not match:
            raise ImageError(f"suite {self.suite} has no kernel of flavour {flavour}")
        return match.group(1)

    def fileNames(self, text):
        """File names in what --print-uris says: name_version_architecture.deb, which apt checks when it downloads."""
        return [match.group(1) for match in re.finditer(r"^'[^']*' (\S+\.deb) \d+", text, re.M)]

    def resolve(self, names):
        """Files of names and all they depend on, as apt would install them on an empty system."""
        found = self.fileNames(self.apt("apt-get", "install", "--print-uris", "-qq", "-y", *names))
        if not found:
            raise ImageError(f"apt found no packages for {' '.join(names)}")
        return sorted(found)

    def file(self, name):
        """File of one package alone."""
        found = self.fileNames(self.apt("apt-get", "download", "--print-uris", "-qq", name))
        if len(found) != 1:
            raise ImageError(f"apt does not say where {name} is")
        return found[0]

    def unpack(self, files):
        """Downloads and unpacks what is missing; returns the directories of all files, in their order."""
        missing = [f for f in files if not (self.unpacked / f).is_dir()]
        if missing:
            wanted = []
            for file in missing:
                name, version = file.removesuffix(".deb").split("_")[:2]
                wanted.append(f"{name}={unquote(version)}")
            self.apt("apt-get", "download", "-qq", *wanted, cwd=self.base / "archives")
        for file in missing:
            self.unpackOne(file)
        return [self.unpacked / f for f in files]

    def unpackOne(self, file):
        target = self.unpacked / file
        partial = self.unpacked / (file + ".partial")
        run("rm", "-rf", partial)
        partial.mkdir(parents=True)
        run("dpkg-deb", "-x", self.base / "archives" / file, partial)
        partial.rename(target)
        (self.base / "archives" / file).unlink()
