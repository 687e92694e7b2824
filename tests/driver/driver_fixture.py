# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the driver's tests share: a connection to the driver inside this process, and TAP.

stubdom:///embed?root=DIR runs the whole driver without a daemon and without Xen, with its files below DIR.
"""

import contextlib
import tempfile
import threading
import traceback
from pathlib import Path

import libvirt

CASES = Path(__file__).resolve().parent / 'cases'


def startEvents():
    """libvirt's event loop, in a thread of its own. Before the first connection."""
    libvirt.virEventRegisterDefaultImpl()

    def loop():
        while True:
            libvirt.virEventRunDefaultImpl()

    threading.Thread(target=loop, daemon=True).start()


def quiet():
    """Errors are raised; libvirt need not print them as well."""
    libvirt.registerErrorHandler(lambda context, error: None, None)


@contextlib.contextmanager
def embedded(root=None):
    """A connection; the driver is gone with the last one."""
    with contextlib.ExitStack() as stack:
        directory = root or stack.enter_context(tempfile.TemporaryDirectory())
        connection = libvirt.open(f'stubdom:///embed?root={directory}')
        stack.callback(connection.close)
        yield connection


def read(name):
    return (CASES / name).read_text()


def caseNames():
    return sorted(path.stem for path in CASES.glob('*.xml') if not path.stem.endswith('.out'))


def refusal(call, *arguments):
    """The error @call ends with, which must be one."""
    try:
        call(*arguments)
    except libvirt.libvirtError as error:
        return error
    raise AssertionError('this was not refused')


def equal(found, wanted):
    if found != wanted:
        raise AssertionError(f'found\n{found}\nwanted\n{wanted}')


def runTap(tests):
    """Runs (name, function) pairs, one line of TAP each; returns the exit status."""
    failed = 0
    print(f'1..{len(tests)}')
    for number, (name, function) in enumerate(tests, 1):
        try:
            function()
            print(f'ok {number} - {name}', flush=True)
        except Exception:  # whatever it is, the next test can still say something
            failed += 1
            print(f'not ok {number} - {name}')
            print('\n'.join(f'# {line}' for line in traceback.format_exc().splitlines()), flush=True)
    return 1 if failed else 0
