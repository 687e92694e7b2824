# SPDX-License-Identifier: LGPL-2.1-or-later
"""More bytes than anybody wants: bounded memory, log and time."""

import contextlib
import socket
import threading

from harness import scripts
from harness.hostile import HostileTest
from harness.qmp import DEVICE
from harness.stubdomain import StubdomainGone

LOG_LIMIT = 65536


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
            self.say_done()
            scripts.serve(stub)

        _, model, _ = self.start_running(script, options={'log-limit': LOG_LIMIT}, name='hostile')
        with self.unharmed(model):
            self.wait_done()
            model.qmp().attach(DEVICE)
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
            self.say_done()
            scripts.serve(stub)

        _, model, _ = self.start_running(script, name='hostile', serials=[f'file:{path}'])
        with self.unharmed(model):
            self.wait_done()
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
            self.say_done()
            stub.idle()

        self.assert_harmless(script)

    def test_it_dies_in_a_flood(self):
        def script(stub):
            stub.state('running')
            console = stub.console(3).connect()
            for _ in range(100):
                console.write(bytes(4096))
                stub.log(b'x' * 4096)
            listening.wait(self.deadline.remaining('the driver'))
            stub.crash()

        listening = threading.Event()
        guest, model, _ = self.start_running(script, name='hostile', serials=['null'])
        driver = model.driver_qmp()
        listening.set()
        driver.event('STUBDOMAIN_DEATH')
        guest.destroy()
        self.assertEqual(model.wait_end(), 0, model.errors())
