"""What the shell scripts of ./dev cannot do well.

  helper.py port PREFERRED       prints that port of 127.0.0.1, or a free one when it is taken
  helper.py wait URL SECONDS PID ends with 0 when the URL answers 200, 1 after that time, 2 when the process is gone
  helper.py count FILE...        prints "passed failed skipped" of JUnit files, counting cmocka's tests one by one
"""

import os
import re
import socket
import sys
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ElementTree


def port(preferred):
    for number in (int(preferred), 0):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", number))
                listener.listen()
            except OSError:
                continue
            print(listener.getsockname()[1])
            return 0
    return 1


def wait(url, seconds, pid):
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return 0
        except (urllib.error.URLError, OSError):
            pass
        if not os.path.exists(f"/proc/{pid}"):
            return 2
        time.sleep(0.02)
    return 1


def count_case(case):
    """One program of ctest may be many tests of cmocka; a crash is one failure."""
    failed = case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail"
    skipped = case.find("skipped")
    if skipped is not None:
        # ctest calls a program that is missing skipped, too.
        missing = case.get("status") == "notrun" and not re.match("SKIP|Disabled", skipped.get("message", ""))
        return (0, 1, 0) if missing else (0, 0, 1)
    output = case.findtext("system-out") or ""
    passed = len(re.findall(r"^\[\s+OK \]", output, re.MULTILINE))
    if passed == 0 and not failed:
        return (1, 0, 0)
    broken = len(set(re.findall(r"^\[  FAILED  \] (\w+)$", output, re.MULTILINE)))
    return (passed, max(1, broken) if failed else 0, 0)


def count(*files):
    totals = [0, 0, 0]
    for file in files:
        for case in ElementTree.parse(file).getroot().iter("testcase"):
            totals = [total + part for total, part in zip(totals, count_case(case))]
    print(*totals)
    return 0


if __name__ == "__main__":
    sys.exit({"port": port, "wait": wait, "count": count}[sys.argv[1]](*sys.argv[2:]))
