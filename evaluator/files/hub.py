"""The Hugging Face hub: its address, its cache on this machine, and whether it can be reached at all.

The hub's own client asks again for more than a minute before it gives up. That is right for a shaky network,
and of no use where there is none.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

ATTEMPTS = 3
PAUSE_SECONDS = 1.0  # between two attempts
PATIENCE_SECONDS = 10.0  # for all of them


def hub_address() -> str:
    return os.environ.get("HF_ENDPOINT") or "https://huggingface.co"


def hub_cache() -> Path:
    """Where the hub's client keeps its downloads (huggingface.co/docs/huggingface_hub)."""
    home = os.environ.get("HF_HOME") or str(
        Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "huggingface"
    )
    chosen = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")  # the older name
    return Path(chosen or Path(home) / "hub").expanduser()


def model_folder(name: str) -> Path:
    """Where the cache keeps a model, whether or not it is there."""
    return hub_cache() / f"models--{name.replace('/', '--')}"


def is_offline() -> bool:
    """Whether the user forbids the hub's client to use the network."""
    return os.environ.get("HF_HUB_OFFLINE", "0").lower() not in ("", "0", "false", "no")


def is_reachable(attempts: int = ATTEMPTS, patience: float = PATIENCE_SECONDS) -> bool:
    """Whether the hub accepts connections. With a proxy, only the proxy could say: it is taken for yes."""
    address = urlsplit(hub_address())
    if address.scheme in urllib.request.getproxies() or "all" in urllib.request.getproxies():
        return True
    ended, reached = threading.Event(), threading.Event()

    def connect() -> None:  # in a thread, since no timeout ends the look-up of a name
        port = address.port or (80 if address.scheme == "http" else 443)
        for attempt in range(attempts):
            if attempt:
                time.sleep(PAUSE_SECONDS)
            try:
                socket.create_connection((address.hostname or "", port), patience).close()
                reached.set()
                break
            except OSError:
                continue
        ended.set()

    threading.Thread(target=connect, daemon=True).start()
    ended.wait(patience)
    return reached.is_set()
