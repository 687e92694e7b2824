# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small VNC viewer (RFC 6143): what it is sent becomes a picture that can be compared. Needs nothing else of here."""

import socket
import struct
import zlib

RAW, COPY_RECT, HEXTILE, ZLIB, ZRLE = 0, 1, 5, 6, 16
DESKTOP_SIZE, LAST_RECT, EXTENDED_KEY = -223, -224, -258

NO_AUTH, VNC_AUTH = 1, 2

# 32 bits, little-endian, 0x00RRGGBB.
FORMAT = struct.pack('>BBBBHHHBBB3x', 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)


class RfbError(Exception):
    """The server refuses, or says what it may not say."""


# --- DES, which VNC's authentication is made of (FIPS 46-3)

_PERMUTE = {
    'ip': '58 50 42 34 26 18 10 2 60 52 44 36 28 20 12 4 62 54 46 38 30 22 14 6 64 56 48 40 32 24 16 8 '
          '57 49 41 33 25 17 9 1 59 51 43 35 27 19 11 3 61 53 45 37 29 21 13 5 63 55 47 39 31 23 15 7',
    'fp': '40 8 48 16 56 24 64 32 39 7 47 15 55 23 63 31 38 6 46 14 54 22 62 30 37 5 45 13 53 21 61 29 '
          '36 4 44 12 52 20 60 28 35 3 43 11 51 19 59 27 34 2 42 10 50 18 58 26 33 1 41 9 49 17 57 25',
    'e': '32 1 2 3 4 5 4 5 6 7 8 9 8 9 10 11 12 13 12 13 14 15 16 17 16 17 18 19 20 21 20 21 22 23 24 25 '
         '24 25 26 27 28 29 28 29 30 31 32 1',
    'p': '16 7 20 21 29 12 28 17 1 15 23 26 5 18 31 10 2 8 24 14 32 27 3 9 19 13 30 6 22 11 4 25',
    'pc1': '57 49 41 33 25 17 9 1 58 50 42 34 26 18 10 2 59 51 43 35 27 19 11 3 60 52 44 36 '
           '63 55 47 39 31 23 15 7 62 54 46 38 30 22 14 6 61 53 45 37 29 21 13 5 28 20 12 4',
    'pc2': '14 17 11 24 1 5 3 28 15 6 21 10 23 19 12 4 26 8 16 7 27 20 13 2 '
           '41 52 31 37 47 55 30 40 51 45 33 48 44 49 39 56 34 53 46 42 50 36 29 32',
}
_TABLES = {name: [int(number) for number in text.split()] for name, text in _PERMUTE.items()}


def _boxes():
    """The eight S-boxes, a row of 64 hexadecimal digits each."""
    text = '''
    E4D12FB83A6C5907 0F74E2D1A6CB9538 41E8D62BFC973A50 FC8249175B3EA06D
    F18E6B34972DC05A 3D47F28EC01A69B5 0E7BA4D158C6932F D8A13F42B67C05E9
    A09E63F51DC7B428 D709346A285ECBF1 D6498F30B12C5AE7 1AD069874FE3B52C
    7DE3069A1285BC4F D8B56F03472C1AE9 A690CB7DF13E5284 3F06A1D8945BC72E
    2C417AB6853FD0E9 EB2C47D150FA3986 421BAD78F9C5630E B8C71E2D6F09A453
    C1AF92680D34E75B AF427C9561DE0B38 9EF528C3704A1DB6 432C95FABE17608D
    4B2EF08D3C975A61 D0B7491AE35C2F86 14BDC37EAF680592 6BD814A7950FE23C
    D2846FB1A93E50C7 1FD8A374C56B0E92 7B419CE206ADF358 21E74A8DFC90356B
    '''.split()
    return [[[int(digit, 16) for digit in text[box * 4 + row]] for row in range(4)] for box in range(8)]


_SBOXES = _boxes()
_SHIFTS = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)


def _permute(bits, name):
    return [bits[place - 1] for place in _TABLES[name]]


