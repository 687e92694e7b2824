# SPDX-License-Identifier: LGPL-2.1-or-later
"""Virtual CPUs that are added to a running guest, asked for as libxl_set_vcpuonline() of Xen 4.17 does."""

import threading

from harness.case import ComponentTest
from harness.qmp import QmpError


class CpuTest(ComponentTest):
    def setUp(self):
        super().setUp()
        self.make_image('plugs', 'linux', capabilities=['cpu-add'])
        self.asked = []

    def start_with(self, *answers, image='plugs', vcpus=(1, 4), **options):
        """@answers replace the right ones, in order; None: no answer."""
        waiting = list(answers)

        def script(stub):
            stub.state('running')
            while True:
                self.asked.append(stub.next_command())
                answer = waiting.pop(0) if waiting else 'cpu-added'
                if callable(answer):
                    answer(stub)
                elif answer:
                    stub.state(answer)
                    stub.wait_running_back()

        _, model, _ = self.start_running(script, options={'image': image, **options}, vcpus=vcpus)
        return model

    def there(self, client):
        return [cpu['cpu-index'] for cpu in client.call('query-cpus-fast')]

    def add(self, client, number):
        kind = client.call('query-hotpluggable-cpus')[0]['type']
        client.call('device_add', {'id': f'cpu-{number}', 'driver': kind, 'socket-id': number, 'core-id': 0, 'thread-id': 0})

    def refused(self, client, number, *words):
        before = self.there(client)
        with self.assertRaises(QmpError) as caught:
            self.add(client, number)
        for word in words:
            self.assertIn(word, caught.exception.description)
        self.assertEqual(self.there(client), before)

    def test_added(self):
        client = self.start_with(vcpus=(2, 4)).qmp()
        self.assertEqual(self.there(client), [0, 1])
        for number in (2, 3):
            self.add(client, number)
        self.assertEqual(self.asked, [('cpu-add', '2'), ('cpu-add', '3')])
        self.assertEqual(self.there(client), [0, 1, 2, 3])
        self.refused(client, 3, 'has virtual CPU 3 already')

    def test_driver_sees_them(self):
        model = self.start_with()
        self.add(model.qmp(), 3)
        self.assertEqual(self.there(model.driver_qmp()), [0, 3])

    def test_refused_before(self):
        client = self.start_with().qmp()
        for number in (4, -1, 1 << 40):
            self.refused(client, number, "'socket-id'", '0 to 3')
        kind = client.call('query-hotpluggable-cpus')[0]['type']
        for arguments in ({'driver': kind}, {'driver': kind, 'socket-id': '1'}, {'driver': 7}, {'driver': None}):
            with self.assertRaises(QmpError):
                client.call('device_add', arguments)
        self.assertEqual(self.asked, [])

    def test_image_cannot(self):
        self.refused(self.start_with(image='linux').qmp(), 1, "stubdomain image 'linux' cannot add virtual CPUs")
        self.assertEqual(self.asked, [])

    def test_stubdomain_refuses_or_lies(self):
        client = self.start_with('cpu-add-failed', 'cdrom-inserted', 'cpu-added\n', 'x' * 65).qmp()
        for word in ('cpu-add-failed', 'cdrom-inserted', 'cpu-added\\x0a', 'x' * 64):
            self.refused(client, 1, 'virtual CPU 1 was not added', word)
        self.add(client, 1)
        self.assertEqual(self.there(client), [0, 1])

    def test_no_answer(self):
        """The deadline; the late answer is consumed, and the CPU can be asked for again."""
        late = threading.Event()

        def script(stub):
            late.wait(self.deadline.remaining('the deadline of cpu-add'))
            stub.state('cpu-added')
            stub.wait_running_back()

        client = self.start_with(script, command_timeout=1).qmp()
        self.refused(client, 1, 'virtual CPU 1 was not added')
        late.set()
        self.wait_for_late(client)
        self.assertEqual(self.there(client), [0, 1])

    def wait_for_late(self, client):
        """Until the stubdomain was told that it runs, the channel is not free."""
        while True:
            try:
                return self.add(client, 1)
            except QmpError as error:
                self.assertIn('has not answered', error.description)

    def test_stubdomain_dies(self):
        client = self.start_with(lambda stub: stub.crash()).qmp()
        with self.assertRaises(QmpError) as caught:
            self.add(client, 1)
        self.assertIn('gone', caught.exception.description)
