"""Commands that ask a judge, which is a server of the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from tests.provider_server import ProviderServer

MODEL = "gpt-5.6-luna"  # what conf/model/gpt-mini.yaml asks for


class JudgingCommands:
    """`command` runs the command line in the folder, which has a price for each token of the judge."""

    def __init__(
        self, folder: Path, command: Callable[..., CompletedProcess[str]], server: ProviderServer
    ) -> None:
        self.folder, self.command, self.server = folder, command, server
        (folder / "prices.yaml").write_text(f"{MODEL}: {{input: 1.0, output: 1.0}}\n")

    @property
    def asked(self) -> int:
        """How many questions the judge has answered so far."""
        return sum(self.server.answered.values())
