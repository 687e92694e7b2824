# SPDX-License-Identifier: LGPL-2.1-or-later
"""PCI devices of the host in domains: at the start, plugged and unplugged; and what happens when a step of it fails."""

import threading
import xml.etree.ElementTree as ElementTree

from harness.driver import DriverError
from harness.driver_case import DEFINED, STARTED, STOPPED, STOPPED_DESTROYED, STOPPED_FAILED, DriverTest
from harness.pci import ERROR_FAIL, LibxlError
from harness.sysfs import express_header

# Numbers of libvirt's API.
LIVE, CONFIG = 1, 2
XML_INACTIVE = 2
INTERNAL_ERROR, INVALID_ARG = 1, 8
OPERATION_INVALID, OPERATION_FAILED, CONFIG_UNSUPPORTED, UNSUPPORTED, MISSING = 55, 9, 67, 84, 99
ONE, TWO = '0000:03:00.0', '0000:04:00.0'
ABSENT = '0000:7f:00.0'
NATIVE = 'e1000e'
PASSTHROUGH = "<features><acpi/><xen><passthrough state='on'/></xen></features>"


def hostdev(address=ONE, managed='yes', slot=None):
    domain, bus, rest = address.split(':')
    device, function = rest.split('.')
    place = f"<address type='pci' domain='0' bus='0' slot='{slot}' function='0'/>" if slot else ''
    return (f"<hostdev mode='subsystem' type='pci' managed='{managed}'><source><address domain='0x{domain}' bus='0x{bus}' "
            f"slot='0x{device}' function='0x{function}'/></source>{place}</hostdev>")


class HostdevTest(DriverTest):
    def setUp(self):
        super().setUp()
        self.answers = {}  # command -> what the stubdomain does instead of obeying
        self.seen = []
        self.script = self.serve
        for address in (ONE, TWO):
            self.sysfs.make(address, driver=NATIVE, native=NATIVE)

    def serve(self, stub):
        """A stubdomain that puts devices where it is told, or from slot 5 on."""
        slots = iter(range(5, 32))
        stub.state('running')
        while True:
            command, parameter = stub.next_command()
            self.seen.append((command, parameter))
            if command in self.answers:
                self.answers[command](stub)
            elif command == 'pci-ins':
                place = parameter.partition('@')[2][:2]
                stub.parameter(f'0x{place}' if place else f'0x{next(slots) << 3:02x}')
                stub.state('pci-inserted')
                stub.wait_running_back()
            elif command == 'pci-rem':
                stub.state('pci-removed')
                stub.wait_running_back()

    def refuse(self, command, state):
        def act(stub):
            stub.state(state)
            stub.wait_running_back()
        self.answers[command] = act

    def xml(self, name='guest', more='', number=1, devices='', own=''):
        text = super().xml(name, more or PASSTHROUGH, number)
        text = text.replace('<domain ', "<domain xmlns:stubdom='http://libvirt.org/schemas/domain/stubdom/1.0' ")
        return text.replace('</devices>', f'{devices}</devices>').replace(
            '</domain>', f'<stubdom:stubdomain>{own}</stubdom:stubdomain></domain>')

    def start_with(self, devices='', own='', more='', name='guest', number=1):
        self.driver.call('defineXML', self.xml(name, more, number, devices, own))
        self.driver.on(name, 'create')
        self.driver.wait_event((name, 'lifecycle', STARTED, 0))
        return self.guest(name)

    def shown(self, flags=0, name='guest'):
        """Addresses of the host's devices in its XML, each with its slot in the guest and its alias."""
        found = {}
        for device in ElementTree.fromstring(self.driver.on(name, 'XMLDesc', flags)).iter('hostdev'):
            source = device.find('source/address')
            address = '{}:{}:{}.{}'.format(*(source.get(part)[2:] for part in ('domain', 'bus', 'slot', 'function')))
            place, alias = device.find('address'), device.find('alias')
            found[address] = (place.get('slot') if place is not None else None, alias.get('name') if alias is not None else None)
        return found

    def assert_hosts(self, *addresses, driver=NATIVE, override=None):
        """The devices are the host's, as before, and no domain's; those with a driver of dom0's reach its memory."""
        for address in addresses:
            self.assertFalse(driver != 'pciback' and address in self.toolstack.pci.isolated, f'{address} is isolated')
            self.assertEqual((self.sysfs.driver(address), self.sysfs.override(address)), (driver, override))
            for guest in self.guests:
                self.assertNotIn((guest.domid, address), self.toolstack.pci.assigned)
        for domid in list(self.hypervisor.domains):
            self.assertFalse(set(addresses) & set(self.toolstack.pci.devices(domid)))

    def assert_guests(self, guest, *addresses):
        """Both halves of the guest have the devices, and the stubdomain had none while it reached dom0's memory."""
        self.assertFalse(set(addresses) & set(self.toolstack.pci.exposed))
        self.assertEqual(sorted(self.toolstack.pci.devices(guest.stubdomain_domid())), sorted(addresses))
        self.assertEqual(self.toolstack.pci.assigned, {(guest.domid, address) for address in addresses})

    def fails(self, code, words, call, *arguments, name='guest'):
        with self.assertRaises(DriverError) as caught:
            self.driver.on(name, call, *arguments)
        self.assertEqual((caught.exception.code, words in str(caught.exception)), (code, True), caught.exception)
        return str(caught.exception)


