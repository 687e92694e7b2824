# SPDX-License-Identifier: LGPL-2.1-or-later
"""The libvirt driver starts, stops and changes domains: each method, with the events and the state that follow."""

import signal
import threading
import xml.etree.ElementTree as ElementTree

from harness import scripts
from harness.driver import DriverError
from harness.driver_case import (CRASHED, DEFINED, DriverTest, IN_CRASH, IN_SHUTDOWN, PAUSED, RESUMED, RUNNING,
                                 SHUTDOWN, SHUTOFF, STARTED, STOPPED, STOPPED_CRASHED, STOPPED_DESTROYED,
                                 STOPPED_FAILED, STOPPED_SHUTDOWN, SUSPENDED, UNDEFINED)
from harness.hypervisor import CRASH, POWEROFF, REBOOT
from harness.toolstack import ERROR_FAIL

# Flags and codes of libvirt's API.
START_PAUSED, START_AUTODESTROY = 1, 2
SHUTDOWN_ACPI, SHUTDOWN_PARAVIRT = 1, 16
OPERATION_INVALID, UNSUPPORTED = 55, 84
XML_INACTIVE = 2
ACTIVE = 1


class StartTest(DriverTest):
    def test_start_and_destroy(self):
        guest = self.start_guest()
        self.assertEqual(self.driver.on('guest', 'ID'), guest.domid)
        self.assertEqual(self.state(), RUNNING)
        self.driver.on('guest', 'destroy')
        self.driver.expect(('guest', 'lifecycle', STOPPED, STOPPED_DESTROYED))
        self.assertEqual(self.state(), SHUTOFF)
        self.assertEqual(self.models[0].wait_end(), 0)

    def test_device_model_gets_the_configuration(self):
        """The libxl_domain_config as JSON, which is gone once it was read."""
        read = []

        def look(guest):
            read.extend((self.directory / 'driver' / 'run').glob('*.json'))
            self.assertIn('"guest"', read[0].read_text())

        self.creating = look
        self.start_guest()
        self.assertEqual(len(read), 1)
        self.assertFalse(read[0].exists())

    def test_start_paused(self):
        self.define()
        self.driver.on('guest', 'createWithFlags', START_PAUSED)
        self.driver.expect(('guest', 'lifecycle', STARTED, 0), ('guest', 'lifecycle', SUSPENDED, 0))
        self.assertEqual(self.state(), PAUSED)
        self.assertTrue(self.hypervisor.domains[self.guest().domid].paused)
        self.driver.on('guest', 'resume')
        self.driver.expect(('guest', 'lifecycle', RESUMED, 0))
        self.assertEqual(self.state(), RUNNING)

    def test_transient(self):
        """It is in the list as long as it runs."""
        self.driver.call('createXML', self.xml(), 0)
        self.driver.expect(('guest', 'lifecycle', STARTED, 0))
        self.assertEqual(self.driver.on('guest', 'isPersistent'), 0)
        with self.assertRaises(DriverError):
            self.driver.call('createXML', self.xml(), 0)
        self.driver.on('guest', 'destroy')
        self.driver.expect(('guest', 'lifecycle', STOPPED, STOPPED_DESTROYED))
        self.assertEqual(self.driver.call('listAllDomains'), [])

    def test_transient_becomes_persistent_and_back(self):
        self.driver.call('createXML', self.xml(), 0)
        self.driver.call('defineXML', self.xml(more='<on_crash>restart</on_crash>'))
        self.assertEqual(self.driver.on('guest', 'isPersistent'), 1)
        self.driver.on('guest', 'undefine')
        self.driver.expect(('guest', 'lifecycle', STARTED, 0), ('guest', 'lifecycle', DEFINED, 0),
                           ('guest', 'lifecycle', UNDEFINED, 0))
        self.assertEqual((self.driver.on('guest', 'isPersistent'), self.state()), (0, RUNNING))
        self.driver.on('guest', 'destroy')
        self.assertEqual(self.driver.call('listAllDomains'), [])

    def test_redefined_while_running(self):
        """What runs stays; what comes next is the new definition."""
        self.start_guest()
        self.driver.call('defineXML', self.xml(more='<title>new</title>'))
        self.driver.expect(('guest', 'lifecycle', DEFINED, 1))
        self.assertNotIn('<title>', self.driver.on('guest', 'XMLDesc', 0))
        self.assertIn('<title>new', self.driver.on('guest', 'XMLDesc', XML_INACTIVE))
        self.driver.on('guest', 'destroy')
        self.assertIn('<title>new', self.driver.on('guest', 'XMLDesc', 0))

    def test_running_twice_and_stopping_twice(self):
        self.start_guest()
        for call in ('create', 'rename'):
            with self.assertRaises(DriverError) as caught:
                self.driver.on('guest', call, *(['other'] if call == 'rename' else []))
            self.assertEqual(caught.exception.code, OPERATION_INVALID)
        self.driver.on('guest', 'destroy')
        with self.assertRaises(DriverError) as caught:
            self.driver.on('guest', 'destroy')
        self.assertEqual(caught.exception.code, OPERATION_INVALID)

    def test_autodestroy(self):
        """It ends with the connection that started it."""
        self.define()
        connection = self.driver.call('open')
        self.driver.on('guest', 'createWithFlags', START_AUTODESTROY, connection=connection)
        self.driver.call('close', connection)
        self.driver.expect(('guest', 'lifecycle', STARTED, 0), ('guest', 'lifecycle', STOPPED, STOPPED_DESTROYED))

    def test_live_definition(self):
        """Terminals, names and aliases of a running domain; none of them afterwards."""
        guest = self.start_guest()
        tree = ElementTree.fromstring(self.driver.on('guest', 'XMLDesc', 0))
        self.assertEqual(tree.get('id'), str(guest.domid))
        self.assertEqual(tree.find('devices/disk/alias').get('name'), 'disk-hda')
        for kind in ('serial', 'console'):
            self.assertTrue(tree.find(f'devices/{kind}/source').get('path').startswith('/dev/pts/'), kind)
        self.driver.on('guest', 'destroy')
        self.assertNotIn('/dev/pts', self.driver.on('guest', 'XMLDesc', 0))

    def test_console(self):
        def script(stub):
            consoles = scripts.connect_consoles(stub)
            stub.state('running')
            received = b''
            while b'hello' not in received:
                received += consoles[3].read_some(64)
            consoles[3].write(b'guest says ' + received)
            scripts.serve(stub, consoles)

        self.script = script
        self.start_guest()
        self.assertIn('guest says hello', self.driver.call('console', 'guest', 'hello', 'guest says hello'))


