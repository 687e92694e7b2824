# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stubdomain that lies, floods and breaks rules: bounded memory, log and time; no crash; no effect on another guest."""

import contextlib
import socket
import threading

from harness import processes, scripts
from harness.case import ComponentTest
from harness.hypervisor import CRASH
from harness.qmp import QmpError
from harness.stubdomain import (CONNECTED, IN_CONS, IN_PROD, INITIALISED, OUT, OUT_CONS, OUT_PROD,
                                StubdomainGone)
from harness.xenstore import XenstoreGone
from test_qmp import DEVICE

LOG_LIMIT = 65536
GROWTH_KIB = 8 * 1024  # of all processes of one device model together


class HostileTest(ComponentTest):
    seconds = 40

    def memory(self, model):
        total = 0
        for pid in model.family():
            with contextlib.suppress(OSError):
                total += processes.resident_kib(pid)
        return total

    @contextlib.contextmanager
    def unharmed(self, model, *, alive=True):
        """The device model and that of another guest are as well afterwards as before."""
        _, other, _ = self.start_running(name='bystander')
        nodes = self.store.tree(f'/local/domain/{other.guest.domid}')
        before = self.memory(model)
        yield
        self.assertLess(self.memory(model) - before, GROWTH_KIB * self.slowness)
        self.assertIsNone(model.process.returncode, model.errors())
        self.assertEqual(other.qmp().call('query-status')['status'], 'running')
        self.assertEqual(self.store.tree(f'/local/domain/{other.guest.domid}'), nodes)
        if alive:
            self.assertEqual(model.qmp().call('query-status')['status'], 'running')
            self.assertNotIn('\x1b', model.errors())
            self.assertLess(len(model.errors()), 32768)


class WordsTest(HostileTest):
    """state, parameter, command."""

    def answer_with(self, *acts, options=None):
        """A device_add that the stubdomain answers by @acts; returns the error's text."""
        def script(stub):
            stub.state('running')
            stub.next_command()
            for act in acts:
                act(stub)
            stub.idle()

        _, model, stub = self.start_running(script, options=options or {'command_timeout': 1}, name='hostile')
        with self.unharmed(model):
            client = model.qmp()
            with self.assertRaises(QmpError) as caught:
                client.call('device_add', DEVICE)
            self.assertEqual(client.call('query-pci')[0]['devices'], [])
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
            model.qmp().call('device_add', DEVICE)

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
            client.call('device_add', DEVICE)
            with contextlib.suppress(QmpError):
                client.call('device_add', {**DEVICE, 'id': 'second', 'hostaddr': '0000:04:00.0'})

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
            model.qmp().call('device_add', DEVICE)

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
            self.store.write('/test/done', 1)
            stub.idle()

        _, model, _ = self.start_running(script, name='hostile')
        with self.unharmed(model):
            self.store.wait('/test/done', '1', self.deadline)
        self.store.rm('/test')

    def test_it_fills_its_directory(self):
        """Up to the quota of xenstored."""
        def script(stub):
            stub.state('running')
            with contextlib.suppress(OSError):
                for number in range(2000):
                    stub.store.write(f'{stub.dm}/{number}', 'x' * 500)
            self.store.write('/test/done', 1)
            stub.idle()

        _, model, _ = self.start_running(script, name='hostile')
        with self.unharmed(model):
            self.store.wait('/test/done', '1', self.deadline)
        self.store.rm('/test')

    def test_it_changes_permissions(self):
        def script(stub):
            stub.state('running')
            stub.store.set_permissions(f'{stub.dm}/state', f'n{stub.domid}')
            stub.store.set_permissions(stub.dm, f'b{stub.domid}')
            self.store.write('/test/done', 1)
            scripts.serve(stub)

        _, model, _ = self.start_running(script, name='hostile')
        self.store.wait('/test/done', '1', self.deadline)
        self.store.rm('/test')
        with self.unharmed(model):
            model.qmp().call('device_add', DEVICE)

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
            self.store.write('/test/done', 1)
            stub.idle()

        _, model, _ = self.start_running(script, name='hostile', serials=['null'])
        with self.unharmed(model):
            self.store.wait('/test/done', '1', self.deadline)
        self.store.rm('/test')

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
            self.store.write('/test/done', 1)
            stub.idle()

        _, model, _ = self.start_running(script, name='hostile', serials=['null'])
        with self.unharmed(model):
            self.store.wait('/test/done', '1', self.deadline)
        self.store.rm('/test')

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