def _bits(data):
    return [byte >> 7 - i & 1 for byte in data for i in range(8)]


def _round(half, key):
    mixed = [a ^ b for a, b in zip(_permute(half, 'e'), key)]
    out = []
    for box in range(8):
        a, b, c, d, e, f = mixed[box * 6:box * 6 + 6]
        value = _SBOXES[box][a * 2 + f][b * 8 + c * 4 + d * 2 + e]
        out += [value >> 3 & 1, value >> 2 & 1, value >> 1 & 1, value & 1]
    return _permute(out, 'p')


def des(key, block):
    """One block of eight bytes."""
    bits = _permute(_bits(key), 'pc1')
    left_key, right_key = bits[:28], bits[28:]
    both = _permute(_bits(block), 'ip')
    left, right = both[:32], both[32:]
    for shift in _SHIFTS:
        left_key, right_key = left_key[shift:] + left_key[:shift], right_key[shift:] + right_key[:shift]
        left, right = right, [a ^ b for a, b in zip(left, _round(right, _permute(left_key + right_key, 'pc2')))]
    out = _permute(right + left, 'fp')
    return bytes(int(''.join(map(str, out[i:i + 8])), 2) for i in range(0, 64, 8))


def answer_challenge(password, challenge):
    """VNC has the bits of each byte of the key the other way round."""
    key = bytes(int(f'{byte:08b}'[::-1], 2) for byte in password.encode()[:8].ljust(8, b'\0'))
    return des(key, challenge[:8]) + des(key, challenge[8:])


# --- the viewer

