"""A server of all providers' wire formats, and a picture to ask about."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.provider_server import ProviderServer
from tests.wire_formats import KEY


@cache
def certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderServer]:
    """All providers at one address; the key that they know is in the environment."""
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(variable, KEY)
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    # Each client would read the certificates of all authorities, which takes longer than most tests.
    trusted = certificates()
    monkeypatch.setattr(ssl, "create_default_context", lambda *_, **__: trusted)
    with ProviderServer() as running:
        yield running


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A JPEG that every provider takes as it is."""
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.jpg", quality=90)
    return tmp_path / "photo.jpg"
