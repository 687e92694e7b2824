# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes: those below this one, and waiting for them without polling."""

import contextlib
import ctypes
import os
import pathlib
import select

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Processes whose parent ends become children of this one, so none escapes the leak check."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), 'prctl')


def _stat(pid):
    """State and parent of a process, or None when it is gone."""
    try:
        fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1])


def descendants(root=None):
    """{pid: command line} of all living processes below @root, which is not among them."""
    parents = {}
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            stat = _stat(entry)
            if stat and stat[0] not in 'ZX':
                parents[int(entry)] = stat[1]
    found = {}
    level = {root or os.getpid()}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level and pid not in found}
        for pid in level:
            with contextlib.suppress(OSError):
                found[pid] = pathlib.Path(f'/proc/{pid}/cmdline').read_bytes().replace(b'\0', b' ').decode(
                    errors='replace')
    return found


def reap():
    """Collects ended processes that were adopted."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def wait_ended(pid, deadline, what):
    """Waits until the process is gone or a zombie, whoever's child it is."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if not select.select([descriptor], [], [], deadline.remaining(what))[0]:
            deadline.remaining(f'the end of {what}')
    finally:
        os.close(descriptor)


def resident_kib(pid):
    """VmRSS."""
    for line in pathlib.Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('VmRSS:'):
            return int(line.split()[1])
    return 0
