#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Domain XML to libxl's configuration, and back to XML, for every file in cases/.

NAME.xml is what a user writes, NAME.json what libxl is told, NAME.out.xml what libvirt shows. With --update the last two are
written anew instead of compared: look at the difference before committing it.
"""

import functools
import json
import sys
from pathlib import Path

import libvirt
from driver_fixture import CASES, caseNames, embedded, equal, quiet, read, runTap, startEvents

NATIVE = 'libxl-json'
EXAMPLES = Path(__file__).resolve().parents[2] / 'docs' / 'examples'


def shown(connection, xml):
    """@xml as it is after having been defined."""
    domain = connection.defineXML(xml)
    try:
        return domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    finally:
        domain.undefine()


def checkTranslation(connection, name):
    equal(json.loads(connection.domainXMLToNative(NATIVE, read(f'{name}.xml'))), json.loads(read(f'{name}.json')))


def checkRoundTrip(connection, name):
    """What is shown is as expected, is shown the same when it is defined itself, and means the same to libxl."""
    out = read(f'{name}.out.xml')
    equal(shown(connection, read(f'{name}.xml')), out)
    equal(shown(connection, out), out)
    equal(json.loads(connection.domainXMLToNative(NATIVE, out)), json.loads(read(f'{name}.json')))


def checkExample(connection, file):
    """A sample domain of the documentation can be defined, and what is shown of it again."""
    out = shown(connection, file.read_text())
    equal(shown(connection, out), out)


def update(connection):
    for name in caseNames():
        xml = read(f'{name}.xml')
        (CASES / f'{name}.json').write_text(connection.domainXMLToNative(NATIVE, xml))
        (CASES / f'{name}.out.xml').write_text(shown(connection, xml))


def main():
    quiet()
    startEvents()
    with embedded() as connection:
        if '--update' in sys.argv[1:]:
            update(connection)
            return 0
        tests = []
        for name in caseNames():
            tests.append((f'{name}: XML to libxl', functools.partial(checkTranslation, connection, name)))
            tests.append((f'{name}: round trip', functools.partial(checkRoundTrip, connection, name)))
        for file in sorted(EXAMPLES.glob('*.xml')):
            tests.append((f'docs/examples/{file.name}', functools.partial(checkExample, connection, file)))
        return runTap(tests)


if __name__ == '__main__':
    sys.exit(main())
