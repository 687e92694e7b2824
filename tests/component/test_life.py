# SPDX-License-Identifier: LGPL-2.1-or-later
"""A running guest and its end: destroyed, powered off, orphaned, its device model killed."""

import os
import signal
import threading
import time

from harness import processes, scripts
from harness.case import ComponentTest
from harness.hypervisor import CRASH
from harness.qmp import Qmp
from harness.toolstack import QUESTION


class EndTest(ComponentTest):
    def test_guest_is_destroyed(self):
        guest, model, stub = self.start_running()
        guest.destroy()
        self.assertEqual(model.wait_end(), 0, model.errors())
        self.assertTrue(stub.gone)
        self.assert_nothing_left(self.clean)
        self.assertEqual(self.toolstack.find('xendevicemodel_shutdown'), [])

    def test_guest_is_destroyed_with_all_kinds_of_serial_ports(self):
        guest, model, _ = self.start_running(serials=[
            'pty', f'unix:{self.directory}/libxl/com2,server,nowait', f'file:{self.directory}/log/com3', 'null'])
        guest.destroy()
        self.assertEqual(model.wait_end(), 0, model.errors())
        self.assert_nothing_left(self.clean)

    def test_guest_powers_off_and_is_destroyed(self):
        """Between the two the toolstack still asks questions."""
        guest, model, stub = self.start_running()
        guest.power_off()
        client = model.qmp()
        client.call('query-status')
        self.assertFalse(stub.gone)
        guest.destroy()
        self.assertEqual(model.wait_end(), 0, model.errors())

    def test_reboot(self):
        """libxl destroys the old guest and starts a new device model for the new one."""
        for _ in range(3):
            guest, model, _ = self.start_running(name='again')
            guest.power_off()
            guest.destroy()
            self.assertEqual(model.wait_end(), 0, model.errors())
        self.assert_nothing_left(self.clean)

    def test_other_domains_come_and_go(self):
        """@releaseDomain of others means nothing."""
        guest, model, _ = self.start_running()
        for domid in range(100, 120):
            self.toolstack.make_domain(domid, f'other{domid}', f'other{domid}', 'pv', 1024)
            self.toolstack.destroy(domid)
        self.assertEqual(model.qmp().call('query-status')['status'], 'running')
        self.assertIsNotNone(self.store.read(f'/local/domain/{guest.domid}/name'))


class StubdomainDeathTest(ComponentTest):
    def test_crash_is_noticed_within_a_second(self):
        guest, model, stub = self.start_running()
        client = model.driver_qmp()
        started = time.monotonic()
        stub.log('BUG: unable to handle page fault\n')
        self.hypervisor.shut_down(stub.domid, CRASH)
        event = client.event('STUBDOMAIN_DEATH')
        self.assertLess(time.monotonic() - started, 1.0 * self.patience)
        self.assertIn('crashed', str(event['data']))
        self.assertIn('page fault', str(event['data']))
        self.wait_call('xendevicemodel_shutdown')
        self.assertEqual([call.numbers for call in self.toolstack.find('xendevicemodel_shutdown')],
                         [[guest.domid, CRASH]])
        self.assertIn('crashed', model.errors())
        self.assertIn('page fault', model.errors())

    def test_crash_then_the_toolstack_destroys_the_guest(self):
        guest, model, stub = self.start_running()
        with self.store.watch('@releaseDomain') as watch:
            self.hypervisor.shut_down(stub.domid, CRASH)
            while self.hypervisor.domains[guest.domid].reason is None:
                watch.next(self.deadline)
        self.assertEqual(self.hypervisor.domains[guest.domid].reason, CRASH)
        guest.destroy()
        self.assertEqual(model.wait_end(), 0, model.errors())
        self.assert_nothing_left(self.clean)

    def test_stubdomain_is_destroyed_alone(self):
        """Somebody runs `xl destroy guest-dm`."""
        guest, model, stub = self.start_running()
        client = model.driver_qmp()
        started = time.monotonic()
        self.toolstack.destroy(stub.domid)
        client.event('STUBDOMAIN_DEATH')
        self.assertLess(time.monotonic() - started, 1.0 * self.patience)
        self.wait_call('xendevicemodel_shutdown')
        self.assertEqual(self.hypervisor.domains[guest.domid].reason, CRASH)

    def test_commands_fail_at_once_when_the_stubdomain_dies(self):
        """No waiting for the deadline of the command, and QMP stays alive."""
        asked = threading.Event()

        def script(stub):
            scripts.connect_consoles(stub)
            stub.state('running')
            stub.next_command()
            asked.set()
            stub.crash()

        _, model, _ = self.start_running(script, options={'command_timeout': 60})
        client = model.qmp()
        started = time.monotonic()
        with self.assertRaises(Exception) as caught:
            client.attach({'driver': 'xen-pci-passthrough', 'id': 'pci-0', 'hostaddr': '0000:03:00.0'})
        self.assertEqual(type(caught.exception).__name__, 'QmpError')
        self.assertTrue(asked.is_set())
        self.assertLess(time.monotonic() - started, 5 * self.patience)
        client.call('query-status')

    def wait_call(self, name):
        """The device model's calls arrive when they do; the guest's shutdown is what can be awaited."""
        with self.store.watch('@releaseDomain') as watch:
            while not self.toolstack.find(name):
                watch.next(self.deadline)
        self.toolstack.settle(self.deadline)  # it is known before it is done


