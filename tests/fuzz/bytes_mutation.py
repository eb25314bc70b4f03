"""Bytes made wrong, for any format."""

ODD_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


def flip(rng, data: bytes) -> bytes:
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        if made:
            made[rng.randrange(len(made))] ^= 1 << rng.randrange(8)
    return bytes(made)


def truncate(rng, data: bytes) -> bytes:
    return data[:rng.randrange(len(data) + 1)]


def cut_out(rng, data: bytes) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start + rng.randrange(1, 32):]


def repeat_part(rng, data: bytes) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start:start + rng.randrange(1, 64)] * rng.choice((1, 2, 50)) + data[start:]


def insert(rng, data: bytes) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + rng.randbytes(rng.choice((1, 2, 8, 300))) + data[start:]


def odd_number(rng, data: bytes) -> bytes:
    number, size = rng.choice(ODD_NUMBERS), rng.choice((1, 2, 4, 8))
    start = rng.randrange(len(data) + 1)
    return data[:start] + (number & ((1 << 8 * size) - 1)).to_bytes(size, rng.choice(("big", "little"))) + data[start + size:]


ALL = (flip, flip, truncate, cut_out, repeat_part, insert, odd_number)


def mutate(rng, data: bytes) -> bytes:
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice(ALL)(rng, data)
    return data
