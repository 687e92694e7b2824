# SPDX-License-Identifier: LGPL-2.1-or-later
"""The libvirt driver ends or is killed, and comes back: what runs is found again and not disturbed."""

import random
import threading

from harness.driver_case import (CRASHED, DriverTest, IN_CRASH, PAUSED, RESUMED, RUNNING, SHUTOFF, STARTED, STOPPED,
                                 STOPPED_FAILED, STOPPED_SHUTDOWN)
from harness.hypervisor import CRASH
from harness.toolstack import ERROR_FAIL, LibxlError


DESTROYED = 2  # VIR_DOMAIN_SHUTOFF_DESTROYED
ID_STARTING = 0x10000  # STUBDOM_ID_STARTING


class RestartedTest(DriverTest):
    def restart(self, meanwhile=lambda: None):
        """SIGKILL, then another one."""
        self.driver.kill()
        self.toolstack.settle(self.deadline)  # a killed process calls libxl no more
        meanwhile()
        self.driver = self.start_driver()

    def synchronize(self, name='guest'):
        """Returns when the driver has done with a domain what it had to: a job waits for the one before."""
        self.driver.on(name, 'setLifecycleAction', 0, 0, 2)


class ReconnectTest(RestartedTest):
    def test_running(self):
        """It is the same as before, its end is noticed, its console works."""
        guest = self.start_guest()
        before = self.driver.on('guest', 'XMLDesc', 0)
        self.restart()
        self.assertEqual((self.state(), self.driver.on('guest', 'ID')), (RUNNING, guest.domid))
        self.assertEqual(self.driver.on('guest', 'XMLDesc', 0), before)
        self.assertTrue(self.models[0].end.is_alive())
        guest.power_off()
        self.driver.expect(('guest', 'lifecycle', STOPPED, STOPPED_SHUTDOWN))

    def test_two_run_through_three_restarts(self):
        one, two = self.start_guest('one', number=1), self.start_guest('two', number=2)
        for _ in range(3):
            self.restart()
        one.power_off()
        self.driver.expect(('one', 'lifecycle', STOPPED, STOPPED_SHUTDOWN))
        two.power_off()
        self.driver.expect(('two', 'lifecycle', STOPPED, STOPPED_SHUTDOWN))

    def test_orderly_end(self):
        guest = self.start_guest()
        self.driver.stop()
        self.driver = self.start_driver()
        self.assertEqual((self.state(), self.driver.on('guest', 'ID')), (RUNNING, guest.domid))

    def test_stubdomain_dies_afterwards(self):
        guest = self.start_guest()
        self.restart()
        self.hypervisor.shut_down(guest.stubdomain_domid(), CRASH)
        self.driver.expect(('guest', 'lifecycle', STOPPED, STOPPED_FAILED))
        self.assertIn('its stubdomain ended', self.driver.on('guest', 'messages')[0])

    def test_nothing_is_disturbed(self):
        """Nothing but questions is asked of Xen."""
        self.start_guest()
        del self.toolstack.calls[:]
        self.restart()
        self.synchronize()
        self.assertEqual(self.toolstack.names(), [])

    def test_paused(self):
        self.start_guest()
        self.driver.on('guest', 'suspend')
        self.restart()
        self.assertEqual(self.state(), PAUSED)
        self.driver.on('guest', 'resume')
        self.driver.expect(('guest', 'lifecycle', RESUMED, 0))

    def test_paused_meanwhile(self):
        guest = self.start_guest()

        def pause():
            self.hypervisor.domains[guest.domid].paused = True

        self.restart(pause)
        self.assertEqual(self.state(), PAUSED)

    def test_destroyed_meanwhile(self):
        guest = self.start_guest()
        self.restart(guest.destroy)
        self.assertEqual(self.state(), SHUTOFF)
        self.driver.on('guest', 'create')
        self.assertEqual(self.state(), RUNNING)

    def test_replaced_meanwhile(self):
        """Another domain has its number now."""
        guest = self.start_guest()

        def replace():
            guest.destroy()
            self.models[0].wait_end()
            self.toolstack.make_domain(guest.domid, 'other', '99999999-0000-0000-0000-000000000000', 'hvm', 1024)

        self.restart(replace)
        self.assertEqual(self.state(), SHUTOFF)
        self.assertIn(guest.domid, self.hypervisor.domains)
        self.toolstack.destroy(guest.domid)

    def test_powered_off_meanwhile(self):
        """Its on_poweroff is done now."""
        guest = self.start_guest(more='<on_poweroff>restart</on_poweroff>')
        self.restart(guest.power_off)
        self.driver.wait_event(('guest', 'lifecycle', STARTED, 0))
        self.assertGreater(self.driver.on('guest', 'ID'), guest.domid)

    def test_preserved(self):
        guest = self.start_guest(more='<on_crash>preserve</on_crash>')
        self.hypervisor.shut_down(guest.domid, CRASH)
        self.driver.expect(('guest', 'lifecycle', CRASHED, 0))
        self.restart()
        self.synchronize()
        self.assertEqual(self.state(), IN_CRASH)
        self.driver.on('guest', 'destroy')

    def test_transient_ended_meanwhile(self):
        self.driver.call('createXML', self.xml(), 0)
        self.restart(self.guest().destroy)
        self.assertEqual(self.driver.call('listAllDomains'), [])

    def test_transient_runs(self):
        self.driver.call('createXML', self.xml(), 0)
        self.restart()
        self.assertEqual((self.state(), self.driver.on('guest', 'isPersistent')), (RUNNING, 0))

    def test_interrupted_destroy(self):
        """libxl has paused the guest and not got further: the next libvirtd finishes."""
        guest = self.start_guest()
        reached, go = threading.Event(), threading.Event()

        def cut_off(_call):
            reached.set()
            go.wait(self.deadline.remaining('the end of the stall'))
            return ERROR_FAIL, ['killed']

        self.toolstack.failures['libxl_domain_destroy'] = cut_off
        self.driver.send('guest', 'destroy')
        reached.wait(self.deadline.remaining('the call'))
        self.hypervisor.domains[guest.domid].paused = True
        self.driver.kill()
        go.set()
        self.toolstack.settle(self.deadline)
        del self.toolstack.failures['libxl_domain_destroy']
        self.assertIn(guest.domid, self.hypervisor.domains)
        self.driver = self.start_driver()
        self.synchronize()
        self.assertEqual((self.driver.on('guest', 'state'), len(self.hypervisor.domains)), ([SHUTOFF, DESTROYED], 0))

    def test_interrupted_start(self):
        """A guest that was made and got no device model is removed."""
        made, go = threading.Event(), threading.Event()

        def stall(_guest):
            made.set()
            go.wait(self.deadline.remaining('the end of the stall'))
            raise LibxlError(ERROR_FAIL, 'killed')

        self.creating = stall
        self.define()
        self.driver.send('guest', 'create')
        made.wait(self.deadline.remaining('the guest'))
        self.driver.kill()
        go.set()
        self.toolstack.settle(self.deadline)
        self.creating = None
        self.assertEqual(len(self.hypervisor.domains), 1)
        self.driver = self.start_driver()
        self.synchronize()
        self.assertEqual((self.state(), len(self.hypervisor.domains)), (SHUTOFF, 0))
        self.driver.on('guest', 'create')
        self.assertEqual(self.state(), RUNNING)

    def test_orphaned_stubdomain(self):
        """One whose guest is gone is removed; one whose guest lives, and a domain that is only called so, are not."""
        self.start_guest()

        def orphan():
            self.toolstack.make_domain(50, 'lost-dm', 'x', 'pv', 1024)
            self.store.write('/local/domain/50/target', 49)
            self.toolstack.make_domain(51, 'mine-dm', 'x', 'pv', 1024)

        self.restart(orphan)
        self.driver.stop()  # ends when all its threads have
        self.assertNotIn(50, self.hypervisor.domains)
        self.assertIn(51, self.hypervisor.domains)
        self.assertIn(self.guest().stubdomain_domid(), self.hypervisor.domains)
        self.toolstack.destroy(51)
        self.driver = self.start_driver()


