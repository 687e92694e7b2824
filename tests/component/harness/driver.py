# SPDX-License-Identifier: LGPL-2.1-or-later
"""The libvirt driver under test: real, in a process of its own, with libxl and Xen imitated under it."""

import contextlib
import itertools
import json
import os
import pathlib
import signal
import subprocess
import threading

from . import leaks

HERE = pathlib.Path(__file__).parent


class DriverError(Exception):
    """A call of libvirt's API failed."""

    def __init__(self, code, words):
        super().__init__(words)
        self.code = code


class Pending:
    """A call under way."""

    def __init__(self, driver, what):
        self.driver = driver
        self.what = what
        self.done = threading.Event()
        self.message = None

    def wait(self):
        """Its result; raises DriverError."""
        if not self.done.wait(self.driver.deadline.remaining(self.what)):
            self.driver.deadline.remaining(self.what)
        if 'error' in self.message:
            raise DriverError(*self.message['error'])
        return self.message['result']


class Driver:
    def __init__(self, case):
        self.deadline = case.deadline
        self.directory = case.directory
        self.root = case.directory / 'driver'
        self.log_path = case.directory / 'log' / 'driver.log'
        self.numbers = itertools.count(1)
        self.pending = {0: Pending(self, 'the driver')}
        self.lock = threading.Lock()
        self.changed = threading.Condition()
        self.events = []
        self.process = None
        self.leaks_path = self.directory / 'log' / 'leaks' if case.programs.driver_leaks else None
        self._start(case.programs)

    def _start(self, programs):
        environment = {
            'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C.UTF-8', 'PYTHONDONTWRITEBYTECODE': '1',
            'LIBVIRT_DRIVER_DIR': os.environ['STUBDOM_TEST_DRIVER_DIR'],
            'FAKEXEN_DIR': str(self.directory / 'xen'), 'XENSTORED_PATH': str(self.directory / 'store' / 'socket'),
            'STUBDOM_IMAGE_DIR': str(self.directory / 'images'),
            'STUBDOM_RUN_DIR': str(self.directory / 'run'), 'STUBDOM_XEN_LOG_DIR': str(self.directory / 'log'),
            'FAKE_SYSFS': str(self.directory / 'sys/bus/pci'), 'FAKE_SYSFS_ROOT': str(self.root / 'sys/bus/pci'),
            'LD_PRELOAD': f"{programs.preload('fake_libxl', programs.driver_sanitizer)}:{os.environ['STUBDOM_TEST_FAKE_FILES']}",
            'LIBVIRT_LOG_OUTPUTS': '2:stderr',
            'FAKENET_DIR': str(self.directory), 'STUBDOM_TEST_FAKE_DRIVERS': os.environ['STUBDOM_TEST_FAKE_DRIVERS'],
            'G_SLICE': 'always-malloc',
            'TSAN_OPTIONS': f'suppressions={HERE.parent / "threads.supp"}', 'UBSAN_OPTIONS': 'print_stacktrace=1',
            **(leaks.environment(self.leaks_path) if self.leaks_path else {}),
        }
        with open(self.log_path, 'ab') as log:
            self.process = subprocess.Popen(
                ['/usr/bin/python3', str(HERE / 'driver_process.py'), str(self.root)], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, env=environment, cwd='/')
        if self.leaks_path:
            self.pending[leaks.ANSWER] = Pending(self, 'a look for leaks')
        ready = self.pending[0]
        self.reader = threading.Thread(target=self._read, name='driver', daemon=True)
        self.reader.start()
        ready.wait()

    def _read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            if 'event' in message:
                with self.changed:
                    self.events.append(tuple(message['event']))
                    self.changed.notify_all()
                continue
            with self.lock:
                pending = self.pending.pop(message['id'])
            pending.message = message
            pending.done.set()
        with self.lock:
            left, self.pending = self.pending, {}
        for pending in left.values():
            pending.message = {'error': [-1, f'the driver is gone, status {self.process.wait()}']}
            pending.done.set()

    def log(self):
        return self.log_path.read_text(errors='replace')

    # --- calls

    def send(self, name, call, *arguments, connection=0):
        """Begins a call on the domain @name, or on the connection if that is None."""
        number = next(self.numbers)
        pending = Pending(self, f'{call} of {name}')
        with self.lock:
            self.pending[number] = pending
        request = {'id': number, 'on': name, 'call': call, 'arguments': arguments, 'connection': connection}
        self.process.stdin.write((json.dumps(request) + '\n').encode())
        self.process.stdin.flush()
        return pending

    def on(self, name, call, *arguments, connection=0):
        return self.send(name, call, *arguments, connection=connection).wait()

    def call(self, call, *arguments, connection=0):
        return self.send(None, call, *arguments, connection=connection).wait()

    # --- events

    def expect(self, *events):
        """Waits for the next events of all domains and compares them: (name, kind, …)."""
        with self.changed:
            while len(self.events) < len(events):
                self.changed.wait(self.deadline.remaining(f'{events}, there are {self.events}'))
            found, self.events = self.events[:len(events)], self.events[len(events):]
        if found != list(events):
            raise AssertionError(f'events: found {found}, wanted {list(events)}')

    def wait_event(self, event):
        """Waits for an event, and forgets those up to it: a driver that has just come up may have sent some unheard."""
        with self.changed:
            while event not in self.events:
                self.changed.wait(self.deadline.remaining(f'{event}, there are {self.events}'))
            del self.events[:self.events.index(event) + 1]

    # --- end

    def stop(self):
        """An orderly end; guests go on."""
        if self.process.poll() is None:
            looked = self.pending.get(leaks.ANSWER)
            with contextlib.suppress(OSError):
                self.process.stdin.close()
            self.process.wait(self.deadline.remaining('the end of the driver'))
            if looked:
                looked.wait()
        self.close()

    def _leak_reports(self):
        return self.leaks_path.parent.glob(f'{self.leaks_path.name}.*') if self.leaks_path else ()

    def leaks(self):
        """What the test's drivers that have ended in order left in memory."""
        return [leak for report in self._leak_reports() for leak in leaks.of_driver(report.read_text(errors='replace'))]

    def forget_leaks(self):
        for report in self._leak_reports():
            report.unlink()

    def kill(self):
        """SIGKILL, at whatever moment."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join()
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.stdout.close()
