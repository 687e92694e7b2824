# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the libvirt driver says of the host and of domains in numbers, and what it changes of them."""

import shutil
import xml.etree.ElementTree as ElementTree

from harness.driver import DriverError
from harness.driver_case import DriverTest, RUNNING
from harness.toolstack import ERROR_FAIL

MAC = '00:16:3e:00:00:01'
XML = '''<domain type='xen'>
  <name>guest</name><uuid>00000000-1111-2222-3333-000000000001</uuid>
  <memory unit='MiB'>128</memory><currentMemory unit='MiB'>64</currentMemory><vcpu current='{vcpus}'>2</vcpu>
  {top}
  <os><type arch='x86_64'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='file' type='raw'/><source file='{disk}'/><target dev='hdb' bus='ide'/>
    </disk>
    <disk type='file' device='cdrom'><target dev='hdc' bus='ide'/></disk>
    <interface type='bridge'><mac address='00:16:3e:00:00:01'/><source bridge='xenbr0'/></interface>
  </devices>
</domain>
'''

# Of libvirt's API.
LIVE, CONFIG, MAXIMUM = 1, 2, 4
ERR_INVALID_ARG, ERR_OPERATION_INVALID, ERR_NO_DOMAIN, ERR_OPERATION_UNSUPPORTED = 8, 55, 42, 84
ERR_CONFIG_UNSUPPORTED, ERR_ARGUMENT_UNSUPPORTED, ERR_NO_HOSTNAME = 67, 74, 108
ALL_CPUS = ALL_CELLS = -1
STATS = {'state': 1, 'cpu-total': 2, 'balloon': 4, 'vcpu': 8, 'interface': 16, 'block': 32, 'perf': 64}
ENFORCE, NOWAIT = 1 << 31, 1 << 29


class NumbersTest(DriverTest):
    def setUp(self):
        super().setUp()
        self.creating = self.add_nics

    def tearDown(self):
        shutil.rmtree(self.sys, ignore_errors=True)
        super().tearDown()

    @property
    def sys(self):
        """sysfs of the driver."""
        return self.directory / 'driver' / 'sys'

    def add_nics(self, guest):
        """libxl adds a guest's network cards once its device model runs; this is early enough for the tests here."""
        for number, nic in enumerate(guest.config.nics):
            self.toolstack.add_device(guest.domid, 'vif', number, {'bridge': nic.bridge, 'mac': nic.mac, 'handle': number})

    def start_here(self, top='', vcpus=1):
        self.driver.call('defineXML', XML.format(disk=self.disk, top=top, vcpus=vcpus))
        self.driver.on('guest', 'create')
        return self.guest()

    def stubdomain(self, guest):
        return guest.stubdomain_domid()

    def refused(self, code, name, *arguments, on='guest'):
        with self.assertRaises(DriverError) as caught:
            self.driver.on(on, name, *arguments)
        self.assertEqual((caught.exception.code, str(caught.exception)), (code, str(caught.exception)))
        return str(caught.exception)

    def count_disk(self, domid, number, **values):
        directory = self.sys / 'bus' / 'xen-backend' / 'devices' / f'vbd-{domid}-{number}' / 'statistics'
        directory.mkdir(parents=True)
        for name in ('rd_req', 'wr_req', 'rd_sect', 'wr_sect', 'f_req', 'oo_req'):
            (directory / name).write_text(f'{values.get(name, 0)}\n')

    def count_nic(self, domid, number, name, **values):
        directory = self.sys / 'bus' / 'xen-backend' / 'devices' / f'vif-{domid}-{number}' / 'net' / name / 'statistics'
        directory.mkdir(parents=True)
        for direction in ('rx', 'tx'):
            for what in ('bytes', 'packets', 'errors', 'dropped'):
                (directory / f'{direction}_{what}').write_text(f'{values.get(f"{direction}_{what}", 0)}\n')

    def xml(self, flags=0):
        return ElementTree.fromstring(self.driver.on('guest', 'XMLDesc', flags))


