# SPDX-License-Identifier: LGPL-2.1-or-later
"""A QMP client that is as strict as libxl's."""

import json
import socket


# What libxl 4.17 sends for a PCI device, without a slot.
DEVICE = {'driver': 'xen-pci-passthrough', 'id': 'pci-pt-03_00.0', 'hostaddr': '0000:03:00.0'}


class QmpError(Exception):
    def __init__(self, error):
        super().__init__(f'{error["class"]}: {error["desc"]}')
        self.kind = error['class']
        self.description = error['desc']


class Qmp:
    def __init__(self, path, deadline):
        self.deadline = deadline
        self.buffer = b''
        self.events = []
        self.number = 0
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(deadline.remaining('QMP'))
        self.socket.connect(str(path))
        self.greeting = self._receive()
        version = self.greeting['QMP']['version']['qemu']
        assert {'major', 'minor', 'micro'} <= set(version), self.greeting
        self.call('qmp_capabilities')

    def close(self):
        self.socket.close()

    def _receive(self):
        while b'\n' not in self.buffer:
            self.socket.settimeout(self.deadline.remaining('an answer on QMP'))
            part = self.socket.recv(65536)
            if not part:
                raise ConnectionError('QMP connection closed')
            self.buffer += part
        line, self.buffer = self.buffer.split(b'\n', 1)
        return json.loads(line)

    def send(self, command, arguments=None, descriptor=None):
        """Sends, perhaps with a file descriptor, without waiting for the answer; returns its id."""
        self.number += 1
        message = {'execute': command, 'id': self.number}
        if arguments is not None:
            message['arguments'] = arguments
        data = json.dumps(message).encode() + b'\n'
        if descriptor is None:
            self.socket.sendall(data)
        else:
            socket.send_fds(self.socket, [data], [descriptor])
        return self.number

    def answer(self, number):
        while True:
            message = self._receive()
            if 'event' in message:
                self.events.append(message)
                continue
            assert message.get('id') == number, message
            if 'error' in message:
                raise QmpError(message['error'])
            return message['return']

    def call(self, command, arguments=None):
        return self.answer(self.send(command, arguments))

    def attach(self, arguments):
        """As libxl does: device_add, then the device must be in query-pci; QmpError whichever of the two failed."""
        self.call('device_add', arguments)
        devices = self.call('query-pci')[0]['devices']
        assert arguments['id'] in [entry['qdev_id'] for entry in devices], devices
        return devices

    def event(self, name):
        """Waits for an event and returns it."""
        while True:
            for event in self.events:
                if event['event'] == name:
                    return event
            message = self._receive()
            assert 'event' in message, message
            self.events.append(message)
