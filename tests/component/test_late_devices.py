# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks and NICs are attached together, and while the stubdomain boots if its image waits for them."""

import re
import signal
import threading

from harness import scripts
from harness.case import ComponentTest
from harness.guest import Disk, Nic
from harness.toolstack import ERROR_FAIL

NO_BRIDGE = (ERROR_FAIL, ['script: Could not find bridge device nobridge'])


class TogetherTest(ComponentTest):
    def test_all_are_in_work_at_a_time(self):
        """Whatever the image: none waits for another."""
        self.make_image('late', 'linux', capabilities=['late-devices'])
        self.make_image('minios', 'minios')
        for image in ('linux', 'late', 'minios'):
            with self.subTest(image):
                together = threading.Barrier(4)

                def meet(_, together=together):
                    together.wait(self.deadline.remaining('the other devices'))

                for call in ('libxl_device_disk_add', 'libxl_device_nic_add'):
                    self.toolstack.failures[call] = meet
                self.start_running(name=f'on-{image}', options={'image': image},
                                   disks=[Disk(str(self.disk)), Disk(str(self.disk), 'hdb')], nics=[Nic(), Nic()])

    def test_others_wait_for_all(self):
        """An image that does not say that it waits runs when everything is there."""
        attached = []
        self.toolstack.failures['libxl_domain_unpause'] = lambda call: attached.append(
            [self.store.ls(f'/libxl/{call.numbers[0]}/device/{kind}') for kind in ('vbd', 'vif')])
        self.start_running(nics=[Nic()])
        self.assertEqual(attached, [[['51712'], ['0']]])

    def test_one_fails_and_the_others_are_awaited(self):
        """libxl would kill the hotplug scripts of a domain that is destroyed meanwhile."""
        failed, seen = threading.Event(), []

        def refuse(_):
            failed.set()
            return NO_BRIDGE

        def slow(_):
            failed.wait(self.deadline.remaining('the failure'))
            threading.Event().wait(0.5)  # a hotplug script at work
            seen.extend(self.toolstack.names())

        self.toolstack.failures['libxl_device_nic_add'] = refuse
        self.toolstack.failures['libxl_device_disk_add'] = slow
        self.assert_start_fails(self.make_guest(nics=[Nic('nobridge')]), "NIC 0", 'Could not find bridge')
        self.assertNotIn('libxl_domain_destroy', seen)
        self.assertIn('libxl_device_disk_add', seen)

    def test_each_has_its_own_words(self):
        """What libxl says of one is not lost when the next is started."""
        disks = [Disk('/nonexistent/first.img'), Disk(str(self.disk), 'hdb')]
        self.assert_start_fails(self.make_guest(disks=disks, nics=[Nic()]), "attach disk '/nonexistent/first.img'",
                                'failed to stat')


