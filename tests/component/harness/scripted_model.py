# SPDX-License-Identifier: LGPL-2.1-or-later
"""A device model that says what a test wants: the driver's socket of xen-stubdom-dm, and nothing behind it."""

import json
import os
import pathlib
import shutil
import socket
import stat
import threading

VERSION = {'qemu': {'major': 7, 'minor': 2, 'micro': 0}, 'package': ''}


class Refused(Exception):
    """An answer that is an error."""


def options_of(argument):
    """The list after -stubdom as a dict; no test has a comma in a value."""
    return dict(item.split('=', 1) for item in argument.split(',')) if argument else {}


class ScriptedModel:
    """Answers every command with what @answers has for its name: a value, an exception, or a function of arguments and
    descriptor. What was asked is in @asked: (command, arguments)."""

    def __init__(self, guest, directory, option, deadline):
        self.guest = guest
        self.deadline = deadline
        self.options = options_of(option)
        self.display, self.display_mode = self._read('display')
        self.config, _ = self._read('config')
        self.answers = {'qmp_capabilities': {}, 'query-chardev': [], 'set_password': {}, 'expire_password': {}}
        self.asked = []
        self.connections = []
        self.changed = threading.Condition()
        self.directory = pathlib.Path(directory) / 'run' / str(guest.domid)
        self.directory.mkdir()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(self.directory / 'qmp'))
        self.listener.listen(8)
        threading.Thread(target=self._accept, name='scripted model', daemon=True).start()

    def _read(self, option):
        path = self.options.get(option)
        if not path:
            return None, None
        return json.loads(pathlib.Path(path).read_text(encoding='utf-8')), stat.S_IMODE(os.stat(path).st_mode)

    # --- serving

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.changed:
                self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        """One descriptor belongs to the command whose bytes it came with."""
        buffer, descriptors = b'', []
        try:
            self._write(connection, {'QMP': {'version': VERSION, 'capabilities': []}})
            while True:
                data, found, _, _ = socket.recv_fds(connection, 65536, 4)
                descriptors += found
                if not data:
                    return
                buffer += data
                while b'\n' in buffer:
                    line, buffer = buffer.split(b'\n', 1)
                    self._answer(connection, json.loads(line), descriptors)
        except OSError:
            return

    def _answer(self, connection, request, descriptors):
        name, arguments = request['execute'], request.get('arguments', {})
        answer = self.answers.get(name, Refused(f'no command {name}'))
        with self.changed:
            self.asked.append((name, arguments))
            self.changed.notify_all()
        try:
            if callable(answer):
                answer = answer(arguments, descriptors)
            if isinstance(answer, Exception):
                raise answer
            self._write(connection, {'return': answer, 'id': request['id']})
        except Refused as error:
            self._write(connection, {'error': {'class': 'GenericError', 'desc': str(error)}, 'id': request['id']})

    def _write(self, connection, message):
        with self.changed:
            connection.sendall(json.dumps(message).encode() + b'\n')

    def event(self, name, data):
        """To every client."""
        for connection in list(self.connections):
            try:
                self._write(connection, {'event': name, 'data': data, 'timestamp': {'seconds': 1, 'microseconds': 0}})
            except OSError:
                pass

    # --- what a test looks at

    def calls(self, name):
        """The arguments of all commands of that name."""
        return [arguments for command, arguments in self.asked if command == name]

    def hang_up(self):
        """As if it had died."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()

    # --- what DeviceModel has

    def wait_running(self):
        """It does from the beginning."""

    def wait_end(self):
        self.close()
        return 0

    def errors(self):
        return ''

    def close(self):
        if self.listener.fileno() >= 0:
            self.hang_up()
        shutil.rmtree(self.directory, ignore_errors=True)
