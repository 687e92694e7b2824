# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest with PCI devices (tests/lab/pciguest): its configuration and its commands."""

from guest import Guest
from host import Failure, check
from passthrough import EDU_IDENTIFICATION, GATEWAY

OWN = "10.0.2.15"


class PciGuest(Guest):
    """A guest that drives the lab's PCI devices and takes commands from its first serial port."""

    def __init__(self, name, **config):
        super().__init__(name, **{"image": "pci", **config})
        self._serial = None

    def boot(self):
        """xl create, until the guest says that it is up."""
        self.create()
        self.attend(self.serial())
        return self

    def attend(self, serial):
        """Waits on its serial port until a guest that was created is up."""
        self._serial = serial
        self._serial.expect("pci guest: up")
        self._serial.expect("\n")

    def tell(self, line):
        """Sends a command and does not wait for its end."""
        self._serial.say(line)

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

    def useEdu(self):
        """Reads edu's identification and lets it compute."""
        said = self.ask("edu 12")
        check(said == [f"edu identification {EDU_IDENTIFICATION}", "edu factorial 12 is 479001600"], f"edu: {said}")

    def useNic(self):
        """A frame goes out through the e1000e and is answered from its other end."""
        said = self.ask(f"arp {OWN} {GATEWAY}")
        check(said and said[-1].startswith("arp answered by "), f"arp: {said}")
