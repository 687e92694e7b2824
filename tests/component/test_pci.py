# SPDX-License-Identifier: LGPL-2.1-or-later
"""PCI devices that are inserted and removed, and the table of what can go wrong: message, time, state afterwards.

The host's devices are PCI_DEVICES (harness/case.py): assignable, and given to
the stubdomain before our program is asked, as libxl does.
"""

import signal
import threading
import time

from harness import scripts
from harness.case import PCI_DEVICES, ComponentTest
from harness.qmp import DEVICE, QmpError

ADDRESS = DEVICE['hostaddr']
AT_ONCE = 1.0


class PciTest(ComponentTest):
    seconds = 30

    def attach_fails(self, model, *words, libxl=False, within=AT_ONCE, device=None):
        """A device_add that must fail with all of @words, within @within seconds; returns the message."""
        client = model.qmp() if libxl else model.driver_qmp()
        started = time.monotonic()
        with self.assertRaises(QmpError) as caught:
            client.attach({**DEVICE, **(device or {})})
        self.assertLess(time.monotonic() - started, within * self.patience)
        for word in words:
            self.assertIn(word, caught.exception.description)
        self.assertEqual(client.call('query-pci')[0]['devices'], [])
        self.assertIn(words[0], model.errors())
        return caught.exception.description

    def backend_devices(self, stub):
        """Addresses the stubdomain has in xen-pciback."""
        base = f'/local/domain/0/backend/pci/{stub.domid}/0'
        return sorted(self.store.read(f'{base}/{node}') for node in self.store.ls(base) if node.startswith('dev-'))

    def removals(self):
        return self.toolstack.find('libxl_device_pci_remove')


def answers(*acts):
    """A stubdomain that answers its first command by @acts and serves from then on."""
    def script(stub):
        stub.state('running')
        stub.next_command()
        for act in acts:
            act(stub)
        scripts.serve(stub)
    return script


