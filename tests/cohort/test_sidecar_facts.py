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
                {"doubt": "0.2"},
                {"doubt": 2.0},
                {"doubt": float("nan")},
            )
        ),
    ],
)
def test_unreadable_sidecars_match_nothing(sidecar):
    assert SidecarFacts.of("e", sidecar) == SidecarFacts("e", "", "", None, None, -1, -1)


def test_a_sidecar_of_before_has_no_doubt():
    assert SidecarFacts.of("e", json.dumps(SIDECAR).encode()).doubt == -1
    assert SidecarFacts.of("e", json.dumps({**SIDECAR, "doubt": 0.25}).encode()).doubt == 0.25
