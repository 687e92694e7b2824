# SPDX-License-Identifier: LGPL-2.1-or-later
"""QMP as libxl and the driver speak it."""

import threading

from harness import scripts
from harness.case import ComponentTest
from harness.qmp import DEVICE, Qmp, QmpError


class QuestionTest(ComponentTest):
    def test_greeting_names_a_version(self):
        _, model, _ = self.start_running()
        version = model.qmp().greeting['QMP']['version']['qemu']
        self.assertGreaterEqual(version['major'], 2)

    def test_query_status(self):
        _, model, _ = self.start_running()
        status = model.qmp().call('query-status')
        self.assertEqual((status['status'], status['running']), ('running', True))

    def test_query_chardev_names_the_serial_ports(self):
        """libxl writes the pty of serial0 into xenstore for `xl console`."""
        _, model, stub = self.start_running(serials=['pty', f'file:{self.directory}/log/com2'])
        chardevs = {entry['label']: entry['filename'] for entry in model.qmp().call('query-chardev')}
        self.assertRegex(chardevs['serial0'], '^pty:/dev/pts/[0-9]+$')
        self.assertEqual(f'pty:{self.store.read(f"/local/domain/{stub.domid}/device/console/3/tty")}',
                         chardevs['serial0'])
        self.assertIn('serial1', chardevs)

    def test_query_vnc_without_graphics(self):
        _, model, _ = self.start_running()
        self.assertFalse(model.qmp().call('query-vnc')['enabled'])

    def test_query_cpus_fast(self):
        _, model, _ = self.start_running()
        self.assertEqual([cpu['cpu-index'] for cpu in model.qmp().call('query-cpus-fast')], [0])

    def test_cont_of_a_running_guest_sends_nothing(self):
        _, model, stub = self.start_running()
        with self.store.watch(f'{stub.dm}/command') as watch:
            watch.next(self.deadline)
            self.assertEqual(model.qmp().call('cont'), {})
            self.assertFalse(watch.events)

    def test_cont_of_a_paused_stubdomain(self):
        def script(stub):
            stub.state('running')
            pause.wait(self.deadline.remaining('the test'))
            stub.state('paused')
            paused.set()
            scripts.serve(stub)

        pause, paused = threading.Event(), threading.Event()
        _, model, stub = self.start_running(script)
        pause.set()
        paused.wait(self.deadline.remaining('the stubdomain'))
        self.assertEqual(model.qmp().call('cont'), {})
        self.assertEqual(self.store.read(f'{stub.dm}/state'), 'running')

    def test_unknown_command(self):
        _, model, _ = self.start_running()
        client = model.qmp()
        for command in ('blockdev-add', 'human-monitor-command', 'quit', ''):
            with self.assertRaises(QmpError) as caught:
                client.call(command)
            self.assertEqual(caught.exception.kind, 'CommandNotFound')
        client.call('query-status')

    def test_libxl_reconnects(self):
        """One connection an operation."""
        _, model, _ = self.start_running()
        for _ in range(30):
            client = model.qmp()
            client.call('query-status')
            client.close()

    def test_three_sockets(self):
        _, model, _ = self.start_running()
        for path in (model.guest.qmp_path, model.guest.stat_path, model.driver_qmp_path):
            client = Qmp(path, self.deadline)
            client.call('query-status')
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
            client.close()

    def test_garbage_from_a_client_ends_only_that_client(self):
        _, model, _ = self.start_running()
        bad = model.qmp()
        bad.socket.sendall(b'{]' * 1000 + b'\n')
        with self.assertRaises((ConnectionError, AssertionError)):
            while True:
                bad.call('query-status')
        model.qmp().call('query-status')

    def test_questions_while_a_command_waits(self):
        """A stubdomain that does not answer blocks nobody."""
        def script(stub):
            stub.state('running')
            stub.next_command()
            asked.set()
            stub.idle()

        asked = threading.Event()
        _, model, _ = self.start_running(script)
        first, second = model.qmp(), model.driver_qmp()
        first.send('device_add', DEVICE)
        asked.wait(self.deadline.remaining('the command'))
        self.assertEqual(second.call('query-status')['status'], 'running')


