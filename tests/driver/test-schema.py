#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/schemas/stubdom.rng with the schemas of the installed libvirt: what is accepted and what is shown is valid, and what the
driver does not know of the stubdomain's element is not.

Arguments: the schema, the directory of libvirt's schemas, and the directory of sample domains.
"""

import functools
import subprocess
import sys
import tempfile
from pathlib import Path

from driver_fixture import CASES, equal, runTap

SCHEMA, LIBVIRT, EXAMPLES = (Path(argument).resolve() for argument in sys.argv[1:4])
WRONG = {
    'unknown element': '<stubdom:kernel/>',
    'unknown attribute': "<stubdom:image name='linux' kernel='/a'/>",
    'image twice': "<stubdom:image name='a'/><stubdom:image name='b'/>",
    'image without name': '<stubdom:image/>',
    'relative path': "<stubdom:image name='../a'/>",
    'no time': "<stubdom:timeout start='0'/>",
    'long time': "<stubdom:timeout command='3601'/>",
    'no number': "<stubdom:memory unit='MiB'>much</stubdom:memory>",
    'no unit': "<stubdom:limit save='1' unit='sack'/>",
}


def wrong(text):
    """A good case with @text in the stubdomain's element."""
    start, end = '<stubdom:stubdomain>', '</stubdom:stubdomain>'
    good = (CASES / 'stubdomain-all.xml').read_text()
    return good[:good.index(start)] + start + text + good[good.index(end):]


def validate(directory, files):
    """The files among @files that are valid, and what xmllint says."""
    for schema in LIBVIRT.glob('*.rng'):
        (directory / schema.name).symlink_to(schema)
    schema = directory / 'stubdom.rng'
    schema.symlink_to(SCHEMA)
    said = subprocess.run(['xmllint', '--noout', '--relaxng', schema, *files], text=True, check=False, capture_output=True).stderr
    return {line.removesuffix(' validates') for line in said.splitlines() if line.endswith(' validates')}, said


def main():
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        good = [*sorted(CASES.glob('*.xml')), *sorted(EXAMPLES.glob('*.xml'))]
        bad = {}
        for number, (what, text) in enumerate(WRONG.items()):
            bad[what] = directory / f'wrong-{number}.xml'
            bad[what].write_text(wrong(text))
        valid, said = validate(directory, [*good, *bad.values()])

    def check(file, expected):
        equal((str(file) in valid, '' if (str(file) in valid) == expected else said), (expected, ''))

    return runTap([(f'{file.name} is valid', functools.partial(check, file, True)) for file in good] +
                  [(f'{what} is not valid', functools.partial(check, file, False)) for what, file in bad.items()])


if __name__ == '__main__':
    sys.exit(main())
