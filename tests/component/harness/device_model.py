# SPDX-License-Identifier: LGPL-2.1-or-later
"""A running xen-stubdom-dm, started as libxl starts a QEMU."""

import contextlib
import ctypes
import os
import pathlib
import select
import signal
import subprocess
import threading

from . import processes
from .qmp import Qmp
from .xenstore import XenstoreGone

IN_MODIFY = 2  # sys/inotify.h


def stubdom_option(options):
    """What follows -stubdom: from a dict, or as it is in a list of one."""
    if isinstance(options, list):
        return options[0]
    return ','.join(f'{key}={value}' for key, value in options.items())


class DeviceModel:
    def __init__(self, guest, programs, directory, options, deadline):
        self.guest = guest
        self.deadline = deadline
        self.directory = pathlib.Path(directory)
        self.error_path = self.directory / 'log' / f'qemu-dm-{guest.config.name}.log'
        self.console_log = self.directory / 'log' / f'stubdom-{guest.config.name}.log'
        self.driver_qmp_path = self.directory / 'run' / str(guest.domid) / 'qmp'
        self.clients = []
        head, tail = guest.argv()
        extra = ['-stubdom', stubdom_option(options)] if options else []
        argv = [programs.device_model, *head, *extra, *tail]
        environment = {
            'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C.UTF-8', 'XEN_DOMAIN_ID': str(guest.domid),
            'FAKEXEN_DIR': str(self.directory / 'xen'), 'XENSTORED_PATH': str(self.directory / 'store' / 'socket'),
            'STUBDOM_IMAGE_DIR': str(self.directory / 'images'), 'STUBDOM_RUN_DIR': str(self.directory / 'run'),
            'STUBDOM_LOG_DIR': str(self.directory / 'log'), 'STUBDOM_STATE_DIR': str(self.directory / 'state'),
            'STUBDOM_SYSFS': str(self.directory / 'sys'),
            'STUBDOM_CONSOLE_WORKER': programs.console_worker, 'STUBDOM_DISPLAY': programs.display,
            'LD_PRELOAD': programs.preload('fake_libxl'),
            'UBSAN_OPTIONS': 'print_stacktrace=1',
            **{name: value for name, value in os.environ.items()
               if name.startswith(('ASAN_', 'UBSAN_', 'LSAN_', 'G_'))},
        }
        with open(self.error_path, 'ab') as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                                            start_new_session=True, cwd='/',
                                            pass_fds=guest.descriptors())
        self.pid = self.process.pid
        self.end = threading.Thread(target=self._watch_end, name='device model', daemon=True)
        self.end.start()
        with contextlib.suppress(XenstoreGone):
            guest.store.write(f'/local/domain/{guest.domid}/image/device-model-pid', self.pid)

    def errors(self):
        """What libxl's log of the device model holds."""
        return self.error_path.read_text(errors='replace') if self.error_path.exists() else ''

    def _watch_end(self):
        self.process.wait()
        with self.guest.store.arrived:
            self.guest.store.arrived.notify_all()

    def next_or_end(self, watch):
        """Waits for the next event of @watch; False if the process ends before one."""
        store = self.guest.store
        with store.arrived:
            while not watch.events:
                if self.process.returncode is not None:
                    return False
                store.check()
                store.arrived.wait(self.deadline.remaining(f'a change below {watch.path}'))
            watch.events.popleft()
        return True

    def wait_running(self):
        """Waits for the ready flag; an end before it is a failure with its words."""
        store = self.guest.store
        with store.watch(self.guest.state_path) as watch:
            while store.read(self.guest.state_path) != 'running':
                if not self.next_or_end(watch):
                    raise AssertionError(f'xen-stubdom-dm ended with {self.process.returncode}:\n{self.errors()}')

    def wait_end(self):
        """Waits for the exit status."""
        self.end.join(self.deadline.remaining('the end of xen-stubdom-dm'))
        if self.end.is_alive():
            raise AssertionError(f'xen-stubdom-dm does not end:\n{self.errors()}')
        return self.process.returncode

    def wait_said(self, words):
        """Waits until its log has some words."""
        libc = ctypes.CDLL(None)
        with open(libc.inotify_init(), 'rb', buffering=0) as changes:
            libc.inotify_add_watch(changes.fileno(), bytes(self.error_path), IN_MODIFY)
            while words not in self.errors():
                if not select.select([changes], [], [], self.deadline.remaining(words))[0]:
                    raise AssertionError(f'it never said {words!r}:\n{self.errors()}')
                changes.read(4096)

    def signal(self, number):
        self.process.send_signal(number)

    def qmp(self):
        """A connection as libxl's."""
        return self._connect(self.guest.qmp_path)

    def ask(self, command, arguments=None):
        """One operation of libxl's: a connection of its own, a command, its answer."""
        client = Qmp(self.guest.qmp_path, self.deadline)
        try:
            return client.call(command, arguments)
        finally:
            client.close()

    def driver_qmp(self):
        """A connection as the driver's."""
        return self._connect(self.driver_qmp_path)

    def _connect(self, path):
        client = Qmp(path, self.deadline)
        self.clients.append(client)
        return client

    def family(self):
        """{pid: command line} of the process and those below it."""
        return {self.pid: '', **processes.descendants(self.pid)}

    def close(self):
        for client in self.clients:
            client.close()
        if self.end.is_alive():
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)
        self.end.join()
