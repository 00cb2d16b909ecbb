"""The proxy that the scale benchmark counts requests with, against the server's own log."""

from collections import Counter

from lungprep.stores import S3Options, open_store
from scale.counting import counting


def test_counts_are_the_servers_own(s3, server):
    direct = s3("P1")
    with counting(server.endpoint_url) as proxy:
        before = len(server.requests())
        store = open_store(direct.address, S3Options(endpoint_url=proxy.url))
        content = bytes(range(256)) * 5000
        entry = store.write("a.bin", content)
        assert store.read("a.bin", entry) == content
        assert store.stat("a.bin") == entry
        assert store.entries() == store.entries(below=True) == [entry]
        counts = proxy.take()
        assert counts == Counter(kind for kind, _ in server.requests()[before:])
        assert counts == {"PUT": 1, "HEAD": 1, "GET": 1, "LIST": 2}
        assert proxy.take() == {}
