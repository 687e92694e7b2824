# SPDX-License-Identifier: LGPL-2.1-or-later
"""The display: who may look, and where viewers and browsers come in."""

import base64
import socket
import struct
import time

from harness.display_case import DisplayTest
from harness.qmp import QmpError
from harness.viewer import RfbError, Viewer

KEY_A = 30
VERSION = b'RFB 003.008\n'


class AccessTest(DisplayTest):
    vnc = '127.0.0.1:100,to=199,password=on'

    def refused(self, **options):
        with self.assertRaises((RfbError, ConnectionError)):
            self.view(**options)

    def test_password(self):
        _, framebuffer, _ = self.start_display()
        framebuffer.pattern()
        framebuffer.update()
        self.refused(password='')
        self.driver.call('set_password', {'protocol': 'vnc', 'password': 'sesame'})
        self.refused(password='open')
        self.refused(password=None)
        self.assert_shows(self.view(password='sesame'), framebuffer.picture())
        self.assertEqual(self.driver.call('query-vnc')['auth'], 'vnc')

    def test_libxl_sets_it(self):
        model, _, _ = self.start_display()
        model.qmp().call('change', {'device': 'vnc', 'target': 'password', 'arg': 'from libxl'})
        self.view(password='from libxl')

    def test_expiry(self):
        self.start_display()
        self.driver.call('set_password', {'protocol': 'vnc', 'password': 'sesame'})
        for end, valid in (('never', True), ('now', False), ('+60', True), ('1', False),
                           (str(int(time.time()) + 60), True)):
            with self.subTest(end):
                self.driver.call('expire_password', {'protocol': 'vnc', 'time': end})
                if valid:
                    self.view(password='sesame').close()
                else:
                    self.refused(password='sesame')
        with self.assertRaises(QmpError):
            self.driver.call('expire_password', {'protocol': 'vnc', 'time': 'tomorrow'})

    def test_viewers_at_a_change(self):
        self.start_display()
        word = {'protocol': 'vnc', 'password': 'sesame'}
        self.driver.call('set_password', word)
        viewer = self.view(password='sesame')
        viewer.look()
        self.driver.call('set_password', {**word, 'connected': 'keep'})
        viewer.look()
        with self.assertRaises(QmpError):
            self.driver.call('set_password', {**word, 'connected': 'fail'})
        self.driver.call('set_password', {**word, 'connected': 'disconnect'})
        with self.assertRaises(ConnectionError):
            viewer.look()

    def test_nobody_goes_round_it(self):
        """By asking for what others were offered, while one that needs no password comes in."""
        self.start_display()
        self.driver.call('set_password', {'protocol': 'vnc', 'password': 'sesame'})
        sneak = Viewer(self.address(), begin=False, timeout=5)
        self.sockets.append(sneak)
        sneak.send(sneak.receive(12))
        self.assertEqual(sneak.receive(2), b'\1\2')
        ours, theirs = socket.socketpair()
        self.driver.answer(self.driver.send('getfd', {'fdname': 'viewer'}, theirs.fileno()))
        theirs.close()
        self.driver.call('add_client', {'protocol': 'vnc', 'fdname': 'viewer', 'skipauth': True})
        friend = Viewer(ours, begin=False, timeout=5)
        self.sockets.append(friend)
        friend.send(friend.receive(12))
        self.assertEqual(friend.receive(2), b'\1\1')
        sneak.send(b'\1')
        with self.assertRaises((ConnectionError, RfbError)):
            self.assertEqual(sneak.receive(4), bytes(4))
            sneak.send(b'\1')
            sneak.receive(24)

    def test_challenges_differ(self):
        self.start_display()
        seen = set()
        for _ in range(8):
            viewer = Viewer(self.address(), begin=False, timeout=5)
            self.sockets.append(viewer)
            viewer.send(viewer.receive(12))
            viewer.receive(2)
            viewer.send(b'\2')
            seen.add(viewer.receive(16))
        self.assertEqual(len(seen), 8)

    def test_no_password_to_set(self):
        self.start_display(vnc='127.0.0.1:100,to=199')
        with self.assertRaisesRegex(QmpError, 'not asked for a password'):
            self.driver.call('set_password', {'protocol': 'vnc', 'password': 'sesame'})


class SilenceTest(DisplayTest):
    """A viewer that comes has ten seconds to say something."""

    def come(self):
        viewer = Viewer(self.address(), begin=False, timeout=self.deadline.remaining('the VNC server'))
        self.sockets.append(viewer)
        self.assertEqual(viewer.receive(12), VERSION)
        return viewer

    def speak(self, viewer):
        viewer.send(VERSION)
        self.assertEqual(viewer.receive(2), b'\1\1')

    def test_silence(self):
        self.start_display()
        watcher, first, second = self.view(), self.come(), self.come()
        self.hypervisor.pass_time(9)
        watcher.look()
        self.speak(first)
        self.hypervisor.pass_time(1)
        watcher.look()
        self.assertEqual(second.socket.recv(1), b'')
        self.speak(self.come())

    def test_nothing_happened_before(self):
        """The ten seconds begin when the viewer comes, not when the display last had something to do."""
        self.start_display()
        watcher = self.view()
        watcher.look()
        self.hypervisor.pass_time(3600)
        viewer = self.come()
        watcher.look()
        self.speak(viewer)