class StartTest(HostdevTest):
    def test_managed(self):
        """Taken from its driver, given to both halves, shown in its place; the host's again at the end, and reset."""
        guest = self.start_with(hostdev(ONE, slot=30) + hostdev(TWO))
        self.assert_guests(guest, ONE, TWO)
        self.assertEqual(self.shown(), {ONE: ('0x1e', 'hostdev0'), TWO: ('0x05', 'hostdev1')})
        self.assertEqual(self.shown(XML_INACTIVE), {ONE: ('0x1e', None), TWO: (None, None)})
        self.driver.on('guest', 'destroy')
        self.driver.expect(('guest', 'lifecycle', STOPPED, STOPPED_DESTROYED))
        self.assert_hosts(ONE, TWO)
        self.assertEqual(sorted(self.sysfs.resets), [ONE, TWO])

    def test_unmanaged(self):
        self.sysfs.make(ONE)
        guest = self.start_with(hostdev(ONE, 'no'))
        self.assert_guests(guest, ONE)
        self.driver.on('guest', 'destroy')
        self.assert_hosts(ONE, driver='pciback')
        self.assertEqual(self.sysfs.resets, [ONE])

    def test_bound_before(self):
        """A managed device that was with xen-pciback already stays there."""
        self.sysfs.make(ONE, native=NATIVE)
        self.start_with(hostdev(ONE))
        self.driver.on('guest', 'destroy')
        self.assert_hosts(ONE, driver='pciback')

    def test_of_no_driver(self):
        """xen-pciback, which was given it once, does not take it again."""
        self.sysfs.make(ONE, driver=None)
        guest = self.start_with(hostdev(ONE))
        self.assert_guests(guest, ONE)
        self.driver.on('guest', 'destroy')
        self.assert_hosts(ONE, driver=None)

    def test_guest_ends_by_itself(self):
        guest = self.start_with(hostdev(ONE))
        guest.power_off()
        self.driver.wait_event(('guest', 'lifecycle', STOPPED, 0))
        self.assert_hosts(ONE)

    def test_guest_reboots(self):
        guest = self.start_with(hostdev(ONE))
        self.hypervisor.shut_down(guest.domid, 1)
        self.driver.wait_event(('guest', 'lifecycle', STARTED, 0))
        self.assertNotEqual(self.guest().domid, guest.domid)
        self.assert_guests(self.guest(), ONE)

    def test_permissive(self):
        self.start_with(hostdev(ONE), own=f"<stubdom:hostdev address='{ONE}' permissive='yes'/>")
        self.assertTrue(self.seen[0][1].endswith(',permissive=1'), self.seen)

    def test_balloon(self):
        """It has all of its memory from the start, and is asked for what it should not have; at each start."""
        self.driver.call('defineXML', self.xml(devices=hostdev(ONE)).replace(
            '<vcpu>', "<currentMemory unit='MiB'>48</currentMemory><vcpu>"))
        self.driver.on('guest', 'create')
        made = [call for call in self.toolstack.find('libxl_domain_create_new') if call.argument['c_info']['type'] == 'hvm']
        self.assertEqual(made[0].argument['b_info']['target_memkb'], 64 << 10)
        self.assertEqual(self.toolstack.numbers(self.guest().domid).memory_target, 48 << 10)
        self.driver.on('guest', 'setMemory', 40 << 10)
        self.driver.on('guest', 'attachDevice', hostdev(TWO))
        self.hypervisor.shut_down(self.guest().domid, 1)
        self.driver.wait_event(('guest', 'lifecycle', STOPPED, 0))
        self.driver.wait_event(('guest', 'lifecycle', STARTED, 0))
        self.assertEqual(self.toolstack.numbers(self.guest().domid).memory_target, 40 << 10)

    def start_fails(self, code, words, devices, own=''):
        self.driver.call('defineXML', self.xml(devices=devices, own=own))
        text = self.fails(code, words, 'create')
        self.assertEqual(self.state(), 5)
        return text

    def test_isolation_fails(self):
        """A device that could reach dom0's memory is given to no stubdomain."""
        self.toolstack.failures['libxl_device_pci_assignable_add'] = (ERROR_FAIL, ['no quarantine'])
        self.driver.call('defineXML', self.xml(devices=hostdev(ONE)))
        self.fails(OPERATION_FAILED, f"{ONE} cannot be cut off from dom0's memory before a stubdomain has it: libxl says: no quarantine",
                   'create')
        self.assert_hosts(ONE)
        self.assertEqual(self.toolstack.pci.exposed, [])

    def test_second_device_fails(self):
        """Nothing is touched if any of them cannot be had."""
        self.start_fails(MISSING, f'no PCI device {ABSENT}', hostdev(ONE) + hostdev(ABSENT))
        self.assertEqual(self.sysfs.writes, [])
        self.assert_hosts(ONE)

    def test_stubdomain_refuses(self):
        self.refuse('pci-ins', 'pci-insert-failed')
        self.start_fails(1, "answered 'pci-ins' with 'pci-insert-failed'", hostdev(ONE) + hostdev(TWO))
        self.assert_hosts(ONE, TWO)

    def test_stubdomain_dies(self):
        self.answers['pci-ins'] = lambda stub: stub.crash()
        self.start_fails(1, 'is gone', hostdev(ONE))
        self.assert_hosts(ONE)


