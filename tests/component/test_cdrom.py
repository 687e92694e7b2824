# SPDX-License-Identifier: LGPL-2.1-or-later
"""Media of CD-ROM drives change while the guest runs: for guest and stubdomain, or for neither."""

import json
import signal
import threading

from harness.case import ComponentTest
from harness.guest import Disk
from harness.qmp import QmpError
from harness.toolstack import ERROR_FAIL, disk_number

ANSWERS = {'cdrom-insert': 'cdrom-inserted', 'cdrom-eject': 'cdrom-ejected'}


class CdromTest(ComponentTest):
    def setUp(self):
        super().setUp()
        self.make_image('cdrom', 'linux', capabilities=['cdrom', 'pci-hotplug'])
        self.old, self.new, self.third = (self.directory / 'images' / f'{name}.iso' for name in ('old', 'new', 'third'))
        for path in (self.old, self.new, self.third):
            path.write_bytes(bytes(2048))
        self.seen = []  # of (command, parameter, {device: medium} of the stubdomain at that moment)

    def start_with(self, answers=(), medium=None, **options):
        """A guest with a disk and a CD-ROM drive; @answers replace the right ones, in order; None: no answer."""
        waiting = list(answers)

        def script(stub):
            stub.state('running')
            while True:
                command, parameter = stub.next_command()
                self.seen.append((command, parameter, self.disks_of(stub.domid)))
                answer = waiting.pop(0) if waiting else ANSWERS[command]
                if callable(answer):
                    answer(stub)
                elif answer:
                    stub.state(answer)
                    stub.wait_running_back()

        path = str(self.old) if medium is None else medium
        guest, model, stub = self.start_running(script, options={'image': 'cdrom', **options}, disks=[
            Disk(str(self.disk)), Disk(path, 'hdc', cdrom=True)])
        return guest, model, stub, model.driver_qmp()

    def disks_of(self, domid):
        """{vdev: medium} by libxl's record."""
        base = f'/libxl/{domid}/device/vbd'
        return {self.store.read(f'{base}/{number}/dev'): self.store.read(f'{base}/{number}/params')
                for number in self.store.ls(base)}

    def assert_medium(self, guest, stub, client, medium, disks=2):
        """Everybody says the same: libxl's record, the backend, the stubdomain's disks, query-block."""
        number = disk_number('hdc')
        params = f'aio:{medium}' if medium else ''
        self.assertEqual(self.store.read(f'/libxl/{guest.domid}/device/vbd/{number}/params'), params)
        self.assertEqual(self.store.read(f'/local/domain/0/backend/qdisk/{guest.domid}/{number}/params'), params)
        media = self.disks_of(stub.domid)
        self.assertEqual(sorted(media.values()), sorted([str(self.disk)] + ([str(medium)] if medium else [])))
        self.assertEqual(len(self.store.ls(f'/local/domain/{stub.domid}/device/vbd')), len(media))
        drive, = client.call('query-block')
        self.assertEqual((drive['device'], drive['qdev']), ('hdc', 'ide-5632'))
        self.assertEqual(drive.get('inserted', {}).get('file'), str(medium) if medium else None)
        if medium:
            self.assertEqual(media[drive['inserted']['stubdomain-device']], str(medium))

    def assert_refused(self, client, command, arguments, *words):
        with self.assertRaises(QmpError) as caught:
            client.call(command, arguments)
        for word in words:
            self.assertIn(word, caught.exception.description)

    def change(self, client, medium, **arguments):
        return client.call('blockdev-change-medium', {'id': 'hdc', 'filename': str(medium), **arguments})