class ListenTest(DisplayTest):
    def test_described_by_the_driver(self):
        port = self.free_port()
        _, framebuffer, _ = self.start_described(
            listen=[{'address': '127.0.0.1', 'port': port}, {'socket': str(self.socket_path)}], password=False,
            share='ignore', keymap='de', width=800, height=600, **{'video-memory': 16384})
        framebuffer.pattern()
        framebuffer.update()
        self.assertEqual(self.socket_path.stat().st_mode & 0o777, 0o660)
        for address in (('127.0.0.1', port), self.socket_path):
            self.assert_shows(self.view(address=address), framebuffer.picture())

    def test_stale_socket_is_replaced(self):
        with socket.socket(socket.AF_UNIX) as old:
            old.bind(str(self.socket_path))
        self.start_described()
        self.view().look()
        self.guests[0].destroy()
        self.models[0].wait_end()
        self.assertFalse(self.socket_path.exists())

    def test_socket_of_somebody_else_stays(self):
        self.start_described()
        self.view().look()
        self.socket_path.rename(self.socket_path.with_suffix('.old'))  # so that it has another inode
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(self.socket_path))
            self.guests[0].destroy()
            self.models[0].wait_end()
            self.assertTrue(self.socket_path.exists())
        self.socket_path.unlink()
        self.socket_path.with_suffix('.old').unlink()

    def test_wrong_descriptions(self):
        path = self.directory / 'images' / 'display.json'
        listen = '"listen":[{"socket":"/nowhere/x"}]'
        for text, words in ((f'{{{listen},"colour":1}}', "'colour' is not known"), ('[]', 'no JSON object'),
                            ('{}', "there is no 'listen'"), ('{"listen":[]}', "'listen' is no list"),
                            ('{"listen":[{"address":"127.0.0.1"}]}', "an entry of 'listen' has"),
                            ('{"listen":[{"address":"a.b","port":5900}]}', "no address of numbers"),
                            (f'{{{listen},"tls":{{}}}}', 'TLS was asked for'),
                            (f'{{{listen},"websocket":5700}}', "'websocket' needs"),
                            (f'{{{listen},"share":"x"}}', "'share' is not"),
                            (f'{{{listen}}}', "cannot listen at socket '/nowhere/x'")):
            with self.subTest(words):
                path.write_text(text)
                guest = self.make_guest(vnc=self.vnc, name=f'g{len(self.guests)}')
                self.assert_start_fails(guest, words, image='graphics', display=path)

    def test_port_in_use(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            guest = self.make_guest(vnc=f'127.0.0.1:{taken.getsockname()[1] - 5900}')
            self.assert_start_fails(guest, 'cannot listen at port', image='graphics')

    def test_browser(self):
        port, browsers = self.free_port(), self.free_port()
        _, framebuffer, keyboard = self.start_described(listen=[{'address': '127.0.0.1', 'port': port}],
                                                        websocket=browsers)
        framebuffer.pattern()
        framebuffer.update()
        connection = WebSocket(('127.0.0.1', browsers), self.deadline.remaining('the VNC server'))
        viewer = self.view(address=connection)
        self.assert_shows(viewer, framebuffer.picture())
        viewer.key(ord('a'), True)
        self.assertEqual(keyboard.take(), ('key', KEY_A, 1))
        self.assertTrue(self.wait_event('VNC_CONNECTED')['client']['websocket'])
        # a slow request stops nobody
        with socket.create_connection(('127.0.0.1', browsers)) as slow:
            slow.sendall(b'GET / HTTP/1.1\r\nHo')
            self.view(address=('127.0.0.1', port)).look()

    def test_no_display_without_graphics(self):
        model = self.start_running(options={'image': 'graphics'})[1]
        self.assertEqual(model.driver_qmp().call('query-vnc'), {'enabled': False})
        with self.assertRaisesRegex(QmpError, 'has no display'):
            model.driver_qmp().call('screendump', {'filename': '/tmp/x'})
        self.assertFalse([words for words in model.family().values() if 'xen-stubdom-display' in words])


class WebSocket(socket.socket):
    """A browser's connection (RFC 6455), as far as a viewer sees it."""

    def __init__(self, address, timeout):
        super().__init__(socket.AF_INET)
        self.settimeout(timeout)
        self.connect(address)
        super().sendall(b'GET /websockify HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nUpgrade: websocket\r\n'
                        b'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary\r\n'
                        b'Sec-WebSocket-Key: ' + base64.b64encode(bytes(16)) + b'\r\n\r\n')
        head = b''
        while not head.endswith(b'\r\n\r\n'):
            head += super().recv(1)
        assert head.startswith(b'HTTP/1.1 101'), head
        self.payload = b''

    def sendall(self, data, *_):
        length = len(data)
        head = bytes([0x82, 0x80 | length]) if length < 126 else struct.pack('>BBH', 0x82, 0x80 | 126, length)
        mask = b'\1\2\3\4'
        super().sendall(head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def _take(self, size):
        data = b''
        while len(data) < size:
            part = super().recv(size - len(data))
            if not part:
                raise ConnectionError('closed')
            data += part
        return data

    def recv(self, size, *_):
        if not self.payload:
            kind, length = self._take(2)
            assert kind & 15 in (1, 2), kind
            if length == 126:
                length = struct.unpack('>H', self._take(2))[0]
            elif length == 127:
                length = struct.unpack('>Q', self._take(8))[0]
            self.payload = self._take(length)
        part, self.payload = self.payload[:size], self.payload[size:]
        return part
