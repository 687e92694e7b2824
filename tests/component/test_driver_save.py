# SPDX-License-Identifier: LGPL-2.1-or-later
"""The libvirt driver saves and restores domains: to a file, managed, and not."""

import os
import shutil
from pathlib import Path
import xml.etree.ElementTree as ElementTree

from harness.driver import DriverError
from harness.driver_case import PAUSED, RESUMED, RUNNING, SHUTOFF, STARTED, STOPPED
from harness.save_case import OPERATION_ABORTED, OPERATION_INVALID, SaveTest, STARTED_RESTORED
from harness.scripts import STATE

# Numbers of libvirt's API.
START_PAUSED, START_FORCE_BOOT = 1, 8
SAVE_BYPASS_CACHE, SAVE_RUNNING, SAVE_PAUSED = 1, 2, 4
UNDEFINE_MANAGED_SAVE = 1
LIST_MANAGEDSAVE = 256
LIVE = 1
XML_INACTIVE = 2
JOB_NONE, JOB_BOUNDED, JOB_COMPLETED = 0, 1, 3
STATS_COMPLETED, STATS_KEEP = 1, 2
OPERATION_SAVE, OPERATION_RESTORE = 2, 3
SHUTOFF_SAVED = 5


class ManagedSaveTest(SaveTest):
    def test_saved_and_started(self):
        guest = self.start_guest()
        content = self.content()
        self.driver.on('guest', 'managedSave', 0)
        self.expect_saved()
        self.assertEqual(self.driver.on('guest', 'state'), [SHUTOFF, SHUTOFF_SAVED])
        self.assertEqual(self.driver.on('guest', 'hasManagedSaveImage', 0), 1)
        self.assertEqual(self.driver.call('listAllDomains', LIST_MANAGEDSAVE), ['guest'])
        self.assertNotIn(guest.domid, self.hypervisor.domains)
        self.driver.on('guest', 'create')
        self.driver.expect(('guest', 'lifecycle', STARTED, STARTED_RESTORED))
        self.assertEqual(self.content(), content)
        self.assertEqual(self.read, [b'', STATE])
        self.assertEqual(self.driver.on('guest', 'hasManagedSaveImage', 0), 0)
        self.assertEqual(list(self.saved.iterdir()), [])
        self.assertFalse(self.hypervisor.domains[self.guest().domid].paused)
        self.assert_alive()

    def test_again_and_again(self):
        self.start_guest()
        content = self.content()
        for _ in range(5):
            self.driver.on('guest', 'managedSave', 0)
            self.driver.on('guest', 'create')
        self.assertEqual(self.content(), content)

    def test_the_next_driver_finds_it(self):
        self.start_guest()
        self.driver.on('guest', 'managedSave', 0)
        self.driver.stop()
        self.driver = self.start_driver()
        self.assertEqual(self.driver.on('guest', 'hasManagedSaveImage', 0), 1)
        self.assertEqual(self.driver.call('listAllDomains', LIST_MANAGEDSAVE), ['guest'])
        self.driver.on('guest', 'create')
        self.assertEqual(self.read[-1], STATE)

    def test_paused(self):
        """What was paused stays paused, unless somebody says otherwise."""
        self.start_guest()
        self.driver.on('guest', 'suspend')
        self.driver.on('guest', 'managedSave', 0)
        self.driver.on('guest', 'create')
        self.assertEqual(self.state(), PAUSED)
        self.assertTrue(self.hypervisor.domains[self.guest().domid].paused)
        self.driver.on('guest', 'managedSave', SAVE_RUNNING)
        self.driver.on('guest', 'create')
        self.assertEqual(self.state(), RUNNING)
        self.driver.on('guest', 'managedSave', SAVE_PAUSED)
        self.driver.on('guest', 'create')
        self.assertEqual(self.state(), PAUSED)
        self.driver.on('guest', 'resume')
        self.driver.on('guest', 'managedSave', 0)
        self.driver.on('guest', 'createWithFlags', START_PAUSED)
        self.assertEqual(self.state(), PAUSED)

    def test_removed_and_passed_by(self):
        self.start_guest()
        self.driver.on('guest', 'managedSave', 0)
        self.driver.on('guest', 'managedSaveRemove', 0)
        self.driver.on('guest', 'create')
        self.driver.on('guest', 'managedSave', 0)
        self.driver.on('guest', 'createWithFlags', START_FORCE_BOOT)
        self.assertEqual(self.read, [b''] * 3)
        self.assertEqual(self.driver.on('guest', 'hasManagedSaveImage', 0), 0)

    def test_undefine_and_rename(self):
        self.start_guest()
        self.driver.on('guest', 'managedSave', 0)
        self.assert_fails('undefine', code=OPERATION_INVALID, words=['--managed-save'])
        self.assert_fails('rename', 'other', code=OPERATION_INVALID, words=['managed save image'])
        self.driver.on('guest', 'undefineFlags', UNDEFINE_MANAGED_SAVE)
        self.assertEqual(list(self.saved.iterdir()), [])

    def test_transient(self):
        self.driver.call('createXML', self.xml(), 0)
        self.assert_fails('managedSave', 0, code=OPERATION_INVALID, words=['transient'])
        self.assertEqual(self.state(), RUNNING)

    def test_redefined_meanwhile(self):
        """It is restored as it was saved; the new definition counts when it boots next."""
        self.start_guest()
        self.driver.on('guest', 'managedSave', 0)
        self.driver.call('defineXML', self.xml(more='<title>new</title>'))
        self.driver.on('guest', 'create')
        self.assertNotIn('<title>', self.driver.on('guest', 'XMLDesc', 0))
        self.driver.on('guest', 'destroy')
        self.assertIn('<title>new', self.driver.on('guest', 'XMLDesc', 0))