class FloodTest(HostileTest):
    """More bytes than anybody wants."""

    def log_sizes(self, name):
        return {path.name: path.stat().st_size for path in (self.directory / 'log').glob(f'stubdom-{name}.log*')}

    def test_console_0(self):
        """Twenty megabytes of log: two files of the limit, the start and the commands not held up."""
        def script(stub):
            stub.state('running')
            line = b'\x1b[31m flood \xff\x00' * 300 + b'\n'
            written = 0
            while written < 20 << 20 and not stub.gone:
                stub.log(line)
                written += len(line)
            self.store.write('/test/done', 1)
            scripts.serve(stub)

        _, model, _ = self.start_running(script, options={'log-limit': LOG_LIMIT}, name='hostile')
        with self.unharmed(model):
            self.store.wait('/test/done', '1', self.deadline)
            model.qmp().call('device_add', DEVICE)
        self.store.rm('/test')
        sizes = self.log_sizes('hostile')
        self.assertTrue(sizes)
        self.assertLessEqual(len(sizes), 2, sizes)
        for name, size in sizes.items():
            self.assertLessEqual(size, LOG_LIMIT, name)
            self.assertNotIn(b'\x1b', (self.directory / 'log' / name).read_bytes())

    def test_serial_port_into_a_file(self):
        """The file is what was asked for; memory does not grow with it."""
        size = 8 << 20
        path = self.directory / 'log' / 'com1'

        def script(stub):
            stub.state('running')
            console = stub.console(3).connect()
            console.write(bytes(size))
            console.flush()
            self.store.write('/test/done', 1)
            scripts.serve(stub)

        _, model, _ = self.start_running(script, name='hostile', serials=[f'file:{path}'])
        with self.unharmed(model):
            self.store.wait('/test/done', '1', self.deadline)
        self.store.rm('/test')
        self.guests[0].destroy()
        model.wait_end()
        self.assertEqual(path.stat().st_size, size)
        path.unlink()

    def test_serial_port_nobody_reads(self):
        """Bytes for a client that does not read are held back or dropped, never piled up."""
        def script(stub):
            stub.state('running')
            console = stub.console(3).connect()
            flooding.set()
            with contextlib.suppress(AssertionError):
                while not stop.is_set() and not stub.gone:
                    console.write(bytes(4096))
            stub.idle()

        flooding, stop = threading.Event(), threading.Event()
        _, model, _ = self.start_running(script, name='hostile',
                                         serials=[f'unix:{self.directory}/libxl/com1,server,nowait'])
        with self.unharmed(model):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(f'{self.directory}/libxl/com1')
                flooding.wait(self.deadline.remaining('the flood'))
                control = model.qmp()
                for _ in range(200):
                    control.call('query-status')
            stop.set()

    def test_save_console_when_nothing_is_saved(self):
        """Nobody asked for a device state: its bytes go nowhere, and no file appears."""
        def script(stub):
            stub.state('running')
            console = stub.console(1).connect()
            with contextlib.suppress(AssertionError, StubdomainGone):
                console.write(bytes(2 << 20))
            self.store.write('/test/done', 1)
            stub.idle()

        _, model, _ = self.start_running(script, name='hostile')
        with self.unharmed(model):
            self.store.wait('/test/done', '1', self.deadline)
        self.store.rm('/test')

    def test_it_dies_in_a_flood(self):
        def script(stub):
            stub.state('running')
            console = stub.console(3).connect()
            for _ in range(100):
                console.write(bytes(4096))
                stub.log(b'x' * 4096)
            stub.crash()

        guest, model, _ = self.start_running(script, name='hostile', serials=['null'])
        model.driver_qmp().event('STUBDOMAIN_DEATH')
        guest.destroy()
        self.assertEqual(model.wait_end(), 0, model.errors())
