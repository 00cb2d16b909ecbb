"""Listings by boto3 of what is directly below a prefix, see `lungprep.stores.s3`."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from lungprep.errors import StoreError
from lungprep.stores.address import Address
from lungprep.stores.base import Entry
from lungprep.stores.etags import bare
from lungprep.stores.level import Level, kind_of
from lungprep.stores.retrying import Retries
from lungprep.stores.s3_errors import boto3_errors
from lungprep.system_files import is_left_by_a_system


@dataclass(frozen=True)
class S3Listing:
    """What the requests share.

    Attributes
    ----------
    address : Address
        Bucket and prefix.
    client : boto3 client
        Without retries of its own.
    query : dict of str to str
        Bucket, and what goes with each request.
    retries : Retries
        Of the store.
    """

    address: Address
    client: Any
    query: dict[str, str]
    retries: Retries

    def level(self) -> Level:
        """See `Store.level`."""
        start, level = len(self.address.prefix), Level([])
        for page in self._pages():
            level.folders += [item["Prefix"][start:-1] for item in page.get("CommonPrefixes", [])]
            for item in page.get("Contents", []):
                # The marker of the prefix itself is no object.
                if (name := item["Key"][start:]) and not is_left_by_a_system(name):
                    level.add(kind_of(name), name)
        level.folders.sort()
        return level

    def objects(self) -> list[Entry]:
        """Objects directly below the prefix, its own marker among them."""
        start = len(self.address.prefix)
        return [
            Entry(item["Key"][start:], item["Size"], bare(item["ETag"]))
            for page in self._pages()
            for item in page.get("Contents", [])
        ]

    def tier(self, key: str) -> str | None:
        """Storage class of an object; None where the store does not say it, or STANDARD."""
        whole = self.address.prefix + key
        try:
            page = self.retries(partial(self._page, {**self.query, "Prefix": whole}))
        except StoreError:
            return None
        same = (item for item in page.get("Contents", []) if item["Key"] == whole)
        found = next((item.get("StorageClass") for item in same), None)
        return None if found == "STANDARD" else found

    def _pages(self) -> Iterator[dict[str, Any]]:
        """One LIST request per 1,000 keys or folders directly below the prefix."""
        query = {**self.query, "Prefix": self.address.prefix, "Delimiter": "/"}
        while True:
            page = self.retries(partial(self._page, query))
            yield page
            if not page.get("IsTruncated"):
                return
            query["ContinuationToken"] = page["NextContinuationToken"]

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        with boto3_errors(str(self.address)):
            page: dict[str, Any] = self.client.list_objects_v2(**query)
            return page