class HostTest(NumbersTest):
    def test_info(self):
        self.assertEqual(self.driver.call('getInfo'), ['x86_64', 8192, 3, 2400, 2, 1, 2, 1])

    def test_info_of_an_uneven_host(self):
        """More processors than nodes, sockets, cores and threads would make: they are cores of one socket."""
        self.toolstack.host.physinfo.update(nr_cpus=5, nr_nodes=2, cores_per_socket=2)
        self.assertEqual(self.driver.call('getInfo')[2:], [5, 2400, 1, 1, 5, 1])

    def test_processors(self):
        self.assertEqual(self.driver.call('getCPUMap'), [4, [True, True, True, False], 3])

    def test_busy(self):
        """Nanoseconds since boot that were not idle; one processor and all."""
        host = self.toolstack.host
        host.idle = [10 ** 9, 2 * 10 ** 9, 3 * 10 ** 9, 77]
        one = self.driver.call('getCPUStats', 1)
        self.assertEqual((one['idle'], one['kernel'], one['iowait']), (2 * 10 ** 9, 0, 0))
        total = self.driver.call('getCPUStats', ALL_CPUS)
        self.assertEqual(total['idle'], 6 * 10 ** 9)
        # The uptime is not ours to set; it goes on between two questions, and all else is known.
        self.assertGreaterEqual(total['user'] + total['idle'], 3 * (one['user'] + one['idle']))
        for number in (3, 4):
            with self.assertRaises(DriverError) as caught:
                self.driver.call('getCPUStats', number)
            self.assertEqual(caught.exception.code, ERR_INVALID_ARG)

    def test_memory(self):
        self.assertEqual(self.driver.call('getFreeMemory'), 4 << 30)
        self.assertEqual(self.driver.call('getCellsFreeMemory', 0, 2), [1 << 30, 3 << 30])
        self.assertEqual(self.driver.call('getCellsFreeMemory', 1, 1), [3 << 30])
        self.assertEqual(self.driver.call('getFreePages', [4, 2048], 0, 2), {'0': {'4': 1 << 18, '2048': 0}, '1': {'4': 3 << 18, '2048': 0}})
        self.assertEqual(self.driver.call('getFreePages', [4], 1, 2), {'1': {'4': 3 << 18}})
        with self.assertRaises(DriverError):
            self.driver.call('getFreePages', [4], 2, 1)
        self.assertEqual(self.driver.call('getMemoryStats', ALL_CELLS), {'total': 8 << 20, 'free': 4 << 20})
        self.assertEqual(self.driver.call('getMemoryStats', 1), {'total': 4 << 20, 'free': 3 << 20})
        with self.assertRaises(DriverError) as caught:
            self.driver.call('getMemoryStats', 2)
        self.assertEqual(caught.exception.code, ERR_INVALID_ARG)

    def test_no_answer(self):
        """What libxl says is in the error."""
        self.toolstack.failures['libxl_get_physinfo'] = (ERROR_FAIL, [])
        with self.assertRaises(DriverError) as caught:
            self.driver.call('getInfo')
        self.assertIn('Xen does not tell about the host', str(caught.exception))
        self.assertEqual(self.driver.call('getFreeMemory'), 0)  # the bindings raise nothing

    def test_capabilities(self):
        host = ElementTree.fromstring(self.driver.call('getCapabilities')).find('host')
        topology = host.find('cpu/topology')
        if topology is not None:  # libvirt has a name for the CPU
            self.assertEqual([topology.get(name) for name in ('sockets', 'cores', 'threads')], ['1', '2', '1'])
        cells = host.findall('topology/cells/cell')
        self.assertEqual([(cell.get('id'), cell.find('memory').text, [
            (cpu.get('id'), cpu.get('socket_id'), cpu.get('core_id'), cpu.get('siblings')) for cpu in cell.findall('cpus/cpu')],
            [sibling.get('value') for sibling in cell.findall('distances/sibling')]) for cell in cells], [
                ('0', '4194304', [('0', '0', '0', '0'), ('1', '0', '1', '1')], ['10', '20']),
                ('1', '4194304', [('2', '1', '0', '2')], ['20', '10'])])
        self.assertEqual((host.find('iommu').get('support'), host.find('secmodel'), host.find('netprefix').text), ('yes', None, 'vif'))

    def test_others(self):
        self.assertEqual(self.driver.call('getMaxVcpus', None), 128)
        self.assertEqual(self.driver.call('getMaxVcpus', 'Xen'), 128)
        with self.assertRaises(DriverError):
            self.driver.call('getMaxVcpus', 'kvm')
        self.assertEqual(self.driver.call('getSecurityModel'), ['', ''])
        self.assertIn('486', self.driver.call('getCPUModelNames', 'x86_64'))
        cpu = '<cpu><arch>x86_64</arch><model>486</model></cpu>'
        self.assertIn('486', self.driver.call('baselineCPU', [cpu, cpu], 0))
        host = ElementTree.fromstring(self.driver.call('getCapabilities')).find('host/cpu')
        if host is not None and host.find('model') is not None:  # as OpenStack asks when it starts
            text = ElementTree.tostring(host, encoding='unicode')
            self.assertIn(f"<model fallback='forbid'>{host.find('model').text}<", self.driver.call('baselineCPU', [text], 1))
            self.assertGreaterEqual(self.driver.call('compareCPU', text, 0), 1)


