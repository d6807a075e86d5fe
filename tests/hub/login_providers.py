"""An OAuth provider and a learning management system on loopback, as small as they can be. Both say who `user` is."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET, DEPLOYMENT = "hub-of-the-tests", "secret-of-the-client", "deployment-1"
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"


@dataclass
class Provider:
    """What it says, and what it was asked."""

    url: str = ""
    user: str = "Ada"
    secrets_seen: int = 0  # token requests with the right client secret

    def __post_init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def answer(
        self, path: str, query: dict[str, str], form: dict[str, str], auth: str
    ) -> tuple[int, str | dict[str, Any]]:
        if path == "/authorize":
            return 302, f"{query['redirect_uri']}?{urlencode({'code': 'a-code', 'state': query['state']})}"
        if path == "/token":
            self.secrets_seen += form.get("client_secret") == CLIENT_SECRET
            return 200, {"access_token": "a-token", "token_type": "Bearer"}
        if path == "/userinfo" and auth == "Bearer a-token":
            return 200, {"preferred_username": self.user}
        if path == "/lti/authorize":
            return 200, {"id_token": self.id_token(query), "state": query["state"], "to": query["redirect_uri"]}
        if path == "/lti/jwks":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
            return 200, {"keys": [public | {"kid": "one", "use": "sig", "alg": "RS256"}]}
        return 404, {}

    def id_token(self, query: dict[str, str], **other: Any) -> str:
        """The signed launch of `user`, by the platform's key."""
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": query["client_id"], "sub": "1234", "email": self.user, "iat": now, "exp": now + 60,
            "nonce": query["nonce"], f"{CLAIM}version": "1.3.0", f"{CLAIM}deployment_id": DEPLOYMENT,
            f"{CLAIM}message_type": "LtiResourceLinkRequest", f"{CLAIM}resource_link": {"id": "link-1"},
            f"{CLAIM}target_link_uri": "http://127.0.0.1/hub/home",
            f"{CLAIM}roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
        }  # fmt: skip
        return jwt.encode(claims | other, self.key, algorithm="RS256", headers={"kid": "one"})


@contextmanager
def provider() -> Iterator[Provider]:
    """One that answers until the end of the block."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            self._answer({name: values[0] for name, values in parse_qs(text).items()})

        def _answer(self, form: dict[str, str]) -> None:
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            status, content = provider.answer(url.path, query, form, self.headers.get("Authorization") or "")
            body = b"" if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            if isinstance(content, str):
                self.send_header("Location", content)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
