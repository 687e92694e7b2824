# SPDX-License-Identifier: LGPL-2.1-or-later
"""The PV consoles of a stubdomain: bytes between its rings and dom0."""

import os
import socket
import threading
import tty

from harness import scripts
from harness.case import ComponentTest
from harness.stubdomain import INIT_WAIT

PATTERN = bytes(range(256)) * 256  # 64 KiB, every byte


def echo(size):
    """Sends back @size bytes of console 3."""
    def script(stub):
        consoles = scripts.connect_consoles(stub)
        stub.state('running')
        left = size
        while left:
            data = consoles[3].read_some(left)
            consoles[3].write(data)
            left -= len(data)
        stub.idle()
    return script


def sends(data):
    """Sends @data on console 3 before it says running."""
    def script(stub):
        consoles = scripts.connect_consoles(stub)
        consoles[3].write(data)
        consoles[3].flush()
        stub.state('running')
        stub.idle()
    return script


def send_and_receive(read, write, data):
    """Writes @data while it comes back."""
    sender = threading.Thread(target=write, args=(data,))
    sender.start()
    result = b''
    while len(result) < len(data):
        part = read(65536)
        if not part:
            break
        result += part
    sender.join()
    return result


class SerialTest(ComponentTest):
    def test_file_gets_every_byte(self):
        path = self.directory / 'log' / 'com1'
        guest, model, _ = self.start_running(sends(PATTERN), serials=[f'file:{path}'])
        guest.destroy()
        model.wait_end()
        self.assertEqual(path.read_bytes(), PATTERN)
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        path.unlink()

    def test_last_words_of_a_dying_stubdomain_reach_the_file(self):
        path = self.directory / 'log' / 'com1'

        def script(stub):
            consoles = scripts.connect_consoles(stub)
            stub.state('running')
            running.wait(self.deadline.remaining('the test'))
            consoles[3].write(b'panic!')
            stub.crash()

        running = threading.Event()
        guest, model, _ = self.start_running(script, serials=[f'file:{path}'])
        client = model.driver_qmp()
        running.set()
        client.event('STUBDOMAIN_DEATH')
        guest.destroy()
        model.wait_end()
        self.assertEqual(path.read_bytes(), b'panic!')

    def test_unix_echo(self):
        path = f'{self.directory}/libxl/com1'
        self.start_running(echo(len(PATTERN)), serials=[f'unix:{path},server,nowait'])
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(self.deadline.remaining('the echo'))
            client.connect(path)
            self.assertEqual(send_and_receive(client.recv, client.sendall, PATTERN), PATTERN)

    def test_unix_client_comes_back(self):
        path = f'{self.directory}/libxl/com1'
        self.start_running(echo(15), serials=[f'unix:{path},server,nowait'])
        for word in (b'first', b'secnd', b'third'):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(self.deadline.remaining('the echo'))
                client.connect(path)
                self.assertEqual(send_and_receive(client.recv, client.sendall, word), word)

    def test_tcp_echo(self):
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        self.start_running(echo(len(PATTERN)), serials=[f'tcp:127.0.0.1:{port},server,nowait'])
        with socket.create_connection(('127.0.0.1', port), self.deadline.remaining('the echo')) as client:
            self.assertEqual(send_and_receive(client.recv, client.sendall, PATTERN), PATTERN)

    def test_tcp_client(self):
        with socket.socket() as server:
            server.bind(('127.0.0.1', 0))
            server.listen()
            server.settimeout(self.deadline.remaining('the connection'))
            self.start_running(echo(5), serials=[f'tcp:127.0.0.1:{server.getsockname()[1]}'])
            client, _ = server.accept()
            with client:
                client.settimeout(self.deadline.remaining('the echo'))
                self.assertEqual(send_and_receive(client.recv, client.sendall, b'hello'), b'hello')

    def test_pty_echo(self):
        _, _, stub = self.start_running(echo(4096), serials=['pty'])
        path = self.store.read(f'/local/domain/{stub.domid}/device/console/3/tty')
        descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
        try:
            tty.setraw(descriptor)
            self.assertEqual(send_and_receive(lambda size: os.read(descriptor, size),
                                              lambda data: os.write(descriptor, data), PATTERN[:4096]),
                             PATTERN[:4096])
        finally:
            os.close(descriptor)

    def test_four_ports_do_not_mix(self):
        paths = [self.directory / 'log' / f'com{number}' for number in range(1, 5)]

        def script(stub):
            consoles = scripts.connect_consoles(stub)
            for _ in range(100):
                for number in range(3, 7):
                    consoles[number].write(str(number).encode() * 50)
            for number in range(3, 7):
                consoles[number].flush()
            stub.state('running')
            stub.idle()

        guest, model, _ = self.start_running(script, serials=[f'file:{path}' for path in paths])
        guest.destroy()
        model.wait_end()
        for number, path in enumerate(paths, 3):
            self.assertEqual(path.read_bytes(), str(number).encode() * 5000)

    def test_frontend_closes_and_connects_again(self):
        path = self.directory / 'log' / 'com1'

        def script(stub):
            for word in (b'one ', b'two '):
                console = stub.console(3).connect()
                console.write(word)
                console.flush()
                console.close()
                console.wait_backend(INIT_WAIT)
            stub.state('running')
            stub.idle()

        guest, model, _ = self.start_running(script, serials=[f'file:{path}'])
        guest.destroy()
        model.wait_end()
        self.assertEqual(path.read_bytes(), b'one two ')

    def test_nobody_reads_the_pty(self):
        """The guest's output is no reason to stall: the start goes on."""
        self.start_running(sends(PATTERN * 4), serials=['pty'])
