# SPDX-License-Identifier: LGPL-2.1-or-later
"""A xenstore client (xen/io/xs_wire.h), over xenstored's socket or over a domain's ring page.

Over the socket it has dom0's rights. Over a ring it has exactly the rights, quotas and limits that xenstored gives
that domain, which is how the scripted stubdomain speaks.
"""

import collections
import contextlib
import errno
import itertools
import os
import socket
import struct
import threading

(DIRECTORY, READ, GET_PERMS, WATCH, UNWATCH, TRANSACTION_START, TRANSACTION_END, INTRODUCE, RELEASE,
 _GET_DOMAIN_PATH, WRITE, MKDIR, RM, SET_PERMS, WATCH_EVENT, ERROR) = range(1, 17)
RESUME, SET_TARGET = 18, 19
DIRECTORY_PART = 22

HEADER = struct.Struct('=IIII')


class XenstoreGone(ConnectionError):
    """xenstored, or the domain whose ring this was, is gone."""


class SocketTransport:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)

    def write(self, data):
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise XenstoreGone(str(error)) from error

    def read(self, size):
        data = b''
        while len(data) < size:
            try:
                part = self.socket.recv(size - len(data))
            except OSError as error:
                raise XenstoreGone(str(error)) from error
            if not part:
                raise XenstoreGone('xenstored closed the connection')
            data += part
        return data

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Watch:
    """Events of one watched path, in order. The first one comes at once, as always in xenstore."""

    def __init__(self, store, path, token):
        self.store = store
        self.path = path
        self.token = token
        self.events = collections.deque()

    def next(self, deadline):
        """The path of the next change."""
        with self.store.arrived:
            while not self.events:
                self.store.check()
                self.store.arrived.wait(deadline.remaining(f'a change below {self.path}'))
            return self.events.popleft()

    def close(self):
        self.store.unwatch(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(XenstoreGone):
            self.close()


class Xenstore:
    """May be used from several threads."""

    def __init__(self, transport):
        self.transport = transport
        self.lock = threading.Lock()
        self.arrived = threading.Condition()
        self.numbers = itertools.count(1)
        self.answers = {}
        self.watches = {}
        self.gone = None
        self.reader = threading.Thread(target=self._receive, name='xenstore', daemon=True)
        self.reader.start()

    def close(self):
        self.transport.close()
        self.reader.join()

    def check(self):
        if self.gone:
            raise XenstoreGone(str(self.gone))

    def _receive(self):
        try:
            while True:
                kind, number, _, length = HEADER.unpack(self.transport.read(HEADER.size))
                body = self.transport.read(length)
                with self.arrived:
                    if kind == WATCH_EVENT:
                        path, token = body.split(b'\0')[:2]
                        watch = self.watches.get(token.decode())
                        if watch:
                            watch.events.append(path.decode())
                    else:
                        self.answers[number] = (kind, body)
                    self.arrived.notify_all()
        except XenstoreGone as error:
            with self.arrived:
                self.gone = error
                self.arrived.notify_all()

    def request(self, kind, payload, transaction=0):
        """Sends a request and returns the body of its answer; OSError with xenstored's errno."""
        number = next(self.numbers)
        self.check()
        with self.lock:
            self.transport.write(HEADER.pack(kind, number, transaction, len(payload)) + payload)
        with self.arrived:
            while number not in self.answers:
                self.check()
                self.arrived.wait()
            answer, body = self.answers.pop(number)
        if answer == ERROR:
            code = getattr(errno, body.rstrip(b'\0').decode(), errno.EIO)
            raise OSError(code, os.strerror(code), payload.split(b'\0')[0].decode(errors='replace'))
        return body

    @staticmethod
    def _strings(*values):
        return b''.join(str(value).encode() + b'\0' for value in values)

    def read_bytes(self, path, transaction=0):
        """The value of a node, or None if there is no such node."""
        try:
            return self.request(READ, self._strings(path), transaction)
        except FileNotFoundError:
            return None

    def read(self, path, transaction=0):
        value = self.read_bytes(path, transaction)
        return None if value is None else value.decode(errors='backslashreplace')

    def write(self, path, value, transaction=0):
        data = value if isinstance(value, bytes) else str(value).encode()
        self.request(WRITE, self._strings(path) + data, transaction)

    def mkdir(self, path):
        self.request(MKDIR, self._strings(path))

    def rm(self, path):
        """Removes a node and what is below; nothing happens if there is none."""
        with contextlib.suppress(FileNotFoundError):
            self.request(RM, self._strings(path))

    def ls(self, path):
        """Names right below @path; empty if there is no such node."""
        try:
            body = self.request(DIRECTORY, self._strings(path))
        except FileNotFoundError:
            return []
        except OSError as error:
            if error.errno != errno.E2BIG:
                raise
            body = self._list_parts(path)
        return sorted(name.decode() for name in body.split(b'\0') if name)

    def _list_parts(self, path):
        body = b''
        while True:
            part = self.request(DIRECTORY_PART, self._strings(path, len(body)))
            names = part[part.index(b'\0') + 1:]
            body += names
            if names.endswith(b'\0\0') or names in (b'', b'\0'):
                return body

    def permissions(self, path):
        """For example ['n0', 'r5']: owner and default first."""
        return [entry.decode() for entry in self.request(GET_PERMS, self._strings(path)).split(b'\0') if entry]

    def set_permissions(self, path, *entries):
        self.request(SET_PERMS, self._strings(path, *entries))

    def make(self, path, value, *permissions):
        """A node with its own permissions."""
        self.write(path, value)
        self.set_permissions(path, *permissions)

    @contextlib.contextmanager
    def transaction(self):
        number = int(self.request(TRANSACTION_START, b'\0').rstrip(b'\0'))
        try:
            yield number
        except BaseException:
            self.request(TRANSACTION_END, b'F\0', number)
            raise
        self.request(TRANSACTION_END, b'T\0', number)

    def introduce(self, domid, port):
        self.request(INTRODUCE, self._strings(domid, 0, port))

    def resume(self, domid):
        """Tells xenstored that a domain which was shut down runs again."""
        self.request(RESUME, self._strings(domid))

    def watch(self, path):
        with self.arrived:
            watch = Watch(self, path, f'{path} {next(self.numbers)}')
            self.watches[watch.token] = watch
        self.request(WATCH, self._strings(path, watch.token))
        return watch

    def unwatch(self, watch):
        self.watches.pop(watch.token, None)
        self.request(UNWATCH, self._strings(watch.path, watch.token))

    def wait(self, path, wanted, deadline):
        """Waits until the value of @path is @wanted, or @wanted(value) is true; returns the value."""
        matches = wanted if callable(wanted) else lambda value: value == wanted
        with self.watch(path) as watch:
            value = None
            while True:
                try:
                    watch.next(deadline)
                except AssertionError as error:
                    raise AssertionError(f'{error}; it is {value!r}') from None
                value = self.read(path)
                if matches(value):
                    return value

    def wait_gone(self, path, deadline):
        self.wait(path, lambda value: value is None, deadline)

    def tree(self, path='/'):
        """All of @path as {path: (value, permissions)}."""
        result = {}
        pending = [path]
        while pending:
            here = pending.pop()
            try:
                result[here] = (self.read(here), tuple(self.permissions(here)))
            except FileNotFoundError:
                continue
            pending += [f'{here.rstrip("/")}/{name}' for name in self.ls(here)]
        return result
