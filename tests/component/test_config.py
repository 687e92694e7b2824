# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest's configuration as the driver hands it over (config=)."""

import json

from harness.case import ComponentTest
from harness.guest import Disk, Nic


class ConfigTest(ComponentTest):
    def write(self, config):
        file = self.directory / 'images' / 'guest.json'
        file.write_text(config if isinstance(config, str) else json.dumps(config))
        return str(file)

    def make_config(self, guest, **members):
        config = {'c_info': {'type': 'hvm', 'name': guest.config.name}, 'b_info': {'type.hvm': {}},
                  'disks': [{'pdev_path': guest.config.disks[0].path, 'vdev': 'hda', 'format': 'raw', 'readwrite': 1}]}
        config.update(members)
        return config

    def refused(self, guest, file, *words):
        model = self.start(guest, config=file)
        self.assertEqual(model.wait_end(), 1)
        for word in words:
            self.assertIn(word, model.errors())
        self.assertEqual(self.toolstack.find('libxl_domain_create_new'), [])

    def test_disks_and_cards_come_from_it(self):
        second = self.directory / 'images' / 'second.img'
        guest = self.make_guest(nics=[Nic()], disks=[Disk(str(self.disk)), Disk(str(second), 'xvdc')])
        second.write_bytes(b'\0' * 512)
        config = self.make_config(guest, nics=[{'devid': 0, 'bridge': 'br7', 'script': '/etc/xen/scripts/vif-special',
                                                'rate_bytes_per_interval': 5120, 'rate_interval_usecs': 50000}])
        config['disks'] += [{'pdev_path': str(second), 'vdev': vdev, 'format': 'raw', 'readwrite': 0}
                            for vdev in ('xvdc', 'xvdq')]  # the second is not emulated
        model = self.start(guest, config=self.write(config))
        model.wait_running()
        disks = [call.argument for call in self.toolstack.find('libxl_device_disk_add')]
        self.assertEqual([disk['vdev'] for disk in disks], ['xvda', 'xvdb'])
        self.assertEqual(disks[1]['pdev_path'], str(second))
        self.assertFalse(disks[1].get('readwrite'))
        nic = self.toolstack.find('libxl_device_nic_add')[0].argument
        self.assertEqual((nic['bridge'], nic['script']), ('br7', '/etc/xen/scripts/vif-special'))
        self.assertEqual((nic['rate_bytes_per_interval'], nic['rate_interval_usecs']), (5120, 50000))

    def test_missing_file(self):
        guest = self.make_guest()
        self.refused(guest, str(self.directory / 'nothing.json'), 'config=', 'nothing.json', 'No such file')

    def test_no_configuration_in_it(self):
        guest = self.make_guest()
        self.refused(guest, self.write('{ "c_info": '), 'config=', 'guest.json')

    def test_format_no_kernel_can_serve(self):
        guest = self.make_guest()
        config = self.make_config(guest)
        config['disks'][0]['format'] = 'qcow2'
        self.refused(guest, self.write(config), 'qcow2', 'hda', 'qemu-img convert')
