# SPDX-License-Identifier: LGPL-2.1-or-later
"""The display between a hostile stubdomain and hostile viewers, and after its own death."""

import os
import random
import signal
import struct
import threading

from harness import processes
from harness.display import (DEPTH, DIRECTORY, Framebuffer, HEIGHT, IN_CONS, Keyboard, LINE_LENGTH, MEM_LENGTH,
                             OUT_CONS, OUT_PROD, RESIZE, UPDATE, WIDTH)
from harness.display_case import DisplayTest
from harness.hostile import HostileTest
from harness.qmp import QmpError
from harness.stubdomain import CONNECTED, INIT_WAIT

KEY_A = 30


class HostileFrontendTest(DisplayTest, HostileTest):
    seconds = 60

    def refused(self, spoil, device='vfb', **nodes):
        """A frontend that @spoil(frontend) has changed, or that names other @nodes, is closed; all else goes on."""
        def make(stub):
            framebuffer, keyboard = Framebuffer(stub), Keyboard(stub)
            bad, good = (framebuffer, keyboard) if device == 'vfb' else (keyboard, framebuffer)
            good.connect()
            spoil(bad)
            bad.wait_backend(INIT_WAIT)
            bad.announce(**nodes)
            bad.wait_backend(6)
            return framebuffer, keyboard

        model, _, _ = self.start_display(make, name=f'hostile{len(self.guests)}')
        with self.unharmed(model):
            self.view().look()
        self.assertIn('closed for good', model.errors())
        for guest in self.guests:
            guest.destroy()

    @staticmethod
    def word(offset, value):
        return lambda frontend: frontend.set_word(offset, value)

    def test_sizes(self):
        for words in ({WIDTH: 0}, {WIDTH: 0xffffffff}, {WIDTH: 65}, {HEIGHT: 0}, {HEIGHT: 49}, {HEIGHT: 0x80000000},
                      {LINE_LENGTH: 0}, {LINE_LENGTH: 255}, {LINE_LENGTH: 0xffffff00}, {MEM_LENGTH: 0},
                      {MEM_LENGTH: 0xffffffff}, {MEM_LENGTH: 20 << 20}, {DEPTH: 0}, {DEPTH: 33},
                      {WIDTH: 0x10000, HEIGHT: 0x10000, LINE_LENGTH: 0x40000},
                      {WIDTH: 1, HEIGHT: 0x40000001, LINE_LENGTH: 4}):
            with self.subTest(words):
                self.refused(lambda frontend, words=words: [frontend.set_word(*pair) for pair in words.items()])

    def test_pages_of_others(self):
        """Xen, and the restriction of the handle, let nobody at them."""
        other = self.hypervisor.create(900).frames(1)[0]
        self.addCleanup(self.hypervisor.destroy, 900)
        self.clean.domains.add(900)
        for spoil in (lambda frontend: struct.pack_into('=Q', frontend.page, DIRECTORY, other),
                      lambda frontend: struct.pack_into('=Q', frontend.page, DIRECTORY, 0xffffffffffffffff)):
            self.refused(spoil)
        for nodes in ({'page_ref': other}, {'page_ref': 0}, {'page_ref': 2 ** 63}, {'page_ref': 'x'},
                      {'page_ref': None}, {'event_channel': 4000}, {'event_channel': None}, {'feature_update': None}):
            with self.subTest(nodes):
                self.refused(lambda frontend: None, **nodes)
        for nodes in ({'page_gref': 900}, {'page_gref': 2 ** 32}, {'page_gref': None, 'page_ref': other},
                      {'request_abs_pointer': 7}):
            with self.subTest(nodes):
                self.refused(lambda frontend: None, 'vkbd', **nodes)

    def test_indices(self):
        for device, offset, distance in (('vfb', OUT_PROD, 52), ('vfb', OUT_PROD, 0x80000000),
                                         ('vfb', OUT_PROD, 0xffffffff), ('vkbd', IN_CONS, 1)):
            with self.subTest((device, distance)):
                model, framebuffer, keyboard = self.start_display(name=f'indices{len(self.guests)}')
                frontend = framebuffer if device == 'vfb' else keyboard
                with self.unharmed(model):
                    viewer = self.view()
                    frontend.set_word(offset, frontend.word(offset) + distance)
                    frontend.port.notify()
                    viewer.key(ord('a'), True)
                    self.store.wait(f'{frontend.backend}/state', '6', self.deadline)
                    viewer.look()
                for guest in self.guests:
                    guest.destroy()

    def test_indices_of_dom0_are_overwritten(self):
        _, framebuffer, _ = self.start_display()
        viewer = self.view()
        framebuffer.set_word(OUT_CONS, 0xdeadbeef)
        framebuffer.pattern()
        framebuffer.update()
        self.assert_shows(viewer, framebuffer.picture())

    def test_events_that_make_no_sense(self):
        model, framebuffer, _ = self.start_display()
        numbers = (0, 1, -1, 63, 64, 0x7fffffff, -0x80000000)
        with self.unharmed(model):
            viewer = self.view()
            for x in numbers:
                for y in numbers:
                    framebuffer.wait(framebuffer.room)
                    framebuffer.send(struct.pack('=B3xiiii', UPDATE, x, y, y, x))
                    framebuffer.wait(framebuffer.room)
                    framebuffer.send(struct.pack('=B3xiiiii', RESIZE, x, y, y, 32, x))
                    framebuffer.wait(framebuffer.room)
                    framebuffer.send(bytes([x & 255]) * 40)
            framebuffer.resize(64, 48)
            framebuffer.pattern()
            framebuffer.update()
            self.assert_shows(viewer, framebuffer.picture())

    def test_everything_changes_during_use(self):
        """Sizes, page directory and pixels are written without end while a viewer looks."""
        model, framebuffer, _ = self.start_display(
            lambda stub: (Framebuffer(stub, 640, 480).connect(), Keyboard(stub).connect()))
        end = threading.Event()

        def spoil():
            dice = random.Random(6)
            while not end.is_set():
                for offset in range(WIDTH, 1024, 4):
                    framebuffer.set_word(offset, dice.getrandbits(32))
                start = dice.randrange(0, len(framebuffer.pixels) - 4096)
                framebuffer.pixels[start:start + 4096] = dice.randbytes(4096)

        thread = threading.Thread(target=spoil)
        with self.unharmed(model):
            thread.start()
            try:
                for encoding in (0, 2, 4, 5, 6, 7, 9, 16, 17):
                    viewer = self.view(encodings=(encoding, -224, -32 + 5, -256 + 6))
                    for _ in range(3):
                        framebuffer.update()
                        viewer.request()
                        viewer.receive(1024)  # pixels of whatever
                    viewer.close()
            finally:
                end.set()
                thread.join()
        self.assertNotIn('started again', model.errors())

    def test_endless_updates(self):
        """A stubdomain that says without end that all changed has a share of the time, and viewers have theirs."""
        model, framebuffer, keyboard = self.start_display()
        end = threading.Event()

        def flood():
            while not end.is_set():
                if framebuffer.room():
                    framebuffer.update()
                else:
                    framebuffer.port.notify()

        thread = threading.Thread(target=flood)
        with self.unharmed(model):
            thread.start()
            try:
                viewer = self.view()
                for _ in range(20):
                    viewer.look()
                viewer.key(ord('a'), True)
                self.assertEqual(keyboard.take(), ('key', KEY_A, 1))
            finally:
                end.set()
                thread.join()

    def test_connecting_without_end(self):
        model, framebuffer, _ = self.start_display()
        with self.unharmed(model):
            for _ in range(20):
                framebuffer.close()
                framebuffer.wait_backend(INIT_WAIT)
                framebuffer.announce()
                framebuffer.wait_backend(CONNECTED)
            framebuffer.pattern()
            framebuffer.update()
            self.assert_shows(self.view(), framebuffer.picture())