class FileTest(SaveTest):
    def test_saved_and_restored(self):
        self.start_guest()
        content = self.content()
        self.driver.on('guest', 'save', str(self.file))
        self.expect_saved()
        self.assertEqual(self.driver.on('guest', 'hasManagedSaveImage', 0), 0)
        for _ in range(2):  # the file stays
            self.driver.call('restore', str(self.file))
            self.driver.expect(('guest', 'lifecycle', STARTED, STARTED_RESTORED))
            self.assertEqual((self.content(), self.state()), (content, RUNNING))
            self.driver.on('guest', 'destroy')
            self.driver.wait_event(('guest', 'lifecycle', STOPPED, 1))
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)

    def test_transient(self):
        """It is gone when it is saved, and there again when it is restored."""
        self.driver.call('createXML', self.xml(), 0)
        self.driver.on('guest', 'save', str(self.file))
        self.assertEqual(self.driver.call('listAllDomains'), [])
        self.driver.call('restoreFlags', str(self.file), None, SAVE_PAUSED)
        self.assertEqual((self.state(), self.driver.on('guest', 'isPersistent')), (PAUSED, 0))

    def test_bypass_cache(self):
        self.memory_size = (3 << 20) + 12345
        self.start_guest()
        content = self.content()
        self.driver.on('guest', 'saveFlags', str(self.file), None, SAVE_BYPASS_CACHE)
        self.driver.call('restoreFlags', str(self.file), None, SAVE_BYPASS_CACHE)
        self.assertEqual(self.content(), content)

    def test_other_xml(self):
        """What the guest does not see may be changed at save and at restore; what it sees may not."""
        self.start_guest()
        self.assert_fails('saveFlags', str(self.file), self.xml().replace('64<', '128<'), 0, words=['131072'])
        self.assertEqual(self.state(), RUNNING)
        self.driver.on('guest', 'saveFlags', str(self.file), self.xml(more='<title>one</title>'), 0)
        self.driver.call('restore', str(self.file))
        self.assertIn('<title>one', self.driver.on('guest', 'XMLDesc', 0))
        self.driver.on('guest', 'destroy')
        self.driver.call('restoreFlags', str(self.file), self.xml(more='<title>two</title>'), 0)
        self.assertIn('<title>two', self.driver.on('guest', 'XMLDesc', 0))
        self.driver.on('guest', 'destroy')
        with self.assertRaises(DriverError):
            self.driver.call('restoreFlags', str(self.file), self.xml().replace('ide', 'scsi').replace('hda', 'sda'), 0)
        self.assertEqual(self.state(), SHUTOFF)

    def test_parameters(self):
        self.start_guest()
        self.driver.on('guest', 'saveParams', {'file': str(self.file)}, SAVE_PAUSED)
        self.driver.call('restoreParams', {'file': str(self.file)}, 0)
        self.assertEqual(self.state(), PAUSED)

    def test_only_files_are_replaced(self):
        self.start_guest()
        for place in (self.directory / 'log', self.directory / 'nowhere' / 'file'):
            self.assert_fails('save', str(place), words=[str(place.parent if place.name == 'file' else place)])
        self.assertEqual(self.state(), RUNNING)
        self.file.write_text('former')
        self.driver.on('guest', 'save', str(self.file))
        self.assertGreater(self.file.stat().st_size, 1 << 16)

    def test_restored_while_it_runs(self):
        self.start_guest()
        self.driver.on('guest', 'save', str(self.file))
        self.driver.call('restore', str(self.file))
        with self.assertRaises(DriverError) as caught:
            self.driver.call('restore', str(self.file))
        self.assertEqual(caught.exception.code, OPERATION_INVALID)
        self.assert_restored()

    def assert_restored(self):
        self.assertEqual((self.state(), self.read[-1]), (RUNNING, STATE))


