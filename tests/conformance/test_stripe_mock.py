"""stripe-mock, which checks parameters with the provider's own specification, takes what the server sends."""

import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request

import pytest

import sandbox_client
import world
from others import KEY, TOOLS

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def mock():
    program = shutil.which("stripe-mock", path=f"{TOOLS}:{os.environ['PATH']}")
    assert program, "./dev setup builds stripe-mock"
    port = world.free_port()
    process = subprocess.Popen([program, "-http-port", str(port)], stdout=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"

    def listens():
        try:
            return urllib.request.urlopen(f"{base}/v1/customers", timeout=5)
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    sandbox_client.eventually(listens, 30)
    yield base
    process.kill()
    process.wait(10)


# What the published spec, which is older than our version, does not know.
NEWER = re.compile(r"POST /v1/subscriptions/\w+/(pause|resume) ")


def shape(one):
    """Requests with the same parameters on the same path say nothing new."""
    names = [pair.split("=")[0] for pair in f"{one['query']}&{one['body']}".split("&")]
    return one["method"], re.sub(r"_[A-Za-z0-9]{10,}", "_ID", one["path"]), tuple(sorted(names))


def refusal(base, one):
    """What stripe-mock has against a request, or None."""
    target = one["path"] + ("?" + one["query"] if one["query"] else "")
    request = urllib.request.Request(
        base + target, method=one["method"], data=one["body"].encode() if one["method"] == "POST" else None,
        headers={"authorization": f"Bearer {KEY}", "content-type": "application/x-www-form-urlencoded"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            answer.read()
    except urllib.error.HTTPError as error:
        return f"{one['method']} {target} {one['body']}: {error.code} {error.read().decode()[:500]}"


def test_what_the_server_sends_is_taken(mock, recordings):
    shapes = {}
    for file in recordings:
        for line in file.read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            if one["agent"].startswith("billingos/") and one["path"].startswith("/v1/"):
                shapes.setdefault(shape(one), one)
    assert len(shapes) > 15
    refused = [text for one in shapes.values() if (text := refusal(mock, one)) and not NEWER.match(text)]
    assert not refused, "\n".join(refused)
