# SPDX-License-Identifier: LGPL-2.1-or-later
"""What stubdomains do: scripts for Toolstack.scripts. Each runs in a thread of its own from unpause to the end."""

# A device state as QEMU for Xen writes it: header, a section of one device, the end mark.
STATE = b'QEVM\0\0\0\3' + b'\4\0\0\0\1\5timer\0\0\0\0\0\0\0\2' + bytes(range(256)) * 40 + b'\0'

CDROM_ANSWERS = {'cdrom-insert': 'cdrom-inserted', 'cdrom-eject': 'cdrom-ejected'}

BANNER = 'Stubdomain: the device model starts\n'


def connect_consoles(stub):
    """A kernel connects all of its consoles before user space runs."""
    return {number: stub.console(number).connect() for number in stub.consoles()}


def serve(stub, consoles=None):
    """Answers commands as a device model does, for ever."""
    while True:
        command, parameter = stub.next_command()
        stub.log(f'command {command} {parameter or ""}\n')
        if command == 'pci-ins':
            stub.parameter('0x28')
            stub.state('pci-inserted')
        elif command == 'pci-rem':
            stub.state('pci-removed')
        elif command == 'save':
            console = (consoles or {}).get(1)
            if console:
                console.write(STATE)
            stub.state('paused')
        elif command == 'continue':
            stub.state('running')
        elif command in CDROM_ANSWERS:
            stub.state(CDROM_ANSWERS[command])


def normal(stub):
    """Starts, says running, answers."""
    stub.log(BANNER)
    consoles = connect_consoles(stub)
    stub.state('running')
    serve(stub, consoles)


def mute(stub):
    """Never says anything but its banner."""
    stub.log(BANNER)
    stub.idle()


def says(value, words=BANNER):
    """Says @value where "running" belongs."""
    def script(stub):
        stub.log(words)
        stub.state(value)
        stub.idle()
    return script


def crashes(words):
    """Prints @words and crashes."""
    def script(stub):
        stub.log(words)
        stub.crash()
    return script


def powers_off(words):
    def script(stub):
        stub.log(words)
        stub.power_off()
    return script
