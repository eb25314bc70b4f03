"""The repository as a whole: tests that run, lists that agree, and words that do not belong here."""

import re

# Left over from writing, or about the place where it was written. In pieces, or this file would break its own rule.
WORDS = (
    "lorem" r" ipsum", r"/wo" r"rk/\w+", r"/tmp/br" r"ief", "sub" r"-?agents?\b", "clau" "de", "anthro" "pic", "chat" "gpt", "co" "pilot",
    "language" r" model", r"\bas an a" r"i\b", "co-authored" "-by",
)
# An installation of somebody's own, where packages come from.
REGISTRIES = ("artifactory", r"\bnexus\b", "verdaccio", "index-url", r'"resolved"\s*:\s*"http', r"registry\s*=\s*http")


def words(tree):
    """The repository speaks of the product alone."""
    pattern = re.compile("|".join(WORDS), re.IGNORECASE)
    for source in tree.sources(r"(?!tests/lint/repo_rules\.py).*\.(c|h|cc|def|py|sh|ts|go|md|sql|proto|ya?ml|json|txt|cmake)$", r"dev$"):
        for number, line in enumerate(source.lines, 1):
            match = pattern.search(line)
            if match:
                yield source.finding(number, "words", f"\"{match.group()}\" does not belong here")


def registries(tree):
    """Packages are named by name and version; from where is the machine's affair."""
    pattern = re.compile("|".join(REGISTRIES), re.IGNORECASE)
    for source in tree.sources(r".*(package-lock\.json|requirements.*\.txt|\.npmrc|pip\.conf|go-tools\.txt|apt-packages\.txt)$"):
        for number, line in enumerate(source.lines, 1):
            match = pattern.search(line)
            if match:
                yield source.finding(number, "registries", f"\"{match.group()}\" names where packages come from")


def secrets(tree):
    """Keys that look like those of the payment side, and card numbers, are not kept in files."""
    pattern = re.compile(r"\b(sk|rk)_live_[0-9A-Za-z]{16,}|\b(?:4\d{3}|5[1-5]\d{2})[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}\b|BEGIN (RSA |EC )?PRIVATE KEY")
    for source in tree.sources(r".*\.(c|h|cc|def|py|sh|ts|go|md|sql|proto|ya?ml|json|txt|env|pem)$"):
        for number, line in enumerate(source.lines, 1):
            match = pattern.search(line)
            if match and "package-lock" not in source.path:
                yield source.finding(number, "secrets", "this looks like a key or a card number")


def mirror(tree):
    """tests/unit mirrors server/, and each test is registered, so that it runs."""
    for source in tree.sources(r"tests/unit/\w+/.*_test\.c$"):
        match = re.fullmatch(r"tests/unit/(\w+)/(\w+)_test\.c", source.path)
        module, name = match.groups() if match else ("", "")
        parts = name.split("_")  # db_outage_test.c is about db.c
        stems = ["_".join(parts[:count]) for count in range(1, len(parts) + 1)]
        if not any(f"server/{module}/{stem}.{end}" in tree.paths for stem in stems for end in ("c", "h", "cc")):
            yield source.finding(1, "mirror", f"there is no server/{module}/{name}.c or .h that this could test")
        registry = f"tests/unit/{module}.cmake"
        if registry not in tree.paths or not re.search(rf"\({module}/{name}[\s)]", tree.source(registry).text):
            yield source.finding(1, "mirror", f"not registered in {registry}")


INTERNAL_REASONS = {"WOULD_BLOCK"}  # never leave the process


def reason_codes(source):
    """From each reason of error_reason.proto to its line and the codes that its comment names."""
    codes, comment = {}, ""
    for number, line in enumerate(source.lines, 1):
        value = re.match(r"\s*ERROR_REASON_(\w+) = \d+", line)
        if value:
            codes[value.group(1)] = (number, re.findall(r"\bCode ([A-Z_]+)\.", comment))
        comment = f"{comment} {line.strip(' /')}" if line.strip().startswith("//") else ""
    return codes


def reasons(tree):
    """Every reason of the server is one of the API, which has more for what is not live yet, with the same one code."""
    inside, outside = "server/base/reasons.def", "api/billingos/v1/error_reason.proto"
    if inside not in tree.paths or outside not in tree.paths:
        return
    theirs = reason_codes(tree.source(outside))
    for name, (line, codes) in theirs.items():
        if name != "UNSPECIFIED" and len(codes) != 1:
            yield tree.source(outside).finding(line, "reasons", f"the comment of {name} names {len(codes)} codes: write \"Code NAME.\" once")
    for number, line in enumerate(tree.source(inside).lines, 1):
        match = re.match(r"REASON\((\w+), (\w+)", line)
        if not match or match.group(1) in INTERNAL_REASONS:
            continue
        name, code = match.groups()
        if name not in theirs:
            yield tree.source(inside).finding(number, "reasons", f"{name} is not in {outside}")
        elif len(theirs[name][1]) == 1 and theirs[name][1] != [code]:
            yield tree.source(inside).finding(number, "reasons", f"{name} has the code {code} here and {theirs[name][1][0]} in {outside}")


def settings_of_yaml(source):
    """From each key of the file to its line, its value and whether a comment stands above it; keys in a row may share one."""
    settings, section, commented = {}, "", False
    for number, line in enumerate(source.lines, 1):
        if re.match(r"\w+:\s*$", line):
            section, commented = line.rstrip(": \n"), False
        elif line.strip().startswith("#"):
            commented = True
        elif re.match(r"  \w+: ", line):
            key, value = line.strip().split(": ", 1)
            settings[f"{section}.{key}"] = (number, value, commented)
        elif not line.strip():
            commented = False
    return settings


def settings(tree):
    """config/default.yaml holds every setting of the server, with its default, and says what it is for."""
    inside, outside = "server/settings.def", "config/default.yaml"
    if inside not in tree.paths or outside not in tree.paths:
        return
    shown = settings_of_yaml(tree.source(outside))
    known = set()
    for number, line in enumerate(tree.source(inside).lines, 1):
        match = re.match(r'SETTING\((\w+), "([\w.]+)", \w+, (".*?"|\d+),', line)
        if not match:
            continue
        kind, key, default = match.groups()
        default = {"0": "false", "1": "true"}[default] if kind == "FLAG" else default
        known.add(key)
        if key not in shown:
            yield tree.source(inside).finding(number, "settings", f"{key} is not in {outside}")
            continue
        at, value, commented = shown[key]
        if value != default:
            yield tree.source(outside).finding(at, "settings", f"{key} is {value} here and {default} in {inside}")
        if not commented:
            yield tree.source(outside).finding(at, "settings", f"{key} has no comment")
    for key in sorted(set(shown) - known):
        yield tree.source(outside).finding(shown[key][0], "settings", f"{key} is not in {inside}")


def credentials(tree):
    """The organization comes from the credentials, never from a message."""
    for source in tree.sources(r"api/.*\.proto$"):
        message = ""
        for number, line in enumerate(source.lines, 1):
            match = re.match(r"message (\w+)", line)
            message = match.group(1) if match else message
            field = re.match(r"\s*(?:optional |repeated )?\w[\w.]* (org_id|organization_id|org) = \d+", line)
            if field and message.endswith("Request"):
                yield source.finding(number, "credentials", f"{message}.{field.group(1)}: the key says which organization it is")


RULES = (words, registries, secrets, mirror, reasons, settings, credentials)
