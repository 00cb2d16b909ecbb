"""Whole runs against answers that are not to be trusted."""

import json

from faults import faulty, with_body
from lungprep_demo.phantom import chest, slices
from workflow.conftest import COARSE, three

HTML = b"<html><body>Please sign in</body></html>"
EMPTY = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"


def test_a_page_in_place_of_a_listing_judges_nobody(lab, server):
    """Each listing of a patient is answered by something else at first, in one of two ways."""
    lab.admit("P1")
    lab.admit("P2")
    asked = {}

    def change(method, path, head, body):
        if method == "GET" and "list-type" in path and "delimiter" not in path:
            asked[path] = asked.get(path, 0) + 1
            if asked[path] % 2:
                return with_body(head, HTML if "P1" in path else EMPTY)
        return head, body

    with faulty(server.endpoint_url, change=change) as proxy:
        done = lab.run(
            on_bad_patient="quarantine", environ={"AWS_ENDPOINT_URL_S3": proxy.endpoint_url}
        )
    assert done.returncode == 0, done.stdout
    assert lab.published() == [*three("P1"), *three("P2")]
    for patient in ("P1", "P2"):
        assert lab.sidecar(patient)["source"]["objects"] == len(list(slices(chest(), COARSE)))


def test_an_upload_that_ends_after_the_verdict_ends_the_quarantine(lab, server):
    """The digest that is kept is that of the listing that was judged, not of a later one."""
    good = list(slices(chest(), COARSE))
    lab.admit("torn", [file for i, file in enumerate(good) if i != 20])
    listings, uploaded = [], []

    def watch(request):
        method, path = request
        if "list-type" in path and "torn" in path:
            listings.append(path)
        elif method == "GET" and "/torn/" in path and len(listings) > 1 and not uploaded:
            # The run has looked the patient up, and the job has listed and begun to read.
            uploaded.append(path)
            lab.source.write(f"torn/{good[20][0]}", good[20][1])

    with faulty(server.endpoint_url) as proxy:
        proxy.watch = watch
        done = lab.run(
            on_bad_patient="quarantine", environ={"AWS_ENDPOINT_URL_S3": proxy.endpoint_url}
        )
    assert "failed torn: 1 of 49 slices are missing" in done.stdout
    assert uploaded
    assert "torn.failed.json" in lab.published()
    assert json.loads(lab.target.read("torn.failed.json"))["source"]
    changed = lab.missing(on_bad_patient="quarantine")
    assert changed[1] == "  torn: quarantined, and something changed since"
