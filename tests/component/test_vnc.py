# SPDX-License-Identifier: LGPL-2.1-or-later
"""The display: a scripted frontend draws and listens to keys, a small VNC viewer looks and types."""

import fcntl
import os
import socket
import struct
import time

from harness.display import Framebuffer, Keyboard
from harness.display_case import DisplayTest
from harness.qmp import QmpError
from harness.stubdomain import INIT_WAIT
from harness.viewer import DESKTOP_SIZE, EXTENDED_KEY, LAST_RECT, RAW, ZLIB, ZRLE

# Linux's codes and X11's names of some keys.
KEY_A, KEY_ENTER, KEY_RIGHTCTRL, BTN_LEFT, BTN_RIGHT, BTN_MIDDLE = 30, 28, 97, 0x110, 0x111, 0x112
XK_RETURN = 0xff0d


def large(stub):
    return Framebuffer(stub, 640, 480).connect(), Keyboard(stub).connect()


class PictureTest(DisplayTest):
    def test_picture(self):
        _, framebuffer, _ = self.start_display()
        framebuffer.pattern()
        framebuffer.update()
        viewer = self.view()
        self.assertEqual((viewer.width, viewer.height, viewer.name), (64, 48, 'guest'))
        self.assert_shows(viewer, framebuffer.picture())

    def test_encodings(self):
        _, framebuffer, _ = self.start_display(large)
        framebuffer.pattern()
        framebuffer.fill(0x123456, 100, 100, 300, 200)
        framebuffer.update()
        for encodings in ((ZLIB,), (ZRLE,), (ZRLE, LAST_RECT), (RAW, LAST_RECT)):
            with self.subTest(encodings):
                viewer = self.view(encodings=encodings)
                self.assert_shows(viewer, framebuffer.picture())
                self.assertEqual({rectangle[4] for rectangle in viewer.rectangles}, {encodings[0]})

    def test_only_what_changed(self):
        """Not what the frontend says it changed, but what is another colour now."""
        _, framebuffer, _ = self.start_display(large)
        viewer = self.view()
        viewer.look()
        framebuffer.fill(0xff8000, 130, 50, 4, 2)
        framebuffer.update()
        viewer.request(incremental=True)
        viewer.update()
        self.assertEqual([rectangle[:4] for rectangle in viewer.rectangles], [(128, 50, 64, 2)])
        self.assertEqual(viewer.picture(), framebuffer.picture())

    def test_nothing_is_sent_when_nothing_changes(self):
        model, _, _ = self.start_display()
        viewer = self.view()
        viewer.look()
        viewer.request(incremental=True)
        pid = self.display_pid(model)
        before = self.cpu_time(pid)
        viewer.socket.settimeout(1)
        with self.assertRaises(TimeoutError):
            viewer.update()
        self.assertLessEqual(self.cpu_time(pid) - before, 0.02)

    def test_depths(self):
        for depth, pixel, seen in ((16, struct.pack('=H', 0b1111100000011111), 0xff00ff),
                                   (8, b'\xe3', 0xff00ff), (24, b'\x56\x34\x12', 0x123456)):
            with self.subTest(depth):
                _, framebuffer, _ = self.start_display(
                    lambda stub, depth=depth: (Framebuffer(stub, depth=depth).connect(), Keyboard(stub).connect()),
                    name=f'depth{depth}')
                framebuffer.pixels[:len(pixel) * 64 * 48] = pixel * 64 * 48
                framebuffer.update()
                self.assert_shows(self.view(), [[seen] * 64] * 48)

    def test_resize(self):
        _, framebuffer, _ = self.start_display(
            lambda stub: (Framebuffer(stub, 320, 200, pages=1024).connect(), Keyboard(stub).connect()))
        viewer = self.view()
        viewer.look()
        framebuffer.resize(720, 400)
        framebuffer.pattern()
        framebuffer.update()
        viewer.request(incremental=True)
        while (viewer.width, viewer.height) != (720, 400):
            viewer.update()
        self.assert_shows(viewer, framebuffer.picture())

    def test_a_viewer_that_cannot_resize_stays_in_its_picture(self):
        _, framebuffer, _ = self.start_display(
            lambda stub: (Framebuffer(stub, 320, 200, pages=1024).connect(), Keyboard(stub).connect()))
        viewer = self.view(encodings=(RAW,))
        viewer.look()
        framebuffer.resize(720, 400)
        framebuffer.fill(0x00ff00)
        framebuffer.update()
        self.assert_shows(viewer, [[0x00ff00] * 320] * 200)

    def test_viewer_before_the_framebuffer(self):
        model, keyboard = self.start_display(lambda stub: (Keyboard(stub).connect(),))
        viewer = self.view()
        self.assertEqual(set(map(tuple, viewer.look())), {(0,) * 640})
        framebuffer = Framebuffer(self.stub).connect()
        framebuffer.pattern()
        framebuffer.update()
        viewer.request(incremental=True)
        viewer.update()
        self.assertEqual(viewer.rectangles[0][2:], (64, 48, DESKTOP_SIZE))
        self.assert_shows(viewer, framebuffer.picture())

    def test_frontend_comes_again(self):
        _, framebuffer, _ = self.start_display()
        viewer = self.view()
        framebuffer.close()
        framebuffer.wait_backend(INIT_WAIT)
        other = Framebuffer(self.stub, 80, 25).connect()
        other.pattern()
        other.update()
        self.assert_shows(viewer, other.picture())

    def test_screendump(self):
        _, framebuffer, _ = self.start_display(large)
        framebuffer.pattern()
        framebuffer.update()
        path = self.directory / 'images' / 'picture.ppm'
        self.driver.call('screendump', {'filename': str(path)})
        pixels = b''.join(struct.pack('>I', pixel)[1:] for row in framebuffer.picture() for pixel in row)
        self.assertEqual(path.read_bytes(), b'P6\n640 480\n255\n' + pixels)
        fifo = self.directory / 'images' / 'fifo'
        os.mkfifo(fifo)
        link = self.directory / 'images' / 'link'
        link.symlink_to(path)
        for name in (fifo, link, '/nowhere/picture'):
            with self.subTest(name), self.assertRaises(QmpError):
                self.driver.call('screendump', {'filename': str(name)})


