#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""From libxl's configuration to the stubdomain, for every file in cases/: what a definition is accepted with, a start can do.

NAME.plan.json is what xen-stubdom-dm plans for NAME.json with a Linux image. With --update it is written anew instead of compared:
look at the difference before committing it. Argument: the program plan-of.
"""

import functools
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from driver_fixture import CASES, caseNames, equal, read, runTap
from libxl_arguments import arguments

PLAN_OF = sys.argv[1]
# What a start asks the storage and network drivers for.
VOLUME = '/dev/pool/volume'
BRIDGE = 'virbr0'


def completed(config):
    """@config with what a start looks up."""
    for disk in config.get('disks', []):
        if disk['format'] != 'empty':
            disk.setdefault('pdev_path', VOLUME)
    for nic in config.get('nics', []):
        if 'script' not in nic:
            nic.setdefault('bridge', BRIDGE)
    return config


def plan(name):
    config = completed(json.loads(read(f'{name}.json')))
    with tempfile.NamedTemporaryFile('w', suffix='.json') as file:
        json.dump(config, file)
        file.flush()
        lines = ''.join(f'{argument}\n' for argument in arguments(config))
        return subprocess.run([PLAN_OF, 'linux', file.name], input=lines, text=True, check=False, capture_output=True)


def checkPlan(name):
    found = plan(name)
    equal((found.returncode, found.stderr), (0, ''))
    equal(json.loads(found.stdout), json.loads(read(f'{name}.plan.json')))


def main():
    if '--update' in sys.argv[2:]:
        for name in caseNames():
            found = plan(name)
            print(found.stderr, end='')
            (Path(CASES) / f'{name}.plan.json').write_text(found.stdout)
        return 0
    return runTap([(f'{name}: plan', functools.partial(checkPlan, name)) for name in caseNames()])


if __name__ == '__main__':
    sys.exit(main())