class BeforeTest(HostdevTest):
    """What is found out before anything is touched, at a start and when plugged."""

    def refused(self, code, words, device=None, own='', untouched=True):
        device = device or hostdev(ONE)
        self.driver.call('defineXML', self.xml(devices=device, own=own))
        self.fails(code, words, 'create')
        self.driver.on('guest', 'undefine')
        self.start_with(own=own)
        before = self.driver.on('guest', 'XMLDesc', 0)
        self.fails(code, words, 'attachDevice', device)
        self.assertEqual(self.driver.on('guest', 'XMLDesc', 0), before)
        self.assertEqual(self.toolstack.find('libxl_device_pci_add'), [])
        if untouched:
            self.assertEqual(self.sysfs.writes, [])

    def test_absent(self):
        self.refused(MISSING, f'the host has no PCI device {ABSENT}', hostdev(ABSENT))

    def test_not_assignable(self):
        self.refused(OPERATION_INVALID, f"PCI device {ONE} is not assignable: its driver is '{NATIVE}'", hostdev(ONE, 'no'))

    def test_no_iommu(self):
        self.toolstack.host.physinfo['cap_hvm_directio'] = False
        self.refused(UNSUPPORTED, 'Xen has no IOMMU')

    def test_pciback_is_not_loaded(self):
        self.sysfs.unload_pciback()
        self.refused(OPERATION_FAILED, "module 'xen-pciback' cannot be loaded")

    def test_no_reset(self):
        self.sysfs.make(ONE, driver=NATIVE, reset=False, native=NATIVE)
        self.refused(UNSUPPORTED, f"{ONE} cannot be reset: there is no '")

    def test_reset_may_be_optional(self):
        self.sysfs.make(ONE, driver=NATIVE, reset=False, native=NATIVE)
        guest = self.start_with(hostdev(ONE), own=f"<stubdom:hostdev address='{ONE}' reset='optional'/>")
        self.assert_guests(guest, ONE)
        self.driver.on('guest', 'destroy')
        self.assert_hosts(ONE)

    def test_another_domain_of_ours(self):
        self.start_with(hostdev(ONE), name='first')
        self.driver.call('defineXML', self.xml(number=2, devices=hostdev(ONE)))
        self.fails(OPERATION_INVALID, f"PCI device {ONE} is in use by domain", 'create')
        self.assert_guests(self.guest('first'), ONE)

    def test_a_domain_of_xl(self):
        """Which libvirt does not know of."""
        self.sysfs.make(ONE, native=NATIVE)
        other = self.start_with(name='other', number=2)
        self.toolstack.pci.isolated.add(ONE)
        self.toolstack.pci.add(other.domid, {'bus': 3})
        self.driver.call('defineXML', self.xml(devices=hostdev(ONE)))
        self.fails(OPERATION_INVALID, f"PCI device {ONE} is in use by domain {other.stubdomain_domid()}, 'other-dm'", 'create')
        self.assert_guests(other, ONE)

    def test_started_without_iommu(self):
        self.start_with(more='<features><acpi/></features>')
        self.fails(UNSUPPORTED, "<xen><passthrough state='on'/></xen>", 'attachDevice', hostdev(ONE))
        self.assertEqual(self.sysfs.writes, [])