class CapabilitiesWithoutXenTest(DriverTest):
    def test_no_answer(self):
        """A Xen that says nothing of itself is no reason not to come up."""
        self.driver.stop()
        for name in ('libxl_get_physinfo', 'libxl_get_cpu_topology', 'libxl_get_numainfo'):
            self.toolstack.failures[name] = (ERROR_FAIL, [])
        self.driver = self.start_driver()
        self.assertIn('<guest>', self.driver.call('getCapabilities'))


class DomainStatsTest(NumbersTest):
    def test_info(self):
        guest = self.start_here()
        domain = self.hypervisor.domains[guest.domid]
        domain.cpu_time, domain.memory = 123456789, 65540
        self.assertEqual(self.driver.on('guest', 'info'), [RUNNING, 131072, 65540, 1, 123456789])
        self.assertEqual(self.driver.on('guest', 'memoryStats'), {'actual': 65536, 'rss': 65540})

    def test_groups(self):
        guest = self.start_here()
        own = self.stubdomain(guest)
        domain, stubdomain = self.hypervisor.domains[guest.domid], self.hypervisor.domains[own]
        domain.cpu_time, stubdomain.cpu_time = 5000, 700
        domain.memory = 65540
        self.toolstack.numbers(guest.domid).times = [1000, 2000]
        self.toolstack.numbers(guest.domid).affinity = [[0], [1]]
        self.toolstack.numbers(guest.domid).online = [0]
        self.toolstack.numbers(own).times = [700]
        (name, found), = self.driver.call('getAllDomainStats', sum(STATS[group] for group in ('state', 'cpu-total', 'balloon', 'vcpu')))
        self.assertEqual(name, 'guest')
        self.assertEqual(found, {
            'state.state': RUNNING, 'state.reason': 1, 'stubdom.id': own, 'stubdom.state': RUNNING,
            'cpu.time': 5000, 'stubdom.cpu.time': 700,
            'balloon.current': 65536, 'balloon.maximum': 131072, 'balloon.rss': 65540,
            'stubdom.balloon.current': stubdomain.memory, 'stubdom.balloon.maximum': stubdomain.memory,
            'vcpu.current': 1, 'vcpu.maximum': 2, 'vcpu.0.state': 1, 'vcpu.0.time': 1000, 'vcpu.1.state': 0, 'vcpu.1.time': 2000,
            'stubdom.vcpu.0.state': 1, 'stubdom.vcpu.0.time': 700})

    def test_devices(self):
        """The sum of both backends of each device."""
        guest = self.start_here()
        own = self.stubdomain(guest)
        self.count_disk(guest.domid, 832, rd_req=1, rd_sect=2, wr_req=3, wr_sect=4, f_req=5, oo_req=6)
        self.count_disk(own, 51712, rd_req=10, rd_sect=20, wr_req=30, wr_sect=40, f_req=50, oo_req=60)
        self.count_nic(guest.domid, 0, f'vif{guest.domid}.0', rx_bytes=1, rx_packets=2, rx_errors=3, rx_dropped=4,
                       tx_bytes=5, tx_packets=6, tx_errors=7, tx_dropped=8)
        self.count_nic(own, 0, 'renamed', rx_bytes=10, rx_packets=20, rx_errors=30, rx_dropped=40,
                       tx_bytes=50, tx_packets=60, tx_errors=70, tx_dropped=80)
        (_, found), = self.driver.call('getAllDomainStats', STATS['interface'] | STATS['block'])
        allocation = self.disk.stat().st_blocks * 512
        self.assertEqual(found, {
            'net.count': 1, 'net.0.name': f'vif{guest.domid}.0', 'net.0.rx.bytes': 55, 'net.0.rx.pkts': 66, 'net.0.rx.errs': 77,
            'net.0.rx.drop': 88, 'net.0.tx.bytes': 11, 'net.0.tx.pkts': 22, 'net.0.tx.errs': 33, 'net.0.tx.drop': 44,
            'block.count': 2, 'block.0.name': 'hdb', 'block.0.path': str(self.disk), 'block.0.rd.reqs': 11, 'block.0.rd.bytes': 22 * 512,
            'block.0.wr.reqs': 33, 'block.0.wr.bytes': 44 * 512, 'block.0.fl.reqs': 55, 'block.0.errors': 66,
            'block.0.allocation': allocation, 'block.0.capacity': 512, 'block.0.physical': 512,
            'stubdom.block.0.rd.reqs': 10, 'stubdom.block.0.rd.bytes': 20 * 512, 'stubdom.block.0.wr.reqs': 30,
            'stubdom.block.0.wr.bytes': 40 * 512, 'stubdom.block.0.fl.reqs': 50, 'block.1.name': 'hdc'})
        (_, found), = self.driver.call('getAllDomainStats', STATS['block'], NOWAIT)
        self.assertNotIn('block.0.capacity', found)
        self.assertEqual(self.driver.on('guest', 'blockStats', 'hdb'), [11, 22 * 512, 33, 44 * 512, 66])
        self.assertEqual(self.driver.on('guest', 'blockStats', ''), [11, 22 * 512, 33, 44 * 512, 66])
        self.assertEqual(self.driver.on('guest', 'blockStats', str(self.disk)), [11, 22 * 512, 33, 44 * 512, 66])
        self.assertEqual(self.driver.on('guest', 'blockStatsFlags', 'hdb'), {
            'rd_operations': 11, 'rd_bytes': 22 * 512, 'wr_operations': 33, 'wr_bytes': 44 * 512, 'flush_operations': 55, 'errs': 66})
        for device in (MAC, f'vif{guest.domid}.0'):
            self.assertEqual(self.driver.on('guest', 'interfaceStats', device), [55, 66, 77, 88, 11, 22, 33, 44])

    def test_nothing_counted(self):
        """Without a backend there are no numbers, and not zeros."""
        self.start_here()
        (_, found), = self.driver.call('getAllDomainStats', STATS['interface'] | STATS['block'])
        self.assertNotIn('block.0.rd.reqs', found)
        self.assertNotIn('net.0.rx.bytes', found)
        self.refused(ERR_OPERATION_INVALID, 'blockStats', 'hdb')
        self.refused(ERR_OPERATION_INVALID, 'interfaceStats', MAC)
        self.refused(ERR_INVALID_ARG, 'blockStats', 'hdd')
        self.refused(ERR_INVALID_ARG, 'interfaceStats', 'eth7')

    def test_block_info(self):
        self.disk.write_bytes(bytes(8192))
        self.driver.call('defineXML', XML.format(disk=self.disk, top='', vcpus=1))
        self.assertEqual(self.driver.on('guest', 'blockInfo', 'hdb'), [8192, self.disk.stat().st_blocks * 512, 8192])
        self.assertIn("'hdc'", self.refused(ERR_INVALID_ARG, 'blockInfo', 'hdc'))
        self.refused(ERR_INVALID_ARG, 'blockInfo', 'hdd')
        self.driver.on('guest', 'undefine')

    def test_inactive(self):
        self.driver.call('defineXML', XML.format(disk=self.disk, top='', vcpus=1))
        (_, found), = self.driver.call('getAllDomainStats')
        self.assertEqual(found['state.state'], 5)
        self.assertEqual([name for name in found if name.startswith('stubdom') or name in ('cpu.time', 'net.count')], [])
        self.assertEqual(found['balloon.maximum'], 131072)
        for name, *arguments in (('memoryStats',), ('blockStats', 'hdb'), ('interfaceStats', MAC), ('vcpus',), ('getCPUStats', True),
                                 ('jobInfo',), ('injectNMI',), ('setMemory', 65536), ('numaParameters',)):
            self.refused(ERR_OPERATION_INVALID, name, *arguments)
        self.driver.on('guest', 'undefine')

    def test_filters(self):
        self.start_here()
        other = XML.format(disk=self.disk, top='', vcpus=1).replace('>guest<', '>other<').replace('000000000001', '000000000002')
        self.driver.call('defineXML', other)
        for flags, names in ((0, ['guest', 'other']), (1, ['guest']), (2, ['other']), (16, ['guest']), (64, ['other'])):
            found = self.driver.call('getAllDomainStats', STATS['state'], flags)
            self.assertEqual((flags, sorted(name for name, _ in found)), (flags, names))
        with self.assertRaises(DriverError) as caught:
            self.driver.call('getAllDomainStats', STATS['perf'], ENFORCE)
        self.assertEqual(caught.exception.code, ERR_ARGUMENT_UNSUPPORTED)
        self.assertEqual([found for _, found in self.driver.call('getAllDomainStats', STATS['perf'])], [{}, {}])
        self.driver.on('other', 'undefine')

    def test_job(self):
        self.start_here()
        self.assertEqual(self.driver.on('guest', 'jobInfo')[0], 0)
        self.assertEqual(self.driver.on('guest', 'jobStats'), {'type': 0})

    def test_inside(self):
        """What needs an agent says so; an NMI reaches Xen."""
        guest = self.start_here()
        self.driver.on('guest', 'injectNMI')
        call, = self.toolstack.find('libxl_send_trigger')
        self.assertEqual(call.numbers[0], guest.domid)
        self.assertIn('agent', self.refused(ERR_OPERATION_UNSUPPORTED, 'getTime'))
        self.assertIn('agent', self.refused(ERR_OPERATION_UNSUPPORTED, 'setTime', {'seconds': 1, 'nseconds': 0}))
        self.assertEqual(self.driver.on('guest', 'securityLabel'), ['', False])


