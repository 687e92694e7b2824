# SPDX-License-Identifier: LGPL-2.1-or-later
"""Base class of all component tests: a fresh toolstack domain each, one deadline, one leak check."""

import contextlib
import faulthandler
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from . import processes, scripts
from .deadline import Deadline
from .device_model import DeviceModel
from .guest import Disk, Guest, GuestConfig
from .hypervisor import Hypervisor
from .programs import Programs
from .sysfs import Sysfs
from .toolstack import QUESTION, Toolstack
from .xenstore import SocketTransport, Xenstore

PROGRAMS = Programs()

# In the log of a device model, each is a fault whatever the test is about.
COMPLAINTS = ('Sanitizer', 'runtime error', 'CRITICAL', 'WARNING **')

# Logs stay when their guest goes, and so does the part of the directory that is the machine, not the product.
KEPT_DIRECTORIES = ('log', 'xen', 'store', 'images', 'driver', 'sys')

# PCI devices of the host; every stubdomain was given them, as libxl does before it asks its device model.
PCI_DEVICES = ('0000:03:00.0', '0000:04:00.0')


class Snapshot:
    """Everything a device model could leave behind."""

    def __init__(self, case, path='/'):
        self.nodes = case.store.tree(path) if case.store and not case.store.gone else {}
        self.processes = processes.descendants()
        self.files = {str(file.relative_to(case.directory)) for file in case.directory.rglob('*')
                      if file.relative_to(case.directory).parts[0] not in KEPT_DIRECTORIES}
        self.domains = set(case.hypervisor.domains)

    def difference(self, before):
        """What is there now and was not, or is not there and was, in words."""
        lines = []
        for path in sorted(self.nodes.keys() | before.nodes.keys()):
            old, new = before.nodes.get(path), self.nodes.get(path)
            if old != new:
                lines.append(f'xenstore {path}: was {old}, is {new}')
        for pid in self.processes.keys() - before.processes.keys():
            lines.append(f'process {pid}: {self.processes[pid]}')
        for name in sorted(self.files ^ before.files):
            lines.append(f'file {name}: {"left behind" if name in self.files else "gone"}')
        for domid in self.domains ^ before.domains:
            lines.append(f'domain {domid}: {"left behind" if domid in self.domains else "gone"}')
        return lines