class InputTest(DisplayTest):
    def test_keys(self):
        _, _, keyboard = self.start_display()
        viewer = self.view()
        for keysym, code in ((ord('a'), KEY_A), (ord('A'), KEY_A), (XK_RETURN, KEY_ENTER)):
            viewer.key(keysym, True)
            viewer.key(keysym, False)
            self.assertEqual([keyboard.take(), keyboard.take()], [('key', code, 1), ('key', code, 0)])

    def test_scancodes(self):
        _, _, keyboard = self.start_display()
        viewer = self.view(encodings=(RAW, EXTENDED_KEY))
        viewer.update()
        self.assertEqual([rectangle[4] for rectangle in viewer.rectangles], [EXTENDED_KEY])
        viewer.extended_key(ord('q'), 0x1e, True)  # what is A on an American keyboard
        self.assertEqual(keyboard.take(), ('key', KEY_A, 1))
        viewer.extended_key(0xffe4, 0x9d, True)
        self.assertEqual(keyboard.take(), ('key', KEY_RIGHTCTRL, 1))

    def test_pointer(self):
        _, _, keyboard = self.start_display()
        viewer = self.view()
        viewer.pointer(10, 20)
        self.assertEqual(keyboard.take(), ('position', 10, 20, 0))
        viewer.pointer(11, 21, 0b101)
        self.assertEqual([keyboard.take() for _ in range(3)],
                         [('position', 11, 21, 0), ('key', BTN_LEFT, 1), ('key', BTN_RIGHT, 1)])
        viewer.pointer(1000, 1000, 0b10)
        self.assertEqual([keyboard.take() for _ in range(4)],
                         [('position', 63, 47, 0), ('key', BTN_LEFT, 0), ('key', BTN_MIDDLE, 1), ('key', BTN_RIGHT, 0)])
        viewer.pointer(5, 5, 0b10010)
        self.assertEqual(keyboard.take(), ('position', 5, 5, 1))

    def test_raw_and_relative_pointers(self):
        for nodes, events in (({'request_raw_pointer': 1}, [('position', 32767, 0, 0)]),
                              ({'request_abs_pointer': None}, [('motion', 63, 0, 0)])):
            with self.subTest(nodes):
                _, _, keyboard = self.start_display(
                    lambda stub, nodes=nodes: (Framebuffer(stub).connect(), Keyboard(stub).connect(**nodes)),
                    name=list(nodes)[0])
                self.view().pointer(63, 0)
                self.assertEqual([keyboard.take()], events)

    def test_page_without_a_grant(self):
        """As MiniOS has it: a page number."""
        def make(stub):
            keyboard = Keyboard(stub)
            frame, keyboard.page = stub.domain.frames(1)
            keyboard.words = memoryview(keyboard.page).cast('I')
            return Framebuffer(stub).connect(), keyboard.connect(page_gref=None, page_ref=frame)

        _, _, keyboard = self.start_display(make)
        self.view().key(ord('a'), True)
        self.assertEqual(keyboard.take(), ('key', KEY_A, 1))

    def test_keys_are_released_with_their_viewer(self):
        _, _, keyboard = self.start_display()
        viewer = self.view()
        viewer.key(ord('a'), True)
        viewer.pointer(0, 0, 1)
        self.assertEqual([keyboard.take() for _ in range(3)],
                         [('key', KEY_A, 1), ('position', 0, 0, 0), ('key', BTN_LEFT, 1)])
        viewer.close()
        self.assertEqual([keyboard.take(), keyboard.take()], [('key', KEY_A, 0), ('key', BTN_LEFT, 0)])

    def test_no_release_is_lost_in_a_full_ring(self):
        _, _, keyboard = self.start_display()
        viewer = self.view()
        for _ in range(60):
            viewer.key(ord('a'), True)
            viewer.key(ord('a'), False)
        self.assertEqual([keyboard.take()[2] for _ in range(120)], [1, 0] * 60)

    def test_send_key(self):
        _, _, keyboard = self.start_display()
        before = time.monotonic()
        number = self.driver.send('send-key', {'keys': [{'type': 'linux', 'data': KEY_RIGHTCTRL},
                                                        {'type': 'linux', 'data': KEY_A}], 'hold-time': 200})
        self.assertEqual([keyboard.take() for _ in range(4)],
                         [('key', KEY_RIGHTCTRL, 1), ('key', KEY_A, 1), ('key', KEY_A, 0), ('key', KEY_RIGHTCTRL, 0)])
        self.driver.answer(number)
        self.assertGreaterEqual(time.monotonic() - before, 0.2)
        for keys in ([], [{'type': 'linux', 'data': 768}], [{'type': 'qcode', 'data': 'a'}], [1],
                     [{'type': 'linux', 'data': 1}] * 17):
            with self.subTest(keys), self.assertRaises(QmpError):
                self.driver.call('send-key', {'keys': keys})