class AttachTest(HostdevTest):
    def test_attach_and_detach(self):
        guest = self.start_with()
        self.driver.on('guest', 'attachDevice', hostdev(ONE, slot=9))
        self.driver.on('guest', 'attachDeviceFlags', hostdev(TWO), LIVE | CONFIG)
        self.driver.expect(('guest', 'added', 'hostdev0'), ('guest', 'added', 'hostdev1'))
        self.assert_guests(guest, ONE, TWO)
        self.assertEqual(self.shown(), {ONE: ('0x09', 'hostdev0'), TWO: ('0x05', 'hostdev1')})
        self.assertEqual(self.shown(XML_INACTIVE), {TWO: (None, None)})
        self.driver.on('guest', 'detachDevice', hostdev(ONE))
        self.driver.expect(('guest', 'removed', 'hostdev0'))
        self.assert_hosts(ONE)
        self.assert_guests(guest, TWO)
        self.driver.on('guest', 'detachDeviceAlias', 'hostdev1', LIVE)
        self.driver.on('guest', 'detachDeviceFlags', hostdev(TWO), CONFIG)
        self.driver.expect(('guest', 'removed', 'hostdev1'))
        self.assert_hosts(ONE, TWO)
        self.assertEqual((self.shown(), self.shown(XML_INACTIVE)), ({}, {}))
        self.assertEqual(self.sysfs.resets, [ONE, TWO])

    def test_again_and_again(self):
        self.start_with()
        for _ in range(25):
            self.driver.on('guest', 'attachDevice', hostdev(ONE))
            self.driver.on('guest', 'detachDevice', hostdev(ONE))
            self.driver.expect(('guest', 'added', 'hostdev0'), ('guest', 'removed', 'hostdev0'))
        self.assert_hosts(ONE)

    def test_aliases_are_told_apart(self):
        self.start_with(hostdev(ONE) + hostdev(TWO))
        self.driver.on('guest', 'detachDevice', hostdev(ONE))
        self.driver.on('guest', 'attachDevice', hostdev(ONE))
        self.assertEqual({address: alias for address, (_, alias) in self.shown().items()}, {ONE: 'hostdev0', TWO: 'hostdev1'})

    def test_twice(self):
        self.start_with(hostdev(ONE))
        self.fails(OPERATION_FAILED, 'has that device of the host already', 'attachDevice', hostdev(ONE))

    def test_missing(self):
        self.start_with()
        for flags in (LIVE, CONFIG):
            self.fails(MISSING, 'no such device of the host', 'detachDeviceFlags', hostdev(ONE), flags)

    def test_update(self):
        self.start_with(hostdev(ONE))
        for flags in (LIVE, CONFIG):
            self.fails(UNSUPPORTED, 'attached anew', 'updateDeviceFlags', hostdev(ONE, 'no'), flags)

    def attach_fails(self, *words, device=None):
        guest = self.guest()
        before = self.driver.on('guest', 'XMLDesc', 0)
        text = self.fails(OPERATION_FAILED, f'PCI device {ONE} cannot be given to the guest', 'attachDevice', device or hostdev(ONE))
        for word in words:
            self.assertIn(word, text)
        self.assertEqual(self.driver.on('guest', 'XMLDesc', 0), before)
        self.assert_hosts(ONE)
        self.assertEqual(self.driver.events, [])
        return guest

    def test_stubdomain_refuses(self):
        self.start_with()
        self.refuse('pci-ins', 'pci-insert-failed')
        self.attach_fails("'pci-insert-failed'")
        self.answers.clear()
        self.driver.on('guest', 'attachDevice', hostdev(ONE))
        self.assert_guests(self.guest(), ONE)

    def test_stubdomain_says_garbage(self):
        self.start_with()
        self.refuse('pci-ins', b'\x1b[2J\xff')
        self.attach_fails('\\x1b', 'no answer')

    def test_stubdomain_never_answers(self):
        self.start_with(own="<stubdom:timeout command='1'/>")
        self.answers['pci-ins'] = lambda stub: None
        self.attach_fails('did not answer within 1.0 seconds')

    def test_stubdomain_dies(self):
        self.start_with()
        self.answers['pci-ins'] = lambda stub: stub.crash()
        self.fails(OPERATION_FAILED, 'is gone', 'attachDevice', hostdev(ONE))
        self.driver.wait_event(('guest', 'lifecycle', STOPPED, STOPPED_FAILED))
        self.assert_hosts(ONE)

    def test_not_assigned(self):
        """The last of libxl's steps: what the stubdomain has inserted goes again."""
        self.start_with()

        def fail(domid, address):
            raise LibxlError(ERROR_FAIL, 'xc_assign_device failed')

        self.toolstack.pci.before_assigning = fail
        self.attach_fails('xc_assign_device failed')
        self.assertEqual([command for command, _ in self.seen], ['pci-ins', 'pci-rem'])

    def test_guest_is_destroyed_meanwhile(self):
        guest = self.start_with()
        reached = threading.Event()

        def wait(stub):
            reached.set()
            stub.idle()

        self.answers['pci-ins'] = wait
        pending = self.driver.send('guest', 'attachDevice', hostdev(ONE))
        reached.wait(self.deadline.remaining('pci-ins'))
        guest.destroy()
        with self.assertRaises(DriverError):
            pending.wait()
        self.driver.wait_event(('guest', 'lifecycle', STOPPED, STOPPED_DESTROYED))
        self.assert_hosts(ONE)


