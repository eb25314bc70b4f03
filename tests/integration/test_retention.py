"""What is older than promised goes by itself, and whoever asks for it is told."""

import time
import uuid

import world
from errors import fails


def test_old_events_and_usage_partitions_are_dropped(own, stubs):
    server, sandbox = own()
    org = world.Org(server, stubs, sandbox)
    pb = org.pb("insights")
    call = org.stub("insights").WatchInsights(pb.WatchInsightsRequest())
    token = next(call).resume_token
    call.cancel()
    for _ in range(5):
        org.customer()
    server.stop()
    with server.cluster.connect(server.database) as database:
        database.execute("UPDATE event_log SET created_at = now() - interval '91 days' WHERE seq <= 3")
        database.execute("SELECT usage_make_partition(period - 20) FROM usage_period")

        def count(sql):
            return database.execute(sql).fetchone()[0]

        partitions = count("SELECT count(*) FROM pg_inherits WHERE inhparent = 'usage_events'::regclass")
        server.start()
        world.wait_for(lambda: count("SELECT count(*) FROM event_log WHERE seq <= 3") == 0, 10, "old events are gone")
        world.wait_for(
            lambda: count("SELECT count(*) FROM pg_inherits WHERE inhparent = 'usage_events'::regclass") == partitions - 1,
            10, "the old partition is gone")
        assert count("SELECT count(*) FROM event_log") >= 2
    org.reconnect()
    with fails("RESUME_TOKEN_EXPIRED"):
        next(org.stub("insights").WatchInsights(pb.WatchInsightsRequest(resume_token=token)))


def test_old_entries_of_the_audit_log_are_dropped(own, stubs):
    server, sandbox = own()
    org = world.Org(server, stubs, sandbox)
    org.meter("calls")
    pb = org.pb("organization")

    def listed():
        return org.stub("organization").ListAuditLog(pb.ListAuditLogRequest(page_size=1000)).entries

    kept = listed()
    server.stop()
    with server.cluster.connect(server.database) as database:
        for days in (3000, 731, 729, 1):
            at_ms = int((time.time() - days * 86400) * 1000)
            database.execute(
                "INSERT INTO audit_log (org_id, audit_id, actor, action, created_at)"
                " SELECT org_id, %s, '', 'aged', to_timestamp(%s / 1000.0) FROM organizations",
                (uuid.UUID(int=at_ms << 80 | uuid.uuid4().int >> 48), at_ms))

        def aged():
            return [days for (days,) in database.execute(
                "SELECT (now()::date - created_at::date) / 10 FROM audit_log WHERE action = 'aged'"
                " ORDER BY created_at").fetchall()]

        modes = database.execute("SELECT count(*) FROM organizations").fetchone()[0]
        assert modes == 2
        server.start()
        world.wait_for(lambda: len(aged()) == 2 * modes, 10, "old entries are gone")
        time.sleep(0.5)
        assert aged() == [72] * modes + [0] * modes
    org.reconnect()
    now = listed()
    assert [entry for entry in now if entry.action != "aged"] == list(kept)
