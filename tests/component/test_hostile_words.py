# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lies of a stubdomain in state, parameter and command."""

import contextlib
import threading

from harness import scripts
from harness.hostile import HostileTest
from harness.hypervisor import CRASH
from harness.qmp import DEVICE, QmpError
from harness.stubdomain import StubdomainGone
from harness.xenstore import XenstoreGone


class WordsTest(HostileTest):
    """state, parameter, command."""

    def answer_with(self, *acts, options=None):
        """A device_add that the stubdomain answers by @acts; returns the error's text."""
        def script(stub):
            stub.state('running')
            stub.next_command()
            for act in acts:
                act(stub)
            done.set()
            stub.idle()

        done = threading.Event()
        _, model, stub = self.start_running(script, options=options or {'command_timeout': 1}, name='hostile')
        with self.unharmed(model):
            client = model.qmp()
            with self.assertRaises(QmpError) as caught:
                client.attach(DEVICE)
            self.assertEqual(client.call('query-pci')[0]['devices'], [])
            done.wait(self.deadline.remaining('the stubdomain'))
            stub.state('running')
        self.assertLess(len(caught.exception.description), 1024)
        self.assertTrue(caught.exception.description.isprintable(), caught.exception.description)
        return caught.exception.description

    def test_state_is_garbage(self):
        self.assertIn('\\x', self.answer_with(lambda stub: stub.state(b'\x1b[31m\xff\0pci-inserted')))

    def test_state_is_huge(self):
        self.answer_with(lambda stub: stub.parameter('0x28'), lambda stub: stub.state(b'pci-inserted' * 160))

    def test_state_is_the_answer_to_something_else(self):
        self.answer_with(lambda stub: stub.state('pci-removed'))

    def test_state_vanishes(self):
        self.answer_with(lambda stub: stub.store.rm(f'{stub.dm}/state'))

    def test_the_whole_directory_vanishes(self):
        def script(stub):
            stub.state('running')
            stub.next_command()
            stub.store.rm(f'{stub.dm}/state')
            stub.store.rm(f'{stub.dm}/parameter')
            with contextlib.suppress(PermissionError):
                stub.store.rm(stub.dm)
            stub.idle()

        _, model, _ = self.start_running(script, options={'command_timeout': 1}, name='hostile')
        with self.unharmed(model), self.assertRaises(QmpError):
            model.qmp().attach(DEVICE)

    def test_parameter_is_no_slot(self):
        for value in (b'0x', b'0xzz', b'0x100', b'-1', b'', b'40', b'0x28 ', b'0x28\0', b'%s%n', b'0x2' + b'8' * 1900):
            with self.subTest(value[:20]):
                def act(stub, value=value):
                    stub.parameter(value)
                    stub.state('pci-inserted')
                self.answer_with(act)
                for guest in self.guests:
                    guest.destroy()

    def test_parameter_is_missing(self):
        def act(stub):
            stub.store.rm(f'{stub.dm}/parameter')
            stub.state('pci-inserted')
        self.answer_with(act)

    def test_inserted_twice_into_the_same_slot(self):
        """The second answer is a lie, or the first was; either way nothing breaks."""
        def script(stub):
            stub.state('running')
            scripts.serve(stub)

        _, model, _ = self.start_running(script, name='hostile')
        with self.unharmed(model):
            client = model.qmp()
            client.attach(DEVICE)
            with contextlib.suppress(QmpError):
                client.attach({**DEVICE, 'id': 'second', 'hostaddr': '0000:04:00.0'})

    def test_stale_answer_does_not_count(self):
        """State says "pci-inserted" before anything was asked: no command is sent."""
        ready = threading.Event()

        def script(stub):
            stub.state('running')
            begin.wait(self.deadline.remaining('the test'))
            stub.parameter('0x28')
            stub.state('pci-inserted')
            ready.set()
            stub.idle()

        begin = threading.Event()
        _, model, _ = self.start_running(script, options={'command_timeout': 1}, name='hostile')
        begin.set()
        ready.wait(self.deadline.remaining('the stubdomain'))
        with self.assertRaises(QmpError):
            model.qmp().attach(DEVICE)

    def test_state_flaps_during_a_command(self):
        def flap(stub):
            for _ in range(1000):
                stub.state('paused')
                stub.state('running')
                stub.store.rm(f'{stub.dm}/state')
            stub.state('running')
        self.answer_with(flap)

    def test_state_is_flooded(self):
        """As fast as xenstored lets a domain write, for as long as the test looks."""
        stop = threading.Event()

        def script(stub):
            stub.state('running')
            running.wait(self.deadline.remaining('the test'))
            flooding.set()
            with contextlib.suppress(XenstoreGone, StubdomainGone):
                while not stop.is_set():
                    stub.state(b'x' * 2000)
                stub.state('running')
                stub.idle()

        running, flooding = threading.Event(), threading.Event()
        _, model, _ = self.start_running(script, name='hostile')
        running.set()
        flooding.wait(self.deadline.remaining('the flood'))
        with self.unharmed(model, alive=False):
            client = model.qmp()
            for _ in range(50):
                client.call('query-status')
            stop.set()

    def test_it_writes_commands_itself(self):
        def script(stub):
            stub.state('running')
            for _ in range(100):
                stub.store.write(f'{stub.dm}/command', 'save')
                stub.parameter('0000:00:00.0')
            self.say_done()
            stub.idle()

        self.assert_harmless(script)

    def test_it_fills_its_directory(self):
        """Up to the quota of xenstored."""
        def script(stub):
            stub.state('running')
            with contextlib.suppress(OSError):
                for number in range(2000):
                    stub.store.write(f'{stub.dm}/{number}', 'x' * 500)
            self.say_done()
            stub.idle()

        self.assert_harmless(script)

    def test_it_changes_permissions(self):
        def script(stub):
            stub.state('running')
            stub.store.set_permissions(f'{stub.dm}/state', f'n{stub.domid}')
            stub.store.set_permissions(stub.dm, f'b{stub.domid}')
            self.say_done()
            scripts.serve(stub)

        _, model, _ = self.start_running(script, name='hostile')
        self.wait_done()
        with self.unharmed(model):
            model.qmp().attach(DEVICE)

    def test_running_and_dead_at_once(self):
        """It crashes the moment it has said running: an end like any other."""
        def script(stub):
            stub.state('running')
            stub.crash()

        guest = self.make_guest(script, name='hostile')
        model = self.start(guest)
        with self.store.watch('@releaseDomain') as watch:
            while not self.toolstack.find('xendevicemodel_shutdown') and model.next_or_end(watch):
                pass
        self.assertTrue(model.process.returncode == 1 or self.hypervisor.domains[guest.domid].reason == CRASH)