class SignalTest(ComponentTest):
    def test_sigterm_and_sighup_destroy_the_stubdomain(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                guest, model, stub = self.start_running(name=f'guest-{int(number)}')
                model.signal(number)
                model.wait_end()
                self.assertNotIn(stub.domid, self.hypervisor.domains)
                self.assertEqual(self.store.ls(f'/local/domain/{stub.domid}'), [])
                self.assertEqual(self.store.ls(f'/local/domain/0/device-model/{guest.domid}'), [])
                guest.destroy()
                self.assert_nothing_left(self.clean)

    def test_next_life_with_the_same_uuid_keeps_its_arguments(self):
        """It may be started as soon as libxl has done with the guest, which does not wait for the device model's end."""
        guest, model, stub = self.start_running()
        arguments = f'/vm/{guest.uuid}/image/dm-argv'
        self.assertIn('001', self.store.ls(arguments))
        model.signal(signal.SIGSTOP)
        guest.destroy()
        self.assertEqual(self.store.ls(arguments), [])
        self.store.write(f'{arguments}/001', 'of the next life')
        model.signal(signal.SIGCONT)
        model.wait_end()
        self.assertEqual(self.store.read(f'{arguments}/001'), 'of the next life')
        self.store.rm(f'/vm/{guest.uuid}')

    def test_guest_crashes_after_its_stubdomain_is_gone(self):
        """Its toolstack would otherwise destroy the stubdomain at the same time as we do."""
        guest, model, stub = self.start_running()
        there = []
        self.toolstack.failures['xendevicemodel_shutdown'] = lambda call: there.extend(
            [stub.domid in self.hypervisor.domains, *self.store.ls(f'/libxl/{stub.domid}'),
             self.store.read(f'/local/domain/{guest.domid}/image/device-model-domid')])
        model.signal(signal.SIGTERM)
        model.wait_end()
        self.assertEqual(there, [False, None])
        self.assertEqual(self.hypervisor.domains[guest.domid].reason, CRASH)

    def test_sigkill_while_ending(self):
        """The guardian goes on with what the device model was about to do."""
        guest, model, stub = self.start_running()

        def kill(_):
            del self.toolstack.failures['libxl_domain_destroy']
            model.signal(signal.SIGKILL)
            model.wait_end()
            return (-3, ['killed'])

        self.toolstack.failures['libxl_domain_destroy'] = kill
        with self.store.watch('@releaseDomain') as watch:
            model.signal(signal.SIGTERM)
            while self.hypervisor.domains[guest.domid].reason is None:
                watch.next(self.deadline)
        self.assertEqual(self.hypervisor.domains[guest.domid].reason, CRASH)
        self.assertNotIn(stub.domid, self.hypervisor.domains)

    def test_sigkill_then_destroy(self):
        guest, model, stub = self.start_running()
        model.signal(signal.SIGKILL)
        model.wait_end()
        self.assertIn(stub.domid, self.hypervisor.domains)
        guest.destroy()
        self.assert_nothing_left(self.clean)

    def test_sigkill_then_libxl_takes_its_time(self):
        """The guest is gone and libxl still has hotplug scripts of the stubdomain to run: nobody else destroys it."""
        guest, model, stub = self.start_running()
        asked = threading.Event()
        model.signal(signal.SIGSTOP)
        self.hypervisor.domains[stub.domid].paused = True
        self.toolstack.destroy_one(guest.domid)
        guest.alive = False
        self.toolstack.failures[QUESTION] = lambda call: call.numbers[0] == stub.domid and asked.set()
        model.signal(signal.SIGKILL)
        self.assertTrue(asked.wait(self.deadline.remaining('the guardian')))
        self.toolstack.destroy_one(stub.domid)
        self.assert_nothing_left(self.clean)
        self.assertEqual(self.toolstack.find('libxl_domain_destroy'), [])

    def test_sigkill_during_the_start(self):
        """libxl sees its device model die and destroys the guest; nobody else knows of the stubdomain."""
        guest = self.make_guest(lambda stub: (self.store.write('/test/reached', '1'), stub.idle()))
        model = self.start(guest)
        self.store.wait('/test/reached', '1', self.deadline)
        self.store.rm('/test')
        model.signal(signal.SIGKILL)
        model.wait_end()
        guest.destroy()
        self.assert_nothing_left(self.clean)

    def test_worker_is_killed(self):
        """Consoles end; the guest and its device model do not."""
        _, model, stub = self.start_running(serials=['null'])
        worker = [pid for pid, words in processes.descendants(model.pid).items() if 'console' in words]
        self.assertEqual(len(worker), 1, processes.descendants(model.pid))
        with self.store.watch(f'/local/domain/0/backend/console/{stub.domid}/3/state') as watch:
            os.kill(worker[0], signal.SIGKILL)
            while self.store.read(watch.path) not in ('5', '6'):
                watch.next(self.deadline)
        self.assertEqual(model.qmp().call('query-status')['status'], 'running')
        self.assertIn('worker', model.errors())

    def test_guardian_is_killed(self):
        """The device model does without, and cleans up as usual."""
        guest, model, _ = self.start_running()
        for pid in processes.descendants(model.pid):
            with open(f'/proc/{pid}/comm', encoding='ascii') as file:
                if 'grd' in file.read():
                    os.kill(pid, signal.SIGKILL)
        guest.destroy()
        self.assertEqual(model.wait_end(), 0, model.errors())


class ManyTest(ComponentTest):
    seconds = 40

    def test_three_at_once_one_dies(self):
        running = [self.start_running(name=f'guest{number}') for number in range(3)]
        clients = [Qmp(model.guest.qmp_path, self.deadline) for _, model, _ in running]
        self.hypervisor.shut_down(running[1][2].domid, CRASH)
        for number in (0, 2):
            self.assertEqual(clients[number].call('query-status')['status'], 'running')
        for client in clients:
            client.close()
