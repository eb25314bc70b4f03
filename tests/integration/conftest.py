"""Fixtures. One cluster, one simulator and one server serve all tests that do not break them."""

import pytest

import world


@pytest.fixture(scope="session")
def stubs():
    made = world.Stubs()
    yield made
    made.close()


@pytest.fixture(scope="session")
def cluster():
    made = world.Cluster()
    yield made
    made.close()


def _make_world(cluster, env=None):
    server = world.Server(cluster, env=env)
    sandbox = world.Sandbox(server.webhook_url, server.webhook_secret)
    server.use(sandbox)
    server.start()
    return server, sandbox


@pytest.fixture(scope="session")
def shared(cluster):
    server, sandbox = _make_world(cluster)
    yield server, sandbox
    server.close()
    sandbox.close()


@pytest.fixture(scope="session")
def server(shared):
    return shared[0]


@pytest.fixture(scope="session")
def sandbox(shared):
    return shared[1]


@pytest.fixture()
def org(server, stubs, sandbox):
    return world.Org(server, stubs, sandbox)


@pytest.fixture()
def org2(server, stubs, sandbox):
    return world.Org(server, stubs, sandbox)


@pytest.fixture()
def own(cluster):
    """A server and a simulator for one test, which may kill them: own(env) -> (server, sandbox)."""
    made = []

    def make(env=None):
        made.append(_make_world(cluster, env))
        return made[-1]

    yield make
    for server, sandbox in made:
        server.close()
        sandbox.close()
