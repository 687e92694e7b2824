# SPDX-License-Identifier: LGPL-2.1-or-later
"""What LeakSanitizer says of the libvirt driver.

It looks at a whole process, of which Python and libvirt are the greater part, and both have leaks of their own. A leak is the driver's
if a function of the driver is among those that led to its allocation. Python's own memory is not looked into: no object of libvirt's
may be in it any more by then.
"""

import ctypes
import os
import re
import subprocess

MODULE = 'libvirt_driver_stubdom.so'

# The number of the driver's process's answer that leaks were looked for.
ANSWER = -1

PATH = 'STUBDOM_TEST_LEAKS'

# Stacks are complete although libvirt and GLib have no frame pointers. Names are looked up for the driver's leaks only, as it takes
# seconds for all. What gcc 12's LeakSanitizer takes for a library's variables of a thread is garbage at times, and it crashes.
OPTIONS = ('detect_leaks=1:leak_check_at_exit=0:fast_unwind_on_malloc=0:malloc_context_size=16:symbolize=0:'
           "intercept_tls_get_addr=0:stack_trace_format='    #%n (%m+%o)'")

LEAK = re.compile(r'^(?:Direct|Indirect) leak of (\d+) byte\(s\) in (\d+) object')
FRAME = re.compile(r'^ +#\d+ \((.*)\+(0x[0-9a-f]+)\)$')

# libxl's own: what it keeps for each file it has had watched goes with no context (libxl_event.c, "osevent_hook_nexus").
NEXUS = 24


def environment(path):
    """For the driver's process: @path is where the report goes, with a dot and the pid behind."""
    return {'ASAN_OPTIONS': OPTIONS, PATH: str(path)}


def look():
    """In a process with that environment. Without a leak there is no report."""
    sanitizer = ctypes.CDLL(None)
    sanitizer.__sanitizer_set_report_path(os.environ[PATH].encode())
    sanitizer.__lsan_do_recoverable_leak_check()
    sanitizer.__sanitizer_set_report_path(b'stderr')


class Leak:
    def __init__(self, line):
        self.line = line
        self.frames = []  # (library, offset) from the innermost

    def of_driver(self):
        return any(library.endswith(MODULE) for library, _ in self.frames)

    def of_libxl(self):
        size, count = (int(number) for number in LEAK.match(self.line).groups())
        return size == NEXUS * count and 'libxenlight' in self.frames[1][0]

    def describe(self):
        """With the names of the driver's functions."""
        offsets = [offset for library, offset in self.frames if library.endswith(MODULE)]
        path = next(library for library, _ in self.frames if library.endswith(MODULE))
        named = subprocess.run(['addr2line', '-fpse', path, *offsets], capture_output=True, text=True, check=False)
        names = iter(named.stdout.splitlines())
        return '\n'.join([self.line, *(f'    {library}+{offset} {next(names, "") if library == path else ""}'.rstrip()
                                       for library, offset in self.frames if 'python' not in library)])


def split(report):
    """The leaks of a report of LeakSanitizer's."""
    found = []
    for line in report.splitlines():
        frame = FRAME.match(line)
        if LEAK.match(line):
            found.append(Leak(line))
        elif frame and found:
            found[-1].frames.append(frame.groups())
    return found


def of_driver(report):
    """Those of the driver, described."""
    return [leak.describe() for leak in split(report) if leak.of_driver() and not leak.of_libxl()]
