# SPDX-License-Identifier: LGPL-2.1-or-later
"""Package sources for any suite, made from those of this machine.

No archive's name is in the tree: whatever serves this machine's own suite is
asked for the others.  Reads /etc/apt; changes nothing there.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from lab.errors import LabError


@dataclass(frozen=True)
class Source:
    """One archive line: options as apt writes them, in brackets, or empty."""

    options: str
    uri: str
    suite: str
    components: str

    def line(self):
        """The source in apt's one-line form."""
        options = f"[{self.options}] " if self.options else ""
        return f"deb {options}{self.uri} {self.suite} {self.components}".rstrip()


def parseStanzas(text):
    """Sources in a deb822 file (`*.sources`), disabled ones left out."""
    found = []
    for stanza in re.split(r"\n\s*\n", text):
        fields, name = {}, None
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace() and name:
                fields[name] += "\n" + line.strip()
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes") == "no":
            continue
        key = fields.get("signed-by", "")
        options = f"signed-by={key}" if key.startswith("/") else ""
        found += [Source(options, uri, suite, " ".join(fields.get("components", "").split()))
                  for uri in fields.get("uris", "").split()
                  for suite in fields.get("suites", "").split()]
    return found


def parseLines(text):
    """Sources in a one-line file (`*.list`)."""
    pattern = re.compile(r"^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)$")
    found = []
    for line in text.splitlines():
        match = pattern.match(line.split("#", 1)[0].strip())
        if match:
            options, uri, suite, components = match.groups()
            found.append(Source((options or "").strip(), uri, suite, components.strip()))
    return found


def hostSuite(root="/"):
    """The code name of this machine's Debian."""
    text = (Path(root) / "etc/os-release").read_text()
    match = re.search(r'^VERSION_CODENAME="?([a-z]+)"?$', text, re.M)
    if not match:
        raise LabError("this machine's /etc/os-release names no Debian suite")
    return match.group(1)


def hostSources(root="/"):
    """All sources of this machine that belong to its own suite."""
    apt = Path(root) / "etc/apt"
    found = []
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        if path.suffix == ".sources":
            found += parseStanzas(path.read_text())
        elif path.suffix == ".list" and path.exists():
            found += parseLines(path.read_text())
    suite = hostSuite(root)
    found = [source for source in found
             if re.match(rf"^{suite}(-|$)", source.suite) and "main" in source.components.split()]
    if not any(source.suite == suite for source in found):
        raise LabError(f"/etc/apt of this machine has no source for its own suite, {suite}")
    return found


def sourcesFor(suite, backports=False, root="/"):
    """Lines of a sources.list for another suite, from the archives of this machine's."""
    here = hostSuite(root)
    found = [replace(source, suite=suite + source.suite[len(here):])
             for source in hostSources(root)
             if source.suite[len(here):] in ("", "-updates", "-security")]
    if backports:
        found += [replace(source, suite=suite + "-backports")
                  for source in found if source.suite == suite]
    return "".join(source.line() + "\n" for source in dict.fromkeys(found))
