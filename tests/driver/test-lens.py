#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The augeas lens of stubdom.conf. Arguments: augparse, the directory of the lens, the lens's test, stubdom.conf."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from driver_fixture import equal, runTap

AUGPARSE, LENSES, TEST, CONF = sys.argv[1:5]


def parse(text):
    """Whether augparse is content with a lens's test of this text."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / Path(TEST).name
        file.write_text(text, encoding='utf-8')
        result = subprocess.run([AUGPARSE, '-I', LENSES, file], text=True, check=False, capture_output=True)
    return result.returncode == 0, result.stdout + result.stderr


def checkTest(change, good):
    text = Path(TEST).read_text(encoding='utf-8')
    equal(change(text) != text, not good)
    found, output = parse(change(text))
    if found != good:
        raise AssertionError(output or 'augparse is content')


def checkChange():
    """augtool writes what the driver's parser would read."""
    with tempfile.TemporaryDirectory() as directory:
        conf = Path(directory) / 'etc' / 'libvirt' / 'stubdom.conf'
        conf.parent.mkdir(parents=True)
        shutil.copy(CONF, conf)
        subprocess.run(['augtool', '--root', directory, '--include', LENSES, '--noautoload',
                        '--transform', 'Libvirtd_stubdom.lns incl /etc/libvirt/stubdom.conf'],
                       input='set /files/etc/libvirt/stubdom.conf/memory 128\n'
                       'set /files/etc/libvirt/stubdom.conf/image other\nsave\n', text=True, check=True, capture_output=True)
        equal(conf.read_text(encoding='utf-8'),
              Path(CONF).read_text(encoding='utf-8') + 'memory = 128\nimage = "other"\n')


TESTS = [
    ('the shipped file', lambda: checkTest(lambda text: text, True)),
    ('another value is noticed', lambda: checkTest(lambda text: text.replace('{ "memory" = "96" }', '{ "memory" = "97" }'), False)),
    ('a setting nobody knows', lambda: checkTest(lambda text: text.replace('\nmemory = 96', '\nmemroy = 96'), False)),
    ('a number that is none', lambda: checkTest(lambda text: text.replace('\nmemory = 96', '\nmemory = some'), False)),
    ('a change by augtool', checkChange),
]

if __name__ == '__main__':
    sys.exit(runTap(TESTS))