class WhileItBootsTest(ComponentTest):
    def setUp(self):
        super().setUp()
        self.make_image('late', 'linux', capabilities=['late-devices', 'random-seed'])
        self.unpaused = threading.Event()
        self.toolstack.failures['libxl_domain_unpause'] = lambda call: self.unpaused.set()

    def when_unpaused(self, then):
        """Lets a disk be attached only when the stubdomain runs."""
        def attach(call):
            self.unpaused.wait(self.deadline.remaining('the stubdomain to run'))
            return then(call)
        self.toolstack.failures['libxl_device_disk_add'] = attach

    def test_it_runs_before_its_disks_are_attached(self):
        self.when_unpaused(lambda call: None)
        _, _, stub = self.start_running(options={'image': 'late'})
        self.assertEqual(self.store.ls(f'/libxl/{stub.domid}/device/vbd'), ['51712'])

    def look_when_unpaused(self, image):
        """Starts a guest with a serial port; what of the stubdomain's nodes is there when it begins to run."""
        seen = []

        def look(call):
            domid = call.numbers[0]
            seen.extend([self.store.read(f'/local/domain/{domid}/target') == str(guest.domid),
                         len(self.store.ls(f'/vm/{guest.uuid}/image/dm-argv')) > 0,
                         self.store.ls(f'/local/domain/{domid}/device/console')])

        self.toolstack.failures['libxl_domain_unpause'] = look
        guest = self.make_guest(serials=['null'], name=f'on-{image}')
        self.start(guest, image=image).wait_running()
        return seen

    def test_target_arguments_and_consoles_are_there_before(self):
        for image in ('late', 'linux'):
            with self.subTest(image):
                self.assertEqual(self.look_when_unpaused(image), [True, True, ['1', '2', '3']])

    def test_running_counts_when_all_is_attached(self):
        """A stubdomain that says so earlier has not waited as its image announces."""
        said, early = threading.Event(), []

        def script(stub):
            stub.state('running')
            said.set()
            stub.idle()

        def attach(_):
            said.wait(self.deadline.remaining('the stubdomain to say running'))
            early.append(self.store.read(guest.state_path))

        self.when_unpaused(attach)
        guest = self.make_guest(script)
        self.start(guest, image='late').wait_running()
        self.assertEqual(early, [None])

    def test_nic_fails_while_it_boots(self):
        def script(stub):
            stub.log(scripts.BANNER)
            logged.set()
            stub.idle()

        def refuse(_):
            logged.wait(self.deadline.remaining('the stubdomain to boot'))
            return NO_BRIDGE

        logged = threading.Event()
        self.toolstack.failures['libxl_device_nic_add'] = refuse
        self.assert_start_fails(self.make_guest(script, nics=[Nic('nobridge')]), 'NIC 0', 'Could not find bridge',
                                scripts.BANNER.strip(), image='late')
        self.assertEqual(self.toolstack.names()[-1], 'libxl_domain_destroy')

    def test_disk_is_missing(self):
        guest = self.make_guest(disks=[Disk('/nonexistent/disk.img')])
        self.assert_start_fails(guest, '/nonexistent/disk.img', 'No such file', image='late')

    def test_it_crashes_meanwhile(self):
        crashed, seen = threading.Event(), []

        def script(stub):
            stub.log('qemu: could not load PC BIOS\n')
            crashed.set()
            stub.crash()

        def attach(_):
            crashed.wait(self.deadline.remaining('the crash'))
            threading.Event().wait(0.5)  # a hotplug script at work
            seen.extend(self.toolstack.names())

        self.when_unpaused(attach)
        self.assert_start_fails(self.make_guest(script), 'crashed', 'could not load PC BIOS', image='late')
        self.assertNotIn('libxl_domain_destroy', seen)

    def test_it_powers_off_meanwhile(self):
        self.when_unpaused(lambda call: None)
        self.assert_start_fails(self.make_guest(scripts.powers_off('bad option\n')), 'powered off', 'bad option',
                                image='late')

    def test_deadline_passes_meanwhile(self):
        """The start's own deadline holds; what libxl has in work then is awaited."""
        self.when_unpaused(lambda call: threading.Event().wait(5) and None)
        self.assert_start_fails(self.make_guest(scripts.mute), 'start-timeout', image='late', start_timeout=4)
        self.assertEqual(self.toolstack.names()[-1], 'libxl_domain_destroy')

    def test_signal_meanwhile(self):
        guest = self.make_guest(scripts.mute)
        models = []
        started = threading.Event()

        def attach(_):
            started.wait(self.deadline.remaining('the test'))
            models[0].signal(signal.SIGTERM)
            threading.Event().wait(0.5)  # a hotplug script at work

        self.when_unpaused(attach)
        models.append(self.start(guest, image='late'))
        started.set()
        self.assertEqual(models[0].wait_end(), 1)
        self.assertIn('SIGTERM', models[0].errors())
        self.assertEqual(self.toolstack.find('xendevicemodel_shutdown'), [])

    def test_guest_is_destroyed_meanwhile(self):
        """libxl knows of no stubdomain yet: it is destroyed once, by us."""
        guest = self.make_guest(scripts.mute)
        models = []
        started = threading.Event()

        def attach(_):
            started.wait(self.deadline.remaining('the test'))
            guest.destroy()

        self.when_unpaused(attach)
        models.append(self.start(guest, image='late'))
        started.set()
        self.assertEqual(models[0].wait_end(), 1)
        self.assert_nothing_left(self.clean)


class SeedTest(ComponentTest):
    def test_random_bytes_for_images_that_ask(self):
        self.make_image('seeded', 'linux', capabilities=['random-seed'])
        values = set()
        for number in range(2):
            _, _, stub = self.start_running(name=f'guest-{number}', options={'image': 'seeded'})
            path = f'/local/domain/{stub.domid}/random-seed'
            value = self.store.read(path)
            self.assertTrue(re.fullmatch('[0-9a-f]{64}', value), value)
            self.assertEqual(self.store.permissions(path), ['n0', f'r{stub.domid}'])
            values.add(value)
        self.assertEqual(len(values), 2)

    def test_none_for_others(self):
        _, _, stub = self.start_running()
        self.assertIsNone(self.store.read(f'/local/domain/{stub.domid}/random-seed'))
