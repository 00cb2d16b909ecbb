"""What a sidecar says of its patient, whatever it holds."""

import json

import pytest

from lungprep.cohort.sidecar_facts import SidecarFacts

SIDECAR = {
    "recipe": {"digest": "r"},
    "source": {"digest": "s"},
    "npy": {"bytes": 3},
    "lungs_npy": {"bytes": 2},
    "requested_series_uid": None,
    "series_instance_uid": "1.2",
    "flags": ["a_flag"],
}


@pytest.mark.parametrize(
    "sidecar",
    [
        b"",
        b"{}",
        b"[]",
        b'{"recipe": 1}',
        b"[" * 100_000,
        *(
            json.dumps({**SIDECAR, **change}).encode()
            for change in (
                {"npy": {}},
                {"npy": {"bytes": float("inf")}},
                {"requested_series_uid": ["1.2"]},
                {"flags": ["\ud800"]},
                {"flags": ["<script>"]},
                {"flags": [3]},
                {"flags": None},
            )
        ),
    ],
)
def test_unreadable_sidecars_match_nothing(sidecar):
    assert SidecarFacts.of("e", sidecar) == SidecarFacts("e", "", "", None, None, -1, -1)