class RefusedBeforeTest(PciTest):
    """What is found out before the stubdomain is asked."""

    def refused(self, *words, libxl=False, taken_back=True, options=None, **kinds):
        _, model, stub = self.start_running(options=options, **kinds)
        self.attach_fails(model, *words, libxl=libxl)
        self.assertIsNone(self.store.read(f'{stub.dm}/command'))
        self.assertNotIn('pci-ins', model.console_log.read_text())
        if taken_back:
            self.assertEqual([call.numbers for call in self.removals()], [[stub.domid]])
            self.assertEqual(self.backend_devices(stub), [PCI_DEVICES[1]])
        return model, stub

    def test_device_is_absent(self):
        self.sysfs.remove(ADDRESS)
        self.refused(f'the host has no PCI device {ADDRESS}')

    def test_device_is_not_assignable(self):
        self.sysfs.make(ADDRESS, driver='e1000e')
        self.refused(f"PCI device {ADDRESS} is not assignable: its driver is 'e1000e'", 'pci-assignable-add')

    def test_device_has_no_driver(self):
        self.sysfs.make(ADDRESS, driver=None)
        self.refused(f"PCI device {ADDRESS} is not assignable: its driver is ''")

    def test_pciback_is_not_loaded(self):
        self.sysfs.unload_pciback()
        self.refused('xen-pciback is not loaded', 'modprobe xen-pciback')

    def test_device_has_no_reset(self):
        self.sysfs.make(ADDRESS, reset=False)
        self.refused(f'PCI device {ADDRESS} cannot be reset', f'{ADDRESS}/reset', 'pci-reset=optional')

    def test_libxl_is_told_at_once(self):
        """On libxl's socket it comes as the answer to query-pci: libxl repeats a failed device_add for 10 s."""
        self.sysfs.make(ADDRESS, reset=False)
        self.refused(f'PCI device {ADDRESS} cannot be reset', libxl=True)

    def test_libxl_is_told_once(self):
        """The next query-pci of the same connection, and any of another, is answered as usual."""
        self.sysfs.make(ADDRESS, reset=False)
        _, model, _ = self.start_running()
        client = model.qmp()
        self.assertEqual(client.call('device_add', DEVICE), {})
        self.assertEqual(model.qmp().call('query-pci')[0]['devices'], [])
        with self.assertRaises(QmpError):
            client.call('query-pci')
        self.assertEqual(client.call('query-pci')[0]['devices'], [])

    def test_reset_may_be_optional(self):
        self.sysfs.make(ADDRESS, reset=False)
        _, model, _ = self.start_running(options={'pci_reset': 'optional'})
        model.qmp().attach(DEVICE)

    def test_the_stubdomain_was_not_given_the_device(self):
        self.sysfs.make('0000:05:00.0')
        _, model, stub = self.start_running()
        self.attach_fails(model, f'stubdomain {stub.domid} was not given PCI device 0000:05:00.0',
                          device={'hostaddr': '0000:05:00.0'})
        self.assertEqual(self.removals(), [])

    def test_virtual_addresses_and_an_image_that_needs_the_hosts(self):
        _, model, stub = self.start_running()
        self.store.write(f'/local/domain/0/backend/pci/{stub.domid}/0/vdev-0', '0000:00:00.00')
        self.attach_fails(model, f'PCI device {ADDRESS} has the address 0000:00:00.0', 'passthrough=1')
        self.assertEqual(self.backend_devices(stub), [PCI_DEVICES[1]])

    def test_virtual_addresses_and_an_image_that_copes(self):
        self.make_image('new', 'linux', capabilities=['pci-hotplug', 'pci-virtual-address'])
        _, model, stub = self.start_running(options={'image': 'new'})
        self.store.write(f'/local/domain/0/backend/pci/{stub.domid}/0/vdev-0', '0000:00:00.00')
        model.qmp().attach(DEVICE)

    def test_image_without_hotplug(self):
        self.make_image('bare', 'linux', capabilities=['save'])
        self.refused(f'PCI device {ADDRESS} was not inserted', "image 'bare' has no PCI hotplug",
                     options={'image': 'bare'})

    def test_device_is_there_already(self):
        _, model, stub = self.start_running()
        client = model.driver_qmp()
        client.attach(DEVICE)
        for arguments in (DEVICE, {**DEVICE, 'id': 'other'}):
            with self.assertRaises(QmpError) as caught:
                client.call('device_add', arguments)
            self.assertIn('already', caught.exception.description)
        self.assertEqual(self.backend_devices(stub), list(PCI_DEVICES))


