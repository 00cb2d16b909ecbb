"""AWS Signature Version 4 for requests without a body."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

NOTHING = hashlib.sha256(b"").hexdigest()


class Keys(NamedTuple):
    """Credentials of a request."""

    access_key: str
    secret_key: str
    token: str | None


def signed(
    url: str, headers: Mapping[str, str], keys: Keys, region: str, now: datetime
) -> dict[str, str]:
    """Headers of a GET request, signed by AWS Signature Version 4.

    Parameters
    ----------
    url : str
        Whole URL, percent-encoded.
    headers : mapping of str to str
        Other headers, with names in lower case; all are signed.
    keys : Keys
        Credentials.
    region : str
        Region of the bucket.
    now : datetime
        Time of the request, UTC.
    """
    parts = urlsplit(url)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    told = {
        **headers,
        "host": parts.netloc,
        "x-amz-content-sha256": NOTHING,
        "x-amz-date": stamp,
        **({"x-amz-security-token": keys.token} if keys.token else {}),
    }
    names = ";".join(sorted(told))
    lines = "".join(f"{name}:{told[name].strip()}\n" for name in sorted(told))
    # Sort by name, then value: both parts separately, because "=" sorts after some characters.
    pairs = sorted(pair.partition("=")[::2] for pair in parts.query.split("&") if pair)
    query = "&".join(f"{name}={text}" for name, text in pairs)
    request = "\n".join(["GET", parts.path or "/", query, lines, names, NOTHING])
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    secret = f"AWS4{keys.secret_key}".encode()
    for word in scope.split("/"):
        secret = hmac.digest(secret, word.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signature = hmac.digest(secret, text.encode(), "sha256").hex()
    credential = f"{keys.access_key}/{scope}"
    told["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={names},Signature={signature}"
    )
    return told
