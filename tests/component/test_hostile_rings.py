# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rings, event channels and the nodes that name them, in the hands of a hostile stubdomain."""

import socket
import threading

from harness.hostile import HostileTest
from harness.stubdomain import CONNECTED, IN_CONS, IN_PROD, INITIALISED, OUT, OUT_CONS, OUT_PROD


class RingTest(HostileTest):
    """Rings, event channels and the nodes that name them."""

    def break_console(self, act, serial='null'):
        """Lets the stubdomain connect console 3 and then @act on it; the console is closed, all else goes on."""
        def script(stub):
            stub.state('running')
            consoles[stub.domid] = stub.console(3).connect()
            stub.idle()

        consoles = {}
        _, model, stub = self.start_running(script, name='hostile', serials=[serial])
        backend = f'/local/domain/0/backend/console/{stub.domid}/3/state'
        self.store.wait(backend, str(CONNECTED), self.deadline)
        self.store.wait(f'/local/domain/{stub.domid}/device/console/3/state', str(CONNECTED), self.deadline)
        with self.unharmed(model):
            act(consoles[stub.domid])
            consoles[stub.domid].port.notify()
            self.store.wait(backend, lambda value: value in ('5', '6'), self.deadline)
        self.assertIn('console 3', model.errors())

    def test_producer_beyond_the_ring(self):
        for distance in (2049, 4096, 0x7fffffff, 0x80000000, 0xffffffff):
            with self.subTest(distance):
                self.break_console(lambda console, distance=distance: console.page.set_word(
                    OUT_PROD, console.page.word(OUT_CONS) + distance))
                for guest in self.guests:
                    guest.destroy()

    def test_indices_of_dom0_are_overwritten(self):
        """dom0 goes by its own copies."""
        path = self.directory / 'log' / 'com1'

        def script(stub):
            console = stub.console(3).connect()
            console.write(b'before ')
            console.flush()
            console.page.set_word(OUT_CONS, 0xdeadbeef)
            console.page.set_word(IN_PROD, 0xdeadbeef)
            console.page.memory[OUT + 7:OUT + 12] = b'after'
            console.page.set_word(OUT_PROD, 12)
            console.port.notify()
            console.flush()
            stub.state('running')
            stub.idle()

        guest, model, _ = self.start_running(script, name='hostile', serials=[f'file:{path}'])
        with self.unharmed(model):
            pass
        guest.destroy()
        model.wait_end()
        self.assertEqual(path.read_bytes(), b'before after')

    def test_input_consumer_beyond_the_producer(self):
        """Seen when dom0 has something to say."""
        path = f'{self.directory}/libxl/com1'
        for distance in (1, 0x80000000, -1025):
            with self.subTest(distance), socket.socket(socket.AF_UNIX) as client:
                def act(console, distance=distance):
                    console.page.set_word(IN_CONS, console.page.word(IN_PROD) + distance)
                    client.connect(path)  # pylint: disable=cell-var-from-loop
                    client.sendall(b'x')  # pylint: disable=cell-var-from-loop
                self.break_console(act, f'unix:{path},server,nowait')
                for guest in self.guests:
                    guest.destroy()
                for model in self.models:
                    model.wait_end()

    def test_indices_change_all_the_time(self):
        """No lock protects them: a race is what a hostile frontend has."""
        def script(stub):
            stub.state('running')
            console = stub.console(3).connect()
            for number in range(20000):
                console.page.set_word(OUT_PROD, number * 7919)
                console.page.set_word(IN_CONS, number * 104729)
                if number % 50 == 0:
                    console.port.notify()
            self.say_done()
            stub.idle()

        self.assert_harmless(script, serials=['null'])

    def announce(self, **values):
        """Announces console 3 with wrong values; it never becomes connected, and nothing else suffers."""
        def script(stub):
            stub.state('running')
            console = stub.console(3)
            console.announce(**values)
            # The others still work: dom0 has looked at this one by the time they are connected.
            stub.console(1).connect()
            stub.idle()

        _, model, stub = self.start_running(script, name='hostile', serials=['null'])
        with self.unharmed(model):
            self.store.wait(f'/local/domain/{stub.domid}/device/console/1/state', str(CONNECTED), self.deadline)
            self.assertNotEqual(self.store.read(f'/local/domain/0/backend/console/{stub.domid}/3/state'),
                                str(CONNECTED))
        for guest in self.guests:
            guest.destroy()

    def test_ring_ref_is_none(self):
        for ref in ('', 'x', '-1', '8x', '99999999999999999999', '4294967296', '1023', 'x' * 2000, b'8\0'):
            with self.subTest(str(ref)[:20]):
                self.announce(ref=ref)

    def test_port_is_none(self):
        for port in ('', 'x', '-1', '0', '4095', '99999999999999999999', b'\xff'):
            with self.subTest(str(port)[:20]):
                self.announce(port=port)

    def test_state_is_none(self):
        for state in ('', 'x', '-3', '99', '3x', '3' * 1000, str(INITIALISED) + '\n'):
            with self.subTest(str(state)[:20]):
                self.announce(state=state)

    def test_nodes_are_missing(self):
        def script(stub):
            stub.state('running')
            stub.store.write(f'/local/domain/{stub.domid}/device/console/3/state', INITIALISED)
            stub.console(1).connect()
            stub.idle()

        _, model, stub = self.start_running(script, name='hostile', serials=['null'])
        with self.unharmed(model):
            self.store.wait(f'/local/domain/{stub.domid}/device/console/1/state', str(CONNECTED), self.deadline)

    def test_frontend_state_flaps(self):
        def script(stub):
            stub.state('running')
            console = stub.console(3)
            console.announce()
            for number in range(600):
                stub.store.write(f'{console.path}/state', number % 8)
            self.say_done()
            stub.idle()

        self.assert_harmless(script, serials=['null'])

    def test_events_without_end(self):
        """Events without bytes: dom0's time is bounded, and its other guests are served."""
        stop = threading.Event()

        def script(stub):
            stub.state('running')
            console = stub.console(3).connect()
            while not stop.is_set() and not stub.gone:
                console.port.notify()
            stub.idle()

        _, model, _ = self.start_running(script, name='hostile', serials=['null'])
        with self.unharmed(model):
            client = model.qmp()
            for _ in range(50):
                client.call('query-status')
            stop.set()