class FunctionTest(HostdevTest):
    """A network card that is a virtual function. There is none here: libvirt finds out, and all is as before."""

    CARD = ("<interface type='hostdev' managed='yes'><mac address='00:16:3e:00:00:07'/><source><address type='pci' domain='0' "
            "bus='0' slot='5' function='0'/></source></interface>")

    def test_no_function(self):
        self.sysfs.make('0000:00:05.0', driver=NATIVE, native=NATIVE)
        self.start_with()
        self.fails(CONFIG_UNSUPPORTED, 'SR-IOV Virtual Functions only', 'attachDevice', self.CARD)
        self.assertEqual(self.driver.on('guest', 'XMLDesc', 0).count('<interface'), 0)
        self.driver.on('guest', 'attachDeviceFlags', self.CARD, CONFIG)
        self.assertEqual(self.driver.on('guest', 'XMLDesc', XML_INACTIVE).count("<interface type='hostdev'"), 1)
        self.driver.on('guest', 'destroy')
        self.fails(CONFIG_UNSUPPORTED, 'SR-IOV Virtual Functions only', 'create')
        self.assert_hosts('0000:00:05.0')
        self.driver.on('guest', 'detachDeviceFlags', self.CARD, CONFIG)
        self.driver.on('guest', 'create')


class DetachTest(HostdevTest):
    def setUp(self):
        super().setUp()
        self.later = threading.Event()

    def slow(self, *acts):
        """The guest lets go when the test says so."""
        def act(stub):
            self.later.wait(self.deadline.remaining('the test'))
            stub.state('pci-removed')
            stub.wait_running_back()
        self.answers['pci-rem'] = act

    def test_guest_takes_its_time(self):
        """The call returns, the event comes when the guest has let go."""
        guest = self.start_with(hostdev(ONE), own="<stubdom:timeout command='60'/>")
        self.slow()
        self.driver.on('guest', 'detachDevice', hostdev(ONE))
        self.assertEqual(list(self.shown()), [ONE])
        self.assert_guests(guest, ONE)
        self.fails(OPERATION_FAILED, 'has not answered yet', 'detachDevice', hostdev(ONE))
        self.later.set()
        self.driver.expect(('guest', 'removed', 'hostdev0'))
        self.assertEqual(self.shown(), {})
        self.assert_hosts(ONE)

    def test_guest_refuses(self):
        guest = self.start_with(hostdev(ONE))
        self.refuse('pci-rem', 'pci-remove-failed')
        self.fails(OPERATION_FAILED, 'pci-remove-failed', 'detachDevice', hostdev(ONE))
        self.driver.expect(('guest', 'removal failed', 'hostdev0'))
        self.assert_guests(guest, ONE)
        self.answers.clear()
        self.driver.on('guest', 'detachDevice', hostdev(ONE))
        self.driver.expect(('guest', 'removed', 'hostdev0'))
        self.assert_hosts(ONE)

    def test_guest_lets_go_too_late(self):
        guest = self.start_with(hostdev(ONE), own="<stubdom:timeout command='1'/>")
        self.slow()
        self.fails(OPERATION_FAILED, 'did not answer within 1.0 seconds', 'detachDevice', hostdev(ONE))
        self.driver.expect(('guest', 'removal failed', 'hostdev0'))
        self.assert_guests(guest, ONE)
        self.later.set()
        self.driver.expect(('guest', 'removed', 'hostdev0'))
        self.assert_hosts(ONE)
        self.assertEqual(self.shown(), {})

    def test_deadline_after_the_call(self):
        """Nobody waits any more when the device model gives up."""
        guest = self.start_with(hostdev(ONE), own="<stubdom:timeout command='6'/>")
        self.answers['pci-rem'] = lambda stub: None
        self.driver.on('guest', 'detachDevice', hostdev(ONE))
        self.driver.expect(('guest', 'removal failed', 'hostdev0'))
        self.assert_guests(guest, ONE)

    def test_by_force(self):
        """Said in the definition while the domain runs."""
        self.start_with(hostdev(ONE), own="<stubdom:timeout command='1'/>")
        force = f"<stubdom:timeout command='1'/><stubdom:hostdev address='{ONE}' unplug='force'/>"
        self.driver.call('defineXML', self.xml(devices=hostdev(ONE), own=force))
        self.driver.wait_event(('guest', 'lifecycle', DEFINED, 1))
        self.answers['pci-rem'] = lambda stub: None
        self.driver.on('guest', 'detachDevice', hostdev(ONE))
        self.driver.expect(('guest', 'removed', 'hostdev0'))
        self.assert_hosts(ONE)

    def test_libxl_fails(self):
        guest = self.start_with(hostdev(ONE))
        self.toolstack.failures['libxl_device_pci_destroy'] = (ERROR_FAIL, ['pciback is stuck'])
        self.fails(OPERATION_FAILED, 'pciback is stuck', 'detachDevice', hostdev(ONE))
        self.driver.expect(('guest', 'removal failed', 'hostdev0'))
        self.assertEqual(list(self.shown()), [ONE])
        del self.toolstack.failures['libxl_device_pci_destroy']
        self.driver.on('guest', 'detachDevice', hostdev(ONE))
        self.driver.expect(('guest', 'removed', 'hostdev0'))
        self.assert_hosts(ONE)
        self.assertTrue(guest.alive)

    def test_stubdomain_dies(self):
        self.start_with(hostdev(ONE))
        self.answers['pci-rem'] = lambda stub: stub.crash()
        self.fails(OPERATION_FAILED, 'is gone', 'detachDevice', hostdev(ONE))
        self.driver.wait_event(('guest', 'lifecycle', STOPPED, STOPPED_FAILED))
        self.assert_hosts(ONE)


