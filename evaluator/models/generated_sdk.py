"""The SDKs of OpenAI and Anthropic, which the same generator makes: connecting, closing, and what failed."""

from __future__ import annotations

import importlib
import logging
from typing import Any, ClassVar

from evaluator.models.cloud import Client, CloudSession
from evaluator.models.failures import Failure, failure_from_connection


class GeneratedSDK(CloudSession[Client]):
    """An open captioner that asks through one of these SDKs; `client_name` names its asynchronous client."""

    client_name: ClassVar[str]

    def connect(self) -> Client:
        sdk = importlib.import_module(self.captioner.package)
        # At this level some SDKs log whole requests, and with them the pictures.
        logging.getLogger(f"{self.captioner.package}._base_client").setLevel(logging.INFO)
        client: Client = getattr(sdk, self.client_name)(
            api_key=self.key_sent,
            base_url=self.captioner.base_url,
            timeout=self.captioner.timeout_seconds,
            max_retries=0,
            http_client=sdk.DefaultAsyncHttpxClient(**self.client_options()),
        )
        return client

    async def disconnect(self, client: Any) -> None:
        await client.close()

    def failure(self, error: Exception) -> Failure | None:
        import httpx2

        sdk = importlib.import_module(self.captioner.package)
        if isinstance(error, sdk.APIConnectionError | httpx2.HTTPError):
            timed_out = isinstance(error, sdk.APITimeoutError | httpx2.TimeoutException)
            return failure_from_connection(error, timed_out)
        return None
