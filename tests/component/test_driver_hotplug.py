# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices are plugged into running domains, unplugged, and changed: for guest and stubdomain, or for neither."""

import threading
import xml.etree.ElementTree as ElementTree

from harness.driver import DriverError
from harness.driver_case import STARTED, STOPPED, DriverTest
from harness.hypervisor import REBOOT
from harness.toolstack import ERROR_FAIL, disk_number

# Numbers of libvirt's API.
LIVE, CONFIG, FORCE = 1, 2, 4
XML_INACTIVE = 2
OPERATION_FAILED, SYSTEM_ERROR, CONFIG_UNSUPPORTED, UNSUPPORTED, MISSING = 9, 38, 67, 84, 99
OPENED, CLOSED = 0, 1
CONNECTED = 4
MAC = '00:16:3e:00:00:09'


class HotplugTest(DriverTest):
    def setUp(self):
        super().setUp()
        self.make_image('cdrom', 'linux', capabilities=['cdrom'])
        self.media = [self.directory / 'images' / f'{name}.iso' for name in ('one', 'two')]
        self.second = self.directory / 'images' / 'second.img'
        for path in (*self.media, self.second):
            path.write_bytes(bytes(2048))
        self.answers = {'cdrom-insert': 'cdrom-inserted', 'cdrom-eject': 'cdrom-ejected'}
        self.seen = []
        self.script = self.serve

    def serve(self, stub):
        stub.state('running')
        while True:
            command, parameter = stub.next_command()
            self.seen.append((command, parameter))
            stub.state(self.answers[command])
            stub.wait_running_back()

    def xml(self, name='guest', more='', number=1):
        """With a CD-ROM drive, an emulated card, and an image that knows how to change media."""
        text = super().xml(name, more, number)
        text = text.replace('<domain ', "<domain xmlns:stubdom='http://libvirt.org/schemas/domain/stubdom/1.0' ")
        text = text.replace('</devices>', self.cdrom(self.media[0]) + self.nic('00:16:3e:00:00:01', 'e1000')
                            + '</devices>', 1)
        return text.replace('</domain>', "<stubdom:stubdomain><stubdom:image name='cdrom'/></stubdom:stubdomain>"
                                         '</domain>')

    def disk_xml(self, target='xvdb', bus='xen', source=None):
        return (f"<disk type='file' device='disk'><source file='{source or self.second}'/>"
                f"<target dev='{target}' bus='{bus}'/></disk>")

    @staticmethod
    def cdrom(medium, target='hdc'):
        source = f"<source file='{medium}'/>" if medium else ''
        return f"<disk type='file' device='cdrom'>{source}<target dev='{target}' bus='ide'/></disk>"

    @staticmethod
    def nic(mac=MAC, model=None):
        return (f"<interface type='bridge'><mac address='{mac}'/><source bridge='xenbr0'/>"
                + (f"<model type='{model}'/>" if model else '') + '</interface>')

    def tree(self, flags=0):
        return ElementTree.fromstring(self.driver.on('guest', 'XMLDesc', flags))

    def targets(self, flags=0):
        return {disk.find('target').get('dev'): disk.find('source').get('file') if disk.find('source') is not None
                else None for disk in self.tree(flags).iter('disk')}

    def macs(self, flags=0):
        return [mac.get('address') for mac in self.tree(flags).iter('mac')]

    def vbds(self, domid):
        base = f'/libxl/{domid}/device/vbd'
        return {self.store.read(f'{base}/{number}/dev'): self.store.read(f'{base}/{number}/params')
                for number in self.store.ls(base)}

    def vifs(self, domid):
        base = f'/libxl/{domid}/device/vif'
        return [self.store.read(f'{base}/{number}/mac') for number in self.store.ls(base)]

    def connect(self, guest, device):
        """The guest's driver uses the device."""
        self.store.write(f'/local/domain/{guest.domid}/device/{device}/state', CONNECTED)

    def assert_refused(self, code, words, call, *arguments):
        """Refused, and nothing has changed."""
        before = [self.driver.on('guest', 'XMLDesc', flags) for flags in (0, XML_INACTIVE)]
        with self.assertRaises(DriverError) as caught:
            self.driver.on('guest', call, *arguments)
        self.assertEqual((caught.exception.code, words in str(caught.exception)), (code, True), caught.exception)
        self.assertEqual([self.driver.on('guest', 'XMLDesc', flags) for flags in (0, XML_INACTIVE)], before)


