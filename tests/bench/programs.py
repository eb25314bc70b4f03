"""The programs of the kit, the machine they run on, and what /proc tells of a process."""

import contextlib
import json
import os
import pathlib
import platform
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


class BenchError(Exception):
    """The measurement cannot be made; the text says why, on one line."""


class Programs:
    """bos-echo and bos-load of one build directory."""

    def __init__(self, build):
        self.directory = pathlib.Path(build) / "tests/bench"
        for name in ("bos-echo", "bos-load"):
            if not (self.directory / name).exists():
                raise BenchError(f"{self.directory / name} does not exist; build it first")

    @contextlib.contextmanager
    def echo(self, response_bytes):
        """Runs bos-echo; gives its address and process id."""
        process = subprocess.Popen(
            [self.directory / "bos-echo", "--response-bytes", str(response_bytes)],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield process.stdout.readline().removeprefix("listening on ").strip(), process.pid
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

    def command(self, address, path, key, **options):
        """The command line of bos-load; body_file=x becomes --body-file x, hold=True --hold."""
        words = [str(self.directory / "bos-load"), "--json", "--path", path]
        words += ["--header", f"authorization: Bearer {key}"]
        for name, value in options.items():
            option = "--" + name.replace("_", "-")
            words += [option] if value is True else [option, str(value)]
        return [*words, address]

    def load(self, address, path, key, **options):
        """Runs bos-load and returns what it measured. Any call that is not OK is a BenchError."""
        done = subprocess.run(
            self.command(address, path, key, **options), capture_output=True, text=True, timeout=900
        )
        if done.returncode not in (0, 1):
            raise BenchError(done.stderr.strip())
        seen = json.loads(done.stdout)
        if seen["errors"]:
            raise BenchError(f"{path} at {address} was not always answered: {seen['errors']}")
        return seen


def machine():
    """What the figures depend on, for the line above each table."""
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def cpu_us(pid):
    """utime + stime of a process, all threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000_000 // os.sysconf("SC_CLK_TCK")


def rss_kb(pid):
    """Resident memory of a process in kB."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise BenchError(f"process {pid} has ended")
