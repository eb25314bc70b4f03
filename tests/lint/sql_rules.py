"""SQL: where it stands, and that no statement reads or writes another organization's rows."""

import re

STATEMENT = re.compile(
    r"\s*(SELECT\s|INSERT INTO\s|UPDATE\s+\w+|DELETE FROM\s|WITH\s+\w+(\s*\([^)]*\))?\s+AS\s|CREATE (TABLE|INDEX|TYPE)\s|ALTER TABLE\s|"
    r"DROP TABLE\s|LISTEN\s|NOTIFY\s|TRUNCATE\s|LOCK TABLE\s|BEGIN\s|COMMIT$|ROLLBACK$)")
TABLES = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(?:ONLY\s+)?(\w+)")
EVERYBODY = re.compile(r"\ball\s+(\*\s+)?organi[sz]ations\b", re.IGNORECASE)  # in a comment right before a statement, with the reason
COMMENT_REACH = 8  # lines


def statements(source):
    """Neighbouring string literals, and macros between them, are one text. Gives (line, text, comment before)."""
    comment = within = (0, "")
    line, pieces = 0, []
    for token in [*source.tokens, None]:
        if token is not None and token.kind == "string":
            line = line if pieces else token.line
            pieces.append(token.text.replace("\\n", " ").replace('\\"', '"'))
            continue
        if token is not None and pieces and token.kind == "word" and re.fullmatch(r"[A-Z][A-Z0-9_]+", token.text):
            pieces.append(f" {token.text} ")
            continue
        if token is not None and pieces and token.kind == "comment":
            within = (token.line + token.text.count("\n"), token.text)
            continue
        if pieces:
            yield line, "".join(pieces), comment if line - comment[0] <= COMMENT_REACH else (0, "")
            pieces = []
            comment = max(comment, within)
        if token is not None and token.kind == "comment":
            comment = (token.line + token.text.count("\n"), token.text)


def sql(tree):
    """SQL stands in store."""
    for source in tree.c_sources():
        if source.module == "store":
            continue
        for line, text, _ in statements(source):
            if STATEMENT.match(text):
                yield source.finding(line, "sql", "SQL belongs to store")
        for token in source.code:
            if token.kind == "word" and re.match(r"PQ[a-z]\w+$", token.text):
                yield source.finding(token.line, "sql", f"{token.text}() belongs to store")


def tenant_tables(tree):
    """Tables with a column org_id, as the migrations make them."""
    tables = set()
    for source in tree.sources(r"migrations/\d+_\w+\.sql$"):
        text = re.sub(r"--[^\n]*", "", source.text)
        for match in re.finditer(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)\s*\((.*?)\n\)", text, re.DOTALL):
            if re.search(r"^\s*org_id\b", match.group(2), re.MULTILINE):
                tables.add(match.group(1))
        for match in re.finditer(r"CREATE TABLE (\w+)\s+PARTITION OF (\w+)", text):
            if match.group(2) in tables:
                tables.add(match.group(1))
    return tables


def chooses_organization(text):
    """org_id must be a condition, or a column that is written; being read is not enough."""
    conditions = re.split(r"\b(?:WHERE|ON|USING)\b", text)[1:]
    columns = re.findall(r"\bINSERT INTO\s+\w+(?:\s+AS\s+\w+)?\s*\(([^)]*)\)", text)
    return any(re.search(r"\borg_id\b", part) for part in (*conditions, *columns))


def tenants(tree):
    """Every statement on a table of the organizations names org_id, or says why it concerns all of them."""
    tables = tenant_tables(tree) - {"organizations"}  # the tenants themselves: found by name before they are known
    for source in tree.c_sources("server/store/"):
        spent = (0, "")  # a comment speaks for one statement
        for line, text, comment in statements(source):
            if not STATEMENT.match(text):
                continue
            comment, spent = ((0, "") if comment == spent else comment), comment
            named = sorted(set(TABLES.findall(text)) & tables)
            if named and not chooses_organization(text) and not EVERYBODY.search(comment[1]):
                yield source.finding(line, "tenants", f"{named[0]} without org_id; or say in a comment why it is about all organizations")


def migrations(tree):
    """Numbered without gaps; money is bigint with its currency, and nothing is a binary fraction."""
    numbers = []
    for source in tree.sources(r"migrations/.*\.sql$"):
        match = re.fullmatch(r"migrations/(\d{4})_[a-z0-9_]+\.sql", source.path)
        if not match:
            yield source.finding(1, "migrations", "the name must be NNNN_name.sql")
            continue
        numbers.append(int(match.group(1)))
        if numbers[-1] != len(numbers):
            yield source.finding(1, "migrations", f"expected number {len(numbers):04d}")
        for number, line in enumerate(source.lines, 1):
            bare = line.split("--")[0]
            column = re.match(r"\s*(?:ADD COLUMN\s+)?(\w+_minor)\s+(\w+)", bare)
            if column and column.group(2) != "bigint":
                yield source.finding(number, "migrations", f"{column.group(1)} must be bigint")
            if re.match(r"\s*(?:ADD COLUMN\s+)?\w+\s+(real|float\d?|money)\b", bare):
                yield source.finding(number, "migrations", "no such type: whole numbers of a smaller unit")


RULES = (sql, tenants, migrations)