class DiskTest(HotplugTest):
    def test_attach_and_detach(self):
        guest = self.start_guest()
        self.driver.on('guest', 'attachDevice', self.disk_xml())
        self.driver.expect(('guest', 'added', 'disk-xvdb'))
        self.assertEqual(self.targets()['xvdb'], str(self.second))
        self.assertNotIn('xvdb', self.targets(XML_INACTIVE))
        self.assertEqual(self.vbds(guest.domid)['xvdb'], str(self.second))
        self.assertNotIn(str(self.second), self.vbds(guest.stubdomain_domid()).values())
        self.connect(guest, 'vbd/51728')
        self.driver.on('guest', 'detachDevice', self.disk_xml())
        self.driver.expect(('guest', 'removed', 'disk-xvdb'))
        self.assertEqual(len(self.toolstack.find('libxl_device_disk_safe_remove')), 1)
        self.assertNotIn('xvdb', self.targets())
        self.assertNotIn('xvdb', self.vbds(guest.domid))

    def test_live_and_config(self):
        self.start_guest()
        self.driver.on('guest', 'attachDeviceFlags', self.disk_xml(), LIVE | CONFIG)
        self.assertIn('xvdb', self.targets())
        self.assertIn('xvdb', self.targets(XML_INACTIVE))
        self.driver.on('guest', 'detachDeviceFlags', self.disk_xml(), CONFIG)
        self.assertIn('xvdb', self.targets())
        self.assertNotIn('xvdb', self.targets(XML_INACTIVE))
        self.driver.on('guest', 'detachDeviceAlias', 'disk-xvdb', LIVE)
        self.driver.expect(('guest', 'added', 'disk-xvdb'), ('guest', 'removed', 'disk-xvdb'))
        self.assertNotIn('xvdb', self.targets())

    def test_guest_does_not_let_go(self):
        guest = self.start_guest()
        self.driver.on('guest', 'attachDevice', self.disk_xml())
        self.connect(guest, 'vbd/51728')
        self.toolstack.failures['libxl_device_disk_safe_remove'] = (ERROR_FAIL, ['timed out'])
        self.assert_refused(OPERATION_FAILED, "did not let go of the disk 'xvdb': libxl says: timed out", 'detachDevice',
                            self.disk_xml())
        self.driver.expect(('guest', 'added', 'disk-xvdb'), ('guest', 'removal failed', 'disk-xvdb'))
        self.assertIn('xvdb', self.vbds(guest.domid))

    def test_guest_that_never_looked(self):
        """No driver has connected: there is nobody to be asked."""
        self.start_guest()
        self.driver.on('guest', 'attachDevice', self.disk_xml())
        self.driver.on('guest', 'detachDevice', self.disk_xml())
        self.assertEqual(len(self.toolstack.find('libxl_device_disk_destroy')), 1)
        self.assertEqual(self.toolstack.find('libxl_device_disk_safe_remove'), [])

    def test_libxl_fails(self):
        """Neither definition has it then."""
        self.start_guest()
        self.toolstack.failures['libxl_device_disk_add'] = (ERROR_FAIL, ['no loop devices'])
        self.assert_refused(OPERATION_FAILED, 'no loop devices', 'attachDeviceFlags', self.disk_xml(), LIVE | CONFIG)

    def test_what_cannot_be_plugged(self):
        self.start_guest()
        for device, code, words in (
                (self.disk_xml('hdb', 'ide'), UNSUPPORTED, "those of the bus 'xen' can be plugged"),
                (self.disk_xml('sda', 'scsi'), UNSUPPORTED, "those of the bus 'xen' can be plugged"),
                (self.cdrom(self.media[1], 'hdd'), UNSUPPORTED, 'a medium can be changed'),
                (self.disk_xml('hda', 'ide'), OPERATION_FAILED, "a disk 'hda' already"),
                (self.disk_xml('xvda'), CONFIG_UNSUPPORTED, "in the place of 'hda'"),
                ("<input type='tablet' bus='usb'/>", UNSUPPORTED, 'disks, interfaces and devices of the host'),
                (self.disk_xml().replace('<target', '<iotune><total_bytes_sec>9</total_bytes_sec></iotune><target'),
                 CONFIG_UNSUPPORTED, 'no limits')):
            with self.subTest(device):
                self.assert_refused(code, words, 'attachDevice', device)
        self.assertEqual(self.driver.events, [])

    def test_what_the_stubdomain_has_too(self):
        """A disk of the start is in the stubdomain: it cannot be taken from the guest alone."""
        guest = self.start_guest(more=f'<devices>{self.disk_xml("xvdb")}</devices>')
        self.assert_refused(UNSUPPORTED, 'emulated in the stubdomain as well', 'detachDevice', self.disk_xml('xvdb'))
        self.assert_refused(UNSUPPORTED, "those of the bus 'xen'", 'detachDevice',
                            self.disk_xml('hda', 'ide', self.disk))
        self.assert_refused(MISSING, "no disk 'xvde'", 'detachDevice', self.disk_xml('xvde'))
        self.assert_refused(MISSING, "no device 'disk-xvde'", 'detachDeviceAlias', 'disk-xvde', LIVE)
        self.assertIn('xvdb', self.vbds(guest.domid))

    def test_what_is_not_emulated(self):
        """From xvde on a disk of the start is the guest's alone."""
        guest = self.start_guest(more=f'<devices>{self.disk_xml("xvde")}</devices>')
        self.assertNotIn(str(self.second), self.vbds(guest.stubdomain_domid()).values())
        self.driver.on('guest', 'detachDevice', self.disk_xml('xvde'))
        self.driver.expect(('guest', 'removed', 'disk-xvde'))
        self.assertNotIn('xvde', self.vbds(guest.domid))

    def kill_during(self, call, name, device):
        """libvirtd is killed while libxl is at @call; libxl's work is done nevertheless, as its process is another's child."""
        reached, go = self.hold(call, self.guest().domid)
        self.driver.send('guest', name, device)
        reached.wait(self.deadline.remaining('the call'))
        self.driver.kill()
        go.set()
        self.toolstack.settle(self.deadline)
        del self.toolstack.failures[call]

    def comes_back(self):
        self.driver = self.start_driver()
        self.driver.on('guest', 'setLifecycleAction', 0, 0, 2)  # a job waits for the one before

    def test_attach_is_cut_off(self):
        """The guest has a disk nobody knows of: it is taken away."""
        guest = self.start_guest()
        self.kill_during('libxl_device_disk_add', 'attachDevice', self.disk_xml())
        self.assertIn('xvdb', self.vbds(guest.domid))
        self.comes_back()
        self.assertNotIn('xvdb', self.vbds(guest.domid))
        self.assertNotIn('xvdb', self.targets())
        self.driver.on('guest', 'attachDevice', self.disk_xml())
        self.assertIn('xvdb', self.vbds(guest.domid))

    def test_detach_is_cut_off(self):
        """Nothing is left to be done but to forget it."""
        guest = self.start_guest()
        self.driver.on('guest', 'attachDevice', self.disk_xml())
        self.kill_during('libxl_device_disk_destroy', 'detachDevice', self.disk_xml())
        self.assertNotIn('xvdb', self.vbds(guest.domid))
        self.comes_back()
        self.assertNotIn('xvdb', self.targets())

    def test_others_devices_stay(self):
        """One that was plugged with xl is no business of the driver's."""
        guest = self.start_guest()
        number = disk_number('xvde')
        self.toolstack.add_device(guest.domid, 'vbd', number, {'params': str(self.second), 'dev': 'xvde'}, {'virtual-device': number})
        self.driver.kill()
        self.comes_back()
        self.assertIn('xvde', self.vbds(guest.domid))

    def test_after_a_restart_of_libvirtd(self):
        guest = self.start_guest()
        self.driver.on('guest', 'attachDevice', self.disk_xml())
        self.driver.kill()
        self.driver = self.start_driver()
        self.assertIn('xvdb', self.targets())
        self.driver.on('guest', 'detachDevice', self.disk_xml())
        self.driver.expect(('guest', 'removed', 'disk-xvdb'))
        self.assertNotIn('xvdb', self.vbds(guest.domid))

    def test_others_do_not_wait(self):
        """While libxl attaches, the domain and others can be looked at."""
        asked, go = threading.Event(), threading.Event()

        def slow(call):
            asked.set()
            go.wait(self.deadline.remaining('the test'))

        self.start_guest()
        self.toolstack.failures['libxl_device_disk_add'] = slow
        pending = self.driver.send('guest', 'attachDevice', self.disk_xml())
        asked.wait(self.deadline.remaining('libxl'))
        self.assertNotIn('xvdb', self.targets())
        self.assertEqual(self.driver.call('listAllDomains'), ['guest'])
        go.set()
        pending.wait()
        self.assertIn('xvdb', self.targets())


