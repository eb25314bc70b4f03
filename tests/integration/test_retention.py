"""What is older than promised goes by itself, and whoever asks for it is told."""

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
