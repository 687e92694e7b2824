# SPDX-License-Identifier: LGPL-2.1-or-later
"""Base class of tests of the libvirt driver, with libxl's part of making an HVM guest."""

import contextlib
import os
import threading

from . import scripts
from .case import PROGRAMS, ComponentTest
from .device_model import DeviceModel
from .driver import Driver
from .guest import Disk, Guest, GuestConfig, Nic
from .toolstack import ERROR_FAIL, LibxlError

# Numbers of libvirt's API.
DEFINED, UNDEFINED, STARTED, SUSPENDED, RESUMED, STOPPED, SHUTDOWN, _PMSUSPENDED, CRASHED = range(9)
(STOPPED_SHUTDOWN, STOPPED_DESTROYED, STOPPED_CRASHED, _MIGRATED, STOPPED_SAVED, STOPPED_FAILED) = range(6)
RUNNING, PAUSED, IN_SHUTDOWN, SHUTOFF, IN_CRASH = 1, 3, 4, 5, 6

XML = '''<domain type='xen'>
  <name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu>
  <os><type arch='x86_64'>hvm</type></os>
  {more}
  <devices>
    <disk type='file' device='disk'>
      <driver name='file' type='raw'/><source file='{disk}'/><target dev='hda' bus='ide'/>
    </disk>
    <serial type='pty'/>
  </devices>
</domain>
'''


class DriverTest(ComponentTest):
    """The real driver, the real xen-stubdom-dm, real libxl but for hypercalls and creation."""

    seconds = 30
    programs = PROGRAMS
    conf = None  # what stubdom.conf says, if there is to be one

    def setUp(self):
        super().setUp()
        if self.conf:
            (self.directory / 'driver' / 'etc').mkdir(parents=True)
            path = self.directory / 'driver' / 'etc' / 'stubdom.conf'
            path.write_text(self.conf, encoding='utf-8')
            path.chmod(0o600)
        self.script = scripts.normal  # of stubdomains made from now on
        self.memory_size = 1 << 16    # bytes of a guest's memory that are saved
        self.creating = None          # called with the guest before its device model is started
        self.toolstack.make_guest = self._make_guest
        self.drivers = []
        self.addCleanup(self._end_drivers)
        self.driver = self.start_driver()

    def _end_drivers(self):
        for driver in self.drivers:
            driver.close()

    def start_driver(self):
        driver = Driver(self)
        self.drivers.append(driver)
        return driver

    def tearDown(self):
        """The driver ends in order first, and has left nothing but what it was told to keep."""
        self.driver.stop()
        for pending in self.toolstack.threads[:-1]:
            pending.join(self.deadline.remaining('calls of libxl'))
        for word in ('Sanitizer', 'runtime error', 'CRITICAL', 'WARNING **'):
            self.assertNotIn(word, self.driver.log())
        self.assert_no_leaks()
        run = self.directory / 'driver' / 'run'
        kept = {f'{guest.config.name}.xml' for guest in self.guests if guest.alive}
        left = {path.name for path in run.iterdir()} - {'driver.pid', 'autostarted'} - kept
        self.assertEqual(left, set())
        super().tearDown()

    def assert_no_leaks(self):
        leaks = self.driver.leaks()
        self.assertEqual(leaks, [], '\n'.join(['the driver leaks', *leaks]))

    # --- libxl's part

    @staticmethod
    def _vnc(vnc):
        """What libxl makes of it on the command line: what has a colon is taken for all of it."""
        if vnc.get('enable') != 'True':
            return 'none'
        listen = vnc.get('listen', '127.0.0.1')
        return listen if ':' in listen else f'{listen}:{vnc.get("display", 0)}'

    def _make_guest(self, config, state=None):
        """An HVM guest as libxl makes it, booted or restored: domain, device model, and its end if that does not come up."""
        info, build = config['c_info'], config['b_info']
        hvm = build.get('type.hvm', {})
        serials = hvm.get('serial_list') or ([hvm['serial']] if hvm.get('serial') else [])
        guest = Guest(self.toolstack, GuestConfig(
            name=info['name'], memory=build['max_memkb'] // 1024, serials=serials, vnc=self._vnc(hvm.get('vnc', {})),
            disks=[Disk(disk.get('pdev_path'), disk['vdev'], not disk.get('readwrite'), bool(disk.get('is_cdrom')))
                   for disk in config.get('disks', [])],
            nics=[Nic(nic.get('bridge', 'xenbr0'), nic['mac'], nic.get('model', 'rtl8139'))
                  for nic in config.get('nics', [])]), self.directory / 'libxl', info['uuid'])
        self.guests.append(guest)
        self.toolstack.guests[guest.domid] = guest
        self.toolstack.scripts[guest.domid] = self.script
        self.hypervisor.domains[guest.domid].paused = True
        self.hypervisor.domains[guest.domid].content = os.urandom(self.memory_size)
        if state is not None:
            path = self.directory / 'libxl' / f'qemu-resume.{guest.domid}'
            path.write_bytes(state)
            guest.incoming = open(path, 'rb')  # pylint: disable=consider-using-with
            self.addCleanup(guest.incoming.close)
            path.unlink()
        if self.creating:
            self.creating(guest)
        if not guest.alive:
            raise LibxlError(ERROR_FAIL, f'domain {guest.domid} is gone')
        model = self.make_model(guest, build.get('extra', [])[1:])
        self.models.append(model)
        try:
            model.wait_running()
        except AssertionError:
            guest.destroy()
            raise LibxlError(ERROR_FAIL, f'domain {guest.domid} device model did not start: -3') from None
        try:
            for pci in config.get('pcidevs', []):
                self.toolstack.pci.add(guest.domid, pci)
        except LibxlError:
            guest.destroy()
            raise
        return guest.domid

    def make_model(self, guest, option):
        """The device model of a guest that is made; @option is what follows -stubdom, in a list."""
        return DeviceModel(guest, PROGRAMS, self.directory, option, self.deadline)

    # --- guests

    def xml(self, name='guest', more='', number=1):
        return XML.format(name=name, uuid=f'00000000-1111-2222-3333-{number:012}', disk=self.disk, more=more)

    def define(self, name='guest', more='', number=1):
        self.driver.call('defineXML', self.xml(name, more, number))
        self.driver.expect((name, 'lifecycle', DEFINED, 0))

    def start_guest(self, name='guest', more='', number=1):
        """A defined and running domain; returns its guest."""
        self.define(name, more, number)
        self.driver.on(name, 'create')
        self.driver.expect((name, 'lifecycle', STARTED, 0))
        return self.guest(name)

    def guest(self, name='guest'):
        """The newest guest of that name."""
        return [guest for guest in self.guests if guest.config.name == name][-1]

    def state(self, name='guest'):
        return self.driver.on(name, 'state')[0]

    def hold(self, name, domid):
        """Lets the libxl call @name on @domid wait; returns the event that it was made, and one that lets it go on."""
        reached, go = threading.Event(), threading.Event()

        def wait(call):
            if call.numbers[0] == domid:
                reached.set()
                go.wait(self.deadline.remaining('the end of the stall'))

        self.toolstack.failures[name] = wait
        return reached, go

    @contextlib.contextmanager
    def stalled(self, name):
        """While it lasts, a start of @name gets as far as its device model and no further; yields an event set then."""
        reached, go = threading.Event(), threading.Event()

        def hold(guest):
            if guest.config.name == name:
                reached.set()
                go.wait(self.deadline.remaining('the end of the stall'))

        self.creating = hold
        try:
            yield reached
        finally:
            self.creating = None
            go.set()
