"""The service that the runner's tests ask."""

from tests.runner.conftest import running_server, server

__all__ = ["running_server", "server"]
