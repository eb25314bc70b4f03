"""What C files contain: numbers, locks, comments, sizes."""

import re

LINES_MAX = 700

# Fractions of seconds at the edge of the metrics, statistics, and models; never money.
DOUBLES = re.compile(r"server/(learn/|base/metrics\.[ch]$|domain/(churn_features|insight|anomaly|forecast|cohort)\w*\.[ch]$)")

# Objects that threads share. No lock is held across I/O or a call-back.
LOCKS = re.compile(
    r"server/(base/queue|base/metrics|store/db|cache/(entitlement|catalog)_cache|cache/entitlement_state|feed/hub|services/auth_cache|jobs/scheduler)(_\w+)?\.[ch]$"
    r"|server/rpc/rpc_server\w*\.[ch]$"  # one semaphore, for the end of the process
    r"|server/sandbox/")  # a program of its own
LOCK_WORDS = re.compile(r"pthread_(mutex|rwlock|cond|spin|barrier)_\w+|sem_(init|wait|post|t)|mtx_\w+")


def sizes(tree):
    """A file that is too long has two subjects."""
    for source in tree.sources(r".*\.(c|h|cc|py|sh|ts|go)$", r"dev$"):
        if len(source.lines) > LINES_MAX:
            yield source.finding(LINES_MAX + 1, "sizes", f"{len(source.lines)} lines, and {LINES_MAX} are the most")


def doubles(tree):
    """Fractions exist in statistics only."""
    for source in tree.c_sources():
        if DOUBLES.match(source.path):
            continue
        statement, depth = set(), 0
        for token in source.code:
            depth += (token.text == "(") - (token.text == ")")
            ends = token.text == ";" or (depth == 0 and token.text in "{}")  # a literal in a call has braces, too
            statement = set() if ends else statement | {token.text}
            if token.text in ("double", "float") and "metric_observe" not in statement:
                yield source.finding(token.line, "doubles", f"{token.text}: use whole numbers of a smaller unit")


def locks(tree):
    """Locks live in few files, whose tests run under TSan."""
    for source in tree.c_sources():
        if LOCKS.match(source.path):
            continue
        for token in source.code:
            if token.kind == "word" and LOCK_WORDS.fullmatch(token.text):
                yield source.finding(token.line, "locks", f"{token.text}: no lock here; use base/queue.h or an atomic")
                break


def typedefs(tree):
    """A struct is called struct."""
    for source in tree.c_sources():
        words = [token.text for token in source.code]
        for at, word in enumerate(words):
            if word != "typedef" or words[at + 1] not in ("struct", "enum", "union"):
                continue
            declaration = words[at:words.index(";", at)]
            if "{" in declaration or ("(", "*") not in zip(declaration, declaration[1:]):
                yield source.finding(source.code[at].line, "typedefs", f"no typedef of a {words[at + 1]}, only of functions")


def comments(tree):
    """One form of comment; and what is to be done is an issue, not a comment."""
    wish = re.compile(r"\b(TO" r"DO|FIX" r"ME|HACK|XXX)\b(?!\(#\d+\))")
    for source in tree.sources("server/", "tests/(unit|fuzz|bench)/"):
        for token in source.tokens if source.is_c else ():
            if token.kind != "comment":
                continue
            if token.text.startswith("//"):
                yield source.finding(token.line, "comments", "comments are /* like this */")
            match = wish.search(token.text)
            if match:
                yield source.finding(token.line, "comments", f"{match.group(1)} without the number of an issue")


def exceptions(tree):
    """An exception from clang-tidy names the check and the reason."""
    for source in tree.sources("server/", "tests/(unit|fuzz|bench)/"):
        for token in source.tokens if source.is_c else ():
            if token.kind == "comment" and re.search(r"NOLINT(?!END)(?!(NEXTLINE|BEGIN)?\([\w.,\s*-]+\):)", token.text):
                yield source.finding(token.line, "exceptions", "write NOLINT(check): reason")


RULES = (sizes, doubles, locks, typedefs, comments, exceptions)