class AddressesTest(NumbersTest):
    """Of a guest's network cards: leases of libvirt's networks, neighbours of the host."""

    LEASE, AGENT, ARP = range(3)
    OTHER = '00:16:3e:00:00:02'
    CARD = f"<interface type='network'><mac address='{OTHER}'/><source network='default'/></interface>"

    def start_with_cards(self):
        xml = XML.format(disk=self.disk, top='', vcpus=1).replace('</devices>', f'{self.CARD}</devices>')
        self.driver.call('defineXML', xml)
        self.driver.on('guest', 'create')
        return [card.find('target').get('dev') for card in self.xml().iter('interface')]

    def test_leases(self):
        _, name = self.start_with_cards()
        self.assertEqual(self.driver.on('guest', 'interfaceAddresses', self.LEASE), {
            name: {'hwaddr': self.OTHER, 'addrs': [{'addr': '127.0.0.77', 'prefix': 8, 'type': 0}]}})
        self.assertEqual(self.driver.on('guest', 'hostname', 0), 'inside')

    def test_neighbours(self):
        """Found by their MAC, on whatever bridge."""
        names = self.start_with_cards()
        self.assertEqual(self.driver.on('guest', 'interfaceAddresses', self.ARP), {})
        (self.directory / 'neighbours').write_text(f'192.0.2.7 {MAC}\n192.0.2.9 00:16:3e:00:00:09\n2001:db8::8 {self.OTHER}\n')
        found = self.driver.on('guest', 'interfaceAddresses', self.ARP)
        (self.directory / 'neighbours').unlink()
        self.assertEqual({name: (card['hwaddr'], [one['addr'] for one in card['addrs']]) for name, card in found.items()},
                         {names[0]: (MAC, ['192.0.2.7']), names[1]: (self.OTHER, ['2001:db8::8'])})

    def test_no_card_with_an_address(self):
        self.start_here()
        self.assertEqual(self.driver.on('guest', 'interfaceAddresses', self.LEASE), {})
        self.assertIn('no network', self.refused(ERR_NO_HOSTNAME, 'hostname', 0))

    def test_no_agent(self):
        self.start_here()
        self.assertIn('agent', self.refused(ERR_ARGUMENT_UNSUPPORTED, 'interfaceAddresses', self.AGENT))

    def test_not_running(self):
        self.start_with_cards()
        self.driver.on('guest', 'destroy')
        for source in (self.LEASE, self.ARP):
            self.refused(ERR_OPERATION_INVALID, 'interfaceAddresses', source)