class QuarantineTest(HostdevTest):
    def test_reset_fails(self):
        """It is given to nobody any more."""
        self.start_with(hostdev(ONE))
        self.sysfs.stuck.add(ONE)
        self.driver.on('guest', 'destroy')
        self.assert_hosts(ONE, driver='pciback', override='pciback')
        self.fails(OPERATION_INVALID, f'PCI device {ONE} is in quarantine', 'create')
        self.driver.kill()
        self.driver = self.start_driver()
        self.fails(OPERATION_INVALID, f'PCI device {ONE} is in quarantine', 'create')
        (self.directory / 'driver/run' / f'quarantine-{ONE}').unlink()


class NodeDeviceTest(HostdevTest):
    """virsh nodedev-detach, nodedev-reset, nodedev-reattach."""

    def setUp(self):
        super().setUp()
        for address in (ONE, TWO):
            self.sysfs.make(address, driver=NATIVE, native=NATIVE, header=express_header())

    def device(self, method, *arguments, address=ONE):
        return self.driver.call('nodedev', 'pci_' + address.replace(':', '_').replace('.', '_'), method, *arguments)

    def device_fails(self, code, words, method, *arguments, address=ONE):
        with self.assertRaises(DriverError) as caught:
            self.device(method, *arguments, address=address)
        self.assertEqual((caught.exception.code, words in str(caught.exception)), (code, True), caught.exception)

    def test_detach_reset_reattach(self):
        """A device that is taken from the host is one for an unmanaged <hostdev>, and goes back."""
        self.device('dettach')
        self.assert_hosts(ONE, driver='pciback', override='pciback')
        self.assert_hosts(TWO)
        self.device('reset')
        guest = self.start_with(hostdev(ONE, 'no'))
        self.assert_guests(guest, ONE)
        self.driver.on('guest', 'destroy')
        self.device('reAttach')
        self.assert_hosts(ONE)
        self.fails(OPERATION_INVALID, f"its driver is '{NATIVE}'", 'create')

    def test_backend_has_a_name(self):
        self.device_fails(INVALID_ARG, "no driver 'vfio'", 'detachFlags', 'vfio')
        self.assert_hosts(ONE)
        self.device('detachFlags', 'xen')
        self.assert_hosts(ONE, driver='pciback', override='pciback')

    def test_of_a_running_domain(self):
        """Nothing is done to what a guest has."""
        guest = self.start_with(hostdev(ONE))
        before = list(self.sysfs.writes)
        self.device_fails(INTERNAL_ERROR, f'Not resetting active device {ONE}', 'reset')
        for method in ('dettach', 'reAttach'):
            self.device_fails(OPERATION_INVALID, f"PCI device {ONE} is in use by driver stubdom, domain guest", method)
        self.assertEqual(self.sysfs.writes, before)
        self.assert_guests(guest, ONE)

    def test_of_no_driver(self):
        """xen-pciback, which was given it once, does not take it again."""
        self.sysfs.make(ONE, driver=None)
        self.device('dettach')
        self.assertEqual(self.sysfs.driver(ONE), 'pciback')
        self.device('reAttach')
        self.assert_hosts(ONE, driver=None)
        self.assertEqual([text for what, text in self.sysfs.writes if what.endswith('remove_slot')], [ONE])

    def test_no_pci_device(self):
        for method in ('dettach', 'reset', 'reAttach'):
            with self.assertRaises(DriverError) as caught:
                self.driver.call('nodedev', 'net_eth0', method)
            self.assertIn('net_eth0 is not a PCI device', str(caught.exception))
        self.assertEqual(self.sysfs.writes, [])

    def test_absent(self):
        for method in ('dettach', 'reset', 'reAttach'):
            with self.assertRaises(DriverError) as caught:
                self.device(method, address=ABSENT)
            self.assertIn(ABSENT, str(caught.exception))
        self.assertEqual(self.sysfs.writes, [])

    def quarantine(self):
        self.start_with(hostdev(ONE))
        self.sysfs.stuck.add(ONE)
        self.driver.on('guest', 'destroy')
        self.fails(OPERATION_INVALID, f'PCI device {ONE} is in quarantine', 'create')

    def test_reset_ends_quarantine(self):
        """As soon as the device can be reset, and no earlier."""
        self.quarantine()
        self.device_fails(OPERATION_FAILED, ONE, 'reset')
        self.fails(OPERATION_INVALID, f'PCI device {ONE} is in quarantine', 'create')
        self.sysfs.stuck.clear()
        self.device('reset')
        self.assertEqual(self.sysfs.resets, [ONE])
        self.driver.on('guest', 'create')
        self.assert_guests(self.guest(), ONE)

    def test_reattaching_ends_quarantine(self):
        self.quarantine()
        self.device('reAttach')
        self.assert_hosts(ONE)
        self.driver.on('guest', 'create')
        self.assert_guests(self.guest(), ONE)
        self.sysfs.stuck.clear()


