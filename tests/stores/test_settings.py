"""What config, environment and profile say of a server: both clients ask the same one.

A web proxy sees whom they ask for; nothing leaves the machine.
"""

import os
from contextlib import suppress
from dataclasses import replace

import pytest

from lungprep.errors import ConfigError, StoreError
from lungprep.stores import Address, S3Options, open_store, retrying
from webproxy import web_proxy

KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
SERVICES = "[default]\nservices = lab\n[services lab]\ns3 =\n  endpoint_url = http://s3.lab\n"
DEFAULT = "[default]\n"


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Sets variables and profiles, on a machine that had none, and says whom each client asks."""
    monkeypatch.setattr(retrying, "POLICY", replace(retrying.POLICY, attempts=1))
    for name in os.environ:
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    with web_proxy() as proxy:

        def told(environ, config="", **options):
            (tmp_path / "config").write_text(config)
            usual = {**KEYS, "HTTP_PROXY": proxy.url, "HTTPS_PROXY": proxy.url}
            files = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "keys"}
            here = {name: str(tmp_path / file) for name, file in files.items()}
            for name, text in {**usual, **here, **environ}.items():
                monkeypatch.setenv(name, text.replace("PROXY", proxy.url))
            store = open_store(Address("bucket", "x/"), S3Options(**options))
            asked = []
            for action in (store.level, lambda: store.stat("a")):
                proxy.asked.clear()
                with suppress(StoreError):
                    action()
                asked.append(place(proxy.asked[0]) if proxy.asked else None)
            return asked

        yield told


def place(asked):
    """The host that was asked, and the bucket where it is named in the path."""
    whole = asked.removeprefix("http://").removesuffix(":443").partition("?")[0]
    return whole.removesuffix("/x/a").removesuffix("/")


AMAZON = "bucket.s3.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("environ", "config", "host"),
    [
        ({"AWS_REGION": "eu-west-1"}, "", AMAZON),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "", AMAZON),
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-west-2"}, "", AMAZON),
        ({}, DEFAULT + "region = eu-west-1\n", AMAZON),
        ({"AWS_REGION": "eu-west-1"}, DEFAULT + "region = us-west-2\n", AMAZON),
        ({"AWS_PROFILE": "me"}, DEFAULT + '[profile "me"]\nregion = eu-west-1\n', AMAZON),
        (
            {"AWS_PROFILE": "no", "AWS_DEFAULT_PROFILE": "me"},
            "[profile no]\nregion = us-west-2\n[profile me]\nregion = eu-west-1\n",
            AMAZON,
        ),
        ({"AWS_REGION": "cn-north-1"}, "", "bucket.s3.cn-north-1.amazonaws.com.cn"),
        ({"AWS_REGION": "us-iso-east-1"}, "", "us-iso-east-1.c2s.ic.gov"),
        (
            {"AWS_REGION": "eu-west-1", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
            "",
            "bucket.s3.dualstack.eu-west-1.amazonaws.com",
        ),
        (
            {"AWS_REGION": "us-east-1"},
            DEFAULT + "use_fips_endpoint = true\n",
            "bucket.s3-fips.us-east-1.amazonaws.com",
        ),
        (
            {"AWS_REGION": "eu-west-1"},
            DEFAULT + "s3 =\n  use_dualstack_endpoint = true\n",
            "bucket.s3.dualstack.eu-west-1.amazonaws.com",
        ),
        (
            {"AWS_REGION": "eu-west-1"},
            DEFAULT + "s3 =\n  addressing_style = path\n",
            "s3.eu-west-1.amazonaws.com",
        ),
        ({"AWS_ENDPOINT_URL": "http://s3.lab"}, "", "s3.lab/bucket"),
        ({"AWS_ENDPOINT_URL_S3": "http://s3.lab"}, "", "s3.lab/bucket"),
        (
            {"AWS_ENDPOINT_URL_S3": "http://s3.lab", "AWS_ENDPOINT_URL": "http://no"},
            "",
            "s3.lab/bucket",
        ),
        ({}, DEFAULT + "endpoint_url = http://s3.lab\n", "s3.lab/bucket"),
        ({}, SERVICES, "s3.lab/bucket"),
        # As with the AWS command line, a named endpoint is asked whatever else is asked for.
        (
            {"AWS_ENDPOINT_URL": "http://s3.lab", "AWS_USE_FIPS_ENDPOINT": "true"},
            "",
            "s3.lab/bucket",
        ),
        (
            {"AWS_ENDPOINT_URL": "http://s3.lab"},
            DEFAULT + "endpoint_url = http://no\n",
            "s3.lab/bucket",
        ),
        (
            {},
            DEFAULT + "endpoint_url = http://s3.lab\ns3 =\n  addressing_style = virtual\n",
            "bucket.s3.lab",
        ),
        (
            {
                "AWS_ENDPOINT_URL": "http://no",
                "AWS_REGION": "eu-west-1",
                "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
            },
            DEFAULT + "endpoint_url = http://no\n",
            AMAZON,
        ),
        (
            {"AWS_ENDPOINT_URL": "http://no", "AWS_REGION": "eu-west-1"},
            DEFAULT + "ignore_configured_endpoint_urls = true\n",
            AMAZON,
        ),
    ],
)
def test_both_clients_ask_the_same_server(machine, environ, config, host):
    by_boto3, by_obstore = machine(environ, config)
    assert by_boto3 == by_obstore
    assert by_boto3.endswith(host)


def test_the_config_s_endpoint_is_before_all_others(machine):
    named = {"AWS_ENDPOINT_URL": "http://no", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    config = DEFAULT + "endpoint_url = http://no\n"
    assert machine(named, config, endpoint_url="http://s3.lab") == ["s3.lab/bucket"] * 2


LAB = {"AWS_ENDPOINT_URL": "http://s3.lab:81"}


@pytest.mark.parametrize(
    ("environ", "is_asked"),
    [
        ({"HTTP_PROXY": "PROXY"}, True),
        ({"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "PROXY"}, True),
        ({"HTTP_PROXY": "PROXY", "http_proxy": ""}, False),
        ({"HTTP_PROXY": "", "HTTPS_PROXY": "PROXY"}, False),
        ({"HTTP_PROXY": "", "ALL_PROXY": "PROXY", "all_proxy": "PROXY"}, False),
        ({"NO_PROXY": "s3.lab"}, False),
        ({"no_proxy": "other, s3.lab"}, False),
        ({"no_proxy": "other", "NO_PROXY": "s3.lab"}, True),
        ({"NO_PROXY": "lab"}, False),
        ({"NO_PROXY": ".lab"}, False),
        ({"NO_PROXY": "*.lab"}, False),
        ({"NO_PROXY": "*"}, False),
        ({"NO_PROXY": "s3.lab:81"}, False),
        ({"NO_PROXY": "s3.lab:82"}, True),
        ({"NO_PROXY": "3.lab"}, True),
        ({"AWS_ENDPOINT_URL": "http://10.1.2.3:1", "NO_PROXY": "10.0.0.0/8"}, False),
        ({"AWS_ENDPOINT_URL": "http://11.1.2.3:1", "NO_PROXY": "10.0.0.0/8"}, True),
        ({"AWS_PROXY_URL": "PROXY", "HTTP_PROXY": ""}, False),
    ],
)
def test_both_clients_go_by_the_same_proxy(machine, monkeypatch, environ, is_asked):
    # A host that nobody answers for, at once.
    monkeypatch.setattr("lungprep.stores.s3_clients.CONNECT_TIMEOUT_S", 0.2)
    asked = machine({**LAB, **environ})
    assert [bool(host) for host in asked] == [is_asked] * 2


@pytest.mark.parametrize("url", ["socks5://u:secret@127.0.0.1:1", "http://u:secret@"])
def test_a_proxy_of_another_kind_is_named_and_not_repeated(machine, url):
    with pytest.raises(
        ConfigError, match=r"^HTTP_PROXY is not the URL of an HTTP proxy; "
    ) as caught:
        machine({**LAB, "HTTP_PROXY": url})
    assert "secret" not in str(caught.value)


def test_a_password_of_a_proxy_is_not_repeated(machine, monkeypatch):
    monkeypatch.setattr(retrying, "POLICY", replace(retrying.POLICY, attempts=1))
    machine(LAB)
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://user:secret@127.0.0.1:9")
    store = open_store(Address("bucket", "x/"), S3Options())
    for action in (store.level, lambda: store.stat("a")):
        with pytest.raises(StoreError, match="no connection to") as caught:
            action()
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "config", "found"),
    [
        (
            {"AWS_SERVER_SIDE_ENCRYPTION": "aws:kms"},
            "",
            "AWS_SERVER_SIDE_ENCRYPTION is set, which lungprep",
        ),
        ({}, "s3 =\n  use_accelerate_endpoint = true\n", "use_accelerate_endpoint"),
        ({}, "s3 =\n  signature_version = s3\n", "signature_version"),
        (
            {},
            "endpoint_url = http://u:secret@s3.lab\n",
            "endpoint_url of the profile is not the URL",
        ),
        ({}, "endpoint_url = http://s3.lab/path\n", "endpoint_url of the profile is not the URL"),
        ({"AWS_ACCESS_KEY_ID": ""}, "role_arn = r\nmfa_serial = m\n", "profile default asks for a"),
        (
            {"AWS_ACCESS_KEY_ID": ""},
            "role_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nmfa_serial = m\n",
            "profile b asks for a code",
        ),
        ({}, "no key\n", r"config can't be read as a config file of AWS \(ParsingError\)"),
    ],
)
def test_what_can_not_be_done_is_refused_by_name(machine, environ, config, found):
    with pytest.raises(ConfigError, match=found) as caught:
        machine(environ, DEFAULT + config)
    assert "secret" not in str(caught.value)
    store = open_store(Address("bucket", "x/"), S3Options())
    with pytest.raises(ConfigError, match=found):
        store.stat("a")


def test_a_region_without_fips_is_one_line(machine):
    with pytest.raises(ConfigError, match="has no server: Partition does not support FIPS; check"):
        machine({"AWS_USE_FIPS_ENDPOINT": "true", "AWS_REGION": "cn-north-1"})