class VcpuTest(NumbersTest):
    def test_vcpus(self):
        guest = self.start_here(vcpus=2)
        numbers = self.toolstack.numbers(guest.domid)
        numbers.times, numbers.affinity, numbers.online = [1000, 2000], [[0, 2], [1]], [0]
        info, maps = self.driver.on('guest', 'vcpus')
        self.assertEqual(info, [[0, 1, 1000, 0], [1, 0, 2000, -1]])
        self.assertEqual(maps, [[True, False, True, False], [False, True, False, False]])
        self.assertEqual(self.driver.on('guest', 'getCPUStats', True), [{'cpu_time': 0, 'stubdom.cpu_time': 0}])
        self.assertEqual(self.driver.on('guest', 'getCPUStats', False), [{'cpu_time': 1000}, {'cpu_time': 2000}])

    def test_number(self):
        guest = self.start_here()
        self.assertEqual([self.driver.on('guest', 'vcpusFlags', flags) for flags in (0, LIVE, CONFIG, LIVE | MAXIMUM)], [1, 1, 1, 2])
        self.assertEqual(self.driver.on('guest', 'maxVcpus'), 2)
        self.driver.on('guest', 'setVcpus', 2)
        self.assertEqual(self.toolstack.numbers(guest.domid).online, [0, 1])
        self.assertEqual([self.driver.on('guest', 'vcpusFlags', flags) for flags in (LIVE, CONFIG)], [2, 1])
        self.assertIn('take', self.refused(ERR_OPERATION_UNSUPPORTED, 'setVcpus', 1))
        self.refused(ERR_INVALID_ARG, 'setVcpus', 3)
        self.driver.on('guest', 'setVcpusFlags', 4, CONFIG | MAXIMUM)
        self.driver.on('guest', 'setVcpusFlags', 3, CONFIG)
        self.assertEqual([self.driver.on('guest', 'vcpusFlags', flags) for flags in (CONFIG, CONFIG | MAXIMUM, LIVE)], [3, 4, 2])
        self.refused(ERR_INVALID_ARG, 'setVcpusFlags', 129, CONFIG | MAXIMUM)
        self.refused(ERR_INVALID_ARG, 'setVcpusFlags', 2, LIVE | MAXIMUM)

    def test_single_ones(self):
        guest = self.start_here()
        self.assertIn('first', self.refused(ERR_OPERATION_UNSUPPORTED, 'setVcpu', '0', 0, LIVE))
        self.refused(ERR_INVALID_ARG, 'setVcpu', '2', 1, LIVE)
        self.refused(ERR_INVALID_ARG, 'setVcpu', '1', 2, LIVE)
        self.driver.on('guest', 'setVcpu', '1', 1, LIVE | CONFIG)
        self.assertEqual(self.toolstack.numbers(guest.domid).online, [0, 1])
        self.assertEqual([self.driver.on('guest', 'vcpusFlags', flags) for flags in (LIVE, CONFIG)], [2, 2])
        self.assertIn('take', self.refused(ERR_OPERATION_UNSUPPORTED, 'setVcpu', '1', 0, LIVE))
        self.driver.on('guest', 'setVcpu', '1', 0, CONFIG)
        self.driver.on('guest', 'setVcpusFlags', 4, CONFIG | MAXIMUM)
        self.assertIn('order', self.refused(ERR_OPERATION_UNSUPPORTED, 'setVcpu', '2-3', 1, CONFIG))
        self.driver.on('guest', 'setVcpu', '1-3', 1, CONFIG)
        self.assertEqual([self.driver.on('guest', 'vcpusFlags', flags) for flags in (LIVE, CONFIG)], [2, 4])

    def test_not_plugged(self):
        """A device model that cannot: the number stays."""
        self.start_here()
        self.toolstack.failures['libxl_set_vcpuonline'] = (ERROR_FAIL, [])
        with self.assertRaises(DriverError) as caught:
            self.driver.on('guest', 'setVcpus', 2)
        self.assertIn('plug in', str(caught.exception))
        self.assertEqual(self.driver.on('guest', 'vcpusFlags', LIVE), 1)

    def test_pinning(self):
        guest = self.start_here("<cputune><vcpupin vcpu='0' cpuset='1'/><emulatorpin cpuset='2'/></cputune>", vcpus=2)
        own = self.stubdomain(guest)
        self.assertEqual(self.toolstack.numbers(own).affinity, [[2]])  # at the start
        only = [False, True, False, False]
        self.assertEqual(self.driver.on('guest', 'vcpuPinInfo'), [only, [True] * 4])
        self.assertEqual(self.driver.on('guest', 'emulatorPinInfo'), [False, False, True, False])
        self.driver.on('guest', 'pinVcpu', 0, (True, False, True, False))
        self.assertEqual(self.toolstack.numbers(guest.domid).affinity[0], [0, 2])
        self.driver.on('guest', 'pinEmulator', (False, True, True, False), LIVE | CONFIG)
        self.assertEqual(self.toolstack.numbers(own).affinity, [[1, 2]])
        self.assertEqual(self.xml().find('cputune/vcpupin').get('cpuset'), '0,2')
        self.assertEqual(self.xml().find('cputune/emulatorpin').get('cpuset'), '1-2')
        inactive = self.xml(2)
        self.assertEqual([inactive.find(f'cputune/{name}').get('cpuset') for name in ('vcpupin', 'emulatorpin')], ['1', '1-2'])
        self.refused(ERR_INVALID_ARG, 'pinVcpu', 2, (True, False, False, False))
        self.refused(ERR_INVALID_ARG, 'pinVcpu', 0, (False, False, False, False))

    def test_pinning_refused_by_xen(self):
        self.start_here()
        self.toolstack.failures['libxl_set_vcpuaffinity'] = (ERROR_FAIL, [])
        with self.assertRaises(DriverError):
            self.driver.on('guest', 'pinVcpu', 0, (True, False, False, False))
        self.assertIsNone(self.xml().find('cputune'))

    def test_scheduler(self):
        guest = self.start_here()
        own = self.stubdomain(guest)
        self.assertEqual(self.driver.on('guest', 'schedulerType'), ['credit2', 4])
        default = {'weight': 256, 'cap': 0, 'stubdom.weight': 256, 'stubdom.cap': 0}
        self.assertEqual(self.driver.on('guest', 'schedulerParameters'), default)
        self.driver.on('guest', 'setSchedulerParameters', {'weight': 512, 'stubdom.cap': 50})
        self.assertEqual(self.toolstack.numbers(guest.domid).scheduling['weight'], 512)
        self.assertEqual(self.toolstack.numbers(own).scheduling, {'sched': 'credit2', 'weight': 256, 'cap': 50})
        self.assertEqual(self.driver.on('guest', 'schedulerParameters'), {**default, 'weight': 512, 'stubdom.cap': 50})
        self.assertEqual(self.driver.on('guest', 'schedulerParametersFlags', CONFIG), default)
        self.driver.on('guest', 'setSchedulerParametersFlags', {'weight': 128}, CONFIG)
        self.assertEqual(self.driver.on('guest', 'schedulerParametersFlags', CONFIG), {**default, 'weight': 128})
        self.assertEqual(self.xml(2).find('cputune/shares').text, '128')
        self.assertIn("'cap'", self.refused(ERR_CONFIG_UNSUPPORTED, 'setSchedulerParametersFlags', {'cap': 10}, CONFIG))
        self.toolstack.host.scheduler = 9
        self.assertEqual(self.driver.on('guest', 'schedulerType'), ['null', 0])