class ChangeTest(CdromTest):
    def test_change(self):
        """The new medium is there before the stubdomain is asked, the old one until it has answered."""
        guest, _, stub, client = self.start_with()
        self.change(client, self.new)
        (command, parameter, disks), = self.seen
        self.assertEqual(command, 'cdrom-insert')
        drive, device = parameter.split(',')
        self.assertEqual(drive, 'ide-5632')
        self.assertEqual(disks, {'xvda': str(self.disk), 'xvdb': str(self.old), device: str(self.new)})
        self.assertEqual([event['data']['tray-open'] for event in client.events
                          if event['event'] == 'DEVICE_TRAY_MOVED'], [True, False])
        self.assert_medium(guest, stub, client, self.new)
        added = self.toolstack.find('libxl_device_disk_add')[-1].argument
        self.assertFalse(added.get('readwrite', 0))

    def test_many_changes(self):
        """A name in the stubdomain is not used twice in a row."""
        guest, _, stub, client = self.start_with()
        for _ in range(30):
            for medium in (self.new, self.third):
                self.change(client, medium)
        devices = [parameter.split(',')[1] for _, parameter, _ in self.seen]
        for i, device in enumerate(devices):
            self.assertNotIn(device, ['xvda', *devices[max(i - 20, 0):i]])
        self.assert_medium(guest, stub, client, self.third)

    def test_eject_and_insert(self):
        guest, _, stub, client = self.start_with()
        client.call('eject', {'id': 'ide-5632'})
        self.assert_medium(guest, stub, client, None)
        client.call('eject', {'id': 'hdc', 'force': True})
        self.change(client, self.new, force=True)
        self.assert_medium(guest, stub, client, self.new)
        self.assertEqual([(command, parameter.split(',')[-1]) for command, parameter, _ in self.seen],
                         [('cdrom-eject', 'ide-5632'), ('cdrom-eject', 'force'), ('cdrom-insert', 'force')])

    def test_configuration_of_libxl(self):
        """`xl list -l` and `xl save` take the medium from the JSON libxl keeps."""
        guest, model, _, client = self.start_with()
        kept = self.directory / 'xen' / f'userdata-{guest.domid}-libxl-json'
        kept.write_text(json.dumps({'c_info': {'type': 'hvm', 'name': 'guest'}, 'b_info': {'type.hvm': {}}, 'disks': [
            {'pdev_path': str(self.disk), 'vdev': 'hda', 'format': 'raw', 'readwrite': 1},
            {'pdev_path': str(self.old), 'vdev': 'hdc', 'format': 'raw', 'removable': 1, 'is_cdrom': 1}]}))
        for medium in (self.new, None):
            if medium:
                self.change(client, medium)
            else:
                client.call('eject', {'id': 'hdc'})
            disks = {disk['vdev']: disk for disk in json.loads(kept.read_text().rstrip('\0'))['disks']}
            self.assertEqual(disks['hda'].get('pdev_path'), str(self.disk))
            self.assertEqual(disks['hdc'].get('pdev_path'), str(medium) if medium else None)
            self.assertEqual(disks['hdc']['format'], 'raw' if medium else 'empty')
        kept.write_text('no JSON')
        self.change(client, self.third)
        self.assertIn('the configuration libxl keeps', model.errors())

    def test_drive_that_was_empty(self):
        guest, _, stub, client = self.start_with(medium='')
        self.assert_medium(guest, stub, client, None)
        self.change(client, self.new)
        self.assert_medium(guest, stub, client, self.new)


class FailureTest(CdromTest):
    def assert_undone(self, answer, *words, **options):
        """A change ends in an error with @words, and nothing has changed; the next one works."""
        guest, model, stub, client = self.start_with([answer], **options)
        self.assert_refused(client, 'blockdev-change-medium', {'id': 'hdc', 'filename': str(self.new)}, 'hdc', *words)
        self.assert_medium(guest, stub, client, self.old)
        self.assertEqual(client.events, [])
        return guest, model, stub, client

    def test_stubdomain_refuses(self):
        guest, _, stub, client = self.assert_undone('cdrom-insert-failed', 'cdrom-insert-failed')
        self.store.wait(f'{stub.dm}/state', 'running', self.deadline)
        self.change(client, self.new)
        self.assert_medium(guest, stub, client, self.new)

    def test_stubdomain_refuses_to_eject(self):
        guest, _, stub, client = self.start_with(['cdrom-eject-failed'])
        self.assert_refused(client, 'eject', {'id': 'hdc'}, 'hdc', 'cdrom-eject-failed')
        self.assert_medium(guest, stub, client, self.old)

    def test_stubdomain_lies(self):
        """Another command's success, a paused guest, junk: no answers."""
        for answer in ('cdrom-ejected', 'paused', 'x' * 1000, '../../../etc/passwd'):
            with self.subTest(answer[:20]):
                self.assert_undone(answer, 'no answer')

    def test_stubdomain_says_nothing(self):
        """The change is undone at the deadline, and a late answer changes nothing."""
        go = threading.Event()

        def late(stub):
            go.wait(self.deadline.remaining('the test'))
            stub.state('cdrom-inserted')
            stub.wait_running_back()
            self.store.write('/test/late', '1')

        guest, _, stub, client = self.assert_undone(late, 'did not answer within 1.0 seconds', command_timeout=1)
        self.assert_refused(client, 'eject', {'id': 'hdc'}, 'has not answered')
        go.set()
        self.store.wait('/test/late', '1', self.deadline)
        self.store.rm('/test')
        self.assert_medium(guest, stub, client, self.old)
        client.call('eject', {'id': 'hdc'})
        self.assert_medium(guest, stub, client, None)

    def test_stubdomain_dies(self):
        guest, model, stub, client = self.start_with([lambda stub: stub.crash()])
        self.assert_refused(client, 'blockdev-change-medium', {'id': 'hdc', 'filename': str(self.new)}, 'gone')
        self.assertEqual(client.event('STUBDOMAIN_DEATH')['data']['domid'], stub.domid)
        self.assert_refused(client, 'eject', {'id': 'hdc'}, 'no stubdomain that runs')
        self.assertEqual(self.store.read(f'/libxl/{guest.domid}/device/vbd/5632/params'), f'aio:{self.old}')
        self.assertIsNone(model.process.poll())

    def test_medium_cannot_be_attached(self):
        guest, _, stub, client = self.start_with()
        self.toolstack.failures['libxl_device_disk_add'] = (ERROR_FAIL, ['the block script failed'])
        self.assert_refused(client, 'blockdev-change-medium', {'id': 'hdc', 'filename': str(self.new)},
                            str(self.new), 'the block script failed')
        self.assertEqual(self.seen, [])
        self.assert_medium(guest, stub, client, self.old)

    def test_old_medium_stays(self):
        """libxl cannot take it away: the guest has the new one all the same, and the log says so."""
        _, model, stub, client = self.start_with()
        self.toolstack.failures['libxl_device_disk_remove'] = (ERROR_FAIL, ['it sticks'])
        self.change(client, self.new)
        self.assertIn(str(self.old), self.disks_of(stub.domid).values())
        self.assertIn('it sticks', model.errors())

    def test_end_while_libxl_attaches(self):
        asked, go = threading.Event(), threading.Event()

        def slow(call):
            asked.set()
            go.wait(self.deadline.remaining('the test'))

        _, model, _, client = self.start_with()
        self.toolstack.failures['libxl_device_disk_add'] = slow
        client.send('blockdev-change-medium', {'id': 'hdc', 'filename': str(self.new)})
        asked.wait(self.deadline.remaining('libxl'))
        model.signal(signal.SIGTERM)
        with self.store.watch('@releaseDomain') as watch:
            while len(self.hypervisor.domains) > 1:
                watch.next(self.deadline)
        go.set()
        self.assertEqual(model.wait_end(), 0)

    def test_one_change_at_a_time(self):
        asked, go = threading.Event(), threading.Event()

        def slow(stub):
            asked.set()
            go.wait(self.deadline.remaining('the test'))
            stub.state('cdrom-inserted')
            stub.wait_running_back()

        guest, model, stub, client = self.start_with([slow])
        number = client.send('blockdev-change-medium', {'id': 'hdc', 'filename': str(self.new)})
        asked.wait(self.deadline.remaining('the command'))
        self.assert_refused(model.driver_qmp(), 'eject', {'id': 'hdc'}, 'being changed already')
        go.set()
        client.answer(number)
        self.assert_medium(guest, stub, client, self.new)