class HostileViewerTest(DisplayTest, HostileTest):
    def test_noise(self):
        """What begins as RFB and goes on at random."""
        model, framebuffer, _ = self.start_display()
        framebuffer.pattern()
        framebuffer.update()
        dice = random.Random(7)
        with self.unharmed(model):
            for number in range(150):
                viewer = self.view(encodings=(number % 20, -224)) if number % 2 else self.connect()
                send = viewer.send if number % 2 else viewer.sendall
                try:
                    if not number % 2:
                        send(b'RFB 003.008\n'[:number % 14])
                    for _ in range(5):
                        send(bytes([dice.choice((0, 2, 3, 4, 5, 6, 250, 251, 255))]) + dice.randbytes(dice.randrange(60)))
                except ConnectionError:
                    pass
                viewer.close()
            self.assert_shows(self.view(), framebuffer.picture())
        self.assertNotIn('started again', model.errors())


class DeathTest(DisplayTest):
    def test_it_dies_and_comes_back(self):
        model, framebuffer, keyboard = self.start_display(vnc=f'{self.vnc},password=on')
        framebuffer.pattern()
        framebuffer.update()
        self.driver.call('set_password', {'protocol': 'vnc', 'password': 'sesame'})
        viewer = self.view(password='sesame')
        viewer.look()
        address, pid = self.address(), self.display_pid(model)
        os.kill(pid, signal.SIGKILL)  # it may be process 1 of a namespace and hear nothing else
        with self.assertRaises(ConnectionError):
            while True:
                viewer.look()
        self.wait_event('VNC_DISCONNECTED')
        again = self.view(address=address, password='sesame')  # the socket has listened all the time
        self.assert_shows(again, framebuffer.picture())
        again.key(ord('a'), True)
        self.assertEqual(keyboard.take(), ('key', KEY_A, 1))
        self.assertNotEqual(self.display_pid(model), pid)
        self.assertIn('it is started again', model.errors())

    def kill(self, model):
        """Ends it once xen-stubdom-dm has heard all that it said."""
        self.driver.call('query-vnc')
        pid = self.display_pid(model)
        os.kill(pid, signal.SIGKILL)
        processes.wait_ended(pid, self.deadline, 'the display')

    def test_the_next_one_knows_the_size(self):
        """The frontend says it once."""
        model, framebuffer, _ = self.start_display(
            lambda stub: (Framebuffer(stub, 320, 200, pages=1024).connect(), Keyboard(stub).connect()))
        for width, height in ((720, 400), (160, 100)):
            viewer = self.view()
            framebuffer.resize(width, height)
            framebuffer.pattern()
            framebuffer.update()
            self.assert_shows(viewer, framebuffer.picture())
            self.kill(model)
            viewer = self.view()
            self.assertEqual((viewer.width, viewer.height), (width, height))
            self.assert_shows(viewer, framebuffer.picture())

    def test_another_frontend_has_a_size_of_its_own(self):
        model, framebuffer, _ = self.start_display()
        framebuffer.resize(32, 16)
        framebuffer.update()
        self.assert_shows(self.view(), framebuffer.picture())
        framebuffer.close()
        framebuffer.wait_backend(INIT_WAIT)
        other = Framebuffer(self.stub, 80, 25).connect()
        self.kill(model)
        other.pattern()
        other.update()
        self.assert_shows(self.view(), other.picture())

    def test_commands_while_it_is_dead(self):
        model, _, _ = self.start_display()
        pid = self.display_pid(model)
        os.kill(pid, signal.SIGKILL)
        processes.wait_ended(pid, self.deadline, 'the display')
        path = self.directory / 'images' / 'picture'
        for command, arguments in (('send-key', {'keys': [{'type': 'linux', 'data': 1}]}),
                                   ('screendump', {'filename': str(path)})):
            with self.assertRaisesRegex(QmpError, 'display process'):
                self.driver.call(command, arguments)
        self.view().look()

    def test_it_ends_with_the_guest(self):
        model, _, _ = self.start_display()
        pid = self.display_pid(model)
        self.guests[0].destroy()
        model.wait_end()
        processes.wait_ended(pid, self.deadline, 'the display')

    def test_it_ends_with_a_killed_device_model(self):
        model, _, _ = self.start_display()
        pid = self.display_pid(model)
        model.signal(signal.SIGKILL)
        processes.wait_ended(pid, self.deadline, 'the display')

    def test_what_is_left_of_it(self):
        """As root: nobody, without rights, file system and network of its own, and few descriptors."""
        if os.geteuid() != 0:
            self.skipTest('only root can confine itself')
        model, _, _ = self.start_display()
        self.view().look()
        pid = self.display_pid(model)
        with open(f'/proc/{pid}/status', encoding='ascii') as file:
            status = dict(line.rstrip('\n').split(':\t', 1) for line in file)
        self.assertEqual((status['Uid'].split()[0], status['CapEff'], status['CapBnd'], status['NoNewPrivs']),
                         ('65534', '0' * 16, '0' * 16, '1'))
        self.assertEqual(os.listdir(f'/proc/{pid}/root/'), [])
        for space in ('mnt', 'net', 'ipc', 'uts', 'cgroup', 'pid'):
            self.assertNotEqual(os.readlink(f'/proc/{pid}/ns/{space}'), os.readlink(f'/proc/self/ns/{space}'))