class PciTest(ComponentTest):
    def test_insert_and_remove(self):
        seen = []

        def script(stub):
            stub.state('running')
            while True:
                command, parameter = stub.next_command()
                seen.append((command, parameter))
                if command == 'pci-ins':
                    stub.parameter('0x28')
                    stub.state('pci-inserted')
                else:
                    stub.state('pci-removed')
                stub.wait_running_back()

        _, model, stub = self.start_running(script)
        client = model.driver_qmp()
        client.attach(DEVICE)
        devices = client.call('query-pci')[0]['devices']
        self.assertEqual([(entry['qdev_id'], entry['slot'], entry['function']) for entry in devices],
                         [(DEVICE['id'], 5, 0)])
        self.store.wait(f'{stub.dm}/state', 'running', self.deadline)
        client.call('device_del', {'id': DEVICE['id']})
        self.assertEqual(client.event('DEVICE_DELETED')['data']['device'], DEVICE['id'])
        self.assertEqual(client.call('query-pci')[0]['devices'], [])
        self.assertEqual(seen[0][0], 'pci-ins')
        self.assertRegex(seen[0][1], '^0000:03:00.0,')
        self.assertEqual(seen[1], ('pci-rem', '0000:03:00.0'))

    def test_two_clients_insert_at_once(self):
        """One command at a time; both are served."""
        overlapping = []

        def script(stub):
            stub.state('running')
            for slot in ('0x28', '0x30'):
                stub.next_command()
                overlapping.append(stub.store.read(f'{stub.dm}/command'))
                stub.parameter(slot)
                stub.state('pci-inserted')
                stub.wait_running_back()
            stub.idle()

        _, model, _ = self.start_running(script)
        first, second = model.qmp(), model.driver_qmp()
        one = first.send('device_add', DEVICE)
        two = second.send('device_add', {**DEVICE, 'id': 'second', 'hostaddr': '0000:04:00.0'})
        first.answer(one)
        second.answer(two)
        self.assertEqual(overlapping, [None, None])
        self.assertEqual(len(first.call('query-pci')[0]['devices']), 2)

    def test_insert_fails(self):
        def script(stub):
            stub.state('running')
            stub.next_command()
            stub.state('pci-insert-failed')
            stub.wait_running_back()
            scripts.serve(stub)

        _, model, _ = self.start_running(script)
        client = model.qmp()
        with self.assertRaises(QmpError) as caught:
            client.attach(DEVICE)
        self.assertIn('0000:03:00.0', caught.exception.description)
        client.attach({**DEVICE, 'hostaddr': '0000:04:00.0'})
        self.assertEqual(len(client.call('query-pci')[0]['devices']), 1)

    def test_minios_says_why_in_parameter(self):
        """A real ioemu-stubdom leaves state alone and puts a text into parameter."""
        self.make_image('minios', 'minios')

        def script(stub):
            stub.state('running')
            stub.next_command()
            stub.parameter('no free hotplug devfn')
            stub.idle()

        _, model, _ = self.start_running(script, options={'image': 'minios', 'command_timeout': 15})
        with self.assertRaises(QmpError) as caught:
            model.qmp().attach(DEVICE)
        self.assertIn('no free hotplug devfn', caught.exception.description)

    def test_no_answer_breaks_the_channel_until_the_late_answer(self):
        go = threading.Event()

        def script(stub):
            stub.state('running')
            stub.next_command()
            go.wait(self.deadline.remaining('the test'))
            stub.parameter('0x28')
            stub.state('pci-inserted')
            stub.wait_running_back()
            self.store.write('/test/late', '1')
            scripts.serve(stub)

        _, model, _ = self.start_running(script, options={'command_timeout': 1})
        client = model.qmp()
        for _ in range(2):
            with self.assertRaises(QmpError):
                client.attach(DEVICE)
        go.set()
        self.store.wait('/test/late', '1', self.deadline)
        self.store.rm('/test')
        client.attach({**DEVICE, 'id': 'second', 'hostaddr': '0000:04:00.0'})

    def test_arguments_that_are_none(self):
        _, model, stub = self.start_running()
        client = model.qmp()
        bad = [{}, {'driver': 'e1000', 'id': 'x'}, {**DEVICE, 'hostaddr': '0000:03:00.0,evil=1'},
               {**DEVICE, 'hostaddr': 'x' * 5000}, {**DEVICE, 'id': 7}, {'driver': None}]
        for arguments in bad:
            with self.subTest(str(arguments)[:60]), self.assertRaises(QmpError):
                client.attach(arguments)
        self.assertIsNone(self.store.read(f'{stub.dm}/command'))
