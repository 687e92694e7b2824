# SPDX-License-Identifier: LGPL-2.1-or-later
"""What run.py, bench.py and demo.py share: a script of the payload, run as root in dom0 of one lab.

The scripts run in dom0 because waiting is cheap there and an ssh round trip
under emulation is not; what they print comes out here as it is printed.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP))

from lab import Lab, LabError, LabTimeout  # noqa: E402  pylint: disable=wrong-import-position

LOG_LINES = 80
_SSH_FAILED = 255


def parser(description, log):
    """The command line all three have. log: name of the file for the lab's log."""
    build = Path(os.environ.get("STUBDOM_BUILD", TOP / "build"))
    made = argparse.ArgumentParser(description=description.split("\n", maxsplit=1)[0])
    made.add_argument("--payload", type=Path, default=build / "payload", metavar="DIR",
                      help="made by payload.py (%(default)s)")
    made.add_argument("--suite", default="bookworm", help="Debian suite of dom0 (%(default)s)")
    made.add_argument("--log", type=Path, default=build / log, metavar="FILE",
                      help="where the log of Xen, dom0 and guests is kept (%(default)s)")
    return made


def runWith(options, deadline, function, **lab):
    """Calls function(lab) and returns what it does; a lab that fails is a failure too, its words are returned.

    deadline: seconds.  lab: more of Lab's arguments.
    """
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(128 + signal.SIGTERM))
    try:
        with Lab(options.suite, options.payload, deadline, **lab) as running:
            try:
                return function(running)
            finally:
                options.log.write_bytes(running.consoleLog().read_bytes())
    except (LabError, LabTimeout) as error:
        return str(error)


def runScript(options, deadline, *words, environment=(), kept=None):
    """Runs a script and returns its status; a lab that fails counts as a failed script. deadline: seconds.

    environment: NAME=VALUE of the script.  kept: a directory to make anew of what the script left in /root/kept, if it did.
    """
    command = ["env", *environment, "python3", "-B", "/payload/tests/" + words[0], *words[1:]]

    def script(lab):
        try:
            return lab.stream(command)
        finally:
            if kept and lab.run("test -d /root/kept")[0] == 0:
                lab.get("/root/kept", kept)

    status = runWith(options, deadline, script)
    if isinstance(status, str):
        print(f"Bail out! {status}", flush=True)
        return 1
    if status not in (0, 1):
        broken = ", or the connection to dom0 broke" if status == _SSH_FAILED else ""
        print(f"Bail out! {words[0]} ended with status {status}{broken}", flush=True)
    return status


def printLog(options):
    """Shows the end of the lab's log as comment."""
    if options.log.exists():
        for line in options.log.read_text(errors="replace").splitlines()[-LOG_LINES:]:
            print("# " + line)
