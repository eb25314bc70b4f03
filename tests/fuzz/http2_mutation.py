"""HTTP/2 connections made wrong: frames of a recorded call changed, doubled, mixed, and frames that nobody would send."""

from typing import NamedTuple

import bytes_mutation

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, WITH_PRIORITY = 0x1, 0x4, 0x8, 0x20


class Frame(NamedTuple):
    kind: int
    flags: int
    stream: int
    payload: bytes

    def pack(self, length=None) -> bytes:
        length = len(self.payload) if length is None else length
        return (length.to_bytes(3, "big") + bytes([self.kind & 0xFF, self.flags & 0xFF]) +
                (self.stream & 0xFFFFFFFF).to_bytes(4, "big") + self.payload)


def parse(recorded: bytes) -> list:
    """The frames that follow the preface; a last one that is not complete is left out."""
    assert recorded.startswith(PREFACE), recorded[:40]
    frames, at = [], len(PREFACE)
    while at + 9 <= len(recorded):
        length = int.from_bytes(recorded[at:at + 3], "big")
        if at + 9 + length > len(recorded):
            break
        frames.append(Frame(recorded[at + 3], recorded[at + 4], int.from_bytes(recorded[at + 5:at + 9], "big"),
                            recorded[at + 9:at + 9 + length]))
        at += 9 + length
    return frames


def pack(frames) -> bytes:
    return PREFACE + b"".join(frame.pack() for frame in frames)


def literal(name: bytes, value: bytes) -> bytes:
    """A header field of HPACK without indexing and without Huffman code."""
    return b"\x00" + _length(name) + name + _length(value) + value


def _length(text: bytes) -> bytes:
    size, made = len(text), bytearray()
    if size < 127:
        return bytes([size])
    made.append(127)
    size -= 127
    while size >= 128:
        made.append(size % 128 + 128)
        size //= 128
    made.append(size)
    return bytes(made)


def call_headers(path: bytes, *more: bytes) -> bytes:
    """The header block of a call."""
    return b"".join([literal(b":method", b"POST"), literal(b":scheme", b"http"), literal(b":path", path),
                     literal(b":authority", b"localhost"), literal(b"te", b"trailers"),
                     literal(b"content-type", b"application/grpc"), *more])


def any_frame(rng) -> Frame:
    return Frame(rng.choice((*range(10), rng.randrange(256))), rng.choice((0, 1, 4, 5, 8, 0x20, rng.randrange(256))),
                 rng.choice((0, 1, 1, 3, 2, 0x7FFFFFFF, 0x80000001, rng.randrange(1 << 32))),
                 rng.randbytes(rng.choice((0, 1, 4, 5, 6, 8, 9, 100, 5000))))


def _pick(rng, frames, *kinds):
    wanted = [i for i, frame in enumerate(frames) if not kinds or frame.kind in kinds]
    return rng.choice(wanted) if wanted else rng.randrange(len(frames))


def _change(rng, frames, **fields):
    at = _pick(rng, frames)
    return [*frames[:at], frames[at]._replace(**fields), *frames[at + 1:]]


def duplicated(rng, frames):
    at = _pick(rng, frames)
    return [*frames[:at], *[frames[at]] * rng.choice((2, 3, 100)), *frames[at + 1:]]


def reordered(rng, frames):
    made = list(frames)
    for _ in range(rng.choice((1, 2, 10))):
        made.insert(rng.randrange(len(made)), made.pop(rng.randrange(len(made))))
    return made


def left_out(rng, frames):
    at = _pick(rng, frames)
    return [*frames[:at], *frames[at + 1:]]


def other_kind(rng, frames):
    return _change(rng, frames, kind=rng.choice((*range(10), rng.randrange(256))))


def other_flags(rng, frames):
    return _change(rng, frames, flags=rng.randrange(256))


def other_stream(rng, frames):
    return _change(rng, frames, stream=rng.choice((0, 1, 2, 3, 5, 0x7FFFFFFF, 0xFFFFFFFF, rng.randrange(1 << 32))))


def other_payload(rng, frames):
    at = _pick(rng, frames, DATA, HEADERS, SETTINGS)
    return [*frames[:at], frames[at]._replace(payload=bytes_mutation.mutate(rng, frames[at].payload)), *frames[at + 1:]]


def strange_frames(rng, frames):
    made = list(frames)
    for _ in range(rng.choice((1, 3, 30))):
        made.insert(rng.randrange(len(made) + 1), any_frame(rng))
    return made


def padded(rng, frames):
    at = _pick(rng, frames, DATA, HEADERS)
    frame = frames[at]
    return [*frames[:at], frame._replace(flags=frame.flags | PADDED, payload=bytes([rng.randrange(256)]) + frame.payload),
            *frames[at + 1:]]


def split_headers(rng, frames):
    """A header block in pieces, with CONTINUATION frames that may lack, or have something between them."""
    at = _pick(rng, frames, HEADERS)
    frame, size = frames[at], rng.randrange(1, 40)
    pieces = [frame.payload[i:i + size] for i in range(0, len(frame.payload), size)] or [b""]
    made = [frame._replace(flags=frame.flags & ~END_HEADERS, payload=pieces[0])]
    made += [Frame(CONTINUATION, 0, frame.stream, piece) for piece in pieces[1:]]
    if rng.random() < 0.7:
        made[-1] = made[-1]._replace(flags=made[-1].flags | END_HEADERS)
    if rng.random() < 0.3:
        made.insert(rng.randrange(len(made)), any_frame(rng))
    return [*frames[:at], *made, *frames[at + 1:]]


