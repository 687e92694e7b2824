# SPDX-License-Identifier: LGPL-2.1-or-later
"""What libxl does with PCI devices of the host, for a guest that has a stubdomain (libxl_pci.c of Xen 4.17)."""

import re

from .qmp import Qmp, QmpError

ERROR_FAIL = -3


class LibxlError(Exception):
    """A call fails with @rc and words for the log."""

    def __init__(self, rc, words):
        super().__init__(words)
        self.rc = rc


def address_of(device):
    """Of libxl's JSON of a device, which leaves out zeros."""
    domain, bus, slot, function = (device.get(part, 0) for part in ('domain', 'bus', 'dev', 'func'))
    return f'{domain:04x}:{bus:02x}:{slot:02x}.{function:x}'


def identifier(address):
    _, bus, slot, function = re.split('[:.]', address)
    return f'pci-pt-{bus}_{slot}.{function}'


class Pci:
    def __init__(self, toolstack):
        self.toolstack = toolstack
        self.store = toolstack.store
        self.deadline = toolstack.deadline
        self.assigned = set()  # (guest domid, address): the IOMMU's half
        self.isolated = set()  # addresses of devices that reach no memory (DOMID_IO)
        self.exposed = []      # those that a stubdomain had while they reached dom0's
        self.before_assigning = lambda domid, address: None  # a test may raise a LibxlError

    # --- the stubdomain's half

    def devices(self, domid):
        """Addresses of the devices a domain has in xen-pciback, in their order."""
        base = f'/local/domain/0/backend/pci/{domid}/0'
        return [self.store.read(f'{base}/dev-{number}') for number in range(int(self.store.read(f'{base}/num_devs') or 0))]

    def give(self, domid, *addresses, virtual=None):
        """All devices a domain has, pciback's answer included."""
        nodes = {'num_devs': len(addresses)}
        for number, address in enumerate(addresses):
            domain, bus, slot, function = re.split('[:.]', virtual or address)
            nodes.update({f'dev-{number}': address, f'vdev-{number}': f'{domain}:{bus}:{slot}.{int(function):02x}',
                          f'state-{number}': 4, f'opts-{number}': 'msitranslate=0,power_mgmt=0,permissive=0'})
        self.toolstack.add_device(domid, 'pci', 0, {**nodes, 'state': 4})

    def _set(self, domid, addresses):
        """libxl numbers them anew, and removes the bus with the last one."""
        if self.devices(domid):
            self.toolstack.remove_device(domid, 'pci', 0)
        if addresses:
            self.give(domid, *addresses)

    def _take(self, domid, address):
        self._set(domid, [device for device in self.devices(domid) if device != address])

    def _stubdomain(self, domid):
        return int(self.store.read(f'/local/domain/{domid}/image/device-model-domid') or 0)

    # --- libxl's note of who has a device

    @staticmethod
    def _note(address):
        return '/libxl/pci/' + re.sub('[:.]', '-', address)

    def _forget_note(self, address):
        self.store.rm(self._note(address))
        if not self.store.ls('/libxl/pci'):
            self.store.rm('/libxl/pci')

    def forget(self, domid):
        """The domain is destroyed."""
        for address in self.devices(domid):
            self._forget_note(address)
        self.isolated |= {address for owner, address in self.assigned if owner == domid}
        self.assigned = {(owner, address) for owner, address in self.assigned if owner != domid}

    # --- calls

    def add(self, domid, device):
        """libxl_device_pci_add(): the stubdomain's half, the device model, the guest's half. Undoes no more than libxl."""
        address = address_of(device)
        stubdomain = self._stubdomain(domid)
        if self.toolstack.sysfs.driver(address) != 'pciback' or self.store.read(f'{self._note(address)}/domid'):
            raise LibxlError(ERROR_FAIL, f'PCI device {address} is not assignable')
        if address not in self.isolated:
            self.exposed.append(address)
        self.store.write(f'{self._note(address)}/domid', domid)
        try:
            self._set(stubdomain, [*self.devices(stubdomain), address])
            self._ask_device_model(domid, address, device)
            self.before_assigning(domid, address)
        except (LibxlError, QmpError, OSError) as error:
            self._forget_note(address)
            raise LibxlError(ERROR_FAIL, f'PCI device {address}: {error}') from None
        self.assigned.add((domid, address))
        self.isolated.discard(address)

    def _ask_device_model(self, domid, address, device):
        client = Qmp(self.toolstack.guests[domid].qmp_path, self.deadline)
        place = device.get('vdevfn')
        slot = {'addr': f'{place >> 3:x}.{place & 7:x}'} if place else {}
        permissive = {'permissive': True} if device.get('permissive') else {}
        try:
            client.attach({'driver': 'xen-pci-passthrough', 'id': identifier(address), 'hostaddr': address, **slot, **permissive})
        finally:
            client.close()

    def remove(self, call):
        """libxl_device_pci_remove() of the stubdomain alone."""
        domid, address = call.numbers[0], address_of(call.argument)
        if address not in self.devices(domid):
            raise LibxlError(ERROR_FAIL, f'PCI device {address} not attached to this domain')
        self._take(domid, address)
        self._forget_note(address)

    def destroy(self, call):
        """libxl_device_pci_destroy(): by force, so what is not there is no failure."""
        domid, address = call.numbers[0], address_of(call.argument)
        if (domid, address) in self.assigned:
            self.assigned.remove((domid, address))
            self.isolated.add(address)  # Xen isolates what is taken from a guest
        self._take(self._stubdomain(domid), address)
        self._forget_note(address)

    # --- of no domain

    def isolate(self, call):
        """libxl_device_pci_assignable_add() of a device that is with xen-pciback."""
        address = address_of(call.argument)
        if self.toolstack.sysfs.driver(address) != 'pciback':
            raise LibxlError(ERROR_FAIL, f'{address} is not with xen-pciback')
        self.isolated.add(address)

    def end_isolation(self, call):
        """libxl_device_pci_assignable_remove()."""
        address = address_of(call.argument)
        if address not in self.isolated:
            raise LibxlError(ERROR_FAIL, f'failed to de-quarantine {address}')
        self.isolated.remove(address)
        self.toolstack.sysfs.unbind(address)
        self.toolstack.sysfs.listed.discard(address)


def sysfs_write(toolstack, call):
    error = toolstack.sysfs.write(call.argument['path'], call.argument['text'])
    if error:
        raise LibxlError(error, '')


CALLS = {
    'libxl_device_pci_add': lambda toolstack, call: toolstack.pci.add(call.numbers[0], call.argument),
    'libxl_device_pci_remove': lambda toolstack, call: toolstack.pci.remove(call),
    'libxl_device_pci_destroy': lambda toolstack, call: toolstack.pci.destroy(call),
    'libxl_device_pci_assignable_add': lambda toolstack, call: toolstack.pci.isolate(call),
    'libxl_device_pci_assignable_remove': lambda toolstack, call: toolstack.pci.end_isolation(call),
    'sysfs_write': sysfs_write,
}
