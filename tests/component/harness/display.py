# SPDX-License-Identifier: LGPL-2.1-or-later
"""Frontends of a PV framebuffer and a PV keyboard, for scripted stubdomains (xen/io/fbif.h, kbdif.h)."""

import struct

from .hypervisor import PAGE_SIZE
from .stubdomain import CLOSED, CONNECTED, INIT_WAIT, INITIALISED, StubdomainGone

# struct xenfb_page, struct xenkbd_page
IN_CONS, IN_PROD, OUT_CONS, OUT_PROD = 0, 4, 8, 12
WIDTH, HEIGHT, LINE_LENGTH, MEM_LENGTH, DEPTH, DIRECTORY = 16, 20, 24, 28, 32, 40
IN_RING, OUT_RING = 1024, 2048
EVENT_SIZE = 40
OUT_LENGTH = 2048 // EVENT_SIZE
KBD_LENGTH = 2048 // EVENT_SIZE

UPDATE, RESIZE = 2, 3
MOTION, KEY, POSITION = 1, 3, 4


class Frontend:
    """What both have: nodes, an event channel, a shared page."""

    kind = None

    def __init__(self, stubdomain, page):
        self.stubdomain = stubdomain
        self.path = f'/local/domain/{stubdomain.domid}/device/{self.kind}/0'
        self.backend = stubdomain.store.read(f'{self.path}/backend')
        self.port = stubdomain.domain.new_port()
        self.page = page
        self.words = memoryview(page).cast('I')

    def nodes(self):
        return {'event-channel': self.port.number}

    def announce(self, state=INITIALISED, **nodes):
        """Writes its nodes; others than the true ones on demand, None: not at all."""
        others = {name.replace('_', '-'): value for name, value in nodes.items()}
        for name, value in {**self.nodes(), **others}.items():
            if value is not None:
                self.stubdomain.store.write(f'{self.path}/{name}', value)
        self.state(state)

    def connect(self, **nodes):
        self.wait_backend(INIT_WAIT)
        self.announce(**nodes)
        self.wait_backend(CONNECTED)
        self.state(CONNECTED)
        return self

    def state(self, state):
        self.stubdomain.store.write(f'{self.path}/state', state)

    def close(self):
        self.state(CLOSED)

    def wait_backend(self, state):
        self.stubdomain.store.wait(f'{self.backend}/state', str(state), self.stubdomain.deadline)

    def word(self, offset):
        return self.words[offset // 4]

    def set_word(self, offset, value):
        self.words[offset // 4] = value & 0xffffffff

    def wait(self, ready):
        """Until @ready, which is looked at whenever the backend notifies."""
        with self.port.condition:
            while not ready():
                if self.port.closed or self.stubdomain.gone:
                    raise StubdomainGone
                self.port.condition.wait(self.stubdomain.deadline.remaining(f'the {self.kind}'))


class Framebuffer(Frontend):
    kind = 'vfb'

    def __init__(self, stubdomain, width=64, height=48, depth=32, pages=None):
        self.frame, page = stubdomain.domain.frames(1)
        super().__init__(stubdomain, page)
        self.width, self.height, self.depth = width, height, depth
        self.stride = width * depth // 8
        self.pages = pages or (self.stride * height + PAGE_SIZE - 1) // PAGE_SIZE
        first, self.pixels = stubdomain.domain.frames(self.pages)
        numbers = list(range(first, first + self.pages))
        for index in range(0, self.pages, PAGE_SIZE // 8):
            directory, memory = stubdomain.domain.frames(1)
            part = numbers[index:index + PAGE_SIZE // 8]
            memory[:len(part) * 8] = struct.pack(f'={len(part)}Q', *part)
            struct.pack_into('=Q', page, DIRECTORY + index // (PAGE_SIZE // 8) * 8, directory)
            memory.close()
        struct.pack_into('=iiIIB', page, WIDTH, width, height, self.stride, self.pages * PAGE_SIZE, depth)

    def nodes(self):
        return {**super().nodes(), 'page-ref': self.frame, 'protocol': 'x86_64-abi', 'feature-update': 1}

    def fill(self, colour, x=0, y=0, width=None, height=None):
        """A rectangle of one colour, 0xRRGGBB; the backend is not told."""
        width, height = width or self.width - x, height or self.height - y
        row = struct.pack('=I', colour) * width
        for line in range(y, y + height):
            start = line * self.stride + x * 4
            self.pixels[start:start + len(row)] = row

    def pattern(self):
        """Every pixel another colour."""
        for y in range(self.height):
            row = b''.join(struct.pack('=I', (x * 4 & 255) << 16 | (y * 5 & 255) << 8 | (x ^ y) & 255)
                           for x in range(self.width))
            self.pixels[y * self.stride:y * self.stride + len(row)] = row

    def picture(self):
        """What a viewer must see: rows of 0xRRGGBB."""
        return [[value & 0xffffff for value in
                 struct.unpack_from(f'={self.width}I', self.pixels, y * self.stride)] for y in range(self.height)]

    def room(self):
        return (self.word(OUT_PROD) - self.word(OUT_CONS)) & 0xffffffff < OUT_LENGTH

    def send(self, event):
        prod = self.word(OUT_PROD)
        start = OUT_RING + prod % OUT_LENGTH * EVENT_SIZE
        self.page[start:start + EVENT_SIZE] = event.ljust(EVENT_SIZE, b'\0')
        self.set_word(OUT_PROD, prod + 1)
        self.port.notify()

    def update(self, x=0, y=0, width=None, height=None):
        self.send(struct.pack('=B3xiiii', UPDATE, x, y, self.width if width is None else width,
                              self.height if height is None else height))

    def resize(self, width, height, offset=0, stride=None):
        self.width, self.height, self.stride = width, height, stride or width * self.depth // 8
        self.send(struct.pack('=B3xiiiii', RESIZE, width, height, self.stride, self.depth, offset))


class Keyboard(Frontend):
    kind = 'vkbd'

    def __init__(self, stubdomain):
        self.ref, granted = stubdomain.domain.grant()
        super().__init__(stubdomain, granted.memory)

    def nodes(self):
        return {**super().nodes(), 'page-gref': self.ref, 'request-abs-pointer': 1}

    def take(self):
        """The next event: ('key', code, pressed), ('position', x, y, wheel) or ('motion', x, y, wheel)."""
        self.wait(lambda: self.word(IN_PROD) != self.word(IN_CONS))
        cons = self.word(IN_CONS)
        start = IN_RING + cons % KBD_LENGTH * EVENT_SIZE
        event = bytes(self.page[start:start + EVENT_SIZE])
        self.set_word(IN_CONS, cons + 1)
        self.port.notify()
        if event[0] == KEY:
            pressed, code = struct.unpack_from('=B2xI', event, 1)
            return 'key', code, pressed
        return ('position' if event[0] == POSITION else 'motion', *struct.unpack_from('=3xiii', event, 1))
