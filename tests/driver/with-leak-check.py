#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a test of the driver, which is built with AddressSanitizer, and looks for leaks of the driver at its end.

with-leak-check.py TEST [ARGUMENT…]; what is preloaded into the test is in $STUBDOM_TEST_SANITIZER.
"""

import ctypes
import gc
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'component'))

from harness import leaks  # noqa: E402  pylint: disable=wrong-import-position

INSIDE = '--inside'


def inside(words):
    """In the process that has the sanitizer."""
    sys.argv = words
    sys.path.insert(0, str(Path(words[0]).resolve().parent))
    try:
        runpy.run_path(words[0], run_name='__main__')
        status = 0
    except SystemExit as end:
        status = end.code
    gc.collect()
    ctypes.CDLL('libvirt.so.0').virStateCleanup()
    leaks.look()
    sys.stdout.flush()
    os._exit(status)  # the loop of events goes on in its thread


def main(words):
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, 'LD_PRELOAD': os.environ['STUBDOM_TEST_SANITIZER'],
                       **leaks.environment(Path(directory, 'leaks'))}
        status = subprocess.run([sys.executable, __file__, INSIDE, *words], env=environment, check=False).returncode
        text = ''.join(report.read_text(errors='replace') for report in Path(directory).iterdir())
    found = leaks.of_driver(text)
    for words in (*found, *([text] if 'fatal error' in text else ())):
        print('\n'.join(f'# {line}' for line in words.splitlines()))
    return status or (1 if found else 0)


if sys.argv[1] == INSIDE:
    inside(sys.argv[2:])
sys.exit(main(sys.argv[1:]))
