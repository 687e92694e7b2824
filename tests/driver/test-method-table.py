#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/driver-methods.md says of each of libvirt's methods what the driver's table says.

Arguments: libvirt's driver-hypervisor.h, the file with the driver's table, the document.
"""

import functools
import re
import sys
from pathlib import Path

from driver_fixture import equal, runTap

# Methods of 11.3 that 9.0 does not have; the document is about 9.0's.
NEWER = {'domainDelThrottleGroup', 'domainGetAutostartOnce', 'domainGraphicsReload', 'domainSetAutostartOnce',
         'domainSetThrottleGroup'}
STATES = ('done', 'not applicable', 'later')


def methodsOfLibvirt(header):
    body = header[header.index('struct _virHypervisorDriver'):]
    return re.findall(r'^    virDrv\w+ (\w+);$', body, re.MULTILINE)


def methodsOfDriver(source):
    body = source[source.index('static virHypervisorDriver'):]
    return re.findall(r'^    \.(\w+) = \w+,$', body[:body.index('};')], re.MULTILINE)


def rows(document):
    found = re.findall(r'^\| (\w+) \| ([^|]*) \|(.*)\|$', document, re.MULTILINE)
    return [(name, state, note.strip()) for name, state, note in found if name != 'method']


def checkComplete(table, libvirt, driver):
    """Each method has one row."""
    equal(len(libvirt) > 200, True)
    equal(sorted(name for name, _, _ in table), sorted(set(libvirt) - NEWER))


def checkDone(table, libvirt, driver):
    equal(sorted(name for name, state, _ in table if state == 'done'), sorted(driver))


def checkStates(table, libvirt, driver):
    """A method that is not there has a reason."""
    for name, state, note in table:
        equal((name, state in STATES, bool(note) or state == 'done'), (name, True, True))


def main():
    header, source, document = (Path(name).read_text() for name in sys.argv[1:])
    arguments = rows(document), methodsOfLibvirt(header), methodsOfDriver(source)
    return runTap([(test.__name__, functools.partial(test, *arguments)) for test in (checkComplete, checkDone, checkStates)])


if __name__ == '__main__':
    sys.exit(main())
