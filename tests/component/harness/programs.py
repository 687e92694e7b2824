# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which programs are tested: environment variables that meson sets (meson.build of this folder)."""

import functools
import glob
import os
import pathlib
import subprocess


class Programs:
    def __init__(self):
        self.device_model = os.environ.get('STUBDOM_TEST_DEVICE_MODEL')
        # Only root can confine itself as the worker does.
        worker = 'STUBDOM_TEST_CONSOLE_WORKER' if os.geteuid() == 0 else 'STUBDOM_TEST_CONSOLE_WORKER_UNCONFINED'
        self.console_worker = os.environ[worker]
        self.display = os.environ[worker.replace('CONSOLE_WORKER', 'DISPLAY')]
        self.libraries = {'fake_xenstored': os.environ['STUBDOM_TEST_FAKE_XENSTORED'],
                          'fake_libxl': os.environ['STUBDOM_TEST_FAKE_LIBXL']}

    @functools.cached_property
    def xenstored(self):
        """The distribution's own. oxenstored cannot run without an event channel device."""
        found = sorted(glob.glob('/usr/lib/xen-*/bin/xenstored'))
        if not found:
            raise FileNotFoundError('xenstored is missing: install the package xen-utils-4.17 (or that of your Xen)')
        return found[-1]

    @functools.cached_property
    def sanitizer(self):
        """AddressSanitizer's library if the programs have it."""
        return self._runtime(self.console_worker, 'libasan')

    @functools.cached_property
    def driver_sanitizer(self):
        """What the driver needs preloaded if it has AddressSanitizer or ThreadSanitizer."""
        module = pathlib.Path(os.environ['STUBDOM_TEST_DRIVER_DIR'], 'libvirt_driver_stubdom.so')
        threads = self._runtime(module, 'libtsan')
        return f'{threads}:{os.environ["STUBDOM_TEST_GLIB_THREADS"]}' if threads else self._runtime(module, 'libasan')

    @functools.cached_property
    def driver_leaks(self):
        """Whether LeakSanitizer, a part of AddressSanitizer, can look at the driver."""
        return 'libasan' in (self.driver_sanitizer or '')

    @staticmethod
    def _runtime(program, word):
        output = subprocess.run(['ldd', program], capture_output=True, text=True, check=True).stdout
        paths = [line.split()[2] for line in output.splitlines() if word in line]
        return paths[0] if paths else None

    def preload(self, name, sanitizer=None):
        """gcc's sanitizers must be the first library of a process that preloads others."""
        return ':'.join(path for path in (sanitizer or self.sanitizer, self.libraries[name]) if path)