class InsertFailsTest(PciTest):
    """What the stubdomain can do instead of inserting; afterwards it works again, and the device is no longer its."""

    def failed(self, script, *words, options=None, within=AT_ONCE, libxl=True):
        _, model, stub = self.start_running(script, options=options)
        self.attach_fails(model, f'PCI device {ADDRESS} was not inserted', *words, libxl=libxl, within=within)
        self.assertEqual(self.backend_devices(stub), [PCI_DEVICES[1]])
        return model, stub

    def works_again(self, model):
        model.qmp().attach({**DEVICE, 'id': 'second', 'hostaddr': PCI_DEVICES[1]})

    def test_refused(self):
        model, _ = self.failed(answers(lambda stub: stub.state('pci-insert-failed'),
                                       lambda stub: stub.wait_running_back()), 'pci-insert-failed')
        self.works_again(model)

    def test_refused_as_minios_does(self):
        """A text in parameter, state unchanged: known at once, not at the deadline."""
        self.make_image('minios', 'minios')
        for text in ('no free hotplug devfn', 'wrong bdf or vdevfn'):
            with self.subTest(text):
                model, _ = self.failed(answers(lambda stub, text=text: stub.parameter(text)), text,
                                       options={'image': 'minios', 'command_timeout': 15})
                self.works_again(model)

    def test_garbage(self):
        model, _ = self.failed(answers(lambda stub: stub.state(b'\x1b[2J\xff'), lambda stub: stub.wait_running_back()),
                               '\\x1b', 'no answer')
        self.works_again(model)

    def test_no_slot(self):
        """Inserted, and parameter is still what we wrote."""
        model, _ = self.failed(answers(lambda stub: stub.state('pci-inserted'), lambda stub: stub.wait_running_back()),
                               f"'{ADDRESS},msitranslate=0,power_mgmt=0', which is no answer")
        self.works_again(model)

    def test_never(self):
        self.failed(answers(lambda stub: stub.idle()), 'did not answer within 1.0 seconds',
                    options={'command_timeout': 1}, within=3)

    def test_late(self):
        """What is inserted after all is removed again; the channel is usable from then on."""
        later, seen = threading.Event(), []

        def script(stub):
            stub.state('running')
            stub.next_command()
            later.wait(self.deadline.remaining('the test'))
            stub.parameter('0x28')
            stub.state('pci-inserted')
            stub.wait_running_back()
            seen.append(stub.next_command())
            stub.state('pci-removed')
            stub.wait_running_back()
            self.store.write('/test/withdrawn', '1')
            scripts.serve(stub)

        model, _ = self.failed(script, 'did not answer', options={'command_timeout': 1}, within=3)
        later.set()
        self.store.wait('/test/withdrawn', '1', self.deadline)
        self.store.rm('/test')
        self.assertEqual(seen, [('pci-rem', ADDRESS)])
        self.works_again(model)

    def test_libxl_is_answered_before_it_gives_up(self):
        """libxl allows 10 s from device_add to query-pci, whatever command-timeout says."""
        self.failed(answers(lambda stub: stub.idle()), 'did not answer within 7.0 seconds',
                    options={'command_timeout': 60}, within=9.5)

    def test_taking_back_fails(self):
        self.toolstack.failures['libxl_device_pci_remove'] = (-3, ['pciback is stuck'])
        _, model, _ = self.start_running(answers(lambda stub: stub.state('pci-insert-failed'),
                                                 lambda stub: stub.wait_running_back()))
        self.attach_fails(model, 'pci-insert-failed')
        self.assertIn('pciback is stuck', model.errors())
        self.works_again(model)

    def test_taking_back_takes_long(self):
        """libxl waits for the stubdomain's pcifront: others are served meanwhile."""
        begun, served = threading.Event(), threading.Event()

        def slow(call):
            begun.set()
            self.assertTrue(served.wait(self.seconds))

        self.toolstack.failures['libxl_device_pci_remove'] = slow
        _, model, _ = self.start_running(answers(lambda stub: stub.state('pci-insert-failed'),
                                                 lambda stub: stub.wait_running_back()))
        client = model.driver_qmp()
        number = client.send('device_add', DEVICE)
        self.assertTrue(begun.wait(self.seconds))
        started = time.monotonic()
        self.assertTrue(model.qmp().call('query-status')['running'])
        self.assertLess(time.monotonic() - started, AT_ONCE * self.patience)
        served.set()
        with self.assertRaises(QmpError) as caught:
            client.answer(number)
        self.assertIn('pci-insert-failed', caught.exception.description)
        self.toolstack.failures.clear()
        self.works_again(model)

    def test_stubdomain_dies(self):
        """Whether before it took the command or after, with parameter written or not: known at once."""
        def died(*acts):
            return answers(*acts, lambda stub: stub.crash())

        for number, acts in enumerate(((), (lambda stub: stub.parameter('0x28'),))):
            with self.subTest(number):
                _, model, _ = self.start_running(died(*acts), options={'command_timeout': 60}, name=f'dies-{number}')
                client = model.qmp()
                started = time.monotonic()
                with self.assertRaises(QmpError) as caught:
                    client.attach(DEVICE)
                self.assertLess(time.monotonic() - started, AT_ONCE * self.patience)
                self.assertIn('is gone: it crashed', caught.exception.description)
                self.assertEqual(self.removals(), [])


class LeftBackendTest(PciTest):
    """libxl gives up on the backend of a stubdomain that does not answer, and leaves it: xen-pciback keeps the device."""

    def leave(self, stub):
        """What the harness finds by this record it removes as libxl does."""
        self.assertEqual(self.backend_devices(stub), list(PCI_DEVICES))
        self.store.rm(f'/libxl/{stub.domid}/device/pci')

    def test_guest_is_destroyed(self):
        guest, model, stub = self.start_running()
        self.leave(stub)
        guest.destroy()
        model.wait_end()
        self.assert_nothing_left(self.clean)

    def test_stubdomain_is_destroyed_by_us(self):
        _, model, stub = self.start_running()
        self.leave(stub)
        model.signal(signal.SIGTERM)
        model.wait_end()
        self.assertEqual(self.store.ls(f'/local/domain/0/backend/pci/{stub.domid}'), [])

    def test_device_model_was_killed(self):
        guest, model, stub = self.start_running()
        self.leave(stub)
        model.signal(signal.SIGKILL)
        model.wait_end()
        guest.destroy()
        self.assert_nothing_left(self.clean)


