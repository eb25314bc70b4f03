"""Who may include what: the layers of server/ and the libraries that one folder each may know."""

import re

# A folder uses folders that stand before it in this list, and of those only the ones that its line in
# server/CMakeLists.txt names.
LAYERS = (
    "base", "domain", "http", "rpc", "learn", "store", "stripe", "cache", "feed", "services", "handlers", "web", "jobs")
SANDBOX_USES = {"base", "http"}  # It must be able to disagree with the server.

# A library's headers, and the paths of server/ and tests/ that may include them.
LIBRARIES = (
    ("gRPC", r"grpc(?!/.*\.pb-c\.h$)", r"server/rpc/|tests/bench/echo/|tests/unit/rpc/"),
    ("protobuf-c", r"protobuf-c/", r"server/(rpc|handlers)/|tests/(unit|fuzz)/"),
    ("libprotobuf", r"google/protobuf/.*(?<!\.pb-c\.h)$", r"server/web/json_map\.cc$"),
    ("libpq", r"(libpq-fe|postgres_ext|libpq/|postgresql/)", r"server/store/|tests/unit/store/"),
    ("libcurl", r"curl/", r"server/http/|tests/unit/http/"),
    ("libmicrohttpd", r"microhttpd\.h", r"server/http/|tests/unit/http/"),
    ("json-c", r"json-c/", r"server/http/|tests/unit/http/"),
    ("libyaml", r"yaml\.h", r"server/settings\w*\.[ch]$"),
    ("OpenSSL", r"openssl/", r"server/base/digest\.[ch]$"),
    ("cjose", r"cjose/", r"server/web/jwt\.[ch]$"),
    ("libxgboost", r"xgboost/", r"server/learn/"),
    ("uthash", r"ut(hash|list|array|string)\.h", r"server/base/hash_cold\.h$"),
    ("cmocka", r"cmocka\.h", r"tests/unit/|tests/bench/"),
    ("nghttp2", r"nghttp2/", r"tests/bench/"),
)

# What domain must not have: a clock, a lock, I/O, the heap. <time.h> is for the calendar.
DOMAIN_HEADERS = {
    "pthread.h", "stdatomic.h", "unistd.h", "fcntl.h", "sys/time.h", "sys/socket.h", "poll.h", "signal.h",
    "base/heap.h", "base/queue.h", "base/deadline.h", "base/log.h", "base/metrics.h", "base/failpoint.h"}
DOMAIN_CALLS = {
    "wallclock_us", "monotonic_us", "time", "clock_gettime", "fopen", "open", "read", "write", "socket", "printf", "fprintf", "getenv", "random_bytes",
    "id_new"}


def uses_of(tree):
    """From a module to the modules that its line in server/CMakeLists.txt names."""
    uses = {}
    if "server/CMakeLists.txt" in tree.paths:
        text = tree.source("server/CMakeLists.txt").text
        for match in re.finditer(r"bos_module\((\w+)([^)]*)\)", text):
            words = match.group(2).split()
            named = words[words.index("USES") + 1:] if "USES" in words else []
            for end in ("PRIVATE", "PUBLIC"):
                named = named[:named.index(end)] if end in named else named
            uses[match.group(1)] = (set(named), text.count("\n", 0, match.start()) + 1)
    return uses


def layers(tree):
    """A module includes what its line in server/CMakeLists.txt names, and names only what stands above it."""
    uses = uses_of(tree)
    for module, (named, line) in uses.items():
        above = LAYERS[:LAYERS.index(module)] if module in LAYERS else ()
        for other in sorted(named.difference(above)):
            yield tree.source("server/CMakeLists.txt").finding(line, "layers", f"{module} must not use {other}")
    for source in tree.c_sources():
        above = LAYERS[:LAYERS.index(source.module)] if source.module in LAYERS else ()
        named = SANDBOX_USES if source.module == "sandbox" else uses.get(source.module, (set(), 0))[0].intersection(above)
        allowed = {source.module} | named
        for include in source.includes:
            other = include.path.split("/")[0] if "/" in include.path else ""
            if not include.ours or other not in (*LAYERS, "sandbox"):
                continue
            if other not in allowed and (source.module or other == "sandbox"):
                yield source.finding(include.line, "layers", f"{source.module or 'the program'} must not include \"{include.path}\"")


def libraries(tree):
    """Each library is known to one folder."""
    for source in tree.sources("server/", "tests/"):
        for include in source.includes if source.is_c else ():
            for name, header, allowed in LIBRARIES:
                if re.match(header, include.path) and not re.match(allowed, source.path):
                    yield source.finding(include.line, "libraries", f"<{include.path}>: {name} is not known here")


def generated(tree):
    """Messages of the API are known to handlers only; rpc has a few of its own."""
    own = {re.sub(r"^server/rpc/proto/(.*)\.proto$", r"\1.pb-c.h", path) for path in tree.paths}
    for source in tree.c_sources():
        for include in source.includes:
            if not include.path.endswith(".pb-c.h") or source.module == "handlers":
                continue
            if source.module == "rpc" and (include.path in own or include.path.startswith("google/protobuf/")):
                continue
            yield source.finding(include.line, "generated", f"\"{include.path}\" is for handlers only")


def parents(tree):
    """Includes name a file from the top of its module."""
    for source in tree.sources("server/", "tests/"):
        for include in source.includes if source.is_c else ():
            if ".." in include.path.split("/"):
                yield source.finding(include.line, "parents", f"\"{include.path}\" goes up; name the file by its folder")


def internals(tree):
    """x_internal.h is for its own folder, and for that folder's tests."""
    for source in tree.sources("server/", "tests/"):
        own = re.match(r"(?:server|tests/unit)/(\w+)/", source.path)
        for include in source.includes if source.is_c else ():
            match = re.match(r"(\w+)/.*_internal\.h$", include.path)
            if match and (own is None or own.group(1) != match.group(1)):
                yield source.finding(include.line, "internals", f"\"{include.path}\" is internal to {match.group(1)}")


def payments(tree):
    """Only stripe speaks the payment side's language: its paths and its headers."""
    for source in tree.c_sources():
        if source.module in ("stripe", "sandbox"):
            continue
        for token in source.code:
            words = r"/v1/[a-z]" if source.module == "web" else r"/v1/[a-z]|Stripe-[A-Z]"
            if token.kind == "string" and re.match(words, token.text):
                yield source.finding(token.line, "payments", f"\"{token.text}\" is for stripe only")


def domain(tree):
    """The rules of billing are pure: they are given the time, and have no I/O, lock or heap."""
    for source in tree.c_sources("server/domain/"):
        for include in source.includes:
            if include.path in DOMAIN_HEADERS:
                yield source.finding(include.line, "domain", f"\"{include.path}\" has no place in domain")
        code = source.code
        for token, after in zip(code, code[1:]):
            if token.kind == "word" and after.text == "(" and (
                    token.text in DOMAIN_CALLS or token.text.startswith(("heap_", "pthread_"))):
                yield source.finding(token.line, "domain", f"{token.text}() has no place in domain")


RULES = (layers, libraries, generated, parents, internals, payments, domain)