class XmlTest(SaveTest):
    def test_image(self):
        self.start_guest()
        content = self.content()
        self.driver.on('guest', 'save', str(self.file))
        self.assertIn('<name>guest<', self.driver.call('saveImageGetXMLDesc', str(self.file), 0))
        long = '<title>' + 'long ' * 4096 + '</title>'  # the stream is at another place then
        self.driver.call('saveImageDefineXML', str(self.file), self.xml(more=long), SAVE_PAUSED)
        self.assertIn('long long', self.driver.call('saveImageGetXMLDesc', str(self.file), 0))
        self.driver.call('restore', str(self.file))
        self.assertEqual((self.content(), self.state()), (content, PAUSED))
        with self.assertRaises(DriverError):
            self.driver.call('saveImageDefineXML', str(self.file), self.xml().replace('64<', '128<'), 0)

    def test_managed(self):
        self.start_guest()
        self.assert_fails('managedSaveGetXMLDesc', 0, words=['no managed save image'])
        self.driver.on('guest', 'managedSave', 0)
        tree = ElementTree.fromstring(self.driver.on('guest', 'managedSaveGetXMLDesc', 0))
        self.assertEqual(tree.find('name').text, 'guest')
        self.driver.on('guest', 'managedSaveDefineXML', self.xml(more='<title>edited</title>'), 0)
        self.driver.on('guest', 'create')
        self.assertIn('<title>edited', self.driver.on('guest', 'XMLDesc', 0))
        self.assertEqual(self.state(), RUNNING)


class MediumTest(SaveTest):
    """A CD-ROM drive whose medium is another one than at the start."""

    def setUp(self):
        super().setUp()
        self.make_image('cdrom', 'linux', capabilities=['cdrom', 'save'])
        self.media = [str(self.directory / 'images' / f'{name}.iso') for name in ('one', 'two')]
        for path in self.media:
            Path(path).write_bytes(bytes(2048))

    @staticmethod
    def drive(medium):
        source = f"<source file='{medium}'/>" if medium else ''
        return f"<disk type='file' device='cdrom'>{source}<target dev='hdc' bus='ide'/></disk>"

    def medium(self, text):
        source = ElementTree.fromstring(text).find("devices/disk[@device='cdrom']/source")
        return None if source is None else source.get('file')

    def assert_kept(self, medium):
        """By the image, the restored domain, its guest and its stubdomain."""
        self.driver.on('guest', 'managedSave', 0)
        self.assertEqual(self.medium(self.driver.on('guest', 'managedSaveGetXMLDesc', 0)), medium)
        self.driver.on('guest', 'create')
        self.assertEqual(self.medium(self.driver.on('guest', 'XMLDesc', 0)), medium)
        guest = self.guest()
        self.assertEqual([disk.path for disk in guest.config.disks if disk.cdrom], [medium])
        backends = {params for path, (params, _) in self.store.tree('/local/domain/0/backend').items()
                    if path.endswith('/params') and f'/{guest.stubdomain_domid()}/' in path}
        self.assertEqual(backends, {str(self.disk)} | ({medium} if medium else set()))

    def test_changed(self):
        more = "<stubdom:stubdomain xmlns:stubdom='http://libvirt.org/schemas/domain/stubdom/1.0'>"
        more += f"<stubdom:image name='cdrom'/></stubdom:stubdomain><devices>{self.drive(self.media[0])}</devices>"
        self.start_guest(more=more)
        self.driver.on('guest', 'updateDeviceFlags', self.drive(self.media[1]), LIVE)
        self.assert_kept(self.media[1])
        self.driver.on('guest', 'updateDeviceFlags', self.drive(None), LIVE)
        self.assert_kept(None)
        self.driver.on('guest', 'updateDeviceFlags', self.drive(self.media[1]), LIVE)  # it can be changed still
        self.assertEqual(self.medium(self.driver.on('guest', 'XMLDesc', XML_INACTIVE)), self.media[0])
        self.driver.on('guest', 'destroy')
        self.assertEqual(self.medium(self.driver.on('guest', 'XMLDesc', 0)), self.media[0])


