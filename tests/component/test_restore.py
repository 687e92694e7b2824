# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest whose device state is restored: it goes through console 2, and what is no state starts nothing."""

import os
import random
import signal
import threading

from harness import scripts
from harness.hostile import HostileTest
from harness.scripts import STATE

CORRUPTIONS = 12


class RestoreTest(HostileTest):
    def restored(self, state, script=scripts.normal, **config):
        """A guest as `xl restore` makes it; libxl's file is gone again soon."""
        guest = self.make_guest(script, **config)
        path = self.directory / 'libxl' / 'qemu-resume'
        path.write_bytes(state)
        guest.incoming = open(path, 'rb')  # pylint: disable=consider-using-with
        self.addCleanup(guest.incoming.close)
        path.unlink()
        return guest

    def reader(self, size, read):
        """A stubdomain that reads a state before it is up."""
        def script(stub):
            consoles = scripts.connect_consoles(stub)
            data = b''
            while len(data) < size:
                data += consoles[2].read_some(1 << 16)
            read.append(data)
            stub.state('running')
            scripts.serve(stub, consoles)
        return script

    def test_restored(self):
        read = []
        guest = self.restored(STATE, self.reader(len(STATE), read))
        model = self.start(guest)
        model.wait_running()
        self.assertEqual(read, [STATE])
        arguments = self.store.tree(f'/vm/{guest.uuid}/image/dm-argv')
        values = [value for _, (value, _) in sorted(arguments.items())]
        self.assertEqual(values[values.index('-incoming') + 1], 'fd:/dev/hvc2')
        self.assertEqual(model.ask('cont'), {})

    def test_minios(self):
        """Its first console 2 is not connected before it reads."""
        self.make_image('minios', 'minios', capabilities=['save'])
        read = []

        def script(stub):
            console = stub.console(2).connect()
            data = b''
            while len(data) < len(STATE):
                data += console.read_some(100)
            read.append(data)
            stub.state('running')
            scripts.serve(stub)

        guest = self.restored(STATE, script)
        self.start(guest, image='minios').wait_running()
        self.assertEqual(read, [STATE])
        self.assertIn('-loadvm /var/lib/xen/qemu-resume', self.store.read(f'/vm/{guest.uuid}/image/dmargs'))

    def test_large(self):
        """Through a ring of one KiB, in dom0's memory at no time."""
        state = STATE + os.urandom(3 << 20) + b'\0'
        read = []
        guest = self.restored(state, self.reader(len(state), read), name='hostile')
        model = self.start(guest)
        model.wait_running()
        with self.unharmed(model):
            pass
        self.assertLess(self.memory(model), 120 << 10)
        self.assertEqual(read, [state])

    def test_position_of_the_descriptor_does_not_matter(self):
        read = []
        guest = self.restored(STATE, self.reader(len(STATE), read))
        guest.incoming.seek(100)
        self.start(guest).wait_running()
        self.assertEqual(read, [STATE])

    def test_saved_after_restored(self):
        read = []
        guest = self.restored(STATE, self.reader(len(STATE), read))
        model = self.start(guest)
        model.wait_running()
        model.ask('stop')
        model.ask('xen-save-devices-state', {'live': False, 'filename': '/dev/fdset/1'})

    def test_no_state(self):
        for state, words in ((b'', 'empty'), (b'hello, world', "'hell'"), (STATE[:-1], 'cut off'),
                             (STATE[:12], 'ends')):
            with self.subTest(state[:12]):
                self.assert_start_fails(self.restored(state), 'cannot be restored', words)
        self.assertNotIn('libxl_domain_create_new', [call.name for call in self.toolstack.calls])

    def test_too_large(self):
        self.assert_start_fails(self.restored(STATE), 'cannot be restored', str(len(STATE)), 'save-limit',
                                save_limit=8192)

    def test_no_regular_file(self):
        guest = self.make_guest()
        reading, writing = os.pipe()
        os.close(writing)
        guest.incoming = os.fdopen(reading)
        self.addCleanup(guest.incoming.close)
        self.assert_start_fails(guest, 'no regular file')

    def test_image_cannot(self):
        self.make_image('plain', 'linux', capabilities=[])
        self.assert_start_fails(self.restored(STATE), "'plain' cannot restore", image='plain')

    def test_stubdomain_does_not_read(self):
        def script(stub):
            scripts.connect_consoles(stub)
            stub.idle()

        self.assert_start_fails(self.restored(STATE, script), 'within', start_timeout=2)

    def test_stubdomain_does_not_take_it(self):
        """QEMU's own words are the cause an administrator needs."""
        def script(stub):
            console = scripts.connect_consoles(stub)[2]
            console.read_some(4)
            stub.log('qemu: load of migration failed: Invalid argument\n')
            stub.crash()

        self.assert_start_fails(self.restored(STATE, script), 'load of migration failed', 'crashed')

    def test_corrupted(self):
        """A file that is wrong somewhere is refused here, or by the QEMU that knows its devices; never taken half."""
        chance = random.Random(CORRUPTIONS)
        for number in range(CORRUPTIONS):
            state = bytearray(STATE)
            place = chance.randrange(30 if number % 2 else len(state))
            state[place] ^= chance.randrange(1, 256)
            received = []

            def script(stub, size=len(state), received=received):
                console = scripts.connect_consoles(stub)[2]
                while sum(map(len, received)) < size:
                    received.append(console.read_some(1 << 16))
                stub.log('qemu: load of migration failed: Invalid argument\n')
                stub.crash()

            guest = self.restored(bytes(state), script, name=f'corrupted-{number}')
            model = self.assert_start_fails(guest)
            with self.subTest(place):
                if received:
                    self.assertEqual(b''.join(received), bytes(state))
                    self.assertIn('load of migration failed', model.errors())
                else:
                    self.assertIn('cannot be restored', model.errors())

    def test_ends_while_it_is_read(self):
        """xen-stubdom-dm is killed or terminated: libxl's restore fails, and nothing is left of the stubdomain."""
        for number in (signal.SIGKILL, signal.SIGTERM):
            with self.subTest(number):
                reached = threading.Event()

                def script(stub, reached=reached):
                    console = scripts.connect_consoles(stub)[2]
                    console.read_some(100)
                    reached.set()
                    stub.idle()

                guest = self.restored(STATE, script, name=f'guest-{int(number)}')
                model = self.start(guest)
                self.assertTrue(reached.wait(self.deadline.remaining('the stubdomain')))
                model.signal(number)
                model.wait_end()
                guest.destroy()
                self.assert_nothing_left(self.clean)

    def test_stubdomain_writes_to_it(self):
        """Console 2 has one direction."""
        def script(stub):
            console = scripts.connect_consoles(stub)[2]
            console.write(b'x' * 100000)
            console.flush()
            stub.state('running')
            stub.idle()

        guest = self.restored(STATE, script)
        self.start(guest).wait_running()
        self.assertEqual(os.pread(guest.incoming.fileno(), 1 << 20, 0), STATE)
