"""What goes over the wire between the payment side, its clients and its webhooks, for tests/conformance.

With BOS_WIRE=FOLDER in the environment everything passes through recorders, and at the end of the run the
folder has a file of it: one exchange a line. Without, addresses are used as they are.
"""

import atexit
import json
import os
import pathlib
import urllib.parse

from recorder import Recorder

FOLDER = os.environ.get("BOS_WIRE")
_recorders = []


def through(address: str) -> str:
    """The address, HOST:PORT or a URL, to use instead of this one."""
    if not FOLDER:
        return address
    if not _recorders:
        atexit.register(_write)
    host = urllib.parse.urlsplit(address).netloc if "://" in address else address
    recorder = Recorder(int(host.rsplit(":", 1)[1]))
    _recorders.append(recorder)
    return address.replace(host, recorder.address, 1)


def _write():
    folder = pathlib.Path(FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{os.getpid()}.jsonl", "w", encoding="utf-8") as file:
        for recorder in _recorders:
            for session in recorder.sessions:
                for one in exchanges(bytes(session.sent), bytes(session.answered)):
                    file.write(json.dumps(one) + "\n")


def exchanges(sent: bytes, answered: bytes):
    """The requests of an HTTP/1.1 connection with their answers; what has none was cut off."""
    for (request, fields, body), (status, _, answer) in zip(_messages(sent), _messages(answered)):
        method, target, _ = request.split(" ", 2)
        path, _, query = target.partition("?")
        yield {
            "method": method, "path": path, "query": query, "body": body.decode("utf-8", "replace"),
            "agent": fields.get("user-agent", ""), "account": fields.get("stripe-account"),
            "key": fields.get("idempotency-key"), "version": fields.get("stripe-version"),
            "signed": "stripe-signature" in fields, "status": int(status.split(" ")[1]),
            "answer": answer.decode("utf-8", "replace"),
        }


def _messages(data: bytes):
    """(first line, fields, body) of each whole message."""
    while (end := data.find(b"\r\n\r\n")) >= 0:
        first, *lines = data[:end].decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        data = data[end + 4:]
        if fields.get("transfer-encoding") == "chunked":
            taken = _chunks(data)
        else:
            length = int(fields.get("content-length", 0))
            taken = (data[:length], length) if length <= len(data) else None
        if taken is None:
            return
        yield first, fields, taken[0]
        data = data[taken[1]:]


def _chunks(data: bytes):
    """(body, its bytes on the wire), or None when it was cut off."""
    body, at = b"", 0
    while (end := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:end].split(b";")[0], 16)
        at = end + 2 + size + 2
        if at > len(data):
            return None
        if size == 0:
            return body, at
        body += data[end + 2:end + 2 + size]
    return None