class ArgumentTest(CdromTest):
    def test_arguments_that_are_none(self):
        guest, _, stub, client = self.start_with()
        medium = str(self.new)
        cases = [({}, 'filename'), ({'filename': medium}, 'id'), ({'id': 'hdd', 'filename': medium}, 'hdd'),
                 ({'id': 'hda', 'filename': medium}, 'no emulated CD-ROM drive'),
                 ({'id': 7, 'filename': medium}, 'id'), ({'id': 'hdc', 'filename': 7}, 'filename'),
                 ({'id': 'hdc', 'filename': 'new.iso'}, 'absolute'),
                 ({'id': 'hdc', 'filename': '/' + 'x' * 4000}, 'at most'),
                 ({'id': 'hdc', 'filename': '/nonexistent.iso'}, 'No such file'),
                 ({'id': 'hdc', 'filename': str(self.directory)}, 'neither a file nor a block device'),
                 ({'id': 'hdc', 'filename': '/dev/null'}, 'neither a file nor a block device')]
        for arguments, word in cases:
            with self.subTest(str(arguments)[:60]):
                self.assert_refused(client, 'blockdev-change-medium', arguments, word)
        self.assertEqual(self.seen, [])
        self.assert_medium(guest, stub, client, self.old)

    def test_image_that_does_not_know_how(self):
        """Rule 7: a word the image does not announce is not sent."""
        def script(stub):
            stub.state('running')
            self.seen.append(stub.next_command())

        _, model, stub = self.start_running(script, disks=[Disk(str(self.old), 'hdc', cdrom=True)])
        client = model.driver_qmp()
        self.assert_refused(client, 'eject', {'id': 'hdc'}, "'linux' does not know how")
        self.assert_refused(client, 'blockdev-change-medium', {'id': 'hdc', 'filename': str(self.new)}, "'linux'")
        self.assertEqual(self.disks_of(stub.domid), {'xvda': str(self.old)})
        self.assertEqual(self.seen, [])

    def test_libxl_has_no_such_command(self):
        _, model, _, _ = self.start_with()
        for command in ('eject', 'blockdev-change-medium', 'query-block'):
            with self.assertRaises(QmpError) as caught:
                model.qmp().call(command)
            self.assertEqual(caught.exception.kind, 'CommandNotFound')
