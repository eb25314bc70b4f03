"""The files under a root, and just enough of C to tell code from comments and texts."""

import functools
import os
import pathlib
import re
import subprocess
from typing import NamedTuple

SKIPPED = {".git", "build", ".run", ".venv", ".tools", "node_modules", "__pycache__", "counterexamples"}


class Finding(NamedTuple):
    path: str
    line: int
    rule: str
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


class Token(NamedTuple):
    kind: str  # "comment", "string", "char", "word", "number", "mark", "include"
    text: str  # of a string: what is between the quotes
    line: int


TOKENS = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)
      |(?P<include>^[ \t]*\#[ \t]*include[ \t]*(?:<[^>\n]*>|"[^"\n]*"))
      |(?P<string>"(?:[^"\\\n]|\\.)*")
      |(?P<char>'(?:[^'\\\n]|\\.)*')
      |(?P<word>[A-Za-z_]\w*)
      |(?P<number>\d[\w.]*)
      |(?P<mark>[^\s\w])""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


class Include(NamedTuple):
    path: str
    ours: bool  # in quotes
    line: int


class Source:
    """One file; path is relative to the root, with slashes."""

    def __init__(self, root, path):
        self.path = path
        self.text = (root / path).read_text(encoding="utf-8", errors="replace")

    @property
    def is_c(self):
        return self.path.endswith((".c", ".h", ".cc"))

    @property
    def module(self):
        """The folder of server/ that the file belongs to; "" for the program's own files and others."""
        parts = self.path.split("/")
        return parts[1] if parts[0] == "server" and len(parts) > 2 else ""

    @property
    def lines(self):
        return self.text.splitlines()

    @functools.cached_property
    def tokens(self):
        found = []
        line = 1
        at = 0
        for match in TOKENS.finditer(self.text):
            line += self.text.count("\n", at, match.start())
            at = match.start()
            text = match.group()
            found.append(Token(match.lastgroup, text[1:-1] if match.lastgroup == "string" else text, line))
        return found

    @property
    def code(self):
        return [token for token in self.tokens if token.kind not in ("comment", "include")]

    @property
    def includes(self):
        for token in self.tokens:
            if token.kind == "include":
                match = re.search(r'([<"])([^>"]*)', token.text)
                yield Include(match.group(2), match.group(1) == '"', token.line)

    def finding(self, line, rule, text):
        return Finding(self.path, line, rule, text)


class Tree:
    """All files of a root that belong to the repository."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()

    @functools.cached_property
    def paths(self):
        if (self.root / ".git").exists():
            command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
            listed = subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True).stdout.split("\0")
        else:
            listed = [
                os.path.relpath(os.path.join(folder, name), self.root)
                for folder, _, names in os.walk(self.root)
                for name in names
            ]
        return sorted(
            path for path in listed
            if path and not SKIPPED.intersection(path.split("/")) and (self.root / path).is_file())

    @functools.lru_cache(maxsize=None)
    def source(self, path):
        return Source(self.root, path)

    def sources(self, *patterns):
        """Those whose path fits one of the regular expressions from its beginning."""
        for path in self.paths:
            if any(re.match(pattern, path) for pattern in patterns):
                yield self.source(path)

    def c_sources(self, folder="server/"):
        for source in self.sources(re.escape(folder)):
            if source.is_c:
                yield source
