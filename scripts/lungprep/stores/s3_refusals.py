"""Settings of the AWS command line that lungprep does not support: each is refused by name."""

import os
from collections.abc import Mapping

from lungprep.errors import ConfigError
from lungprep.stores import s3_profile
from lungprep.stores.s3_profile import is_true, nested

# Variables that only obstore reads: boto3 would behave differently.
_OF_ONE_CLIENT = {
    "AWS_SERVER_SIDE_ENCRYPTION": "name the key in s3.kms_key",
    "AWS_SSE_KMS_KEY_ID": "name the key in s3.kms_key",
    "AWS_SSE_BUCKET_KEY_ENABLED": "set it in the bucket's own encryption",
    "AWS_SSE_CUSTOMER_KEY_BASE64": "let the store keep the key: name it in s3.kms_key",
}


def refuse_what_can_not_be_done(profile: Mapping[str, str], *, anonymous: bool) -> None:
    """Refuse settings that would affect only one of the clients, or neither.

    Parameters
    ----------
    profile : mapping of str to str
        Keys of the active profile.
    anonymous : bool
        Whether requests are unsigned, so that no credentials are needed.

    Raises
    ------
    ConfigError
        If such a variable or key is set.
    """
    for name, instead in _OF_ONE_CLIENT.items():
        if os.environ.get(name):
            raise ConfigError(
                f"{name} is set, which lungprep does not support", f"unset it, and {instead}"
            )
    s3 = nested(profile.get("s3", ""))
    if is_true(s3.get("use_accelerate_endpoint")):
        raise ConfigError(
            "the profile asks for S3 Transfer Acceleration (use_accelerate_endpoint)",
            "use a profile without it",
        )
    if s3.get("signature_version", "s3v4") != "s3v4":
        raise ConfigError(
            f"the profile asks for signatures {s3['signature_version']} (signature_version)",
            "use a profile without it: requests are signed as s3v4",
        )
    if not anonymous and not os.environ.get("AWS_ACCESS_KEY_ID"):
        _refuse_mfa(profile)


def _refuse_mfa(profile: Mapping[str, str]) -> None:
    """Refuse MFA in the profile or in its source profiles: nobody can type a code into a job."""
    seen: set[str | None] = set()
    source: str | None = s3_profile.name()
    while "role_arn" in profile and source not in seen:
        if "mfa_serial" in profile:
            raise ConfigError(
                f"profile {source or 'default'} asks for a code (mfa_serial)",
                "get keys for a session first: aws configure export-credentials --format env",
            )
        seen.add(source)
        source = profile.get("source_profile")
        profile = s3_profile.keys(source) if source else {}
