# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a script in dom0 asks of its host: programs, xenstore, processes, and waiting with a deadline.

All waits end at the deadline that is set for the whole of a test; there is one
at a time. Nothing here knows of the product but for the names of its files.
"""

import os
import re
import subprocess
import time
from pathlib import Path

LOGS = Path("/var/log/xen")


class Failure(Exception):
    """A test found what should not be."""


class Deadline(Exception):
    """Something did not happen in time; late: not by the deadline of the whole test."""

    late = False


def check(right, text):
    """Fails with a text unless right."""
    if not right:
        raise Failure(text)


def equal(found, wanted, what=""):
    """Fails unless both are the same."""
    if found != wanted:
        raise Failure(f"{what or 'found'}: {found!r}, not {wanted!r}")


_end = [float("inf")]
_passed = [False]
GRACE = 20


def setDeadline(seconds):
    """From now on everything must be done within so many seconds."""
    _end[0] = time.monotonic() + seconds
    _passed[0] = False


def moreTime(seconds):
    """What a failed test has to take back must be done within so many seconds."""
    _end[0] = time.monotonic() + seconds


def deadlinePassed(what="the test's deadline passed"):
    """A Deadline to raise. What the test does then, to take back what it made, has GRACE seconds, once."""
    if not _passed[0]:
        _passed[0] = True
        moreTime(GRACE)
    error = Deadline(what)
    error.late = True
    return error


def remaining():
    """Seconds until the deadline; Deadline if there are none."""
    left = _end[0] - time.monotonic()
    if left <= 0:
        raise deadlinePassed()
    return min(left, 3600)


def late(error):
    """Whether a test ended because its deadline passed. What went wrong first counts, not what failed while the test took back what it made."""
    while error.__context__ and not (getattr(error, "late", False) and error.__cause__):
        error = error.__context__
    return getattr(error, "late", False)


def run(*words, check=True):
    """Runs a program: (status, what it said on stdout and stderr)."""
    try:
        result = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=remaining(), check=False)
    except subprocess.TimeoutExpired as error:
        raise deadlinePassed(f"not done by the deadline: {' '.join(map(str, words))}") from error
    text = result.stdout.decode(errors="replace")
    if check and result.returncode != 0:
        raise Failure(f"{' '.join(map(str, words))}: status {result.returncode}\n{text}")
    return result.returncode, text


def waitFor(what, question, seconds=None):
    """Asks until the answer is true, less and less often, and returns it."""
    remaining()
    end = _end[0] if seconds is None else min(time.monotonic() + seconds, _end[0])
    pause = 0.02
    while True:
        answer = question()
        if answer:
            return answer
        left = end - time.monotonic()
        if left <= 0:
            text = f"waited in vain for: {what}"
            raise deadlinePassed(text) if end == _end[0] else Deadline(text)
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, 0.5)


def read(path):
    """A xenstore node's value, or None."""
    status, text = run("xenstore-read", path, check=False)
    return text.rstrip("\n") if status == 0 else None


def domains():
    """Domains as a dict: name → domid. One that is dying counts."""
    found = {}
    for line in run("xl", "list")[1].splitlines()[1:]:
        name, domid = re.match(r"(.*\S)\s+(\d+)\s+\d+\s+\d+\s+\S+\s+[\d.]+\s*$", line).groups()
        found[name if name not in found else f"{name} {domid}"] = int(domid)
    return found


def processes():
    """Programs that run, as a dict: pid → words. Kernel threads, this script and its children are left out."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            words = (entry / "cmdline").read_bytes().rstrip(b"\0").decode(errors="replace").split("\0")
        except OSError:
            continue
        if words != [""] and os.getpid() not in (int(entry.name), parent):
            found[int(entry.name)] = words
    return found


def qemuOf(domid):
    """Processes in dom0 that are a QEMU for a domain."""
    return [" ".join(words) for words in processes().values()
            if "qemu" in os.path.basename(words[0]) and re.search(rf"-xen-domid {domid}\b", " ".join(words))]


def logTail(path, lines=25):
    """The end of a log, each line behind its name."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return []
    return [f"{path.name}: {line}" for line in text.splitlines()[-lines:]]