class ViewersTest(DisplayTest):
    def test_two_viewers(self):
        _, framebuffer, _ = self.start_display(large)
        one, two = self.view(), self.view(encodings=(ZRLE, LAST_RECT, DESKTOP_SIZE))
        for colour in (0xff0000, 0x00ff00, 0x0000ff):
            framebuffer.fill(colour, 64, 64, 128, 128)
            framebuffer.update()
            self.assert_shows(one, framebuffer.picture())
            self.assert_shows(two, framebuffer.picture())
        self.assertEqual(len(self.driver.call('query-vnc')['clients']), 2)

    def test_events(self):
        self.start_display()
        viewer = self.view()
        host, port = viewer.socket.getsockname()
        server = {'host': '127.0.0.1', 'service': str(self.address()[1]), 'family': 'ipv4', 'websocket': False,
                  'auth': 'none'}
        client = {'host': host, 'service': str(port), 'family': 'ipv4', 'websocket': False}
        for name in ('VNC_CONNECTED', 'VNC_INITIALIZED'):
            self.assertEqual(self.wait_event(name), {'server': server, 'client': client})
        self.assertEqual(self.driver.call('query-vnc')['clients'], [client])
        viewer.close()
        self.assertEqual(self.wait_event('VNC_DISCONNECTED'), {'server': server, 'client': client})
        self.assertEqual(self.driver.call('query-vnc')['clients'], [])

    def test_disconnect_in_mid_update(self):
        _, framebuffer, _ = self.start_display(
            lambda stub: (Framebuffer(stub, 1024, 768).connect(), Keyboard(stub).connect()))
        framebuffer.pattern()
        framebuffer.update()
        for _ in range(10):
            viewer = self.view()
            viewer.request()
            viewer.receive(1000)
            viewer.close()
            self.wait_event('VNC_DISCONNECTED')
        self.assert_shows(self.view(), framebuffer.picture())

    def test_gone_while_it_had_to_wait(self):
        """It says something that has to wait for the end of an update, of which it reads no more."""
        self.start_display(lambda stub: (Framebuffer(stub, 1600, 1200, pages=2048).connect(), Keyboard(stub).connect()))
        for linger in (0, 1):  # 1: no orderly end of the connection
            viewer = self.view()
            viewer.request()
            viewer.receive(1000)
            viewer.set_encodings(RAW)
            viewer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', linger, 0))
            viewer.close()
            self.wait_event('VNC_DISCONNECTED')

    def test_fifty_connections_a_second(self):
        model, framebuffer, keyboard = self.start_display()
        watcher = self.view()
        watcher.look()
        begin = time.monotonic()
        for number in range(100):
            if number % 2:
                self.view().close()
            else:
                self.connect().close()
        self.assertLess(time.monotonic() - begin, 2 * self.patience)
        framebuffer.fill(0x00ff00)
        framebuffer.update()
        self.assert_shows(watcher, framebuffer.picture())
        watcher.key(ord('a'), True)
        self.assertEqual(keyboard.take(), ('key', KEY_A, 1))
        self.assertNotIn('started again', model.errors())

    def test_silent_connections_give_way(self):
        self.start_display()
        silent = [self.connect() for _ in range(40)]
        self.assertEqual((len(self.view().look()), len(silent)), (48, 40))

    def test_too_many_viewers(self):
        self.start_display()
        for _ in range(16):
            self.view()
        with self.assertRaises(ConnectionError):
            self.view()
        self.sockets[0].close()
        self.wait_event('VNC_DISCONNECTED')
        self.view().look()

    def test_a_viewer_that_never_reads(self):
        model, framebuffer, keyboard = self.start_display(
            lambda stub: (Framebuffer(stub, 1024, 768).connect(), Keyboard(stub).connect()))
        framebuffer.pattern()
        framebuffer.update()
        deaf, watcher = self.view(), self.view()
        watcher.look()
        pid = self.display_pid(model)
        before = self.own_memory(pid)
        for number in range(50):
            deaf.request()
            framebuffer.fill(number * 0x040506)
            framebuffer.update()
            if number % 10 == 0:
                self.assert_shows(watcher, framebuffer.picture())
        watcher.key(ord('a'), True)
        self.assertEqual(keyboard.take(), ('key', KEY_A, 1))
        one_picture = 1024 * 768 * 4 // 1024  # of fifty; malloc may keep that, and sanitizers more of what was freed
        self.assertLess(self.own_memory(pid) - before, one_picture * self.slowness ** 2)
        begin = self.cpu_time(pid)
        with self.assertRaises(TimeoutError):
            watcher.socket.settimeout(1)
            watcher.update()
        self.assertLessEqual(self.cpu_time(pid) - begin, 0.05)

    def hand_in(self, **options):
        """A viewer as virDomainOpenGraphicsFD() makes one, whose socket could make the display wait."""
        ours, theirs = socket.socketpair()
        with theirs:
            self.driver.answer(self.driver.send('getfd', {'fdname': 'viewer'}, theirs.fileno()))
            self.driver.call('add_client', {'protocol': 'vnc', 'fdname': 'viewer', **options})
            viewer = self.view(address=ours)
            self.assertTrue(fcntl.fcntl(theirs, fcntl.F_GETFL) & os.O_NONBLOCK)
        return viewer

    def test_answers_that_nobody_reads(self):
        """Each list of encodings with that of QEMU's keys is answered at once."""
        self.start_display()
        watcher = self.view()
        for viewer in self.view(), self.hand_in():
            viewer.socket.settimeout(0.5)
            with self.assertRaises(TimeoutError):
                while True:
                    viewer.send(struct.pack('>BxHi', 2, 1, EXTENDED_KEY) * 4096)
            begin = time.monotonic()
            watcher.look()
            self.assertLess(time.monotonic() - begin, 2 * self.patience)
            viewer.close()
            self.wait_event('VNC_DISCONNECTED')

    def test_half_a_message_stops_nobody(self):
        self.start_display()
        half, watcher = self.view(), self.view()
        half.send(b'\3\0\0')
        begin = time.monotonic()
        watcher.look()
        self.assertLess(time.monotonic() - begin, 0.4 * self.patience)
        half.send(b'\0\0\0\0\1\0\1')
        half.update()
        half.send(b'\3\0\0')
        half.close()
        self.wait_event('VNC_DISCONNECTED')

    def test_clipboard_is_thrown_away(self):
        self.start_display()
        viewer = self.view()
        viewer.cut_text(b'secret' * 50000)
        viewer.look()

    def test_what_viewers_have_no_business_with(self):
        self.start_display()
        for message in (b'\7' + bytes(11), b'\x0b' + bytes(9), b'\xfa' + bytes(3), b'\xff\1' + bytes(8),
                        b'\2\0\xff\xff', b'\6' + bytes(3) + b'\x7f\xff\xff\xff', b'\x09' + bytes(15)):
            with self.subTest(message), self.assertRaises(ConnectionError):
                viewer = self.view()
                viewer.send(message)
                while True:
                    viewer.look()

    def test_share(self):
        for policy, alone, together in (('allow-exclusive', True, False), ('ignore', True, True),
                                        ('force-shared', False, True)):
            with self.subTest(policy):
                self.start_described(share=policy)
                first = self.view()
                first.look()
                if alone:
                    self.view(shared=False).look()
                else:
                    with self.assertRaises(ConnectionError):
                        self.view(shared=False)
                if together:
                    first.look()
                else:
                    with self.assertRaises(ConnectionError):
                        first.look()
                for guest in self.guests:
                    guest.destroy()
                self.models[-1].wait_end()

    def test_handed_in(self):
        self.start_display(vnc=f'{self.vnc},password=on')
        self.hand_in(skipauth=True).look()
        with self.assertRaisesRegex(QmpError, "no file descriptor 'viewer'"):
            self.driver.call('add_client', {'protocol': 'vnc', 'fdname': 'viewer'})
        self.assertEqual(self.wait_event('VNC_CONNECTED')['client']['family'], 'unix')