class KillTest(RestartedTest):
    seconds = 120
    names = ('one', 'two', 'three')

    def test_any_moment(self):
        """20 kills at any moment of starts and stops of three guests: each then runs, or is gone, and is said to be."""
        chance = random.Random(20)
        for number, name in enumerate(self.names, 1):
            self.define(name, number=number)
        for _ in range(20):
            for name in self.names:
                self.driver.send(name, chance.choice(('create', 'destroy', 'suspend', 'reset')))
            threading.Event().wait(chance.uniform(0, 0.4))  # any moment: nothing is waited for
            self.restart()
            for name in self.names:
                self.settle(name)
                self.check(name)

    def settle(self, name):
        """Half made when the driver was killed, a domain has an id no domain of Xen's has, until the next one removed it."""
        self.synchronize(name)
        while self.driver.on(name, 'ID') >= ID_STARTING:
            self.deadline.remaining(f'the removal of {name}')
            self.synchronize(name)

    def check(self, name):
        state = self.state(name)
        if state == SHUTOFF:
            self.wait_gone(name, name + '-dm')  # xen-stubdom-dm may be about to remove what it made
        else:
            self.assertIn(state, (RUNNING, PAUSED))
            domid = self.driver.on(name, 'ID')
            self.assertEqual(self.store.read(f'/local/domain/{domid}/name'), name)
            self.assertIn(name + '-dm', self.domain_names())

    def domain_names(self):
        return {self.store.read(f'/local/domain/{domid}/name') for domid in list(self.hypervisor.domains)}

    def wait_gone(self, *names):
        with self.store.watch('@releaseDomain') as watch:
            while set(names) & self.domain_names():
                watch.next(self.deadline)
