# SPDX-License-Identifier: LGPL-2.1-or-later
"""A normal start: what is made, in which order, with which permissions, and what the stubdomain finds."""

import threading

from harness import scripts
from harness.case import ComponentTest, Snapshot
from harness.guest import Disk, Nic

ORDER = ['libxl_domain_create_new', 'xc_domain_set_target', 'libxl_device_disk_add', 'libxl_device_nic_add',
         'libxl_domain_unpause']


def read_arguments(stub):
    """dm-argv as a Linux stubdomain reads it, with a stubdomain's rights."""
    store = stub.store
    guest = store.read('target')
    base = f'{store.read(f"/local/domain/{guest}/vm")}/image/dm-argv'
    return [store.read(f'{base}/{name}') for name in store.ls(base)]


class StartTest(ComponentTest):
    def test_ready_only_when_the_stubdomain_says_running(self):
        go, before = threading.Event(), []

        def script(stub):
            stub.log(scripts.BANNER)
            go.wait(self.deadline.remaining('the test'))
            before.append(self.store.read(guest.state_path))
            stub.state('running')
            stub.idle()

        guest = self.make_guest(script)
        model = self.start(guest)
        go.set()
        model.wait_running()
        self.assertEqual(before, [None])

    def test_order_of_calls(self):
        self.start_running(nics=[Nic()])
        self.assertEqual(self.toolstack.names(), ORDER)

    def test_disks_are_attached_when_the_target_is_known(self):
        """The block hotplug script shares an image between guest and stubdomain only then."""
        seen = []

        def look(call):
            seen.append((self.store.read(f'/local/domain/{call.numbers[0]}/target'),
                         self.hypervisor.targets.get(call.numbers[0])))

        self.toolstack.failures['libxl_device_disk_add'] = look
        guest, _, _ = self.start_running()
        self.assertEqual(seen, [(str(guest.domid), guest.domid)])

    def test_everything_is_written_before_unpause(self):
        seen = []

        def look(call):
            domid = call.numbers[0]
            seen.append(self.store.read(f'/local/domain/{domid}/target'))
            seen.append(len(self.store.ls(f'/vm/{guest.uuid}/image/dm-argv')) > 0)
            seen.append(self.store.ls(f'/local/domain/{domid}/device/console'))

        self.toolstack.failures['libxl_domain_unpause'] = look
        guest = self.make_guest(serials=['null'])
        self.start(guest).wait_running()
        self.assertEqual(seen, [str(guest.domid), True, ['1', '2', '3']])

    def test_configuration_of_the_domain(self):
        self.start_running(name='web')
        config = self.toolstack.find('libxl_domain_create_new')[0].argument
        self.assertEqual(config['c_info']['type'], 'pv')
        self.assertEqual(config['c_info']['name'], 'web-dm')
        build = config['b_info']
        image = self.directory / 'images' / 'linux'
        self.assertEqual(build['kernel'], str(image / 'vmlinuz'))
        self.assertEqual(build['ramdisk'], str(image / 'initrd'))
        self.assertEqual(build['cmdline'], 'console=hvc0 stubdom.eject-timeout=8')
        self.assertEqual((build['max_memkb'], build['target_memkb']), (96 * 1024, 96 * 1024))
        self.assertFalse(config.get('disks') or config.get('nics'))

    def test_memory_option(self):
        self.start_running(options={'memory': 160})
        config = self.toolstack.find('libxl_domain_create_new')[0].argument
        self.assertEqual(config['b_info']['max_memkb'], 160 * 1024)

    def test_cpus_option(self):
        self.start_running(options={'cpus': '0,,2-3'})
        config = self.toolstack.find('libxl_domain_create_new')[0].argument
        self.assertEqual(config['b_info']['vcpu_hard_affinity'], [[0, 2, 3]])

    def test_nodes_and_permissions(self):
        guest, _, stub = self.start_running()
        g, s = guest.domid, stub.domid
        expected = {
            f'/local/domain/{s}/target': (str(g), ['n0', f'r{s}']),
            f'/local/domain/{s}/device-model/{g}': ('', [f'n{s}', f'r{g}']),
            f'/local/domain/{g}/image/device-model-domid': (str(s), ['n0', f'r{g}']),
            f'/vm/{guest.uuid}/image/dm-argv/001': ('-xen-domid', ['n0', f'r{s}']),
            f'/local/domain/0/device-model/{g}/state': ('running', ['n0']),
        }
        for path, (value, permissions) in expected.items():
            with self.subTest(path):
                self.assertEqual(self.store.read(path), value)
                self.assertEqual(self.store.permissions(path), permissions)

    def test_console_nodes(self):
        """As libxl__device_console_add writes them for consoles with a device model behind."""
        guest, _, stub = self.start_running(serials=[f'file:{self.directory}/log/com1'])
        s = stub.domid
        for number in (1, 2, 3):
            front = f'/local/domain/{s}/device/console/{number}'
            back = f'/local/domain/0/backend/console/{s}/{number}'
            with self.subTest(number):
                self.assertEqual(self.store.permissions(front), [f'n{s}', 'r0'])
                self.assertEqual(self.store.permissions(back), ['n0', f'r{s}'])
                self.assertEqual(self.store.read(f'{front}/backend'), back)
                self.assertEqual(self.store.read(f'{front}/backend-id'), '0')
                self.assertEqual(self.store.read(f'{front}/type'), 'ioemu')
                self.assertEqual(self.store.permissions(f'{front}/type'), ['n0', f'r{s}'])
                self.assertEqual(self.store.permissions(f'{front}/tty'), ['n0', f'r{s}'])
                self.assertEqual(self.store.read(f'{back}/frontend'), front)
                self.assertEqual(self.store.read(f'{back}/frontend-id'), str(s))
                self.assertEqual(self.store.read(f'{back}/state'), '4')
                self.assertEqual(self.store.read(f'/libxl/{s}/device/console/{number}/backend'), back)
        self.assertEqual(guest.config.serials[0],
                         self.store.read(f'/local/domain/{s}/device/console/3/output'))

    def test_the_stubdomain_can_read_its_arguments(self):
        arguments = []

        def script(stub):
            arguments.extend(read_arguments(stub))
            scripts.normal(stub)

        guest, _, _ = self.start_running(script, nics=[Nic(mac='00:16:3e:01:02:03')], serials=['pty'])
        self.assertEqual(arguments[:2], ['-xen-domid', str(guest.domid)])
        text = ' '.join(arguments)
        for foreign in ('libxl-cmd', 'libxenstat', '-mon', str(self.directory), 'xenbr0', 'vif', '-stubdom'):
            self.assertNotIn(foreign, text)
        self.assertIn('file=/dev/xvda,if=ide,index=0,media=disk,format=host_device,cache=writeback', arguments)
        self.assertEqual(arguments[arguments.index('-serial') + 1], '/dev/hvc3')
        self.assertIn('e1000,id=nic0,netdev=net0,mac=00:16:3e:01:02:03', arguments)
        self.assertEqual(arguments[arguments.index('-machine') + 1], 'xenfv,suppress-vmdesc=on')

    def test_minios_arguments(self):
        self.make_image('minios', 'minios')
        text = []

        def script(stub):
            target = stub.store.read('target')
            path = stub.store.read(f'/local/domain/{target}/vm') + '/image/dmargs'
            text.append(stub.store.read(path))
            scripts.normal(stub)

        guest, _, stub = self.start_running(script, options={'image': 'minios'}, name='old')
        words = text[0].split()
        self.assertEqual(words[words.index('-d') + 1], str(guest.domid))
        self.assertEqual(words[words.index('-domain-name') + 1], 'old')
        self.assertEqual(self.store.permissions(f'/vm/{guest.uuid}/image/dmargs'), ['n0', f'r{stub.domid}'])

    def test_disks_in_configuration_order(self):
        second = self.directory / 'images' / 'second.img'
        medium = self.directory / 'images' / 'medium.iso'
        second.write_bytes(bytes(512))
        medium.write_bytes(bytes(2048))
        self.start_running(disks=[Disk(str(self.disk)), Disk(str(second), 'hdb'),
                                  Disk(str(medium), 'hdc', readonly=True, cdrom=True)])
        added = [call.argument for call in self.toolstack.find('libxl_device_disk_add')]
        self.assertEqual([(disk['vdev'], disk['pdev_path'], bool(disk.get('readwrite'))) for disk in added],
                         [('xvda', str(self.disk), True), ('xvdb', str(second), True), ('xvdc', str(medium), False)])
        self.assertTrue(added[2].get('removable'))
        self.assertEqual({disk['format'] for disk in added}, {'raw'})

    def test_cdrom_without_medium(self):
        self.start_running(disks=[Disk(str(self.disk)), Disk('', 'hdc', readonly=True, cdrom=True)])
        self.assertEqual(len(self.toolstack.find('libxl_device_disk_add')), 1)

    def test_nics_in_configuration_order(self):
        self.start_running(nics=[Nic('br1', '00:16:3e:00:00:11'), Nic('br2', '00:16:3e:00:00:22', 'rtl8139')])
        added = [call.argument for call in self.toolstack.find('libxl_device_nic_add')]
        self.assertEqual([(nic.get('devid', 0), nic['bridge'], nic['mac'].lower()) for nic in added],
                         [(0, 'br1', '00:16:3e:00:00:11'), (1, 'br2', '00:16:3e:00:00:22')])

    def test_console_0_is_logged(self):
        self.start_running()
        log = self.models[0].console_log
        self.guests[0].destroy()
        self.models[0].wait_end()
        self.assertIn(scripts.BANNER.strip(), log.read_text())

    def test_three_at_once(self):
        guests = [self.make_guest(name=f'guest{number}') for number in range(3)]
        models = [self.start(guest) for guest in guests]
        for model in models:
            model.wait_running()
        self.assertEqual(len({guest.stubdomain_domid() for guest in guests}), 3)
        before = Snapshot(self, f'/local/domain/{guests[1].domid}')
        guests[0].destroy()
        self.assertEqual(models[0].wait_end(), 0)
        after = Snapshot(self, f'/local/domain/{guests[1].domid}')
        self.assertEqual(after.nodes, before.nodes)
        self.assertIn(guests[2].stubdomain_domid(), self.hypervisor.domains)

    def test_ten_one_after_another(self):
        for number in range(10):
            guest, model, _ = self.start_running(name=f'guest{number}')
            guest.destroy()
            self.assertEqual(model.wait_end(), 0, model.errors())
            self.assert_nothing_left(self.clean)
