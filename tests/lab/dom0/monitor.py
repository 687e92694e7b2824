# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client of the driver's QMP socket."""

import json
import select
import socket
import time

from host import Failure, deadlinePassed, remaining


class Monitor:
    """A client of the driver's QMP socket, ready for events."""

    def __init__(self, domid):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(f"/run/xen-stubdom/{domid}/qmp")
        self._buffer = b""
        self.next("QMP")
        self._socket.sendall(b'{"execute": "qmp_capabilities"}\n')
        self.next("return")

    def send(self, command, **arguments):
        """Sends a command and does not wait for its answer."""
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")

    def next(self, member):
        """Waits for a message with a member: (it, when it came)."""
        while True:
            line, newline, rest = self._buffer.partition(b"\n")
            if newline:
                self._buffer = rest
                message = json.loads(line)
                if member in message:
                    return message, time.monotonic()
                continue
            if not select.select([self._socket], [], [], remaining())[0]:
                raise deadlinePassed(f"no QMP message with {member!r}")
            data = self._socket.recv(65536)
            if not data:
                raise Failure(f"the QMP socket was closed before a message with {member!r}")
            self._buffer += data

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self._socket.close()
