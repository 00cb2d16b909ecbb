"""Reasons for which a server is not trusted, from the clients' TLS errors."""

import re

from lungprep.errors import LungprepError, RequestRefused
from lungprep.stores import s3_profile
from lungprep.stores.s3_certificates import bundle

# Phrases of OpenSSL and rustls, see `refusal`; compiled only when there is an error to explain.
_FOR_ANOTHER_NAME = (
    r"NotValidForName|[Hh]ostname mismatch|IP address mismatch|doesn't match|is not valid for"
)
_OUT_OF_DATE = r"Expired|NotValidYet|has expired|is not yet valid"
_OF_AN_AUTHORITY = r"CaUsedAsEndEntity"
_UNTRUSTED = r"UnknownIssuer|issuer cert|self[- ]signed|No CA certificates"
_ANY = r"InvalidCertificate|CERTIFICATE_VERIFY_FAILED|doesn't match|No CA certificates|\[X509"
_NOT_TLS = r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|InvalidContentType|HTTP_REQUEST"
# URLs are removed first, because object names may contain any words.
_URL = r"https?://[^\s\"]+"


def refusal(text: str, where: str, server: str) -> RequestRefused | None:
    """Error for a server that a client does not trust; a retry would not help.

    Parameters
    ----------
    text : str
        Error text of a client: boto3 uses OpenSSL's phrases, obstore those of rustls.
    where : str
        Address of the request.
    server : str
        URL or other name of the server.

    Returns
    -------
    RequestRefused or None
        None if the text is about something else.
    """
    text = re.sub(_URL, "", text)
    if re.search(_NOT_TLS, text):
        return RequestRefused(
            f"{where} was not requested: {server} does not speak TLS", "write http:// in its URL"
        )
    if not re.search(_ANY, text):
        return None
    found = f"{where} was not requested: the certificate of {server}"
    if re.search(_FOR_ANOTHER_NAME, text):
        return RequestRefused(
            f"{found} is for another host name",
            "use a host name of the certificate in the endpoint",
        )
    if re.search(_OUT_OF_DATE, text):
        return RequestRefused(
            f"{found} has expired, or is not valid yet",
            "have it renewed, or set this machine's clock",
        )
    if re.search(_OF_AN_AUTHORITY, text):
        return RequestRefused(
            f"{found} is that of an authority (CA:TRUE), which a server may not use",
            "give the server a certificate with basicConstraints CA:FALSE",
        )
    if re.search(_UNTRUSTED, text):
        return RequestRefused(
            f"{found} is from an authority that is not {_trusted()}",
            "name the PEM file of that authority in AWS_CA_BUNDLE",
        )
    return RequestRefused(
        f"{found} can't be trusted", f"find the reason: openssl s_client -connect {_host(server)}"
    )


def _trusted() -> str:
    try:
        chosen = bundle(s3_profile.keys())
    except LungprepError:
        chosen = None
    if chosen is None:
        return "trusted on this machine"
    return f"in {chosen}"


def _host(server: str) -> str:
    host = server.partition("://")[2]
    return host if ":" in host else f"{host}:443"