class StartFailureTest(DriverTest):
    def assert_fails(self, *words):
        with self.assertRaises(DriverError) as caught:
            self.driver.on('guest', 'create')
        for word in words:
            self.assertIn(word, str(caught.exception))
        self.assertEqual(self.state(), SHUTOFF)
        self.assertEqual(set(self.hypervisor.domains), set())
        return str(caught.exception)

    def test_stubdomain_crashes(self):
        """The error quotes libxl, the device model and the stubdomain."""
        self.script = scripts.crashes('Kernel panic\x1b[31m: no root\n')
        self.define()
        words = self.assert_fails('device model did not start', 'Kernel panic', 'qemu-dm-guest.log')
        self.assertNotIn('\x1b', words)

    def test_stubdomain_says_nothing(self):
        self.script = scripts.mute
        xml = self.xml().replace('<domain ', "<domain xmlns:stubdom='http://libvirt.org/schemas/domain/stubdom/1.0' ")
        xml = xml.replace('</domain>', "<stubdom:stubdomain><stubdom:timeout start='5'/></stubdom:stubdomain></domain>")
        self.driver.call('defineXML', xml)
        self.assert_fails('did not get ready within', 'the device model starts')

    def test_transient_is_forgotten(self):
        self.script = scripts.crashes('no\n')
        with self.assertRaises(DriverError):
            self.driver.call('createXML', self.xml(), 0)
        self.assertEqual(self.driver.call('listAllDomains'), [])

    def test_libxl_refuses(self):
        self.toolstack.failures['libxl_domain_create_new'] = (ERROR_FAIL, ['not enough memory'])
        self.define()
        self.assert_fails('not enough memory')

    def test_unpause_fails(self):
        """The guest is there already, and goes again."""
        def fail(call):
            return (ERROR_FAIL, ['unpausing failed']) if call.numbers[0] == self.guests[0].domid else None

        self.toolstack.failures['libxl_domain_unpause'] = fail
        self.define()
        self.assert_fails('unpausing failed')

    def test_started_again_after_a_failure(self):
        self.script = scripts.crashes('no\n')
        self.define()
        self.assert_fails('no')
        self.script = scripts.normal
        self.driver.on('guest', 'create')
        self.assertEqual(self.state(), RUNNING)


