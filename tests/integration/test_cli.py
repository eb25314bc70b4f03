"""The command line: help, what is wrong said in one line, and the verbs on organisations and keys."""

import json
import os
import re
import subprocess

import grpc
import psycopg
import pytest

import world
from errors import Failure, fails

PROGRAM = str(world.BUILD / "server" / "billingos")


def run(*arguments, env=None):
    """The program without any settings of its own but those given."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("BILLINGOS_")}
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, env={**clean, **(env or {})}, timeout=60)


@pytest.fixture()
def settings(tmp_path):
    """Writes a settings file and gives its path."""

    def write(text):
        path = tmp_path / "settings.yaml"
        path.write_text(text)
        return str(path)

    return write


@pytest.fixture()
def database(cluster):
    return {"BILLINGOS_DATABASE_URL": cluster.url(cluster.database())}


@pytest.fixture()
def acme(database):
    """An organisation made by the command line: its keys, and how to call verbs on it."""
    made = run("org", "create", "--name", "Acme", "--owner", "ada@example.com", "--slug", "acme", "--json", env=database)
    assert made.returncode == 0, made.stderr

    def verb(*arguments):
        return run(*arguments, env=database)

    return json.loads(made.stdout), verb


# --- help -----------------------------------------------------------------------------------------------------------


def test_help_names_every_verb(settings):
    for arguments in (["--help"], ["-h"], ["help"]):
        result = run(*arguments)
        assert result.returncode == 0 and not result.stderr
        for verb in ("serve", "migrate up", "migrate status", "migrate verify", "org create", "org show",
                     "org update", "org members", "org update-member", "org remove-member", "org invite",
                     "org invitations", "org revoke-invitation", "org audit", "keys create", "keys list", "keys rotate", "keys revoke", "bootstrap-token", "config check", "config print",
                     "healthcheck", "version"):
            assert re.search(rf"^  {verb} ", result.stdout, re.MULTILINE), verb
        assert "config/default.yaml" in result.stdout
    without = run()
    assert without.returncode == 2 and not without.stdout and "usage: billingos" in without.stderr


def test_every_verb_has_help_of_its_own():
    verbs = re.findall(r"^  ([a-z-]+(?: [a-z-]+)?)  +\w", run("--help").stdout, re.MULTILINE)
    assert len(verbs) == 23
    for verb in verbs:
        result = run(*verb.split(), "--help")
        assert result.returncode == 0 and result.stdout.startswith(f"usage: billingos {verb}"), verb


@pytest.mark.parametrize("family,verbs", [
    ("migrate", ["up", "status", "verify"]),
    ("org", ["create", "show", "update", "members", "update-member", "remove-member", "invite", "invitations",
             "revoke-invitation", "audit"]),
    ("keys", ["create", "list", "rotate", "revoke"]),
    ("config", ["check", "print"]),
])
def test_a_family_shows_its_verbs(family, verbs):
    shown = run(family, "--help")
    assert shown.returncode == 0
    assert re.findall(rf"^  {family} ([\w-]+)", shown.stdout, re.MULTILINE) == verbs
    alone = run(family)
    assert alone.returncode == 2 and f"did you mean \"{family} " in alone.stderr


@pytest.mark.parametrize("arguments,suggestion", [
    (["serv"], "serve"),
    (["migrat", "up"], "migrate up"),
    (["migrate", "upp"], "migrate up"),
    (["keys", "rotat", "--org", "acme"], "keys rotate"),
    (["org", "invit", "--org", "acme"], "org invite"),
    (["org", "remove-membr", "--org", "acme"], "org remove-member"),
    (["bootstrap"], None),
    (["config", "chek"], "config check"),
    (["xyzzy-nothing-like-it"], None),
])
def test_an_unknown_verb_ends_with_2_and_a_suggestion(arguments, suggestion):
    result = run(*arguments)
    assert result.returncode == 2 and not result.stdout
    assert "unknown verb" in result.stderr and "--help" in result.stderr
    if suggestion:
        assert f"did you mean \"{suggestion}\"?" in result.stderr


@pytest.mark.parametrize("arguments,text", [
    (["serve", "--confg", "x"], "unknown option \"--confg\", did you mean \"--config\"?"),
    (["serve", "--confg=/some/where/far/away.yaml"], "unknown option \"--confg\", did you mean \"--config\"?"),
    (["version", "--jsn"], "did you mean \"--json\"?"),
    (["version", "-v"], "unknown option \"-v\""),
    (["serve", "--config"], "option \"--config\" needs a value"),
    (["serve", "now"], "unexpected argument \"now\""),
    (["org", "create", "--name", "A"], "needs --name NAME and --owner EMAIL"),
    (["org", "show"], "needs an organization"),
    (["org", "show", "a", "b"], "unexpected argument \"b\""),
    (["org", "update", "--name", "A"], "needs an organization"),
    (["org", "update", "a"], "needs something to change"),
    (["org", "update", "a", "--payment-grace", "long"], "--payment-grace is a span"),
    (["org", "update", "a", "--slug", "b"], "unknown option \"--slug\""),
    (["org", "members"], "org members needs --org ORG"),
    (["org", "members", "--org", "a", "--jsn"], "did you mean \"--json\"?"),
    (["org", "update-member", "--org", "a", "mem_01J8Z0K3V9QH0000000000000A"], "needs --org ORG and --role ROLE or --name NAME"),
    (["org", "update-member", "--org", "a", "--role", "viewer"], "the id of a member is needed, mem_..."),
    (["org", "update-member", "--org", "a", "--role", "king", "mem_01J8Z0K3V9QH0000000000000A"],
     "--role is owner, admin, developer or viewer"),
    (["org", "remove-member", "mem_01J8Z0K3V9QH0000000000000A"], "org remove-member needs --org ORG"),
    (["org", "remove-member", "--org", "a", "bob@example.com"], "the id of a member is needed, mem_..."),
    (["org", "invite", "--org", "a", "bob@example.com"], "needs --org ORG, --role ROLE and an e-mail address"),
    (["org", "invite", "--org", "a", "--role", "viewer"], "needs --org ORG, --role ROLE and an e-mail address"),
    (["org", "invite", "--org", "a", "--role", "king", "bob@example.com"], "--role is owner, admin, developer or viewer"),
    (["org", "invite", "--org", "a", "--role", "viewer", "--expires-in", "soon", "b@example.com"], "--expires-in is a span"),
    (["org", "invitations"], "org invitations needs --org ORG"),
    (["org", "revoke-invitation", "invt_01J8Z0K3V9QH0000000000000A"], "org revoke-invitation needs --org ORG"),
    (["org", "revoke-invitation", "--org", "a", "key_01J8Z0K3V9QH0000000000000A"],
     "the id of an invitation is needed, invt_..."),
    (["org", "audit"], "org audit needs --org ORG"),
    (["org", "audit", "--org", "a", "--limit", "0"], "--limit is a number from 1 to 1000"),
    (["org", "audit", "--org", "a", "--limit", "1001"], "--limit is a number from 1 to 1000"),
    (["org", "audit", "--org", "a", "--mode", "both"], "--mode is test or live"),
    (["org", "audit", "--org", "a", "--since", "ever"], "--since is a span"),
    (["keys", "list", "--org", "acme"], "--mode test or live"),
    (["keys", "list", "--org", "acme", "--mode", "both"], "--mode test or live"),
    (["keys", "create", "--org", "a", "--mode", "test", "--kind", "magic"], "--kind is secret, publishable or restricted"),
    (["keys", "create", "--org", "a", "--mode", "test", "--scopes", "catalog.read,nothing"], "\"nothing\" is not a scope"),
    (["keys", "rotate", "--org", "a", "--mode", "test", "nokey"], "the id of a key is needed"),
    (["keys", "rotate", "--org", "a", "--mode", "test", "--overlap", "soon", "key_01J8Z0K3V9QH0000000000000A"],
     "--overlap is a span"),
    (["keys", "revoke", "--org", "a", "--mode", "test", "--overlap", "1h", "key_01J8Z0K3V9QH0000000000000A"],
     "unknown option \"--overlap\""),
])
def test_a_wrong_call_ends_with_2_and_says_why(arguments, text):
    result = run(*arguments)
    assert result.returncode == 2 and not result.stdout
    assert text in result.stderr, result.stderr


def test_the_version(settings):
    plain = run("version").stdout.strip()
    number = json.loads(run("version", "--json").stdout)["version"]
    assert plain == f"billingos {number}" == run("--version").stdout.strip()


# --- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text,message", [
    ("grpc:\n  listn: x\n", ":2: unknown key \"grpc.listn\", did you mean \"grpc.listen\"?"),
    ("database:\n  url: a\n\ngrcp:\n  listen: x\n", ":5: unknown key \"grcp.listen\", did you mean \"grpc.listen\"?"),
    ("listen: x\n", ":1: unknown key \"listen\""),
    ("a:\n  b:\n    c: 1\n", ":3: unknown key \"a.b.c\""),
    ("http:\n  threads: many\n", ":2: http.threads is \"many\", it must be a whole number from 1 to 64"),
    ("http:\n  threads: 0\n", ":2: http.threads is \"0\", it must be a whole number from 1 to 64"),
    ("http:\n  threads: 65\n", ":2: http.threads is \"65\""),
    ("http:\n  threads: 1.5\n", ":2: http.threads is \"1.5\""),
    ("http:\n  threads: 99999999999999999999\n", ":2: http.threads is \"99999999999999999999\""),
    ("grpc:\n  insecure: yes\n", ":2: grpc.insecure is \"yes\", it must be true or false"),
    ("grpc:\n  listen: [a, b]\n", ":2: lists and aliases are not used here"),
    ("- a\n- b\n", ":1: lists and aliases are not used here"),
    ("just words\n", ":1: a map of keys is expected"),
    ("grpc:\n  listen: \"a\n", "settings.yaml:"),
    ("grpc:\n\tlisten: a\n", ":2: "),
    ("a: {b: {c: {d: {e: {f: 1}}}}}\n", ":1: keys are nested too deep"),
])
def test_a_wrong_setting_is_named_with_its_file_and_line(settings, text, message):
    path = settings(text)
    for verb in (["config", "check"], ["serve"], ["migrate", "up"]):
        result = run(*verb, "--config", path)
        assert result.returncode == 1 and not result.stdout
        assert result.stderr.startswith(f"billingos: {path}"), result.stderr
        assert message in result.stderr, result.stderr
        assert result.stderr.count("\n") == 1, result.stderr


def test_settings_that_are_right_are_taken(settings):
    path = settings(
        "# all of it is optional\ngrpc:\n  listen: \"127.0.0.1:0\"\n  reflection: false\nhttp:\nlog: ~\ncache:\n  customers_max: \"16\"\n")
    assert run("config", "check", "--config", path).returncode == 0
    shown = run("config", "print", "--config", path).stdout
    assert "  listen: \"127.0.0.1:0\"\n" in shown and "  reflection: false\n" in shown
    assert "  customers_max: 16\n" in shown
    assert run("config", "check", "--config", settings("")).returncode == 0
    assert run("config", "check", "--config", settings("# nothing\n")).returncode == 0


def test_the_file_with_all_defaults_changes_nothing():
    with_file = run("config", "print", "--config", str(world.ROOT / "config" / "default.yaml"))
    assert with_file.returncode == 0, with_file.stderr
    assert with_file.stdout == run("config", "print").stdout


def test_the_environment_stands_above_the_file(settings):
    path = settings("http:\n  threads: 3\n  connections_max: 7\n")
    shown = run("config", "print", "--config", path, env={"BILLINGOS_HTTP_THREADS": "5"}).stdout
    assert "  threads: 5\n" in shown and "  connections_max: 7\n" in shown
    wrong = run("config", "check", env={"BILLINGOS_HTTP_THREADS": "none"})
    assert wrong.returncode == 1
    assert wrong.stderr == ("billingos: BILLINGOS_HTTP_THREADS: http.threads is \"none\", it must be a whole number from"
                            " 1 to 64\n")


def test_secrets_are_taken_from_files_and_never_printed(settings, tmp_path):
    secret = tmp_path / "key"
    secret.write_text("sk_test_hidden_in_a_file\n")
    env = {"BILLINGOS_PAYMENTS_SECRET_KEY_TEST_FILE": str(secret),
           "BILLINGOS_DATABASE_URL": "postgresql://user:hidden@host/db", "BILLINGOS_SECURITY_TOKEN_SECRET": "hidden"}
    shown = run("config", "print", env=env)
    assert shown.returncode == 0
    assert "hidden" not in shown.stdout + shown.stderr
    assert "  url: (set)\n" in shown.stdout and "  secret_key_test: (set)\n" in shown.stdout
    assert "  secret_key_live: (not set)\n" in shown.stdout
    missing = run("config", "check", env={"BILLINGOS_PAYMENTS_SECRET_KEY_TEST_FILE": str(tmp_path / "none")})
    assert missing.returncode == 1 and "BILLINGOS_PAYMENTS_SECRET_KEY_TEST_FILE" in missing.stderr
    secret.write_text("x" * 5000)
    large = run("config", "check", env={"BILLINGOS_PAYMENTS_SECRET_KEY_TEST_FILE": str(secret)})
    assert large.returncode == 1 and "more than" in large.stderr and "xxx" not in large.stderr


def test_a_file_that_is_not_there(tmp_path):
    result = run("serve", "--config", str(tmp_path / "none.yaml"))
    assert result.returncode == 1
    assert f"cannot read settings \"{tmp_path / 'none.yaml'}\": No such file" in result.stderr


@pytest.mark.parametrize("env,text", [
    ({"BILLINGOS_LOG_LEVEL": "loud"}, "log.level is \"loud\", it must be debug, info, warn or error"),
    ({"BILLINGOS_LOG_FORMAT": "xml"}, "log.format is \"xml\", it must be logfmt or json"),
])
def test_words_that_are_not_allowed_are_found_by_the_check_too(database, env, text):
    for verb in (["serve"], ["config", "check"]):
        result = run(*verb, env={**database, **env})
        assert result.returncode == 1 and text in result.stderr, (verb, result.stderr)


# --- the start ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", [["serve"], ["migrate", "up"], ["migrate", "status"], ["migrate", "verify"],
                                  ["org", "show", "acme"], ["bootstrap-token"]])
def test_without_a_database_one_line_says_so(verb):
    unset = run(*verb)
    assert unset.returncode == 1
    assert unset.stderr.startswith("billingos: database.url is not set") and unset.stderr.count("\n") == 1
    port = world.free_port()
    away = run(*verb, env={"BILLINGOS_DATABASE_URL": f"postgresql://user:hidden@127.0.0.1:{port}/billingos"})
    assert away.returncode == 1
    line = away.stderr.strip().splitlines()[-1]
    assert line.startswith("billingos: ") and str(port) in line, away.stderr
    assert "hidden" not in away.stderr


def test_a_wrong_url_or_database_is_told(cluster):
    for url in ("not a hidden url", "postgresql://user:hidden%zz@host/db", "postgresql://[hidden/db", "host='hidden"):
        junk = run("migrate", "up", env={"BILLINGOS_DATABASE_URL": url})
        assert junk.returncode == 1 and junk.stderr.count("\n") == 1
        assert junk.stderr.startswith("billingos: database.url: cannot read the database URL"), junk.stderr
        assert "hidden" not in junk.stderr
    none = run("migrate", "up", env={"BILLINGOS_DATABASE_URL": cluster.url("no_such_database")})
    assert none.returncode == 1 and "no_such_database" in none.stderr


def test_a_schema_that_does_not_fit_ends_the_start(cluster, database):
    with cluster.connect("postgres") as connection:
        connection.execute("CREATE DATABASE empty_one")
    empty = {"BILLINGOS_DATABASE_URL": cluster.url("empty_one")}
    for verb in (["serve"], ["migrate", "verify"]):
        result = run(*verb, env=empty)
        assert result.returncode == 1
        assert "migrate up" in result.stderr.splitlines()[-1], result.stderr
    assert "pending" in run("migrate", "status", env=empty).stdout
    up = run("migrate", "up", env=empty)
    assert up.returncode == 0 and re.match(r"\d+ migrations applied\n", up.stdout)
    assert run("migrate", "up", env=empty).stdout == "the schema is up to date\n"
    assert run("migrate", "verify", env=empty).stdout == "the schema fits this program\n"
    with psycopg.connect(empty["BILLINGOS_DATABASE_URL"], autocommit=True) as connection:
        table = connection.execute(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'checksum'"
        ).fetchone()[0]
        columns = [row[0] for row in connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s", (table,)).fetchall()]
        others = ", ".join(c for c in columns if c != "version")
        connection.execute(f"INSERT INTO {table} (version, {others}) SELECT 9999, {others} FROM {table} LIMIT 1")
    for verb in (["serve"], ["migrate", "verify"], ["migrate", "up"]):
        result = run(*verb, env=empty)
        assert result.returncode == 1
        assert "9999" in result.stderr and "newer" in result.stderr, (verb, result.stderr)
    assert "NEWER" in run("migrate", "status", env=empty).stdout


def test_a_port_that_is_taken_is_named(database):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for name in ("GRPC_LISTEN", "HTTP_LISTEN", "HTTP_OPS_LISTEN"):
            free = {f"BILLINGOS_{n}": "127.0.0.1:0" for n in ("GRPC_LISTEN", "HTTP_LISTEN", "HTTP_OPS_LISTEN")}
            result = run("serve", env={**database, **free, f"BILLINGOS_{name}": f"127.0.0.1:{port}"})
            assert result.returncode == 1
            assert str(port) in result.stderr.strip().splitlines()[-1], result.stderr


def test_plain_text_beyond_loopback_must_be_wanted(database):
    result = run("serve", env={**database, "BILLINGOS_GRPC_LISTEN": "0.0.0.0:0", "BILLINGOS_HTTP_LISTEN": "127.0.0.1:0",
                               "BILLINGOS_HTTP_OPS_LISTEN": "127.0.0.1:0"})
    assert result.returncode == 1
    line = result.stderr.splitlines()[-1]
    assert line.startswith("billingos: grpc.listen: ") and "allow plain text" in line


@pytest.mark.parametrize("name,value,line", [
    ("GRPC_LISTEN", "nowhere", "grpc.listen: must be HOST:PORT"),
    ("HTTP_LISTEN", "nowhere", "http.listen: \"nowhere\" is not an address and a port"),
    ("HTTP_OPS_LISTEN", "127.0.0.1:99999999", "http.ops_listen: "),
    ("GRPC_TLS_CERT_FILE", "/nowhere/cert.pem", "grpc.tls_key_file: a certificate and a key belong together"),
    ("PAYMENTS_WEBHOOK_SECRETS_CONNECT", ",".join("abcdefghi"), "payments.webhook_secrets_connect has more than 8 parts"),
])
def test_a_setting_that_cannot_be_used_is_named(database, name, value, line):
    free = {f"BILLINGOS_{n}": "127.0.0.1:0" for n in ("GRPC_LISTEN", "HTTP_LISTEN", "HTTP_OPS_LISTEN")}
    result = run("serve", env={**database, **free, f"BILLINGOS_{name}": value})
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(f"billingos: {line}"), result.stderr


def test_the_health_check_asks_the_server_here(server):
    assert server.billingos("healthcheck").stdout == "ready\n"
    alone = run("healthcheck", env={"BILLINGOS_HTTP_OPS_LISTEN": f"127.0.0.1:{world.free_port()}"})
    assert alone.returncode == 1 and alone.stdout == "not ready\n"


# --- organisations and keys -----------------------------------------------------------------------------------------


def test_an_organization_is_made_and_shown(acme):
    made, verb = acme
    assert made["slug"] == "acme" and made["organization_id"].startswith("org_")
    assert made["test_secret_key"].startswith("bos_sk_test_") and made["live_publishable_key"].startswith("bos_pk_live_")
    for name in ("acme", made["organization_id"]):
        shown = verb("org", "show", name)
        assert shown.returncode == 0
        assert made["organization_id"] in shown.stdout and "name      Acme" in shown.stdout
    assert made["test_secret_key"] not in verb("org", "show", "acme").stdout
    nobody = verb("org", "show", "nobody")
    assert nobody.returncode == 1 and "nobody" in nobody.stderr
    again = verb("org", "create", "--name", "B", "--owner", "b@example.com", "--slug", "acme")
    assert again.returncode == 1 and "acme" in again.stderr
    for arguments, word in ((["--name", ""], "name"), (["--name", "B", "--currency", "XXQ"], "XXQ"),
                            (["--name", "B", "--owner", "nobody"], "email")):
        wrong = verb("org", "create", "--owner", "b@example.com", *arguments)
        assert wrong.returncode == 1 and word in wrong.stderr, wrong.stderr
    plain = verb("org", "create", "--name", "Plain", "--owner", "b@example.com")
    assert plain.returncode == 0 and "shown this once" in plain.stdout


def test_a_key_is_made_used_rotated_and_revoked(server, stubs, sandbox):
    org = world.Org(server, stubs, sandbox)
    where = ["--org", org.organization_id, "--mode", "test"]
    pb = org.pb("organization")

    def works(key):
        stub = stubs.stub("organization", org.channel_with(key))
        try:
            return stub.GetCaller(pb.GetCallerRequest())
        except grpc.RpcError as error:
            return Failure(error).reason

    made = server.billingos("keys", "create", *where, "--name", "ci", "--kind", "restricted", "--scopes",
                            "catalog.read,usage.write").stdout.split()
    assert made[0].startswith("key_") and made[1].startswith("bos_rk_test_")
    assert sorted(works(made[1]).scopes) == ["catalog.read", "usage.read", "usage.write"]  # who writes may read
    listed = server.billingos("keys", "list", *where).stdout
    assert re.search(rf"^{made[0]}  RESTRICTED +ACTIVE .* ci$", listed, re.MULTILINE), listed
    assert made[1] not in listed
    rotated = server.billingos("keys", "rotate", *where, "--overlap", "1h", made[0]).stdout.split()
    assert rotated[0] != made[0]
    assert sorted(works(rotated[1]).scopes) == sorted(works(made[1]).scopes)
    assert server.billingos("keys", "revoke", *where, rotated[0]).returncode == 0
    assert world.wait_for(lambda: works(rotated[1]) == "API_KEY_REVOKED", 1, "the revocation")
    again = server.billingos("keys", "revoke", *where, "key_01J8Z0K3V9QH0000000000000A", check=False)
    assert again.returncode == 1 and "key_01J8Z0K3V9QH0000000000000A" in again.stderr
    live = server.billingos("keys", "list", "--org", org.organization_id, "--mode", "live").stdout
    assert made[0] not in live
    publishable = server.billingos("keys", "create", *where, "--kind", "publishable").stdout.split()
    assert works(publishable[1]).scopes == ["catalog.read"]


def test_the_bootstrap_token_makes_an_organization(own, stubs):
    server, _ = own()
    pb, organization = stubs.pb("organization"), stubs.stub("organization", server.channel())

    def create(token):
        return organization.CreateOrganization(
            pb.CreateOrganizationRequest(organization={"name": "Boot", "default_currency_code": "EUR"},
                                         owner_email="ada@example.com", request_id=world.request_id()),
            metadata=[("authorization", f"Bearer {token}")], timeout=10)

    made = create(server.bootstrap_token)
    assert len(made.api_keys) == 4
    with fails("BOOTSTRAP_TOKEN_INVALID", grpc.StatusCode.UNAUTHENTICATED):
        create(server.bootstrap_token[:-1] + ("a" if server.bootstrap_token[-1] != "a" else "b"))
    result = server.billingos("bootstrap-token")
    assert "An earlier token no longer works" in result.stderr and result.stdout.count("\n") == 1
    old, server.bootstrap_token = server.bootstrap_token, result.stdout.strip()
    server.restart()
    assert create(server.bootstrap_token).organization.name == "Boot"
    with fails("BOOTSTRAP_TOKEN_INVALID"):
        create(old)
