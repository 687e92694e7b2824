# SPDX-License-Identifier: LGPL-2.1-or-later
"""The device state of a guest is saved, in libxl's words, or is not, and then the guest goes on."""

import os
import signal
import threading

from harness import processes, scripts
from harness.hostile import HostileTest
from harness.qmp import DEVICE, QmpError, Qmp
from harness.scripts import STATE

LIMIT = 65536
OVER = 64 * 1024  # what may be written beyond the limit at the most


class SaveTest(HostileTest):
    """libxl__qmp_suspend_save() of Xen 4.17 with a stubdomain: stop and the save on one connection, cont on another."""

    def save(self, model, filename='/dev/fdset/1'):
        client = Qmp(model.guest.qmp_path, self.deadline)
        try:
            client.call('stop')
            return client.call('xen-save-devices-state', {'live': False, 'filename': filename})
        finally:
            client.close()

    def saver(self, on_save):
        """A stubdomain that does on_save(stub, console) at each save, and all else right."""
        def script(stub):
            consoles = scripts.connect_consoles(stub)
            stub.state('running')
            while True:
                command, _ = stub.next_command()
                self.seen.append(command)
                if command == 'save':
                    on_save(stub, consoles[1])
                elif command == 'continue':
                    stub.state('running')
        return script

    def setUp(self):
        super().setUp()
        self.seen = []
        (self.directory / 'xen' / 'space').write_text(str(1 << 40))

    def assert_fails(self, on_save, *words, state='running', **options):
        """The save is refused with these words, the guest goes on, the file is gone and was never too large."""
        options = {'command_timeout': 2, 'save_limit': LIMIT, **options}
        guest, model, stub = self.start_running(self.saver(on_save), options=options, name='hostile')
        with self.unharmed(model, alive=state == 'running'):
            with self.assertRaises(QmpError) as caught:
                self.save(model)
            for word in words:
                self.assertIn(word, caught.exception.description)
            self.assertFalse(guest.save_path.exists())
            self.assertIn(caught.exception.description.split(': ', 1)[1], model.errors())
            if state:
                self.assertEqual(model.ask('cont'), {})
                self.store.wait(f'{stub.dm}/state', state, self.deadline)
        return guest, model, stub

    # --- it works

    def test_saved(self):
        guest, model, stub = self.start_running()
        self.assertEqual(self.save(model), {})
        self.assertEqual(guest.save_path.read_bytes(), STATE)
        self.assertEqual(guest.save_path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(model.ask('query-status'), {'status': 'paused', 'running': False, 'singlestep': False})
        self.assertEqual(self.store.read(f'{stub.dm}/state'), 'paused')

    def test_saved_again_and_again(self):
        """xl save -c: the guest goes on after each."""
        def save(stub, console):
            console.write(STATE[:-1] + bytes(len(self.seen)))
            stub.state('paused')

        guest, model, stub = self.start_running(self.saver(save))
        for number in range(5):
            self.save(model)
            self.assertEqual(len(guest.save_path.read_bytes()), len(STATE) + 2 * number)
            self.assertEqual(model.ask('cont'), {})
            self.assertEqual(self.store.read(f'{stub.dm}/state'), 'running')
            self.assertEqual(model.ask('query-status')['status'], 'running')
        self.assertEqual(self.seen, ['save', 'continue'] * 5)

    def test_all_of_the_limit(self):
        """`paused` is seen while the ring is full."""
        state = STATE + bytes(LIMIT - len(STATE))

        def save(stub, console):
            console.write(state)
            stub.state('paused')

        guest, model, _ = self.start_running(self.saver(save), options={'save_limit': LIMIT})
        self.save(model)
        self.assertEqual(guest.save_path.read_bytes(), state)

    def test_stale_file_is_replaced(self):
        guest, model, _ = self.start_running()
        guest.save_path.write_bytes(b'x' * 100000)
        with open(guest.save_path, 'rb') as stale:
            self.save(model)
            self.assertEqual(os.fstat(stale.fileno()).st_size, 100000)
        self.assertEqual(guest.save_path.read_bytes(), STATE)

    def test_only_files_are_replaced(self):
        _, model, _ = self.start_running(self.saver(None))
        pipe = self.directory / 'images' / 'pipe'
        os.mkfifo(pipe)
        for path in (pipe, self.directory / 'log'):
            with self.assertRaises(QmpError) as caught:
                self.save(model, str(path))
            self.assertIn(str(path), caught.exception.description)
            self.assertTrue(path.exists())
            model.ask('cont')
        self.assertEqual(self.seen, [])

    def test_link_is_not_followed(self):
        guest, model, _ = self.start_running()
        other = self.directory / 'log' / 'other'
        other.write_bytes(b'precious')
        guest.save_path.symlink_to(other)
        self.save(model)
        self.assertEqual(other.read_bytes(), b'precious')
        self.assertFalse(guest.save_path.is_symlink())

    def test_by_name(self):
        _, model, _ = self.start_running()
        path = self.directory / 'log' / 'state'
        self.save(model, str(path))
        self.assertEqual(path.read_bytes(), STATE)

    def test_by_descriptor(self):
        """What libxl does without a stubdomain: add-fd with SCM_RIGHTS; it opens the file without truncating it."""
        _, model, _ = self.start_running()
        path = self.directory / 'log' / 'state'
        path.write_bytes(b'x' * 100000)
        client = model.qmp()
        client.call('stop')
        with open(path, 'r+b') as file:
            fdset = client.answer(client.send('add-fd', descriptor=file.fileno()))['fdset-id']
        client.call('xen-save-devices-state', {'live': False, 'filename': f'/dev/fdset/{fdset}'})
        self.assertEqual(path.read_bytes(), STATE)

    def test_dirty_log(self):
        self.make_image('live', 'linux', capabilities=['save', 'logdirty'])
        seen = []

        def script(stub):
            stub.state('running')
            with stub.store.watch(f'{stub.dm}/logdirty/cmd') as watch:
                while True:
                    word = stub.store.read(f'{stub.dm}/logdirty/cmd')
                    if word and word not in seen:
                        seen.append(word)
                        stub.store.write(f'{stub.dm}/logdirty/ret', word)
                    watch.next(stub.deadline)

        _, model, _ = self.start_running(script, options={'image': 'live'})
        client = model.qmp()
        client.call('xen-set-global-dirty-log', {'enable': True})
        client.call('xen-set-global-dirty-log', {'enable': False})
        self.assertEqual(seen, ['enable', 'disable'])

    # --- refused before anything happens

    def refused(self, model, *words):
        """`stop` is refused, and so is what the driver asks; the stubdomain hears nothing."""
        for client, command in ((model.qmp(), 'stop'), (model.driver_qmp(), 'stubdom-query-save'),
                                (model.qmp(), 'xen-save-devices-state')):
            with self.assertRaises(QmpError) as caught:
                client.call(command, {'filename': '/dev/fdset/1'})
            for word in words:
                self.assertIn(word, caught.exception.description)
        self.assertNotIn('save', self.seen)
        self.assertEqual(model.ask('query-status')['status'], 'running')

    def test_image_cannot_save(self):
        self.make_image('plain', 'linux', capabilities=[])
        _, model, _ = self.start_running(self.saver(None), options={'image': 'plain'})
        self.refused(model, "'plain' cannot save")
        with self.assertRaises(QmpError):
            model.ask('xen-set-global-dirty-log', {'enable': True})

    def test_pci_device(self):
        def script(stub):
            stub.state('running')
            stub.next_command()
            stub.parameter('0x28')
            stub.state('pci-inserted')
            stub.wait_running_back()
            self.saver(None)(stub)

        _, model, _ = self.start_running(script)
        model.ask('device_add', DEVICE)
        self.refused(model, '1 PCI devices', 'detach')

    def test_pci_device_on_its_way(self):
        def script(stub):
            stub.state('running')
            stub.next_command()
            asked.set()
            stub.idle()

        asked = threading.Event()
        _, model, _ = self.start_running(script)
        model.qmp().send('device_add', DEVICE)
        asked.wait(self.deadline.remaining('the command'))
        self.refused(model, '1 PCI devices')

    def test_no_space(self):
        (self.directory / 'xen' / 'space').write_text('1000000')
        _, model, _ = self.start_running(self.saver(None), options={'save_limit': 1000001})
        self.refused(model, '1000000 bytes left', '1000001', 'save-limit')
        (self.directory / 'xen' / 'space').write_text('1000001')
        self.assertEqual(model.ask('stop'), {})

    def test_may_be_saved(self):
        _, model, _ = self.start_running()
        self.assertEqual(model.driver_qmp().call('stubdom-query-save'), {})
        self.assertEqual(model.ask('query-status')['status'], 'running')

    def test_stop_alone(self):
        _, model, stub = self.start_running()
        self.assertEqual(model.ask('stop'), {})
        self.assertEqual(model.ask('query-status')['status'], 'paused')
        self.assertEqual(self.store.read(f'{stub.dm}/state'), 'running')
        model.ask('cont')
        self.assertEqual(model.ask('query-status')['status'], 'running')

    def test_no_file(self):
        _, model, _ = self.start_running(self.saver(None))
        for filename in ('', 'state', '/dev/fdset/7', '/dev/fdset/x', '/dev/fdset/',
                         str(self.directory / 'no' / 'file')):
            with self.assertRaises(QmpError) as caught:
                self.save(model, filename)
            self.assertIn(filename, caught.exception.description)
            model.ask('cont')
        self.assertEqual(self.seen, [])

    # --- hostile stubdomains

    def test_empty(self):
        """What MiniOS does when it could not open its file."""
        self.assert_fails(lambda stub, console: stub.state('paused'), 'sent none')
        self.assertEqual(self.seen, ['save', 'continue'])

    def test_no_state(self):
        def save(stub, console):
            console.write(b'\x1b[31mhello' + bytes(100))
            stub.state('paused')

        self.assert_fails(save, "begins with '\\x1b[31'")
        self.assertEqual(self.seen, ['save', 'continue'])

    def test_short(self):
        def save(stub, console):
            console.write(STATE[:-3])
            stub.state('paused')

        self.assert_fails(save, 'cut off')
        self.assertEqual(self.seen, ['save', 'continue'])

    def test_one_byte_too_much(self):
        def save(stub, console):
            console.write(STATE + bytes(LIMIT + 1 - len(STATE)))
            stub.state('paused')

        self.assert_fails(save, str(LIMIT), 'more than')
        self.assertEqual(self.seen, ['save', 'continue'])

    def test_far_too_much(self):
        """The limit holds while the stubdomain writes, too."""
        sizes = []

        def save(stub, console):
            for _ in range(64):
                console.write(STATE * 8)
                sizes.append(guests[0].save_path.stat().st_size)
            stub.state('paused')

        guests = self.guests
        self.assert_fails(save, str(LIMIT), command_timeout=20)
        self.assertLessEqual(max(sizes), LIMIT + OVER)
        self.assertEqual(self.seen, ['save', 'continue'])

    def test_endless(self):
        """Ends at the deadline; it may take up its old life when it ends by itself."""
        stop = threading.Event()

        def save(stub, console):
            console.write(STATE)
            while not stop.is_set():
                console.write(bytes(8192))
            stub.state('paused')

        _, model, stub = self.assert_fails(save, str(LIMIT), 'within 2.0 seconds', command_timeout=2)
        stop.set()
        # `running` is what it was: its late `paused` is what the toolstack takes back.
        with self.store.watch(f'{stub.dm}/state') as watch:
            while self.seen != ['save', 'continue']:
                watch.next(self.deadline)
        self.store.wait(f'{stub.dm}/state', 'running', self.deadline)
        self.assertEqual(model.ask('query-status')['status'], 'running')

    def test_slow(self):
        """A byte now and then does not put the deadline off."""
        stop = threading.Event()

        def save(stub, console):
            while not stop.wait(0.05):
                console.write(STATE[:16])
            stub.state('paused')

        self.assert_fails(save, 'within 2.0 seconds')
        stop.set()

    def test_mute(self):
        self.assert_fails(lambda stub, console: None, 'within 2.0 seconds')

    def test_says_that_it_failed(self):
        def save(stub, console):
            console.write(STATE[:100])
            stub.state('save-failed')

        self.assert_fails(save, 'save-failed')
        self.assertEqual(self.seen, ['save'])

    def test_failed_and_then_saved(self):
        def save(stub, console):
            if len(self.seen) == 1:
                stub.state('save-failed')
                stub.wait_running_back()
                return
            console.write(STATE)
            stub.state('paused')

        guest, model, _ = self.assert_fails(save, 'save-failed')
        self.save(model)
        self.assertEqual(guest.save_path.read_bytes(), STATE)

    def test_garbage_for_an_answer(self):
        def save(stub, console):
            stub.state('pci-inserted')

        self.assert_fails(save, 'pci-inserted', state=None)

    def test_data_after_paused(self):
        """Is not taken for state, and hurts nobody."""
        stop = threading.Event()

        def save(stub, console):
            console.write(STATE)
            console.flush()
            stub.state('paused')
            self.store.wait('/test/saved', '1', stub.deadline)
            while not stop.is_set():
                console.write(bytes(8192))

        guest, model, _ = self.start_running(self.saver(save), name='hostile')
        with self.unharmed(model, alive=False):
            self.save(model)
            self.store.write('/test/saved', 1)
            for _ in range(20):
                self.assertEqual(guest.save_path.read_bytes(), STATE)
                model.ask('query-status')
            stop.set()
        self.store.rm('/test')
        self.assertEqual(guest.save_path.read_bytes(), STATE)

    def test_death_in_the_middle(self):
        def save(stub, console):
            console.write(STATE[:1000])
            console.flush()
            stub.crash()

        guest, model, _ = self.start_running(self.saver(save))
        client = model.qmp()
        client.call('stop')
        with self.assertRaises(QmpError) as caught:
            client.call('xen-save-devices-state', {'live': False, 'filename': '/dev/fdset/1'})
        self.assertIn('gone', caught.exception.description)
        self.assertFalse(guest.save_path.exists())

    def test_console_broken_in_the_middle(self):
        def save(stub, console):
            console.write(STATE[:1000])
            console.flush()
            console.page.set_word(3084, 0x80000000)
            console.port.notify()
            console.wait_backend(6)
            stub.state('paused')

        self.assert_fails(save, 'cut off')
        self.assertEqual(self.seen, ['save', 'continue'])

    def test_console_closed_and_opened(self):
        """As MiniOS does around each save."""
        def save(stub, console):
            console = stub.console(1)
            stub.store.write(f'{console.path}/state', 6)
            console.wait_backend(2)
            console.connect()
            console.write(STATE)
            console.close()
            stub.state('paused')

        guest, model, _ = self.start_running(self.saver(save))
        for _ in range(2):
            self.save(model)
            self.assertEqual(guest.save_path.read_bytes(), STATE)
            model.ask('cont')

    # --- others end it

    def test_worker_dies(self):
        """The guest goes on; the next save is refused before it stops."""
        def save(stub, console):
            console.write(STATE[:1000])
            console.flush()
            worker = [pid for pid, words in processes.descendants(models[0].pid).items() if 'console' in words]
            os.kill(worker[0], signal.SIGKILL)
            console.wait_backend(6)
            stub.state('paused')

        models = self.models
        guest, model, stub = self.start_running(self.saver(save))
        with self.assertRaises(QmpError) as caught:
            self.save(model)
        self.assertIn('worker', caught.exception.description)
        self.assertFalse(guest.save_path.exists())
        self.assertEqual(model.ask('cont'), {})
        self.assertEqual(self.seen, ['save', 'continue'])
        self.assertEqual(self.store.read(f'{stub.dm}/state'), 'running')
        with self.assertRaises(QmpError) as caught:
            model.ask('stop')
        self.assertIn('worker', caught.exception.description)

    def test_libxl_gives_up(self):
        """Its connection goes and it says cont: the save ends as failed, and only then is cont answered."""
        def save(stub, console):
            console.write(STATE)
            asked.set()
            go.wait(stub.deadline.remaining('the test'))
            stub.state('paused')

        asked, go = threading.Event(), threading.Event()
        guest, model, stub = self.start_running(self.saver(save))
        client = model.qmp()
        client.call('stop')
        client.send('xen-save-devices-state', {'live': False, 'filename': '/dev/fdset/1'})
        asked.wait(self.deadline.remaining('the save'))
        client.close()
        other = Qmp(guest.qmp_path, self.deadline)
        number = other.send('cont')
        self.assertEqual(model.ask('query-status')['status'], 'running')
        go.set()
        self.assertEqual(other.answer(number), {})
        other.close()
        self.assertEqual(self.seen, ['save', 'continue'])
        self.assertEqual(self.store.read(f'{stub.dm}/state'), 'running')
        self.assertFalse(guest.save_path.exists())

    def test_two_at_once(self):
        def save(stub, console):
            asked.set()
            go.wait(stub.deadline.remaining('the test'))
            console.write(STATE)
            stub.state('paused')

        asked, go = threading.Event(), threading.Event()
        guest, model, _ = self.start_running(self.saver(save))
        client = model.qmp()
        number = client.send('xen-save-devices-state', {'live': False, 'filename': '/dev/fdset/1'})
        asked.wait(self.deadline.remaining('the save'))
        with self.assertRaises(QmpError) as caught:
            model.ask('stop')
        self.assertIn('already', caught.exception.description)
        go.set()
        self.assertEqual(client.answer(number), {})
        self.assertEqual(guest.save_path.read_bytes(), STATE)

    def in_the_middle(self):
        """A save that does not end: guest, model, and the client's connection with its call."""
        def save(stub, console):
            console.write(STATE)
            asked.set()
            stub.idle()

        asked = threading.Event()
        guest, model, _ = self.start_running(self.saver(save))
        client = model.qmp()
        number = client.send('xen-save-devices-state', {'live': False, 'filename': '/dev/fdset/1'})
        asked.wait(self.deadline.remaining('the save'))
        return guest, model, client, number

    def test_guest_is_destroyed_in_the_middle(self):
        guest, model, *_ = self.in_the_middle()
        guest.destroy()
        self.assertEqual(model.wait_end(), 0)

    def test_terminated_in_the_middle(self):
        guest, model, client, number = self.in_the_middle()
        model.signal(15)
        with self.assertRaises((QmpError, ConnectionError)):
            client.answer(number)
        model.wait_end()
        self.assertFalse(guest.save_path.exists())