class ComponentTest(unittest.TestCase):
    """The real programs, the stock xenstored, a scripted stubdomain."""

    seconds = 20  # deadline of one test
    slowness = 3 if PROGRAMS.sanitizer else 1  # how much more everything may cost
    patience = slowness * float(os.environ.get('STUBDOM_TEST_BUSY', '1'))  # how much longer it may take

    def setUp(self):
        processes.adopt_orphans()
        self.deadline = Deadline(self.seconds * self.patience)
        # Should the harness itself hang, say where.
        faulthandler.dump_traceback_later(self.seconds * self.patience + 30, exit=True)
        self.addCleanup(faulthandler.cancel_dump_traceback_later)
        # Not below $TMPDIR, which may be too long for the path of a socket.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='stubdom-', dir='/tmp'))
        self.addCleanup(shutil.rmtree, self.directory)
        for name in ('log', 'store', 'libxl', 'run', 'images', 'state'):
            (self.directory / name).mkdir()
        self.guests = []
        self.models = []
        self.store = None
        self.hypervisor = Hypervisor(self.directory / 'xen')
        self.addCleanup(self.hypervisor.close)
        self.start_xenstored()
        self.addCleanup(self.stop_xenstored)
        self.toolstack = Toolstack(self.hypervisor, self.store, self.deadline)
        self.addCleanup(self.toolstack.close)
        self.addCleanup(self._end_models)
        self.make_image('linux', 'linux')
        self.disk = self.directory / 'images' / 'disk.img'
        self.disk.write_bytes(bytes(512))
        self.sysfs = self.toolstack.sysfs = Sysfs(self.directory / 'sys')
        for address in PCI_DEVICES:
            self.sysfs.make(address)
        self.clean = Snapshot(self)

    def tearDown(self):
        """Whatever a test did: once its guests are destroyed, nothing of them remains."""
        self.addCleanup(self._assert_sane)
        if self.store.gone:
            return
        for guest in self.guests:
            guest.destroy()
        for model in self.models:
            model.wait_end()
        self.assert_nothing_left(self.clean)
        self.assertEqual(self.toolstack.script_failures, [])

    def _assert_sane(self):
        """Nothing a sanitizer or GLib complained about."""
        for model in self.models:
            for word in COMPLAINTS:
                self.assertNotIn(word, model.errors())

    def run(self, result=None):
        """A failing test prints what its programs said."""
        before = len(result.failures) + len(result.errors)
        self.diagnosis = ''
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            result.diagnose(self, self.diagnosis)

    # --- the machine

    def start_xenstored(self):
        """Starts xenstored and waits until it serves."""
        environment = {'PATH': '/usr/bin:/bin', 'XENSTORED_RUNDIR': str(self.directory / 'store'),
                       'XENSTORED_ROOTDIR': str(self.directory / 'store'),
                       'XENSTORED_PATH': str(self.directory / 'store' / 'socket'),
                       'FAKEXEN_DIR': str(self.directory / 'xen'),
                       'LD_PRELOAD': PROGRAMS.libraries['fake_xenstored']}
        self.xenstored = subprocess.Popen(
            [PROGRAMS.xenstored, '--no-fork', '--internal-db', '--output-pid'],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.xenstored.stdout.readline()  # its pid, which it prints when it serves
        self.xenstored.stdout.close()
        self.store = Xenstore(SocketTransport(str(self.directory / 'store' / 'socket')))
        for path, value in (('/local/domain/0/domid', 0), ('/local/domain/0/name', 'Domain-0')):
            self.store.write(path, value)
        for path in ('/vm', '/libxl', '/local/domain/0/device-model'):
            self.store.mkdir(path)

    def kill_xenstored(self):
        self.xenstored.kill()
        self.xenstored.wait()

    def stop_xenstored(self):
        self.store.close()
        self.kill_xenstored()

    def make_image(self, name, kind, **members):
        """A stubdomain image: its files need only exist, because nothing boots them here."""
        directory = self.directory / 'images' / name
        directory.mkdir()
        for file in ('vmlinuz', 'initrd'):
            (directory / file).write_bytes(b'\x7fELF')
        descriptor = {'format': 1, 'name': name, 'kind': kind, 'kernel': 'vmlinuz', 'ramdisk': 'initrd',
                      'cmdline': 'console=hvc0', 'memory': 96, 'capabilities': ['pci-hotplug', 'save'], **members}
        (directory / 'image.json').write_text(json.dumps(descriptor))

    # --- guests and device models

    def make_guest(self, script=scripts.normal, **config):
        """Domain G with one disk unless said otherwise, and what its stubdomain will do."""
        config.setdefault('disks', [Disk(str(self.disk))])
        guest = Guest(self.toolstack, GuestConfig(**config), self.directory / 'libxl')
        self.guests.append(guest)
        self.toolstack.scripts[guest.domid] = script
        return guest

    def start(self, guest, **options):
        """Starts the device model and returns at once."""
        options = {key.replace('_', '-'): value for key, value in options.items()}
        model = DeviceModel(guest, PROGRAMS, self.directory, options, self.deadline)
        self.models.append(model)
        return model

    def start_running(self, script=scripts.normal, options=None, **config):
        """A guest whose device model runs; returns guest, device model and stubdomain."""
        guest = self.make_guest(script, **config)
        model = self.start(guest, **(options or {}))
        model.wait_running()
        self.toolstack.pci.give(guest.stubdomain_domid(), *PCI_DEVICES)
        return guest, model, self.toolstack.stubdomains[guest.stubdomain_domid()]

    def _end_models(self):
        lines = []
        for path in (self.directory / 'log').iterdir():
            lines += [f'--- {path.name}', *path.read_text(errors='backslashreplace').splitlines()]
        for stubdomain in self.toolstack.stubdomains.values():
            lines += (stubdomain.failure or '').splitlines()
        lines += ['--- libxl calls', *(repr(call) for call in self.toolstack.calls if call.name != QUESTION)]
        self.diagnosis = '\n'.join(line[:300] for line in lines[-200:])
        for model in self.models:
            model.close()
        for pid in processes.descendants():
            if pid != self.xenstored.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    # --- assertions

    def assert_nothing_left(self, before, path='/'):
        """The leak check: nodes, processes, files and domains are those of @before."""
        for pid, words in processes.descendants().items():
            if pid not in before.processes:
                with contextlib.suppress(AssertionError):
                    processes.wait_ended(pid, self.deadline.sooner(5), words)
        processes.reap()
        left = Snapshot(self, path).difference(before)
        if left:
            self.fail('left behind:\n' + '\n'.join(left))

    def assert_start_fails(self, guest, *words, before=None, **options):
        """The device model exits 1, says all of @words on its standard error, and leaves nothing behind."""
        before = before or Snapshot(self)
        model = self.start(guest, **options)
        # libxl's own: the pid it writes, and the directory it made, which may be gone already.
        before.nodes[f'/local/domain/{guest.domid}/image/device-model-pid'] = (
            str(model.pid), ('n0', f'r{guest.domid}'))
        before.nodes.setdefault(f'/local/domain/{guest.domid}/image', ('', ('n0', f'r{guest.domid}')))
        before.nodes.pop(f'/local/domain/0/device-model/{guest.domid}')
        model.end.join(self.deadline.remaining('the end of xen-stubdom-dm'))
        self.store.rm(f'/local/domain/0/device-model/{guest.domid}')
        status = model.wait_end()
        errors = model.errors()
        self.assertEqual(status, 1, errors)
        for word in words:
            self.assertIn(word, errors)
        self.assert_nothing_left(before)
        return model