class JobTest(SaveTest):
    def test_progress(self):
        self.memory_size = 4 << 20
        self.start_guest()
        reached, go = self.hold_at('emulator')
        pending = self.driver.send('guest', 'managedSave', 0)
        reached.wait(self.deadline.remaining('the save'))
        info = self.driver.on('guest', 'jobInfo')
        while info[4] < 3 << 20:  # the pump may be behind what was written
            self.deadline.remaining('the pump')
            info = self.driver.on('guest', 'jobInfo')
        kind, elapsed, _, total, processed, remaining = info[:6]
        self.assertEqual((kind, total), (JOB_BOUNDED, processed + remaining))
        self.assertGreater(total, 4 << 20)
        self.assertGreaterEqual(elapsed, 0)
        stats = self.driver.on('guest', 'jobStats', 0)
        self.assertEqual((stats['type'], stats['data_total']), (JOB_BOUNDED, total))
        self.assertEqual(self.state(), PAUSED)
        go.set()
        pending.wait()
        self.driver.on('guest', 'create')
        self.assertEqual(self.driver.on('guest', 'jobInfo')[0], JOB_NONE)
        self.assert_fails('abortJob', code=OPERATION_INVALID)

    def completed(self, flags=STATS_COMPLETED):
        return self.driver.on('guest', 'jobStats', flags)

    def assert_completed(self, stats, operation):
        size = (self.saved / 'guest.save').stat().st_size
        self.assertEqual((stats['type'], stats['operation']), (JOB_COMPLETED, operation))
        self.assertEqual((stats['data_total'], stats['data_remaining']), (stats['data_processed'], 0))
        self.assertIn(size - stats['data_total'], range(4096, 1 << 16))  # all of the file but its header
        self.assertGreaterEqual(stats['time_elapsed'], 0)

    def test_completed(self):
        """Told once, or as often as one likes; by a domain that is off, too."""
        self.start_guest()
        self.assertEqual(self.completed(), {'type': JOB_NONE})
        self.driver.on('guest', 'managedSave', 0)
        self.assert_completed(self.completed(STATS_COMPLETED | STATS_KEEP), OPERATION_SAVE)
        self.assert_completed(self.completed(), OPERATION_SAVE)
        self.assertEqual(self.completed(), {'type': JOB_NONE})
        image = (self.saved / 'guest.save').read_bytes()
        self.driver.on('guest', 'create')
        stats = self.completed()
        self.assertEqual((stats['type'], stats['operation']), (JOB_COMPLETED, OPERATION_RESTORE))
        self.assertIn(len(image) - stats['data_total'], range(4096, 1 << 16))

    def test_completed_is_the_last_that_was(self):
        """A save that is under way hides it, one that is given up leaves it as it is."""
        self.start_guest()
        self.driver.on('guest', 'managedSave', 0)
        self.driver.on('guest', 'create')
        reached, go = self.hold_at('memory')
        pending = self.driver.send('guest', 'managedSave', 0)
        reached.wait(self.deadline.remaining('the save'))
        self.assertEqual(self.completed(), {'type': JOB_NONE})
        self.driver.on('guest', 'abortJob')
        go.set()
        with self.assertRaises(DriverError):
            pending.wait()
        self.assertEqual(self.completed()['operation'], OPERATION_RESTORE)

    def test_abort(self):
        """The guest goes on, the file is as it was."""
        self.memory_size = 4 << 20
        self.start_guest()
        self.file.write_text('former')
        for step in ('memory', 'emulator', 'end', 'saved'):
            reached, go = self.hold_at(step)
            pending = self.driver.send('guest', 'save', str(self.file))
            reached.wait(self.deadline.remaining('the save'))
            self.driver.on('guest', 'abortJob')
            go.set()
            with self.assertRaises(DriverError) as caught:
                pending.wait()
            self.assertEqual(caught.exception.code, OPERATION_ABORTED, str(caught.exception))
            self.expect_goes_on()
            self.assertEqual(self.file.read_text(), 'former')
        self.assert_alive()

    def test_destroyed_meanwhile(self):
        self.start_guest()
        reached, go = self.hold_at('memory')
        pending = self.driver.send('guest', 'managedSave', 0)
        reached.wait(self.deadline.remaining('the save'))
        self.driver.on('guest', 'destroy')
        go.set()
        with self.assertRaises(DriverError) as caught:
            pending.wait()
        self.assertIn('destroyed while it was saved', str(caught.exception))
        self.assertEqual((self.state(), list(self.saved.iterdir())), (SHUTOFF, []))
        self.driver.on('guest', 'create')
        self.assertEqual(self.read[-1], b'')

    def test_delays_nobody(self):
        """Another domain is saved and started, and this one asked about, while one is being saved."""
        self.start_guest()
        self.start_guest('other', number=2)
        reached, go = self.hold_at('memory')
        pending = self.driver.send('guest', 'managedSave', 0)
        reached.wait(self.deadline.remaining('the save'))
        self.toolstack.at = lambda step: None
        self.driver.on('other', 'managedSave', 0)
        self.driver.on('other', 'create')
        self.driver.on('guest', 'XMLDesc', 0)
        self.assertEqual(self.driver.on('guest', 'controlInfo', 0)[0], 0)
        go.set()
        pending.wait()

    def test_pipe_stays_open_elsewhere(self):
        """A process that was forked meanwhile has a copy of it: nobody waits for that."""
        self.start_guest()
        content = self.content()
        kept = []
        self.toolstack.failures['libxl_domain_suspend'] = lambda call: kept.append(os.dup(call.descriptor))
        self.driver.on('guest', 'managedSave', 0)
        self.driver.on('guest', 'create')
        os.close(kept[0])
        self.assertEqual(self.content(), content)

    def test_restore_aborted(self):
        self.start_guest()
        self.driver.on('guest', 'managedSave', 0)
        reached, go = self.hold_at('stream')
        pending = self.driver.send('guest', 'create')
        reached.wait(self.deadline.remaining('the restore'))
        self.driver.on('guest', 'abortJob')
        go.set()
        with self.assertRaises(DriverError):
            pending.wait()
        self.assertEqual((self.state(), self.driver.on('guest', 'hasManagedSaveImage', 0)), (SHUTOFF, 1))
        self.driver.on('guest', 'create')
        self.assertEqual(self.read[-1], STATE)


