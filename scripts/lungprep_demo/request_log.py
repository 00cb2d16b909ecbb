"""Extract requests from rclone's debug log."""

import re

_REQUEST = re.compile(
    r"serve s3: (LIST BUCKET$|GET OBJECT(?= )|HEAD OBJECT(?= )|CREATE OBJECT(?=: )|DELETE(?=: )"
    r"|HEAD BUCKET(?= )|CREATE BUCKET(?=: )|put multipart upload(?= )|Access Denied(?=: ))(.*)"
)
_KINDS = {
    "LIST BUCKET": "LIST",
    "GET OBJECT": "GET",
    "HEAD OBJECT": "HEAD",
    "CREATE OBJECT": "PUT",
    "put multipart upload": "PUT PART",
    "Access Denied": "DENIED",
}


def requests(log: str) -> list[tuple[str, str]]:
    """List the S3 requests in a log.

    Parameters
    ----------
    log : str
        Log that rclone wrote at level DEBUG.

    Returns
    -------
    list of tuple of str
        Oldest first: the operation (``LIST``, ``GET``, ``HEAD``, ``PUT``, ``PUT PART``,
        ``DELETE``, ``HEAD BUCKET``, ``CREATE BUCKET``, ``DENIED``) and its target: ``bucket/key``;
        for a denied request the URL's path; for a LIST, of which each page is one, empty.
    """
    found = (_REQUEST.search(line) for line in log.splitlines())
    return [(_KINDS.get(hit[1], hit[1]), _target(hit[2])) for hit in found if hit]


def _target(text: str) -> str:
    if " => " in text:
        return text.split(" => ", 1)[1]
    return "/".join(
        text.lstrip(": ").replace("Bucket: ", "").replace(" Object: ", " ").split(" ", 1)
    )
