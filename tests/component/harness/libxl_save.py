# SPDX-License-Identifier: LGPL-2.1-or-later
"""libxl's save and restore of HVM guests, for fake_libxl_save.c: the stream, and what is asked of the device model.

As libxl__domain_suspend() and its readers do it: the guest is suspended, the device model stops and leaves its state in a
file, then everything goes into the stream in records. The records are not Xen's; memory is the domain's `content`.
"""

import os
import struct

from .hypervisor import SUSPEND
from .qmp import Qmp, QmpError

ERROR_FAIL = -3


MAGIC = b'LibxlFmt'
RECORD = struct.Struct('<II')  # kind, bytes
MEMORY, EMULATOR, END = 1, 2, 0
RECORD_MAX = 64 << 10

# What a save does, in order; `toolstack.at` is called with each before it is done.
SAVE_STEPS = ('header', 'suspend', 'stop', 'device state', 'memory', 'emulator', 'end', 'saved')
RESTORE_STEPS = ('stream', 'guest', 'restored')


class StreamError(Exception):
    pass


class Writer:
    def __init__(self, descriptor):
        self.descriptor = descriptor

    def write(self, data):
        while data:
            data = data[os.write(self.descriptor, data):]

    def record(self, kind, data):
        self.write(RECORD.pack(kind, len(data)) + data)


def read_exactly(descriptor, size):
    data = b''
    while len(data) < size:
        part = os.read(descriptor, min(size - len(data), 1 << 20))
        if not part:
            raise StreamError('Stream truncated')
        data += part
    return data


def read_stream(descriptor):
    """Memory and device state out of a stream."""
    if read_exactly(descriptor, len(MAGIC)) != MAGIC:
        raise StreamError('Invalid ident: not a libxl stream')
    found = {MEMORY: b'', EMULATOR: b''}
    while True:
        kind, size = RECORD.unpack(read_exactly(descriptor, RECORD.size))
        if kind == END and size == 0:
            return found[MEMORY], found[EMULATOR]
        if kind not in found or size > RECORD_MAX:
            raise StreamError(f'Unrecognised record of type {kind:#x} and {size} bytes')
        found[kind] += read_exactly(descriptor, size)


def chunks(data):
    return [data[place:place + RECORD_MAX] for place in range(0, len(data), RECORD_MAX)]


def suspend(toolstack, call):
    """libxl_domain_suspend(); the guest stays suspended also when it fails, as libxl leaves it."""
    domid = call.numbers[0]
    guest, domain = toolstack.guests[domid], toolstack.find_domain(domid)
    if domain.reason is not None:
        raise toolstack.error(ERROR_FAIL, f'Domain {domid} is shut down already')
    writer = Writer(call.descriptor)
    try:
        toolstack.at('header')
        writer.write(MAGIC)
        toolstack.at('suspend')
        toolstack.hypervisor.shut_down(domid, SUSPEND)
        client = Qmp(guest.qmp_path, toolstack.deadline)
        try:
            toolstack.at('stop')
            client.call('stop')
            toolstack.at('device state')
            client.call('xen-save-devices-state', {'live': False, 'filename': '/dev/fdset/1'})
        finally:
            client.close()
        toolstack.at('memory')
        for part in chunks(domain.content):
            writer.record(MEMORY, part)
        toolstack.at('emulator')
        for part in chunks(guest.save_path.read_bytes()):
            writer.record(EMULATOR, part)
        toolstack.at('end')
        writer.record(END, b'')
        toolstack.at('saved')
    except (OSError, QmpError) as error:
        raise toolstack.error(ERROR_FAIL, f'Domain {domid}: saving domain: {error}') from None
    finally:
        guest.save_path.unlink(missing_ok=True)


def create_restore(toolstack, call):
    toolstack.at('stream')
    try:
        content, state = read_stream(call.descriptor)
    except (OSError, StreamError) as error:
        raise toolstack.error(ERROR_FAIL, f'restoring domain: {error}') from None
    toolstack.at('guest')
    domid = toolstack.make_guest(call.argument, state)
    toolstack.hypervisor.domains[domid].content = content
    toolstack.at('restored')
    return domid


CALLS = {
    'libxl_domain_suspend': suspend,
    'libxl_domain_create_restore': create_restore,
}