class MemoryTest(NumbersTest):
    def test_target(self):
        guest = self.start_here()
        self.driver.on('guest', 'setMemory', 98304)
        self.assertEqual(self.toolstack.numbers(guest.domid).memory_target, 98304)
        self.assertEqual((self.xml().find('currentMemory').text, self.xml(2).find('currentMemory').text), ('98304', '65536'))
        self.driver.on('guest', 'setMemoryFlags', 70000, LIVE | CONFIG)
        self.assertEqual(self.toolstack.numbers(guest.domid).memory_target, 70656)  # full MiB
        self.assertEqual(self.xml(2).find('currentMemory').text, '70656')
        self.assertIn('131072', self.refused(ERR_INVALID_ARG, 'setMemory', 200000))

    def test_maximum(self):
        guest = self.start_here()
        self.driver.on('guest', 'setMaxMemory', 262144)
        self.assertEqual(self.toolstack.numbers(guest.domid).memory_maximum, 262144)
        self.assertEqual((self.driver.on('guest', 'maxMemory'), self.xml(2).find('memory').text), (262144, '131072'))
        self.refused(ERR_INVALID_ARG, 'setMaxMemory', 32768)
        self.driver.on('guest', 'setMemoryFlags', 32768, CONFIG | MAXIMUM)
        self.assertEqual((self.xml(2).find('memory').text, self.xml(2).find('currentMemory').text), ('32768', '32768'))

    def test_refused_by_libxl(self):
        self.start_here()
        self.toolstack.failures['libxl_set_memory_target'] = (ERROR_FAIL, [])
        with self.assertRaises(DriverError):
            self.driver.on('guest', 'setMemory', 98304)
        self.assertEqual(self.xml().find('currentMemory').text, '65536')

    def test_nodes(self):
        guest = self.start_here()
        self.toolstack.numbers(guest.domid).nodes = 0b10
        self.assertEqual(self.driver.on('guest', 'numaParameters'), {'numa_mode': 1, 'numa_nodeset': '1'})
