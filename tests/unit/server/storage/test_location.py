"""Where the bytes are, as a URL says it."""

import re
from pathlib import Path

import pytest

from osis_document_server.storage.location import S3Location, parse_storage_url

_DOCS = Path(__file__).parents[4] / "docs"


@pytest.mark.parametrize(("url", "path"), [("file://var/blobs", "var/blobs"), ("file:///srv/blobs", "/srv/blobs")])
def test_a_folder_is_relative_or_absolute(url: str, path: str) -> None:
    assert parse_storage_url(url) == Path(path)


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("s3://documents", S3Location(bucket="documents")),
        ("s3://documents/", S3Location(bucket="documents")),
        ("s3://documents/a/b/", S3Location(bucket="documents", prefix="a/b")),
        ("s3://documents?region=eu-west-3", S3Location(bucket="documents", region="eu-west-3")),
        (
            "s3://documents/a?endpoint_url=https://s3.example.org:9000&region=x",
            S3Location(bucket="documents", prefix="a", endpoint_url="https://s3.example.org:9000", region="x"),
        ),
        (
            "s3://documents?endpoint_url=http%3A%2F%2Flocalhost%3A9000%2F",
            S3Location(bucket="documents", endpoint_url="http://localhost:9000/"),
        ),
    ],
)
def test_a_bucket_may_have_a_prefix_and_options(url: str, location: S3Location) -> None:
    assert parse_storage_url(url) == location


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("var/blobs", "file://path"),
        ("file://", "nothing to store in"),
        ("ftp://host/path", "ftp is nothing to store in"),
        ("s3://", "bucket"),
        ("s3:///prefix", "bucket"),
        ("s3://-x", "bucket"),
        ("s3://documents/a#b", "bucket"),
        ("s3://documents/a//b", "prefix"),
        ("s3://documents/../b", "prefix"),
        ("s3://documents/a b", "prefix"),
        ("s3://documents?acl=public", "'acl' is no option"),
        ("s3://documents?region=", "region needs one value"),
        ("s3://documents?region=a&region=b", "region needs one value"),
        ("s3://documents?endpoint_url=s3.example.org", "endpoint_url"),
        ("s3://documents?endpoint_url=https://user:password@host", "without credentials"),
        ("s3://documents?endpoint_url=https://host/path", "without credentials or a path"),
    ],
)
def test_anything_else_is_refused_with_what_to_write(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_storage_url(url)


def test_credentials_do_not_belong_into_the_url_and_are_not_shown() -> None:
    with pytest.raises(ValueError, match="AWS_ACCESS_KEY_ID") as caught:
        parse_storage_url("s3://AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI@documents")
    assert "AKIA" not in str(caught.value)
    assert "wJal" not in str(caught.value)


def test_the_urls_in_the_documentation_can_be_read() -> None:
    pages = [_DOCS / "how-to/store-in-s3.md", _DOCS / "reference/configuration.md"]
    urls = [url for page in pages for url in re.findall(r"s3://[^\s'`]+", page.read_text(encoding="utf-8"))]
    assert len(urls) >= 3
    for url in urls:
        assert isinstance(parse_storage_url(url.rstrip(".")), S3Location)
