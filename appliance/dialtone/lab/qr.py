# SPDX-License-Identifier: Apache-2.0
"""QR codes for labels: ISO/IEC 18004, byte mode, versions 1 to 5 with error correction L, up to 106 octets."""

from collections.abc import Iterator

from dialtone.errors import LocalError

_SIZES = ((19, 7), (34, 10), (55, 15), (80, 20), (108, 26))
"""Data and correction codewords of versions 1 to 5 with level L: one block each (table 9)."""
_BYTE_MODE, _PADS = 0b0100, (0xEC, 0x11)
_FORMAT_POLYNOMIAL, _FORMAT_MASK, _LEVEL_L = 0b10100110111, 0b101010000010010, 0b01
_FINDER = (0b1111111, 0b1000001, 0b1011101, 0b1011101, 0b1011101, 0b1000001, 0b1111111)
Modules = list[list[bool]]


def matrix(text: str) -> Modules:
    """The code of a text, rows of modules; dark is true. Raises LocalError for a text that is too long."""
    data = text.encode()
    version = next((number for number, (room, _) in enumerate(_SIZES, 1) if len(data) + 2 <= room), 0)
    if not version:
        raise LocalError(f"A label holds {_SIZES[-1][0] - 2} octets, not {len(data)}.", remedy="Say it shorter.")
    room, extra = _SIZES[version - 1]
    words = _codewords(data, room)
    stream = [octet >> place & 1 for octet in words + _correction(words, extra) for place in range(7, -1, -1)]
    drawn = [_draw(version, stream, mask) for mask in range(8)]
    return min(drawn, key=_penalty)


def svg(text: str, module: int = 3) -> str:
    """The code as SVG, with the quiet zone of four modules around it."""
    rows = matrix(text)
    size = module * (len(rows) + 8)
    dark = "".join(f"M{module * (x + 4)} {module * (y + 4)}h{module}v{module}h-{module}z"
                   for y, row in enumerate(rows) for x, on in enumerate(row) if on)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}"><rect width="100%" height="100%" '
            f'fill="#fff"/><path d="{dark}" fill="#000"/></svg>')


def _codewords(data: bytes, room: int) -> list[int]:
    """Mode, length, data, terminator, padding (7.4)."""
    number = (_BYTE_MODE << 8 | len(data)) << 8 * len(data) | int.from_bytes(data)
    words = list((number << 4).to_bytes(len(data) + 2))
    return words + [_PADS[place % 2] for place in range(room - len(words))]


def _times(a: int, b: int) -> int:
    """In GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1."""
    product = 0
    for place in range(7, -1, -1):
        product = product << 1 ^ (product >> 7) * 0x11D
        product ^= (b >> place & 1) * a
    return product


def _correction(words: list[int], count: int) -> list[int]:
    """Reed-Solomon (7.5)."""
    divisor, root = [0] * (count - 1) + [1], 1
    for _ in range(count):
        divisor = [_times(one, root) ^ (divisor[place + 1] if place + 1 < count else 0)
                   for place, one in enumerate(divisor)]
        root = _times(root, 2)
    rest = [0] * count
    for word in words:
        factor = word ^ rest.pop(0)
        rest.append(0)
        rest = [one ^ _times(other, factor) for one, other in zip(rest, divisor, strict=True)]
    return rest


def _draw(version: int, stream: list[int], mask: int) -> Modules:
    size = 17 + 4 * version
    fixed: dict[tuple[int, int], bool] = {}
    for place in range(size):  # timing
        fixed[place, 6] = fixed[6, place] = place % 2 == 0
    for x, y in ((0, 0), (size - 7, 0), (0, size - 7)):  # finders and their white border
        for dx in range(-1, 8):
            for dy in range(-1, 8):
                if 0 <= x + dx < size and 0 <= y + dy < size:
                    inside = 0 <= dx < 7 and 0 <= dy < 7
                    fixed[x + dx, y + dy] = inside and bool(_FINDER[dy] >> dx & 1)
    if version > 1:  # alignment
        for dx in range(-2, 3):
            for dy in range(-2, 3):
                fixed[size - 7 + dx, size - 7 + dy] = max(abs(dx), abs(dy)) != 1
    fixed |= dict(_format(size, mask))
    free = [spot for spot in _path(size) if spot not in fixed]
    for (x, y), bit in zip(free, stream + [0] * (len(free) - len(stream)), strict=True):
        fixed[x, y] = bool(bit) ^ _masks(mask, x, y)
    return [[fixed[x, y] for x in range(size)] for y in range(size)]


def _format(size: int, mask: int) -> Iterator[tuple[tuple[int, int], bool]]:
    """Level and mask, twice, and the dark module (7.9)."""
    data = _LEVEL_L << 3 | mask
    rest = data << 10
    for place in range(14, 9, -1):
        rest ^= (rest >> place & 1) * _FORMAT_POLYNOMIAL << place - 10
    word = (data << 10 | rest) ^ _FORMAT_MASK
    first = [(8, y) for y in (0, 1, 2, 3, 4, 5, 7, 8)] + [(x, 8) for x in (7, 5, 4, 3, 2, 1, 0)]
    second = [(size - 1 - x, 8) for x in range(8)] + [(8, size - 7 + y) for y in range(7)]
    for spots in (first, second):
        for place, spot in enumerate(spots):
            yield spot, bool(word >> place & 1)
    yield (8, size - 8), True


def _path(size: int) -> Iterator[tuple[int, int]]:
    """Two columns at a time from the right, up and down in turn (7.7.3)."""
    upwards = True
    for right in (*range(size - 1, 6, -2), 5, 3, 1):
        for step in range(size):
            y = size - 1 - step if upwards else step
            yield right, y
            yield right - 1, y
        upwards = not upwards


def _masks(mask: int, x: int, y: int) -> bool:
    """Whether a mask turns a module over (table 10)."""
    return (((x + y) % 2, y % 2, x % 3, (x + y) % 3, (x // 3 + y // 2) % 2, x * y % 2 + x * y % 3,
             (x * y % 2 + x * y % 3) % 2, ((x + y) % 2 + x * y % 3) % 2)[mask]) == 0


def _penalty(rows: Modules) -> int:
    """Runs, blocks and the share of dark modules (7.8.3): the lower, the better it reads."""
    lines = ["".join("#" if on else "." for on in line) for line in (*rows, *zip(*rows, strict=True))]
    runs = sum(max(0, len(run) - 2) for line in lines for run in line.replace("#.", "# .").replace(".#", ". #").split()
               if len(run) >= 5)
    finders = 40 * sum(line.count("#.###.#....") + line.count("....#.###.#") for line in lines)
    size = len(rows)
    blocks = 3 * sum(rows[y][x] == rows[y][x + 1] == rows[y + 1][x] == rows[y + 1][x + 1]
                     for y in range(size - 1) for x in range(size - 1))
    dark = sum(map(sum, rows)) * 20 // size ** 2
    return runs + finders + blocks + 10 * abs(dark - 10)
