"""The Ray cluster of this process: one that it joins, or one that it starts on this machine.

Ray started here is for this process alone. It listens on 127.0.0.1 only, has no dashboard, sends no usage
statistics, and ends with the process, also where that is killed. It stays for the process's next run.
"""

from __future__ import annotations

import atexit
import logging
import math
import os
import secrets
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from evaluator.core.errors import ConfigError, MissingPackage, ModelError

logger = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "localhost")
PATIENCE_SECONDS = 5.0
START_ATTEMPTS = 3
JOIN = "Type ray start --head on one machine, and ray start --address=HOST:PORT on each other, this one too"


@dataclass(frozen=True)
class Resources:
    """CPUs and GPUs as Ray counts them."""

    cpus: float
    gpus: float


def import_ray(address: str | None) -> None:
    """Import Ray for a cluster there, or for this machine alone. Raises MissingPackage.

    What Ray reads in the environment must be there before: whether it sends usage statistics, what it logs,
    and whether this machine has another address than 127.0.0.1.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    if address is None or address.rpartition(":")[0] in LOOPBACK:
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # on Linux, too
    try:
        import ray.data  # noqa: F401
    except ImportError as error:
        raise MissingPackage("ray", "ray") from error
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # we say ourselves what becomes of the images


def join(address: str) -> Resources:
    """Connect to a running cluster. Raises ConfigError where there is none."""
    import ray

    if not ray.is_initialized():
        check_address(address)
        try:
            with own_signal_handlers():
                ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, RuntimeError, ValueError) as error:
            token = "RAY_AUTH_MODE=token" if "InvalidAuthToken" in str(error.__cause__) else ""
            raise ConfigError(
                f"runner.address: cannot join the Ray cluster at {address!r} ({first_line(error)}). "
                + (f"It asks for a token: set {token} and RAY_AUTH_TOKEN_PATH" if token else JOIN)
            ) from error
    return resources()


def check_address(address: str) -> None:
    """Raises ConfigError where nothing listens at HOST:PORT: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), PATIENCE_SECONDS).close()
    except OSError as error:
        raise ConfigError(
            f"runner.address: there is no Ray cluster at {address!r} ({error.strerror or error}). {JOIN}"
        ) from error


def start(cpus: float, object_store_gb: float) -> Resources:
    """Start Ray on this machine with so many CPUs, which it only counts; one that has them stays.

    Raises ModelError where Ray cannot start.
    """
    import ray

    if ray.is_initialized():
        if (there := resources()).cpus >= cpus:
            return there
        end()
    folder = Path(tempfile.mkdtemp(prefix="evaluator-ray-"))
    atexit.register(remove, folder)
    use_own_token(folder / "token")
    for attempt in range(1, START_ATTEMPTS + 1):
        try:
            with own_signal_handlers():
                ray.init(
                    address="local",
                    num_cpus=math.ceil(cpus),
                    object_store_memory=int(object_store_gb * 1e9),
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    _temp_dir=str(folder),
                )
            break
        except Exception as error:  # Ray raises Exception itself where its processes need over 30 seconds
            end()
            if attempt == START_ATTEMPTS:
                raise ModelError(f"Ray cannot start on this machine: {first_line(error)}") from error
            logger.info("Ray did not start: %s Trying again", first_line(error))
    if ray.get_runtime_context().gcs_address.rpartition(":")[0] not in LOOPBACK:
        end()
        raise ModelError(
            "Ray was imported before this program could keep it from the network. Leave `import ray` out, or "
            "start a cluster yourself and give its address: runner.address=HOST:PORT"
        )
    return resources()


def use_own_token(path: Path) -> None:
    """Other users of this machine cannot join. Without a token, Ray would write one into the home folder."""
    if not any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        os.environ["RAY_AUTH_TOKEN_PATH"] = str(path)


def end() -> None:
    """Leave the cluster, or end the one that was started here."""
    import ray

    with own_signal_handlers():
        ray.shutdown()


def remove(folder: Path) -> None:
    """Remove the files of a Ray that was started here, once it has ended."""
    with suppress(Exception):  # at the exit of the process
        end()
    shutil.rmtree(folder, ignore_errors=True)


def resources() -> Resources:
    import ray

    found = ray.cluster_resources()
    return Resources(found.get("CPU", 0.0), found.get("GPU", 0.0))


@contextmanager
def own_signal_handlers() -> Iterator[None]:
    """Ray takes SIGTERM for itself; afterwards it means again what it meant before."""
    try:
        handler = signal.getsignal(signal.SIGTERM)
        yield
    finally:
        with suppress(ValueError):  # in another thread than the main one
            signal.signal(signal.SIGTERM, handler)


def first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