class ChangeTest(DriverTest):
    def test_suspend_and_resume(self):
        """Guest first, then stubdomain; the other way round on resume."""
        guest = self.start_guest()
        stubdomain = guest.stubdomain_domid()
        del self.toolstack.calls[:]
        self.driver.on('guest', 'suspend')
        self.assertEqual(self.state(), PAUSED)
        self.driver.on('guest', 'resume')
        self.assertEqual(self.state(), RUNNING)
        self.driver.expect(('guest', 'lifecycle', SUSPENDED, 0), ('guest', 'lifecycle', RESUMED, 0))
        self.assertEqual([(call.name[13:], call.numbers[0]) for call in self.toolstack.calls
                          if 'pause' in call.name],
                         [('pause', guest.domid), ('pause', stubdomain), ('unpause', stubdomain),
                          ('unpause', guest.domid)])

    def test_paused_by_others(self):
        """The state is Xen's."""
        guest = self.start_guest()
        for paused, state in ((True, PAUSED), (False, RUNNING)):
            self.hypervisor.domains[guest.domid].paused = paused
            self.assertEqual(self.state(), state)

    def test_suspend_is_undone(self):
        guest = self.start_guest()
        stubdomain = guest.stubdomain_domid()
        self.toolstack.failures['libxl_domain_pause'] = (
            lambda call: (ERROR_FAIL, ['no pause']) if call.numbers[0] == stubdomain else None)
        with self.assertRaises(DriverError) as caught:
            self.driver.on('guest', 'suspend')
        self.assertIn('no pause', str(caught.exception))
        self.assertEqual((self.state(), self.hypervisor.domains[guest.domid].paused), (RUNNING, False))

    def test_resume_is_undone(self):
        guest = self.start_guest()
        stubdomain = guest.stubdomain_domid()
        self.driver.on('guest', 'suspend')
        self.toolstack.failures['libxl_domain_unpause'] = (
            lambda call: (ERROR_FAIL, ['no unpause']) if call.numbers[0] == guest.domid else None)
        with self.assertRaises(DriverError):
            self.driver.on('guest', 'resume')
        self.assertEqual(self.state(), PAUSED)
        self.assertTrue(self.hypervisor.domains[guest.domid].paused)
        self.assertTrue(self.hypervisor.domains[stubdomain].paused)
        del self.toolstack.failures['libxl_domain_unpause']

    def test_shutdown(self):
        """Without PV drivers the power button is pressed; the flags say which way is wanted."""
        guest = self.start_guest()
        self.driver.on('guest', 'shutdown')
        self.driver.on('guest', 'shutdownFlags', SHUTDOWN_ACPI)
        self.assertEqual(len(self.toolstack.find('libxl_send_trigger')), 2)
        with self.assertRaises(DriverError) as caught:
            self.driver.on('guest', 'shutdownFlags', SHUTDOWN_PARAVIRT)
        self.assertEqual(caught.exception.code, UNSUPPORTED)
        guest.power_off()
        self.driver.expect(('guest', 'lifecycle', STOPPED, STOPPED_SHUTDOWN))
        self.assertEqual(self.driver.on('guest', 'state'), [SHUTOFF, 1])

    def test_reboot_without_pv_drivers(self):
        """The guest powers off, and is started again whatever on_poweroff says."""
        guest = self.start_guest()
        self.driver.on('guest', 'reboot')
        guest.power_off()
        self.driver.expect(('guest', 'reboot'), ('guest', 'lifecycle', STOPPED, STOPPED_SHUTDOWN),
                           ('guest', 'lifecycle', STARTED, 0))
        self.assertGreater(self.driver.on('guest', 'ID'), guest.domid)
        self.guest().power_off()
        self.driver.expect(('guest', 'lifecycle', STOPPED, STOPPED_SHUTDOWN))

    def test_reset(self):
        guest = self.start_guest()
        self.driver.on('guest', 'reset')
        self.driver.expect(('guest', 'reboot'), ('guest', 'lifecycle', STOPPED, STOPPED_DESTROYED),
                           ('guest', 'lifecycle', STARTED, 0))
        self.assertGreater(self.driver.on('guest', 'ID'), guest.domid)

    def test_core_dump(self):
        guest = self.start_guest()
        target = self.directory / 'log' / 'core'
        self.driver.on('guest', 'coreDump', str(target), 0)
        self.assertEqual(target.read_text(), 'core')
        self.assertFalse(self.hypervisor.domains[guest.domid].paused)

    def test_lifecycle_action(self):
        guest = self.start_guest()
        self.driver.on('guest', 'setLifecycleAction', 0, 1, 1)  # poweroff: restart, live
        guest.power_off()
        self.driver.expect(('guest', 'reboot'), ('guest', 'lifecycle', STOPPED, STOPPED_SHUTDOWN),
                           ('guest', 'lifecycle', STARTED, 0))

    def test_autostart(self):
        """Once, when the driver first comes up."""
        self.define()
        self.driver.on('guest', 'setAutostart', 1)
        self.driver.stop()
        (self.directory / 'driver' / 'run' / 'autostarted').unlink()
        self.driver = self.start_driver()
        self.driver.expect(('guest', 'lifecycle', STARTED, 0))
        self.driver.on('guest', 'destroy')
        self.driver.stop()
        self.driver = self.start_driver()
        self.assertEqual(self.state(), SHUTOFF)

    def test_autostart_of_many(self):
        """Two are started at a time, and all of them in the end."""
        names = [f'auto{number}' for number in range(1, 5)]
        for number, name in enumerate(names, 1):
            self.define(name, number=number)
            self.driver.on(name, 'setAutostart', 1)
        self.driver.stop()
        (self.directory / 'driver' / 'run' / 'autostarted').unlink()
        reached, go = threading.Semaphore(0), threading.Event()

        def hold(_guest):
            reached.release()
            go.wait(self.deadline.remaining('the end of the stall'))

        self.creating = hold
        self.driver = self.start_driver()
        for _ in range(2):
            self.assertTrue(reached.acquire(timeout=self.deadline.remaining('two starts')))
        self.assertEqual(len(self.driver.call('listAllDomains', ACTIVE)), 2)
        go.set()
        with self.driver.changed:
            while len(self.driver.events) < len(names):
                self.driver.changed.wait(self.deadline.remaining('four starts'))
        self.assertEqual({event[0] for event in self.driver.events}, set(names))
        self.assertEqual([self.state(name) for name in names], [RUNNING] * 4)