class RestartTest(HostdevTest):
    """libvirtd is killed between two steps; the next one goes on, or undoes."""

    def restart(self):
        self.driver.kill()
        self.toolstack.settle(self.deadline)
        self.driver = self.start_driver()

    def synchronize(self):
        self.driver.on('guest', 'setLifecycleAction', 0, 0, 2)

    def test_nothing_under_way(self):
        guest = self.start_with(hostdev(ONE))
        before = self.driver.on('guest', 'XMLDesc', 0)
        self.restart()
        self.synchronize()
        self.assertEqual(self.driver.on('guest', 'XMLDesc', 0), before)
        self.assert_guests(guest, ONE)
        self.driver.call('defineXML', self.xml('second', number=2, devices=hostdev(ONE)))
        self.fails(OPERATION_INVALID, 'is in use by domain', 'create', name='second')
        self.driver.on('guest', 'destroy')
        self.assert_hosts(ONE)

    def test_guest_is_gone(self):
        guest = self.start_with(hostdev(ONE))
        self.driver.kill()
        guest.destroy()
        self.driver = self.start_driver()
        self.driver.on('guest', 'create')
        self.assert_guests(self.guest(), ONE)
        self.driver.on('guest', 'destroy')
        self.assert_hosts(ONE)

    def killed_in(self, reached, let_go, call):
        self.driver.send('guest', call, hostdev(ONE))
        reached.wait(self.deadline.remaining(call))
        self.driver.kill()
        let_go()
        self.toolstack.settle(self.deadline)
        self.driver = self.start_driver()
        self.synchronize()

    def hold_step(self, call, what=''):
        """Stops in a call, or in the first write of @what."""
        reached, go = threading.Event(), threading.Event()

        def wait(call):
            if call.argument.get('path', '').endswith(what):
                reached.set()
                go.wait(self.deadline.remaining('the end of the stall'))

        self.toolstack.failures[call] = wait
        return reached, go

    def hold_sysfs(self, what):
        return self.hold_step('sysfs_write', what)

    def test_attach_while_bound(self):
        for call, what in (('sysfs_write', 'driver_override'), ('sysfs_write', 'unbind'), ('sysfs_write', 'drivers_probe'),
                           ('libxl_device_pci_assignable_add', '')):
            with self.subTest(what or call):
                self.start_with(name='guest')
                reached, go = self.hold_step(call, what)
                self.killed_in(reached, go.set, 'attachDevice')
                del self.toolstack.failures[call]
                self.assertEqual(self.shown(), {})
                self.assert_hosts(ONE)
                self.driver.on('guest', 'destroy')

    def test_attach_in_libxl(self):
        """libxl ends with its caller, wherever it was: here when all but the driver's part was done."""
        guest = self.start_with()
        reached, go = threading.Event(), threading.Event()

        def wait(domid, address):
            reached.set()
            go.wait(self.deadline.remaining('the end of the stall'))

        self.toolstack.pci.before_assigning = wait
        self.killed_in(reached, go.set, 'attachDevice')
        self.toolstack.pci.before_assigning = lambda domid, address: None
        self.assertEqual(self.shown(), {})
        self.assert_hosts(ONE)
        self.driver.on('guest', 'attachDevice', hostdev(ONE))
        self.assert_guests(guest, ONE)

    def test_detach_while_asked(self):
        self.start_with(hostdev(ONE), own="<stubdom:timeout command='60'/>")
        reached, go = threading.Event(), threading.Event()

        def wait(stub):
            reached.set()
            go.wait(self.deadline.remaining('the test'))
            stub.state('pci-removed')
            stub.wait_running_back()

        self.answers['pci-rem'] = wait
        self.driver.send('guest', 'detachDevice', hostdev(ONE))
        reached.wait(self.deadline.remaining('pci-rem'))
        self.driver.kill()
        self.driver = self.start_driver()
        self.assertEqual(list(self.shown()), [ONE])
        go.set()
        self.driver.wait_event(('guest', 'removed', 'hostdev0'))
        self.assert_hosts(ONE)

    def test_detach_done_meanwhile(self):
        """The guest let go when nobody listened."""
        guest = self.start_with(hostdev(ONE), own="<stubdom:timeout command='60'/>")
        reached, go = threading.Event(), threading.Event()

        def wait(stub):
            reached.set()
            go.wait(self.deadline.remaining('the test'))
            stub.state('pci-removed')
            stub.wait_running_back()
            self.store.write('/test/removed', '1')

        self.answers['pci-rem'] = wait
        self.driver.send('guest', 'detachDevice', hostdev(ONE))
        reached.wait(self.deadline.remaining('pci-rem'))
        self.driver.kill()
        go.set()
        self.store.wait('/test/removed', '1', self.deadline)
        self.store.rm('/test')
        self.driver = self.start_driver()
        self.synchronize()
        self.assertEqual(self.shown(), {})
        self.assert_hosts(ONE)
        self.assertTrue(guest.alive)

    def test_detach_in_libxl_and_after(self):
        for call, what in (('libxl_device_pci_destroy', None), ('sysfs_write', 'reset'),
                           ('libxl_device_pci_assignable_remove', ''), ('sysfs_write', 'drivers_probe')):
            with self.subTest(what or call):
                self.start_with(hostdev(ONE))
                if what is not None:
                    reached, go = self.hold_step(call, what)
                else:
                    reached, go = self.hold(call, self.guest().domid)
                self.killed_in(reached, go.set, 'detachDevice')
                del self.toolstack.failures[call]
                self.assertEqual(self.shown(), {})
                self.assert_hosts(ONE)
                self.driver.on('guest', 'destroy')

    def test_start(self):
        for what in ('unbind', 'drivers_probe'):
            with self.subTest(what):
                self.driver.call('defineXML', self.xml(devices=hostdev(ONE)))
                reached, go = self.hold_sysfs(what)
                self.driver.send('guest', 'create')
                reached.wait(self.deadline.remaining('the start'))
                self.driver.kill()
                go.set()
                self.toolstack.settle(self.deadline)
                self.driver = self.start_driver()
                self.driver.on('guest', 'setLifecycleAction', 0, 0, 2)
                del self.toolstack.failures['sysfs_write']
                self.assertEqual(self.state(), 5)
                self.assert_hosts(ONE)
