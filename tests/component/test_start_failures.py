# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every start that fails names its cause, quotes console 0, is in time, and leaves nothing behind."""

import signal
import threading
import time

from harness import processes, scripts
from harness.case import ComponentTest, Snapshot
from harness.guest import Disk, Nic
from harness.toolstack import ERROR_FAIL, ERROR_NOMEM

LAST_WORDS = 'qemu: could not load PC BIOS\n'


class StartFailureTest(ComponentTest):
    def test_no_such_image(self):
        self.assert_start_fails(self.make_guest(), 'nothing-there', image='nothing-there')

    def test_kernel_missing(self):
        (self.directory / 'images' / 'linux' / 'vmlinuz').unlink()
        self.assert_start_fails(self.make_guest(), 'images/linux/vmlinuz', 'No such file')

    def test_ramdisk_missing(self):
        (self.directory / 'images' / 'linux' / 'initrd').unlink()
        self.assert_start_fails(self.make_guest(), 'images/linux/initrd', 'No such file')

    def test_kernel_is_no_kernel(self):
        self.toolstack.failures['libxl_domain_create_new'] = (
            ERROR_FAIL, ['xc_dom_find_loader: no loader found', 'cannot (re-)build domain: -3'])
        self.assert_start_fails(self.make_guest(), 'no loader found')

    def test_descriptor_is_garbage(self):
        (self.directory / 'images' / 'linux' / 'image.json').write_text('{"format": 1,')
        self.assert_start_fails(self.make_guest(), 'linux')

    def test_no_memory_for_the_stubdomain(self):
        self.toolstack.failures['libxl_domain_create_new'] = (
            ERROR_NOMEM, ['failed to free memory for the domain', 'not enough memory'])
        self.assert_start_fails(self.make_guest(), 'not enough memory')

    def test_target_refused(self):
        self.toolstack.failures['xc_domain_set_target'] = (-1, [])
        self.assert_start_fails(self.make_guest(), 'guest')

    def test_stubdomain_crashes_at_once(self):
        started = time.monotonic()
        self.assert_start_fails(self.make_guest(scripts.crashes(LAST_WORDS)), 'crashed', LAST_WORDS.strip())
        self.assertLess(time.monotonic() - started, 5 * self.patience)

    def test_stubdomain_powers_off_at_once(self):
        self.assert_start_fails(self.make_guest(scripts.powers_off('qemu: -machine xenfv: bad option\n')),
                                'powered off', 'bad option')

    def test_stubdomain_is_destroyed_while_it_starts(self):
        def script(stub):
            stub.log(LAST_WORDS)
            stub.domain.hypervisor.destroy(stub.domid)

        guest = self.make_guest(script)
        model = self.start(guest)
        self.assertEqual(model.wait_end(), 1)
        self.assertIn('destroyed', model.errors())
        # Nobody but libxl removes what libxl wrote for a domain that vanished behind its back.
        for stub in list(self.toolstack.stubdomains.values()):
            for path in (f'/local/domain/{stub.domid}', f'/libxl/{stub.domid}', '/local/domain/0/backend'):
                self.store.rm(path)
            for path in self.store.ls('/vm'):
                if path != guest.uuid:
                    self.store.rm(f'/vm/{path}')

    def test_never_says_running(self):
        started = time.monotonic()
        self.assert_start_fails(self.make_guest(scripts.mute), scripts.BANNER.strip(), start_timeout=1)
        self.assertLess(time.monotonic() - started, 4 * self.patience)

    def test_says_something_else(self):
        for value in ('paused', 'running ', 'Running', 'runningx', 'pci-inserted', ''):
            with self.subTest(value):
                guest = self.make_guest(scripts.says(value), name=f'guest-{len(self.guests)}')
                self.assert_start_fails(guest, scripts.BANNER.strip(), start_timeout=1)

    def test_says_garbage(self):
        self.assert_start_fails(self.make_guest(scripts.says(b'\x1b]0;x\x07\xff\0running')), scripts.BANNER.strip(),
                                start_timeout=1)
        self.assertNotIn('\x1b', self.models[0].errors())

    def test_says_four_kilobytes(self):
        self.assert_start_fails(self.make_guest(scripts.says(b'running' * 280)), scripts.BANNER.strip(),
                                start_timeout=1)
        self.assertLess(len(self.models[0].errors()), 8192)

    def test_flaps_without_ever_being_ready(self):
        def script(stub):
            stub.log(scripts.BANNER)
            for _ in range(2000):
                stub.state('paused')
                stub.store.rm(f'{stub.dm}/state')
            stub.idle()

        self.assert_start_fails(self.make_guest(script), scripts.BANNER.strip(), start_timeout=2)

    def test_disk_missing(self):
        guest = self.make_guest(disks=[Disk('/nonexistent/disk.img')])
        self.assert_start_fails(guest, '/nonexistent/disk.img', 'No such file')

    def test_second_disk_fails(self):
        second = Disk('/nonexistent/second.img', 'hdb')
        guest = self.make_guest(disks=[Disk(str(self.disk)), second])
        self.assert_start_fails(guest, '/nonexistent/second.img')

    def test_bridge_missing(self):
        self.toolstack.failures['libxl_device_nic_add'] = (
            ERROR_FAIL, ['/etc/xen/scripts/vif-bridge online [2] exited with error status 1',
                         'script: Could not find bridge device nobridge'])
        self.assert_start_fails(self.make_guest(nics=[Nic('nobridge')]), 'nobridge', 'Could not find bridge')

    def test_unpause_fails(self):
        self.toolstack.failures['libxl_domain_unpause'] = (ERROR_FAIL, ['xc_domain_unpause failed'])
        self.assert_start_fails(self.make_guest(), 'xc_domain_unpause failed')

    def test_create_is_late(self):
        """libxl that does not answer: the deadline of the whole start holds, and what came late is destroyed."""
        def late(call):
            threading.Event().wait(2)  # a slow libxl is what is imitated here

        self.toolstack.failures['libxl_domain_create_new'] = late
        self.assert_start_fails(self.make_guest(), 'start-timeout', start_timeout=1)
        self.assertEqual(self.toolstack.names(), ['libxl_domain_create_new', 'libxl_domain_destroy'])

    def test_serial_that_cannot_be_opened(self):
        self.assert_start_fails(self.make_guest(serials=['file:/nonexistent/com1.log']), '/nonexistent/com1.log')

    def test_serial_of_an_unknown_kind(self):
        self.assert_start_fails(self.make_guest(serials=['telnet:localhost:1']), 'telnet')

    def test_log_is_quoted_without_control_characters(self):
        self.assert_start_fails(self.make_guest(scripts.crashes('\x1b[2Jred\x07\x00\n')), 'red')
        self.assertNotIn('\x1b', self.models[0].errors())
        self.assertNotIn('\0', self.models[0].errors())

    def test_flood_before_a_crash(self):
        """The quoted words are the last ones, and bounded."""
        def script(stub):
            for _ in range(200):
                stub.log('x' * 4000 + '\n')
            stub.crash()

        self.assert_start_fails(self.make_guest(script), 'crashed')
        self.assertLess(len(self.models[0].errors()), 64 * 1024)

    def test_failure_leaves_other_guests_alone(self):
        first, _, _ = self.start_running(name='first')
        self.assert_start_fails(self.make_guest(scripts.crashes('no\n'), name='second'), 'crashed')
        self.assertEqual(self.store.read(first.state_path), 'running')

    def test_guest_is_destroyed_while_the_stubdomain_starts(self):
        reached = []

        def script(stub):
            self.store.write('/test/reached', '1')
            reached.append(stub)
            stub.idle()

        guest = self.make_guest(script)
        model = self.start(guest)
        self.store.wait('/test/reached', '1', self.deadline)
        guest.destroy()
        model.wait_end()
        self.store.rm('/test')
        self.assert_nothing_left(self.clean)

    def test_signal_while_it_starts(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                guest = self.make_guest(lambda stub: (self.store.write('/test/reached', '1'), stub.idle()),
                                        name=f'guest-{int(number)}')
                before = Snapshot(self)
                model = self.start(guest)
                self.store.wait('/test/reached', '1', self.deadline)
                self.store.rm('/test')
                model.signal(number)
                model.wait_end()
                self.assertEqual(set(self.hypervisor.domains), before.domains)
                guest.destroy()


class XenstoredFailureTest(ComponentTest):
    def test_xenstored_unreachable(self):
        guest = self.make_guest()
        self.kill_xenstored()
        (self.directory / 'store' / 'socket').unlink(missing_ok=True)
        model = self.start(guest)
        self.assertEqual(model.wait_end(), 1)
        self.assertIn('xenstored', model.errors())
        self.assert_no_process_left()

    def test_xenstored_dies_during_start(self):
        guest = self.make_guest(lambda stub: (self.store.write('/test/reached', '1'), stub.idle()))
        model = self.start(guest)
        self.store.wait('/test/reached', '1', self.deadline)
        self.kill_xenstored()
        self.assertEqual(model.wait_end(), 1)
        self.assertIn('xenstored', model.errors())
        self.assert_no_process_left()

    def test_xenstored_dies_under_a_running_guest(self):
        """It does not come back on a Xen host: the guest goes on, and nothing spins."""
        _, model, _ = self.start_running()
        self.kill_xenstored()
        model.signal(signal.SIGTERM)
        model.wait_end()
        self.assertIn('xenstored', model.errors())
        self.assert_no_process_left()

    def assert_no_process_left(self):
        for pid, words in processes.descendants().items():
            processes.wait_ended(pid, self.deadline.sooner(5), words)
        self.assertEqual([name for name in (self.directory / 'run').rglob('*') if not name.is_dir()], [])