def huge_headers(rng, frames):
    at = _pick(rng, frames, HEADERS)
    size, count = rng.choice(((100, 200), (9000, 1), (20000, 3), (16000, 20)))
    block = b"".join(literal(b"x-%d" % i, b"v" * size) for i in range(count))
    pieces = [block[i:i + 16384] for i in range(0, len(block), 16384)]
    first = frames[at]._replace(flags=frames[at].flags & ~END_HEADERS)
    made = [Frame(CONTINUATION, 0, first.stream, piece) for piece in pieces]
    made[-1] = made[-1]._replace(flags=END_HEADERS)
    return [*frames[:at], first, *made, *frames[at + 1:]]


def odd_header_block(rng, frames):
    """Indices that do not exist, lengths without end, sizes of the table."""
    blocks = (b"\xff\xff\xff\xff\xff\x0f", b"\x80", b"\xbf" * 20, b"\x3f\xff\xff\xff\x7f", b"\x00\x7f\xff\xff\xff\xff\x07a",
              b"\x20" * 1000, b"\x82" * 5000, call_headers(b"/" + b"a" * 3000), call_headers(b""),
              call_headers(b"/billingos.v1.CustomerService/GetCustomer", literal(b"grpc-timeout", rng.choice((b"1n", b"99999999H", b"-1S", b"", b"1x")))),
              call_headers(b"/billingos.v1.CustomerService/GetCustomer", literal(b"grpc-encoding", rng.choice((b"gzip", b"identity", b"nothing", b"deflate")))),
              call_headers(b"/x", literal(b"grpc-trace-bin", b"!!!"), literal(b"Upper", b"case"), literal(b"", b"")))
    stream = rng.choice((1, 3, 101))
    made = [*frames, Frame(HEADERS, END_HEADERS | rng.choice((0, END_STREAM)), stream, rng.choice(blocks))]
    return made if rng.random() < 0.5 else [f for f in made if f.kind == SETTINGS] + made[-1:]


def odd_settings(rng, frames):
    pairs = b"".join(rng.choice((1, 2, 3, 4, 5, 6, rng.randrange(65536))).to_bytes(2, "big") +
                     rng.choice((*bytes_mutation.ODD_NUMBERS, 16384, 16777215)).to_bytes(4, "big") for _ in range(rng.choice((1, 3, 50))))
    return [Frame(SETTINGS, 0, 0, pairs), *frames]


def odd_windows(rng, frames):
    at = rng.randrange(len(frames) + 1)
    made = [Frame(WINDOW_UPDATE, 0, rng.choice((0, 1, 3)), rng.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF)).to_bytes(4, "big"))] * rng.choice((1, 3))
    return [*frames[:at], *made, *frames[at:]]


def streams_reset_at_once(rng, frames):
    block = call_headers(b"/billingos.v1.OrganizationService/GetCaller")
    made = [frame for frame in frames if frame.kind == SETTINGS]
    for number in range(rng.choice((5, 50))):
        made += [Frame(HEADERS, END_HEADERS, 2 * number + 1, block), Frame(RST_STREAM, 0, 2 * number + 1, b"\0\0\0\x08")]
    return made


def message_prefix(rng, frames):
    """The five bytes before a message: compressed or not, and how long."""
    at = _pick(rng, frames, DATA)
    body = frames[at].payload[5:]
    prefix = bytes([rng.choice((0, 0, 1, 2, 255))]) + rng.choice((0, 1, len(body), len(body) + 1, 0x7FFFFFFF, 0xFFFFFFFF)).to_bytes(4, "big")
    return [*frames[:at], frames[at]._replace(payload=prefix + body * rng.choice((0, 1, 2))), *frames[at + 1:]]


OF_FRAMES = (duplicated, reordered, left_out, other_kind, other_flags, other_stream, other_payload, other_payload,
             strange_frames, padded, split_headers, huge_headers, odd_header_block, odd_settings, odd_windows,
             streams_reset_at_once, message_prefix)


def wrong_length(rng, frames) -> bytes:
    at = _pick(rng, frames)
    length = rng.choice((0, 1, 0x4000, 0x4001, 0xFFFFFF, max(0, len(frames[at].payload) + rng.choice((-1, 1, 9)))))
    return PREFACE + b"".join(frame.pack(length if i == at else None) for i, frame in enumerate(frames))


def connection(rng, sessions) -> bytes:
    """All bytes of one connection, made from one of the recorded sessions."""
    frames = rng.choice(sessions)
    kind = rng.random()
    if kind < 0.02:
        return rng.randbytes(rng.choice((1, 24, 300)))
    if kind < 0.05:
        return bytes_mutation.mutate(rng, PREFACE) + pack(frames)[len(PREFACE):]
    if kind < 0.10:
        return PREFACE + b"".join(any_frame(rng).pack() for _ in range(rng.randrange(1, 20)))
    if kind < 0.20:
        return wrong_length(rng, frames)
    if kind < 0.40:
        return PREFACE + bytes_mutation.mutate(rng, pack(frames)[len(PREFACE):])
    for _ in range(rng.choice((1, 1, 2, 3))):
        frames = rng.choice(OF_FRAMES)(rng, frames) or [any_frame(rng)]
    return pack(frames)
