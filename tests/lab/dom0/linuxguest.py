# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Linux guest (tests/lab/linux): its configuration and its commands."""

from guest import Guest
from host import Failure

MEMORY = 128


class LinuxGuest(Guest):
    """A guest that runs Linux and takes commands from its first serial port."""

    def __init__(self, name, **config):
        super().__init__(name, **{"image": "linux", "memory": MEMORY, **config})
        self._serial = None

    def boot(self):
        """xl create, until the guest says that it is up."""
        self.create()
        self.attend()
        return self

    def attend(self):
        """Waits until a guest that was created is up."""
        self._serial = self.serial()
        self._serial.expect("linux guest: up")
        self._serial.expect("\n")

    def tell(self, line):
        """Sends a command and does not wait for its end."""
        self._serial.say(line)

    def expect(self, text):
        """Waits for what the guest says."""
        return self._serial.expect(text)

    def attempt(self, line):
        """Runs a command: (what is wrong or None, the lines it printed)."""
        word = line.split()[0]
        self._serial.say(line)
        lines = []
        while True:
            said = self._serial.expect("\n").strip()
            if said == f"ok {word}":
                return None, lines
            if said.startswith(f"error {word}: "):
                return said.partition(": ")[2], lines
            lines.append(said)

    def ask(self, line):
        """Runs a command that must succeed: the lines it printed."""
        wrong, lines = self.attempt(line)
        if wrong:
            raise Failure(f"{self.name}: {line}: {wrong}")
        return lines

    def pci(self):
        """Its PCI devices: {"vendor:device": (slot, class, driver)}."""
        found = {}
        for line in self.ask("pci"):
            _, place, ids, _, kind, _, driver = line.split()
            found[ids] = (int(place.split(":")[2].split(".")[0], 16), kind, driver)
        return found

    def interface(self, driver):
        """The name of the network interface of a driver, or None."""
        for line in self.ask("net"):
            words = line.split()
            if words[3] == driver:
                return words[1]
        return None
