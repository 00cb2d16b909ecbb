"""The image can't be built without Docker; what can be said of its recipe is said here."""

import re

from workflow.conftest import ROOT

LINES = (ROOT / "Dockerfile").read_text().splitlines()
STEPS = [line.split(maxsplit=1) for line in LINES if re.match(r"[A-Z]+ ", line)]


def arguments(name):
    return [text for step, text in STEPS if step == name]


def test_base_is_one_version():
    assert len(arguments("FROM")) == 1
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-[a-z]+", arguments("FROM")[0])


def test_base_is_the_python_of_the_conda_environment():
    version = re.search(r"python=(\d+\.\d+)", (ROOT / "envs/lungprep.yaml").read_text())[1]
    assert arguments("FROM")[0].startswith(f"python:{version}.")


def test_jobs_are_not_root():
    names = [step for step, _ in STEPS]
    assert arguments("USER") == ["1000"], "a number: Kubernetes can tell that it is not root"
    assert "RUN" not in names[names.index("USER") :]


def test_only_locks_are_copied_and_nothing_else_is_sent():
    *sources, place = arguments("COPY")[0].split()
    assert len(arguments("COPY")) == 1
    assert place.endswith("/")
    assert "ADD" not in dict(STEPS)
    kept = (ROOT / ".dockerignore").read_text().splitlines()
    assert [line for line in kept if not line.startswith("#")] == ["*", *(f"!{s}" for s in sources)]
    assert all((ROOT / source).is_file() for source in sources)


def test_engines_may_give_any_command():
    assert not {"ENTRYPOINT", "HEALTHCHECK"} & dict(STEPS).keys()


def test_no_secret_and_no_version_of_its_own():
    text = "\n".join(line for line in LINES if not line.startswith("#"))
    assert not re.search("(?i)secret|password|token|AWS_", text)
    assert "latest" not in text
    assert "--upgrade" not in text


def test_the_lock_has_the_plugin_that_jobs_install():
    lock = (ROOT / "envs/requirements-cloud.txt").read_text()
    assert re.search(r"(?m)^snakemake-storage-plugin-s3==", lock)


def test_jobs_need_no_package_index():
    settings = {name for text in arguments("ENV") for name in re.findall(r"(\w+)=", text)}
    settings |= set(re.findall(r"(?m)^ +(PIP_\w+)=", "\n".join(LINES)))
    assert {"PIP_NO_INDEX", "PIP_NO_DEPS", "PIP_FIND_LINKS"} <= settings
