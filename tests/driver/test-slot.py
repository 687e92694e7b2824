#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The library in the slot of the stock libxl driver: whatever is wrong with ours, the stock driver is loaded.

Arguments: the slot library as built for this test, the same without a stock driver, the driver, a library that makes libvirt
another one, a driver for another libvirt, and the slot library as installed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from driver_fixture import equal, runTap

SLOT, LONELY, DRIVER, OTHER, FOREIGN, INSTALLED = (Path(argument).resolve() for argument in sys.argv[1:7])
CALL = 'import ctypes, sys; sys.exit(ctypes.CDLL(sys.argv[1]).libxlRegister() & 0xff)'
GOING_ON = 'going on with the stock Xen driver'


def register(prepare, source=SLOT, **environment):
    """Calls the slot's register function in a process of its own; @prepare puts a driver beside it."""
    with tempfile.TemporaryDirectory() as directory:
        slot = Path(directory) / 'libvirt_driver_libxl.so'
        shutil.copy(source, slot)
        prepare(Path(directory) / 'libvirt_driver_stubdom.so')
        return subprocess.run([sys.executable, '-c', CALL, slot], env=dict(os.environ, **environment), text=True, check=False,
                              capture_output=True)


def copyDriver(path):
    shutil.copy(DRIVER, path)


def other(what):
    """A libvirt of which @what is other."""
    return register(copyDriver, LD_PRELOAD=str(OTHER), OTHER_LIBVIRT=what)


def checkLonely():
    """libvirt-daemon-driver-xen is not installed: the stubdom driver is there, and nothing is wrong."""
    result = register(copyDriver, source=LONELY)
    equal((result.returncode, result.stdout), (0, ''))
    equal('there is no stock Xen driver' in result.stderr and GOING_ON not in result.stderr, True)


def check(result, status, said):
    equal(result.stdout, 'stock driver loaded\n')
    equal(result.returncode, status)
    equal([word for word in said if word not in result.stderr], [])
    if not said:
        equal(result.stderr, '')


def checkSymbols():
    """None of libvirt's, neither in the file nor through a library it needs."""
    symbols = subprocess.run(['nm', '-D', '--undefined-only', INSTALLED], text=True, check=True, capture_output=True).stdout
    needed = subprocess.run(['readelf', '-d', INSTALLED], text=True, check=True, capture_output=True).stdout
    equal([line for line in symbols.splitlines() if line.split()[-1].startswith('vir')], [])
    equal([line for line in needed.splitlines() if 'NEEDED' in line and 'libc.so' not in line], [])


TESTS = [
    ('both drivers', lambda: check(register(copyDriver), 0, [])),
    ('the result is that of the stock driver', lambda: check(register(copyDriver, STOCK_FAILS='1'), 255, [])),
    ('no stubdom driver', lambda: check(register(lambda path: None), 0, ['libvirt_driver_stubdom.so', GOING_ON])),
    ('a damaged stubdom driver', lambda: check(register(lambda path: path.write_text('no library')), 0, [GOING_ON])),
    ('the same libvirt, through what makes it another one', lambda: check(other('nothing'), 0, [])),
    ('another version at run time', lambda: check(other('version'), 0, ['not loaded: the version is 9000999', GOING_ON])),
    ('objects of another size', lambda: check(other('object'), 0, ['not loaded: virConnect is', GOING_ON])),
    ('definitions of another size', lambda: check(other('definition'), 0, ['not loaded: virDomainDef is', GOING_ON])),
    ('a driver for another version', lambda: check(register(lambda path: shutil.copy(FOREIGN, path)), 0,
                                                   ['LIBVIRT_PRIVATE_0.0.1', GOING_ON])),
    ('no stock driver', checkLonely),
    ('no symbol of libvirt', checkSymbols),
]

if __name__ == '__main__':
    sys.exit(runTap(TESTS))
