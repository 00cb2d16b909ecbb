"""What can't work stops before any job, by one line, in a dry run too: never "all missing"."""

import socket

import pytest
import yaml

from workflow.conftest import ROOT

DRY_AND_REAL = pytest.mark.parametrize("arguments", [["-n"], []], ids=["dry", "real"])


def refused(done, words):
    """The one line of a run that stopped."""
    assert done.returncode != 0, done.stdout
    assert "missing:" not in done.stdout
    assert "Traceback" not in done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith("lungprep: ")]
    assert len(lines) == 1, done.stdout
    assert words in lines[0]
    return lines[0]


@DRY_AND_REAL
def test_unreachable_endpoint(lab, arguments):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
    done = lab.run(*arguments, environ={"AWS_ENDPOINT_URL_S3": endpoint})
    refused(done, "could not be reached")


@DRY_AND_REAL
def test_missing_source_bucket(lab, arguments):
    done = lab.run(*arguments, source="s3://no-such-bucket/in/")
    refused(done, "bucket no-such-bucket does not exist; create it, or correct the address")


@DRY_AND_REAL
def test_missing_target_bucket(lab, arguments):
    lab.admit("P1")
    done = lab.run(*arguments, target="s3://no-such-bucket/out/")
    refused(done, "bucket no-such-bucket does not exist")


@DRY_AND_REAL
def test_refused_credentials(lab, arguments):
    lab.admit("P1")
    done = lab.run(*arguments, environ={"AWS_SECRET_ACCESS_KEY": "wrong"})
    line = refused(done, "was refused (SignatureDoesNotMatch); check the AWS_* variables")
    assert "wrong" not in line


def test_no_credentials_at_all(lab, tmp_path):
    lab.environ = {k: v for k, v in lab.environ.items() if not k.startswith("AWS_ACCESS")}
    lab.environ |= {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}
    refused(lab.run("-n"), "needs credentials, but none were found")


def test_empty_source(lab):
    refused(lab.run("-n"), "no patient under source s3://bucket/")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            {"resample": "{spacing_mm: [0,1,1]}"},
            "config key resample.spacing_mm has [0, 1, 1]; it takes",
        ),
        (
            {"resample": "{spacing_mm: [a,b,c]}"},
            "config key resample.spacing_mm has ['a', 'b', 'c']; it takes",
        ),
        ({"sorce": "x/"}, "unknown config key sorce"),
        (
            {"segment": "{method: lungmask}"},
            "segment.method is lungmask and segment.weights is not set; give the file",
        ),
        (
            {"segment": "{method: totalsegmentator, weights: nowhere}"},
            "segment.weights is 'nowhere', which does not exist here; give a folder",
        ),
        ({"source": "nowhere"}, "source is 'nowhere', which is not a folder here"),
        ({"target": "s3://bucket"}, "target is 's3://bucket', a bucket without a prefix"),
        ({"target": "gs://bucket/x"}, "with an unknown scheme; write s3://bucket/prefix/"),
        ({"source": "s3://bucket/a/", "target": "s3://bucket/a/b/"}, "overlap"),
        ({"check_source": "maybe"}, "config key check_source has 'maybe'; it takes true or false"),
        ({"patients": "nowhere.csv"}, "patients file nowhere.csv can't be read"),
    ],
)
def test_bad_config_names_key_and_what_it_takes(lab, config, words):
    refused(lab.run("-n", **config), words)


def test_the_shipped_config_names_no_bucket_and_asks_no_store(lab):
    shipped = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert (shipped["source"], shipped["target"]) == (None, None)
    done = lab.run("-n", source="null", target="null")
    refused(done, "source and target are not set; set source and target in config.yaml, or add")


def test_a_patient_that_is_nowhere(lab):
    lab.admit("007")
    assert lab.missing(only="007,") == ["1 of 1 patients", "  007: missing"]
    refused(lab.run(only=","), "only is ',', which names no patient; give an id, or null")
    refused(lab.run(only="P2"), "only names 'P2', and the cohort has no such patient; check the id")
    refused(lab.run(only="7"), "check the id; for zeros before it, write --config only=007,")


def test_negative_margin(lab):
    lab.config["output"] = {"crop_margin_mm": -3}
    refused(lab.run(), "config key output.crop_margin_mm has -3; it takes a number, 0 to 500")


def test_bytes_without_a_window(lab):
    lab.config["output"] = {"dtype": "uint8"}
    refused(lab.run(), "output.dtype is uint8 and output.window_hu is keep (preset hu): HU do not")


def test_two_rows_of_one_patient(lab):
    lab.folder.mkdir()
    (lab.folder / "cohort.csv").write_text("patient,prefix\nP1,a\nP1,b\n")
    refused(
        lab.run(patients="cohort.csv"), "names patient 'P1' 2 times, in lines 2 and 3; keep one"
    )


def test_touch(lab):
    lab.admit("P1", [("1.dcm", b"")])
    refused(lab.run("--touch"), "--touch does nothing for this workflow: the target decides who is")
    assert not lab.published()


def test_braces_in_an_address_are_no_wildcards(lab, tmp_path):
    lab.source.write("P1/1.dcm", b"")
    assert lab.missing(target=f"{tmp_path}/out {{v1}}/") == ["1 of 1 patients", "  P1: missing"]


def test_colliding_patients(lab):
    for patient in ("P1", "P1.lungs"):
        lab.source.write(f"{patient}/1.dcm", b"")
    refused(lab.run(), "patients P1 and P1.lungs would both write P1.lungs.npy")


def test_lint_needs_no_network(lab):
    done = lab.run("--lint", environ={"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"})
    assert done.returncode == 0
    assert "Congratulations, your workflow is in a good condition!" in done.stdout