class EndTest(DriverTest):
    def end(self, reason, element=''):
        guest = self.start_guest(more=element)
        self.hypervisor.shut_down(guest.domid, reason)
        return guest

    def test_power_off(self):
        self.end(POWEROFF)
        self.driver.expect(('guest', 'lifecycle', STOPPED, STOPPED_SHUTDOWN))

    def test_reboot(self):
        self.end(REBOOT, '<on_reboot>restart</on_reboot>')
        self.driver.expect(('guest', 'reboot'), ('guest', 'lifecycle', STOPPED, STOPPED_SHUTDOWN),
                           ('guest', 'lifecycle', STARTED, 0))
        self.assertEqual(self.state(), RUNNING)

    def test_crash(self):
        self.end(CRASH)
        self.driver.expect(('guest', 'lifecycle', STOPPED, STOPPED_CRASHED))
        self.assertEqual(self.driver.on('guest', 'state'), [SHUTOFF, 3])

    def test_crash_preserved(self):
        guest = self.end(CRASH, '<on_crash>preserve</on_crash>')
        self.driver.expect(('guest', 'lifecycle', CRASHED, 0))
        self.assertEqual(self.state(), IN_CRASH)
        self.assertIn(guest.domid, self.hypervisor.domains)
        self.driver.on('guest', 'destroy')
        self.driver.expect(('guest', 'lifecycle', STOPPED, STOPPED_DESTROYED))

    def test_power_off_preserved(self):
        self.end(POWEROFF, '<on_poweroff>preserve</on_poweroff>')
        self.driver.expect(('guest', 'lifecycle', SHUTDOWN, 0))
        self.assertEqual(self.state(), IN_SHUTDOWN)

    def test_crash_dumped_and_restarted(self):
        self.end(CRASH, '<on_crash>coredump-restart</on_crash>')
        self.driver.expect(('guest', 'lifecycle', STOPPED, STOPPED_CRASHED), ('guest', 'lifecycle', STARTED, 0))
        dumps = list((self.directory / 'driver' / 'dump').iterdir())
        self.assertEqual([dump.read_text() for dump in dumps], ['core'])

    def test_crash_renamed(self):
        """The ended guest is kept under another name and UUID, its stubdomain too."""
        guest = self.end(CRASH, '<on_crash>rename-restart</on_crash>')
        stubdomain = guest.stubdomain_domid()
        self.driver.expect(('guest', 'lifecycle', STOPPED, STOPPED_CRASHED), ('guest', 'lifecycle', STARTED, 0))
        self.assertEqual(self.store.read(f'/local/domain/{guest.domid}/name'), f'guest-{guest.domid}')
        self.assertEqual(self.store.read(f'/local/domain/{stubdomain}/name'), f'guest-{guest.domid}-dm')
        self.assertGreater(self.driver.on('guest', 'ID'), guest.domid)

    def test_destroyed_by_others(self):
        guest = self.start_guest()
        guest.destroy()
        self.driver.expect(('guest', 'lifecycle', STOPPED, STOPPED_DESTROYED))
        self.assertEqual(self.driver.on('guest', 'state'), [SHUTOFF, 2])

    def test_stubdomain_dies(self):
        """The guest ends with it; clients are told that it failed, and why."""
        guest = self.start_guest()
        self.hypervisor.shut_down(guest.stubdomain_domid(), CRASH)
        self.driver.expect(('guest', 'lifecycle', STOPPED, STOPPED_FAILED))
        self.assertEqual(self.driver.on('guest', 'state'), [SHUTOFF, 3])
        self.assertIn('crashed', self.driver.on('guest', 'messages')[0])

    def test_device_model_is_terminated(self):
        """xen-stubdom-dm lets the guest crash; the driver says what ended."""
        self.start_guest()
        self.models[0].signal(signal.SIGTERM)
        self.driver.expect(('guest', 'lifecycle', STOPPED, STOPPED_FAILED))
        self.assertIn('xen-stubdom-dm', self.driver.on('guest', 'messages')[0])

    def test_crash_is_not_the_stubdomains(self):
        self.end(CRASH)
        self.driver.expect(('guest', 'lifecycle', STOPPED, STOPPED_CRASHED))
        self.assertEqual(self.driver.on('guest', 'messages'), [])

    def test_restart_fails(self):
        guest = self.start_guest(more='<on_reboot>restart</on_reboot>')
        self.script = scripts.crashes('no\n')
        self.hypervisor.shut_down(guest.domid, REBOOT)
        self.driver.expect(('guest', 'reboot'), ('guest', 'lifecycle', STOPPED, STOPPED_SHUTDOWN))
        self.driver.on('guest', 'setLifecycleAction', 0, 0, 2)  # waits until the end is dealt with
        self.assertEqual(set(self.hypervisor.domains), set())