class NicTest(HotplugTest):
    def test_attach_and_detach(self):
        """A card without a model gets the PV half alone, and says so."""
        guest = self.start_guest()
        self.driver.on('guest', 'attachDeviceFlags', self.nic(), LIVE | CONFIG)
        interface = [entry for entry in self.tree().iter('interface') if entry.find('mac').get('address') == MAC][0]
        alias = interface.find('alias').get('name')
        self.assertEqual(interface.find('model').get('type'), 'netfront')
        self.assertTrue(interface.find('target').get('dev').startswith(f'vif{guest.domid}.'))
        self.assertIn(MAC, self.vifs(guest.domid))
        self.assertNotIn(MAC, self.vifs(guest.stubdomain_domid()))
        self.assertIn(MAC, self.macs(XML_INACTIVE))
        self.assertEqual(self.toolstack.find('libxl_device_nic_add')[-1].argument['nictype'], 'vif')
        self.driver.on('guest', 'detachDeviceFlags', self.nic(), LIVE | CONFIG)
        self.driver.expect(('guest', 'added', alias), ('guest', 'removed', alias))
        self.assertNotIn(MAC, self.vifs(guest.domid) + self.macs() + self.macs(XML_INACTIVE))

    def test_one_mac_for_both(self):
        self.start_guest()
        self.driver.on('guest', 'attachDeviceFlags', self.nic().replace(f"<mac address='{MAC}'/>", ''), LIVE | CONFIG)
        self.assertEqual(self.macs(), self.macs(XML_INACTIVE))
        self.assertEqual(len(self.macs()), 2)

    def test_names_of_many(self):
        """Aliases stay unique when cards come and go."""
        self.start_guest()
        for number in (2, 3):
            self.driver.on('guest', 'attachDevice', self.nic(f'00:16:3e:00:00:0{number}'))
        self.driver.on('guest', 'detachDevice', self.nic('00:16:3e:00:00:02'))
        self.driver.on('guest', 'attachDevice', self.nic('00:16:3e:00:00:04'))
        names = [entry.find('alias').get('name') for entry in self.tree().iter('interface')]
        self.assertEqual(len(set(names)), 3, names)

    def test_names_after_a_restart_of_the_guest(self):
        """libxl numbers its cards anew, and they keep their names."""
        guest = self.start_guest(more='<on_reboot>restart</on_reboot>')
        for number in (2, 3):
            self.driver.on('guest', 'attachDevice', self.nic(f'00:16:3e:00:00:0{number}'))
        self.driver.on('guest', 'detachDevice', self.nic('00:16:3e:00:00:02'))
        self.hypervisor.shut_down(guest.domid, REBOOT)
        self.driver.expect(('guest', 'added', 'net1'), ('guest', 'added', 'net2'), ('guest', 'removed', 'net1'),
                           ('guest', 'reboot'), ('guest', 'lifecycle', STOPPED, 0), ('guest', 'lifecycle', STARTED, 0))
        self.driver.on('guest', 'attachDevice', self.nic('00:16:3e:00:00:04'))
        names = [entry.find('alias').get('name') for entry in self.tree().iter('interface')]
        self.assertEqual(len(set(names)), 3, names)
        self.assertLess({'net0', 'net2'}, set(names))

    def test_guest_uses_it(self):
        guest = self.start_guest()
        self.driver.on('guest', 'attachDevice', self.nic())
        number, = [n for n in self.store.ls(f'/libxl/{guest.domid}/device/vif')
                   if self.store.read(f'/libxl/{guest.domid}/device/vif/{n}/mac') == MAC]
        self.connect(guest, f'vif/{number}')
        self.toolstack.failures['libxl_device_nic_remove'] = (ERROR_FAIL, ['it sticks'])
        self.assert_refused(OPERATION_FAILED, 'it sticks', 'detachDevice', self.nic())
        del self.toolstack.failures['libxl_device_nic_remove']
        self.driver.on('guest', 'detachDevice', self.nic())
        self.driver.expect(*(('guest', event, 'net1') for event in ('added', 'removal failed', 'removed')))

    def test_emulated_cards_stay(self):
        self.start_guest()
        self.assert_refused(UNSUPPORTED, "of the model 'netfront' can be plugged", 'attachDevice', self.nic(MAC, 'e1000'))
        self.assert_refused(UNSUPPORTED, 'has a half in the stubdomain', 'detachDevice',
                            self.nic('00:16:3e:00:00:01'))
        self.assert_refused(UNSUPPORTED, 'only its link can be', 'updateDeviceFlags',
                            self.nic('00:16:3e:00:00:01', 'rtl8139'), LIVE)
        self.assert_refused(MISSING, '00:16:3e:00:00:77', 'updateDeviceFlags',
                            self.nic('00:16:3e:00:00:77', 'e1000'), LIVE)

    def test_link(self):
        """There are no interfaces here to be taken down, so it fails, and nothing has changed."""
        self.start_guest()
        for call, card, flags in (('updateDeviceFlags', self.nic('00:16:3e:00:00:01'), LIVE | CONFIG),
                                  ('attachDeviceFlags', self.nic(), LIVE)):
            self.assert_refused(SYSTEM_ERROR, 'vif', call,
                                card.replace('</interface>', "<link state='down'/></interface>"), flags)
        self.assertEqual(self.driver.events, [])


