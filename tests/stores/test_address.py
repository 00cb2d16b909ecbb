"""Addresses of sources and targets."""

import pytest

from lungprep.errors import ConfigError, StoreError
from lungprep.stores.address import check_pair, parse_address


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("s3://b/x/", "'b' is not a bucket name"),
        ("s3://bucket/a//b", "an empty or dot segment"),
        ("s3://bucket/../b", "an empty or dot segment"),
        ("gs://bucket/a", "with an unknown scheme"),
        ("https://bucket/a", "with an unknown scheme"),
        ("", "source is empty"),
        ("nowhere", "which is not a folder here"),
        ("s3:/bucket/a", "which is not a folder here"),
    ],
)
def test_bad_source_is_refused_by_name(text, words, tmp_path):
    with pytest.raises(ConfigError, match=words) as caught:
        check_pair(text, str(tmp_path / "out"))
    assert str(caught.value).startswith("source is")
    assert "write s3://bucket/prefix/ or a folder" in str(caught.value)


@pytest.mark.parametrize("text", ["s3://bucket", "s3://bucket/"])
def test_a_whole_bucket_is_a_source_and_no_target(text):
    assert str(parse_address("source", text)) == "s3://bucket/"
    assert str(parse_address("source", text).join("P1")) == "s3://bucket/P1/"
    with pytest.raises(ConfigError, match="a bucket without a prefix; write s3"):
        check_pair("s3://other/in/", text)
    with pytest.raises(ConfigError, match="overlap"):
        check_pair(text, "s3://bucket/out/")


@pytest.mark.parametrize(
    "text",
    ["$HOME/out/", "${HOME}/out", "./out/*", "./out?", "'./out'", '"./out/"', "C:\\out", "/a\\"],
)
def test_what_a_shell_replaces_is_taken_for_no_name(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ConfigError, match="no folder has exactly that name; write the path in full"
    ):
        parse_address("target", text)


def test_a_folder_that_is_there_is_taken_by_its_name(tmp_path):
    for name in ("$RECYCLE", "a*", "it's {one} 50% #x;&"):
        (tmp_path / name).mkdir()
        assert parse_address("source", f"{tmp_path}/{name}").prefix == f"{tmp_path}/{name}/"
    assert parse_address("target", "./it's {new} 50% #x;&").prefix.endswith("/it's {new} 50% #x;&/")
    assert parse_address("target", "s3://bucket/$a/*").prefix == "$a/*/"


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parse_address("target", "~/out").prefix == f"{tmp_path}/out/"
    assert parse_address("target", "~").prefix == f"{tmp_path}/"
    assert parse_address("target", "./~/out").prefix.endswith("/~/out/")
    assert parse_address("source", "s3://bucket/~/x").prefix == "~/x/"
    with pytest.raises(
        ConfigError, match="no user of that name has a home folder here; write the path in"
    ):
        parse_address("target", "~nobody-such/out")


def test_a_name_that_no_file_system_takes_is_a_line(tmp_path, folder):
    name = "x" * 300
    with pytest.raises(ConfigError, match="which is not a folder here"):
        check_pair(name, str(tmp_path))
    with pytest.raises(StoreError, match=f"{name}/? failed: File name too long"):
        folder(name).entries()


@pytest.mark.parametrize("text", ["s3://bucket/a\nb", "/data/a\tb", "./a\x1bb"])
def test_control_characters_are_named(text):
    with pytest.raises(ConfigError, match="with a control character"):
        parse_address("source", text)


def test_mistyped_target_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="target is 'bucket', neither an address nor a folder"):
        check_pair(str(tmp_path), "bucket")


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("s3://bucket/a/", "s3://bucket/a/b"),
        ("s3://bucket/a/b", "s3://bucket/a"),
        ("s3://bucket/a", "s3://bucket/a/"),
        ("{tmp}", "{tmp}/out"),
        ("{tmp}/in", "{tmp}"),
        ("{tmp}/in", "{tmp}/in/../in"),
    ],
)
def test_one_inside_the_other_is_refused(source, target, tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(ConfigError, match="overlap; choose two separate places"):
        check_pair(source.format(tmp=tmp_path), target.format(tmp=tmp_path))


def test_neighbours_with_one_beginning_are_no_conflict():
    source, target = check_pair("s3://bucket/data", "s3://bucket/data-npy")
    assert str(source) == "s3://bucket/data/"
    assert str(target) == "s3://bucket/data-npy/"


def test_join_keeps_one_slash():
    assert str(parse_address("source", "s3://bucket/a").join("P1/")) == "s3://bucket/a/P1/"