class Viewer:
    """Connected and let in, unless it raises RfbError or ConnectionError."""

    # pylint: disable=too-many-instance-attributes, too-many-arguments
    def __init__(self, address, *, password=None, shared=True, encodings=(RAW, DESKTOP_SIZE), timeout=20, begin=True):
        if isinstance(address, socket.socket):
            self.socket = address
        elif isinstance(address, tuple):
            self.socket = socket.create_connection(address, timeout)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(str(address))
        self.socket.settimeout(timeout)
        self.password, self.shared = password, shared
        self.inflate = {}
        self.rows = []
        self.rectangles = []  # of the last update: (x, y, width, height, encoding)
        if begin:
            self.begin()
            self.set_encodings(*encodings)

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, size):
        data = bytearray()
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise ConnectionError('the server closed the connection')
            data += part
        return bytes(data)

    def unpack(self, form):
        return struct.unpack(form, self.receive(struct.calcsize(form)))

    def begin(self):
        """Everything up to the first picture."""
        version = self.receive(12)
        if version != b'RFB 003.008\n':
            raise RfbError(version)
        self.send(version)
        kinds = self.receive(self.unpack('>B')[0])
        kind = VNC_AUTH if VNC_AUTH in kinds and self.password is not None else NO_AUTH
        if kind not in kinds:
            raise RfbError(f'authentication {list(kinds)}')
        self.send(bytes([kind]))
        if kind == VNC_AUTH:
            self.send(answer_challenge(self.password, self.receive(16)))
        if self.unpack('>I')[0]:
            raise RfbError(self.receive(self.unpack('>I')[0]).decode())
        self.send(bytes([bool(self.shared)]))
        width, height = self.unpack('>HH')
        self.receive(16)
        self.name = self.receive(self.unpack('>I')[0]).decode()
        self._resize(width, height)
        self.send(b'\0\0\0\0' + FORMAT)

    def _resize(self, width, height):
        self.width, self.height = width, height
        self.rows = [bytearray(width * 4) for _ in range(height)]

    # --- what it says

    def set_encodings(self, *encodings):
        self.send(struct.pack(f'>BxH{len(encodings)}i', 2, len(encodings), *encodings))

    def request(self, incremental=False, x=0, y=0, width=None, height=None):
        self.send(struct.pack('>BBHHHH', 3, incremental, x, y, self.width if width is None else width,
                              self.height if height is None else height))

    def key(self, keysym, down):
        self.send(struct.pack('>BBxxI', 4, down, keysym))

    def extended_key(self, keysym, scancode, down):
        self.send(struct.pack('>BBHII', 255, 0, down, keysym, scancode))

    def pointer(self, x, y, buttons=0):
        self.send(struct.pack('>BBHH', 5, buttons, x, y))

    def cut_text(self, text):
        self.send(struct.pack('>BxxxI', 6, len(text)) + text)

    # --- what it is sent

    def update(self):
        """Takes one update."""
        while True:
            kind = self.unpack('>B')[0]
            if kind == 0:
                break
            if kind == 3:  # clipboard
                self.receive(self.unpack('>xxxI')[0])
            elif kind != 2:  # bell
                raise RfbError(f'message {kind}')
        count = self.unpack('>xH')[0]
        self.rectangles = []
        while count:
            x, y, width, height, encoding = self.unpack('>HHHHi')
            if encoding == LAST_RECT:
                break
            self.rectangles.append((x, y, width, height, encoding))
            self._rectangle(x, y, width, height, encoding)
            count -= count != 0xffff

    def _rectangle(self, x, y, width, height, encoding):
        if encoding == DESKTOP_SIZE:
            self._resize(width, height)
        elif encoding == RAW:
            self._paint(x, y, width, self.receive(width * height * 4))
        elif encoding == ZLIB:
            data = self._inflate(ZLIB, self.receive(self.unpack('>I')[0]))
            self._paint(x, y, width, data)
        elif encoding == ZRLE:
            self._zrle(x, y, width, height, self._inflate(ZRLE, self.receive(self.unpack('>I')[0])))
        elif encoding != EXTENDED_KEY:
            raise RfbError(f'encoding {encoding}')

    def _inflate(self, name, data):
        return self.inflate.setdefault(name, zlib.decompressobj()).decompress(data)

    def _paint(self, x, y, width, data):
        for start in range(0, len(data), width * 4):
            if y < len(self.rows):
                self.rows[y][x * 4:(x + width) * 4] = data[start:start + width * 4]
            y += 1

    def _zrle(self, x, y, width, height, data):
        place = 0
        for top in range(y, y + height, 64):
            for left in range(x, x + width, 64):
                size = min(64, x + width - left), min(64, y + height - top)
                place = self._tile(left, top, *size, data, place)

    def _tile(self, x, y, width, height, data, place):  # pylint: disable=too-many-locals
        kind, place = data[place], place + 1
        count = width * height

        def colour():
            nonlocal place
            place += 3
            return data[place - 3:place] + b'\0'

        def run():
            nonlocal place
            length = 1
            while data[place] == 255:
                length, place = length + 255, place + 1
            length, place = length + data[place], place + 1
            return length

        pixels = b''
        if kind == 0:
            pixels = b''.join(colour() for _ in range(count))
        elif kind == 1:
            pixels = colour() * count
        elif kind <= 16:
            palette = [colour() for _ in range(kind)]
            bits = 1 if kind == 2 else 2 if kind <= 4 else 4
            for _ in range(height):
                row = data[place:place + (width * bits + 7) // 8]
                place += len(row)
                pixels += b''.join(palette[row[i * bits // 8] >> 8 - bits - i * bits % 8 & (1 << bits) - 1]
                                   for i in range(width))
        elif kind == 128:
            while len(pixels) < count * 4:
                value = colour()
                pixels += value * run()
        else:
            palette = [colour() for _ in range(kind - 128)]
            while len(pixels) < count * 4:
                index, place = data[place], place + 1
                pixels += palette[index & 127] * (run() if index & 128 else 1)
        self._paint(x, y, width, pixels)
        return place

    def picture(self):
        """Rows of 0xRRGGBB."""
        return [[value & 0xffffff for value in struct.unpack(f'<{self.width}I', row)] for row in self.rows]

    def look(self):
        """Asks for all of it and takes it; returns the picture, in its new size if that changed meanwhile."""
        self.request()
        self.update()
        while any(rectangle[4] == DESKTOP_SIZE for rectangle in self.rectangles):
            self.request()
            self.update()
        return self.picture()
