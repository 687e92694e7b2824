#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The driver in a process of its own, which a test can kill: driver_process.py ROOT.

Reads one JSON object a line: {"id", "on": name of a domain or null, "call", "arguments"}; of its own are the calls console,
screenshot, viewer, nodedev, waste, open and close.
Each is done in a thread, so that many can be under way. Writes {"id", "result"} or {"id", "error": [code, words]}, and
{"event": [name of the domain, kind, …]} as events come.
"""

import ctypes
import json
import os
import socket
import sys
import threading

import leaks
import libvirt

write_lock = threading.Lock()


def write(message):
    with write_lock:
        sys.stdout.write(json.dumps(message, default=str) + '\n')
        sys.stdout.flush()


def plain(value):
    """A result as JSON can hold it: a domain is its name."""
    if isinstance(value, libvirt.virDomain):
        return value.name()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def console(connection, name, text, wanted):
    """Opens the console, sends @text and returns what came when it holds @wanted."""
    stream = connection.newStream()
    connection.lookupByName(name).openConsole(None, stream)
    stream.send(text.encode())
    received = b''
    while wanted.encode() not in received:
        received += stream.recv(1024)
    stream.abort()
    return received.decode()


def screenshot(connection, name, screen):
    """The picture's type, and its bytes in hexadecimal."""
    stream = connection.newStream()
    kind = connection.lookupByName(name).screenshot(stream, screen)
    received = b''
    while part := stream.recv(65536):
        received += part
    stream.finish()
    return [kind, received.hex()]


def viewer(connection, name, made, flags, text):
    """Opens the display, with a socket that libvirt makes or (@made) of our own; sends @text and returns one answer."""
    domain = connection.lookupByName(name)
    if made:
        ours, theirs = socket.socketpair()
        domain.openGraphics(0, theirs.fileno(), flags)
        theirs.close()
    else:
        ours = socket.socket(fileno=domain.openGraphicsFD(0, flags))
    with ours:
        ours.sendall(text.encode())
        return ours.recv(1024).decode()


def nodedev(connection, name, method, *arguments):
    """A method of a device of the host."""
    return getattr(connection.nodeDeviceLookupByName(name), method)(*arguments)


def waste(connection, name, times):
    """Leaks as many definitions of a domain."""
    get = ctypes.CDLL('libvirt.so.0').virDomainGetXMLDesc
    get.restype = ctypes.c_void_p
    domain = connection.lookupByName(name)
    for _ in range(times):
        get(ctypes.c_void_p(domain.c_pointer()), 0)


class Server:
    def __init__(self, root):
        libvirt.virEventRegisterDefaultImpl()
        drivers = ctypes.CDLL(os.environ['STUBDOM_TEST_FAKE_DRIVERS'])
        drivers.fakeDriversRegister()
        libvirt.registerErrorHandler(lambda context, error: None, None)
        self.ending = False
        self.loop = threading.Thread(target=self._loop, daemon=True)
        self.loop.start()
        self.uri = f'stubdom:///embed?root={root}'
        self.connections = [libvirt.open(self.uri)]
        connection = self.connections[0]
        self.registered = [
            connection.domainEventRegisterAny(None, number, callback, kind)
            for number, callback, kind in (
                (libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._lifecycle, None),
                (libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, self._reboot, None),
                (libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, self._device, 'added'),
                (libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, self._device, 'removed'),
                (libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED, self._device, 'removal failed'),
                (libvirt.VIR_DOMAIN_EVENT_ID_TRAY_CHANGE, self._device, 'tray'),
                (libvirt.VIR_DOMAIN_EVENT_ID_GRAPHICS, self._graphics, None))]

    def _loop(self):
        while not self.ending:
            libvirt.virEventRunDefaultImpl()

    def _end(self, _timer, _opaque):
        self.ending = True

    @staticmethod
    def _lifecycle(_connection, domain, event, detail, _opaque):
        write({'event': [domain.name(), 'lifecycle', event, detail]})

    @staticmethod
    def _reboot(_connection, domain, _opaque):
        write({'event': [domain.name(), 'reboot']})

    @staticmethod
    def _graphics(_connection, domain, phase, local, remote, auth, subject, _opaque):
        write({'event': [domain.name(), 'graphics', phase, local, remote, auth, subject]})

    def close(self):
        """What libvirtd does at its end; an application with an embedded driver just ends."""
        for number in self.registered:
            self.connections[0].domainEventDeregisterAny(number)
        for connection in self.connections:
            if connection:
                connection.close()
        libvirt.virEventAddTimeout(0, self._end, None)  # after what is left to be done in the loop
        self.loop.join()
        ctypes.CDLL('libvirt.so.0').virStateCleanup()
        if leaks.PATH in os.environ:
            leaks.look()
            write({'id': leaks.ANSWER, 'result': 'looked for leaks'})

    @staticmethod
    def _device(_connection, domain, alias, *rest):
        write({'event': [domain.name(), rest[-1], alias, *rest[:-1]]})

    def call(self, request):
        connection = self.connections[request.get('connection', 0)]
        name, arguments = request['call'], request['arguments']
        if name in ('console', 'screenshot', 'viewer', 'nodedev', 'waste'):
            return globals()[name](connection, *arguments)
        if name == 'open':
            self.connections.append(libvirt.open(self.uri))
            return len(self.connections) - 1
        if name == 'close':
            self.connections[arguments[0]] = None
            return None
        target = connection if request['on'] is None else connection.lookupByName(request['on'])
        if name.startswith('pin'):  # the bindings want tuples, which JSON has not
            arguments = [tuple(item) if isinstance(item, list) else item for item in arguments]
        return getattr(target, name)(*arguments)

    def serve(self, request):
        try:
            write({'id': request['id'], 'result': plain(self.call(request))})
        except libvirt.libvirtError as error:
            write({'id': request['id'], 'error': [error.get_error_code(), error.get_error_message()]})
        except Exception as error:  # pylint: disable=broad-except
            write({'id': request['id'], 'error': [-1, repr(error)]})


def main():
    server = Server(sys.argv[1])
    write({'id': 0, 'result': 'ready'})
    threads = []
    for line in sys.stdin:
        thread = threading.Thread(target=server.serve, args=(json.loads(line),))
        threads.append(thread)
        thread.start()
    for thread in threads:
        thread.join()
    server.close()


main()