class MediaTest(HotplugTest):
    def test_change_and_eject(self):
        guest = self.start_guest()
        one, two = map(str, self.media)
        self.driver.on('guest', 'updateDeviceFlags', self.cdrom(two), LIVE | CONFIG)
        self.assertEqual((self.targets()['hdc'], self.targets(XML_INACTIVE)['hdc']), (two, two))
        self.assertEqual(self.vbds(guest.domid)['hdc'], f'aio:{two}')
        self.assertIn(two, self.vbds(guest.stubdomain_domid()).values())
        self.driver.on('guest', 'updateDeviceFlags', self.cdrom(None), LIVE)
        self.assertEqual((self.targets()['hdc'], self.targets(XML_INACTIVE)['hdc']), (None, two))
        self.driver.on('guest', 'updateDeviceFlags', self.cdrom(one), LIVE | FORCE)
        self.assertEqual(self.targets()['hdc'], one)
        self.driver.expect(*[('guest', 'tray', 'disk-hdc', reason) for reason in (OPENED, CLOSED, OPENED, OPENED, CLOSED)])
        self.assertEqual([(command, parameter.endswith(',force')) for command, parameter in self.seen],
                         [('cdrom-insert', False), ('cdrom-eject', False), ('cdrom-insert', True)])

    def test_stubdomain_refuses(self):
        """The guest's tray is locked, say: everything is as before."""
        guest = self.start_guest()
        self.answers['cdrom-insert'] = 'cdrom-insert-failed'
        self.assert_refused(OPERATION_FAILED, 'cdrom-insert-failed', 'updateDeviceFlags', self.cdrom(self.media[1]),
                            LIVE | CONFIG)
        self.assertEqual(self.vbds(guest.domid)['hdc'], f'aio:{self.media[0]}')
        self.assertEqual(self.driver.events, [])

    def test_what_cannot_be_changed(self):
        self.start_guest()
        self.assert_refused(UNSUPPORTED, 'only CD-ROM drives have media', 'updateDeviceFlags',
                            self.disk_xml('hda', 'ide'), LIVE)
        self.assert_refused(OPERATION_FAILED, 'No such file', 'updateDeviceFlags', self.cdrom('/nonexistent.iso'), LIVE)
        self.assert_refused(MISSING, "no disk 'hdd'", 'updateDeviceFlags', self.cdrom(self.media[1], 'hdd'), LIVE)

    def test_after_a_restart_of_libvirtd(self):
        self.start_guest()
        self.driver.on('guest', 'updateDeviceFlags', self.cdrom(self.media[1]), LIVE)
        self.driver.kill()
        self.driver = self.start_driver()
        self.assertEqual(self.targets()['hdc'], str(self.media[1]))
        self.driver.on('guest', 'updateDeviceFlags', self.cdrom(None), LIVE)
        self.assertIsNone(self.targets()['hdc'])