class PermissiveTest(PciTest):
    def test_parameter(self):
        """Slot and permissive reach the stubdomain in the words of the protocol."""
        seen = []

        def script(stub):
            stub.state('running')
            seen.append(stub.next_command())
            stub.parameter('0x30')
            stub.state('pci-inserted')
            stub.wait_running_back()
            stub.idle()

        _, model, _ = self.start_running(script)
        devices = model.qmp().attach({**DEVICE, 'addr': '6.0', 'permissive': True})
        self.assertEqual(seen, [('pci-ins', f'{ADDRESS}@30,msitranslate=0,power_mgmt=0,permissive=1')])
        self.assertEqual(devices[0]['slot'], 6)


class RemoveTest(PciTest):
    def inserted(self, script, **options):
        _, model, stub = self.start_running(script, options=options)
        client = model.driver_qmp()
        client.attach(DEVICE)
        self.store.wait(f'{stub.dm}/state', 'running', self.deadline)
        return model, client

    def removal(self, *acts):
        """Inserts, answers pci-rem by @acts, then serves."""
        def script(stub):
            stub.state('running')
            stub.next_command()
            stub.parameter('0x28')
            stub.state('pci-inserted')
            stub.wait_running_back()
            stub.next_command()
            for act in acts:
                act(stub)
            scripts.serve(stub)
        return script

    def remove_fails(self, client, *words, within=AT_ONCE):
        started = time.monotonic()
        with self.assertRaises(QmpError) as caught:
            client.call('device_del', {'id': DEVICE['id']})
        self.assertLess(time.monotonic() - started, within * self.patience)
        for word in (ADDRESS, *words):
            self.assertIn(word, caught.exception.description)
        self.assertEqual(client.event('DEVICE_UNPLUG_GUEST_ERROR')['data']['device'], DEVICE['id'])
        self.assertEqual(len(client.call('query-pci')[0]['devices']), 1)

    def test_refused_then_done(self):
        _, client = self.inserted(self.removal(lambda stub: stub.state('pci-remove-failed'),
                                               lambda stub: stub.wait_running_back()))
        self.remove_fails(client, 'pci-remove-failed')
        client.call('device_del', {'id': DEVICE['id']})
        self.assertEqual(client.event('DEVICE_DELETED')['data']['device'], DEVICE['id'])
        self.assertEqual(client.call('query-pci')[0]['devices'], [])

    def test_garbage(self):
        _, client = self.inserted(self.removal(lambda stub: stub.state('pci-inserted')))
        self.remove_fails(client, 'no answer')

    def test_late(self):
        """The guest let go after the deadline: the event comes then, and the device is no longer listed."""
        later = threading.Event()
        _, client = self.inserted(self.removal(lambda stub: later.wait(self.deadline.remaining('the test')),
                                               lambda stub: stub.state('pci-removed'),
                                               lambda stub: stub.wait_running_back()), command_timeout=1)
        self.remove_fails(client, 'did not answer', within=3)
        later.set()
        self.assertEqual(client.event('DEVICE_DELETED')['data']['device'], DEVICE['id'])
        self.assertEqual(client.call('query-pci')[0]['devices'], [])

    def test_stubdomain_dies(self):
        _, client = self.inserted(self.removal(lambda stub: stub.crash()), command_timeout=60)
        self.remove_fails(client, 'is gone: it crashed')

    def test_unknown(self):
        _, model, _ = self.start_running()
        with self.assertRaises(QmpError) as caught:
            model.driver_qmp().call('device_del', {'id': 'nothing'})
        self.assertEqual(caught.exception.kind, 'DeviceNotFound')
