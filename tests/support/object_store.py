"""An object store on loopback that speaks S3, can be stopped, and has what it had when it is started again."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import boto3
from moto.server import ThreadedMotoServer
from ports import free_port

SECRET = "secret-key-of-the-store"


@dataclass
class ObjectStore:
    """moto's S3 in a thread; what it holds outlives `stop`."""

    bucket: str
    port: int = field(default_factory=free_port)
    _server: ThreadedMotoServer | None = None

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/exchange"

    @property
    def environment(self) -> dict[str, str]:
        """All that a service is told: the address of the store's bucket, and what is S3's own."""
        return {
            "TITO_EXCHANGE_STORE": self.url,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "key-of-the-store",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def start(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None

    def client(self) -> boto3.client:
        environment = self.environment
        return boto3.client(
            "s3",
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=SECRET,
            region_name=environment["AWS_DEFAULT_REGION"],
        )

    def names(self) -> set[str]:
        """The names of the blobs that are in it."""
        blobs = self.client().list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {blob["Key"].rpartition("/")[2] for blob in blobs}


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """One with an empty bucket."""
    store = ObjectStore(f"b{secrets.token_hex(6)}")
    store.start()
    try:
        store.client().create_bucket(Bucket=store.bucket)
        yield store
    finally:
        store.stop()
