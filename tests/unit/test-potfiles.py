#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""po/POTFILES.in lists the files with messages for users, and no others."""

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
MESSAGE = re.compile(r'(?<![A-Za-z0-9_])(?:_|N_|Q_|ngettext|dgettext|gettext)\s*\(')


def main():
    listed = (TOP / 'po' / 'POTFILES.in').read_text(encoding='utf-8').split('\n')[:-1]
    sources = [path for path in sorted((TOP / 'src').rglob('*.[ch]'))]
    found = [str(path.relative_to(TOP)) for path in sources if MESSAGE.search(path.read_text(encoding='utf-8'))]
    results = [
        ('every file with messages is listed', sorted(set(found) - set(listed))),
        ('every listed file has messages', sorted(set(listed) - set(found))),
        ('the list is in order', [name for name, wanted in zip(listed, sorted(set(listed)), strict=False) if name != wanted]),
        ('there are messages', [] if found else ['none']),
    ]
    print(f'1..{len(results)}')
    for number, (name, wrong) in enumerate(results, 1):
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}{': ' if wrong else ''}{' '.join(wrong)}")
    return 1 if any(wrong for _, wrong in results) else 0


sys.exit(main())