class FormatTest(SaveTest):
    def use(self, value):
        self.driver.stop()
        (self.directory / 'driver' / 'etc' / 'stubdom.conf').write_text(f'save_image_format = "{value}"\n')
        self.driver = self.start_driver()

    def make_guest_that_packs(self):
        """Its memory is worth packing."""
        self.start_guest()
        domain = self.hypervisor.domains[self.guest().domid]
        domain.content = b'the same again and again ' * 100000
        return domain.content

    def test_packed(self):
        content = self.make_guest_that_packs()
        sizes = {}
        for name in ('raw', 'gzip', 'bzip2', 'xz', 'zstd'):
            if name != 'raw' and not shutil.which(name):
                continue
            self.use(name)
            self.driver.on('guest', 'managedSave', 0)
            sizes[name] = (self.saved / 'guest.save').stat().st_size
            self.use('raw')  # the image says how it is packed
            self.driver.on('guest', 'create')
            self.assertEqual((self.content(), self.read[-1]), (content, STATE), name)
        self.assertGreater(len(sizes), 1)
        self.assertGreater(sizes.pop('raw'), len(content))
        self.assertLess(max(sizes.values()), len(content) // 4)

    def test_given_up(self):
        """With the program between libxl and the image."""
        self.memory_size = 4 << 20
        self.start_guest()
        self.use('gzip')
        for step in ('memory', 'emulator'):
            reached, go = self.hold_at(step)
            pending = self.driver.send('guest', 'managedSave', 0)
            reached.wait(self.deadline.remaining('the save'))
            self.driver.on('guest', 'abortJob')
            go.set()
            with self.assertRaises(DriverError):
                pending.wait()
            self.driver.wait_event(('guest', 'lifecycle', RESUMED, 0))
        self.assertEqual(list(self.saved.iterdir()), [])
        self.assert_alive()

    def test_damaged(self):
        """The program that unpacks fails, or what it makes is not what was packed."""
        self.make_guest_that_packs()
        self.use('gzip')
        self.driver.on('guest', 'save', str(self.file))
        good = self.file.read_bytes()
        for place in range(4096, len(good), max(1, (len(good) - 4096) // 20)):
            data = bytearray(good)
            data[place] ^= 1
            self.file.write_bytes(data)
            with self.assertRaises(DriverError):
                self.driver.call('restore', str(self.file))
        self.file.write_bytes(good)
        self.driver.call('restore', str(self.file))
        self.assertEqual(self.state(), RUNNING)
