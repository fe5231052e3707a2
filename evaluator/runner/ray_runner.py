"""The runner for clusters: local models as pools of processes of Ray Data.

Some processes prepare pictures on CPUs, others hold the model, with a GPU or a part of one each. Ray Data
moves the pictures between them, and holds the first back where the second do not keep up. Every answer comes
back to the command, which alone writes the run folder. So a process or a machine that is lost costs what it
had in hand, and a command that is killed costs what was in flight: the same command continues.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt

from evaluator.core import Caption, Captioner, Item, OnDevice, Priced, Prompt, RemoteSession, RequestBook
from evaluator.core.cpus import allowed_cpus
from evaluator.core.errors import ConfigError, MissingPackage
from evaluator.runner.ray_cluster import Resources, import_ray, join, start
from evaluator.runner.ray_pools import Pools
from evaluator.runner.remote_options import RemoteOptions, Unwritten

logger = logging.getLogger(__name__)

Count = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class RayRunner(RemoteOptions):
    """How captions are made on a Ray cluster. No option here changes a caption.

    `actors` is the number of processes that load the model, or the fewest and the most; `cpus` and `gpus` are
    what each of them takes. Remote models need no cluster: the command sends their requests itself.
    """

    kind: ClassVar[str] = "ray"

    address: str | None = None
    actors: Count | tuple[Count, Count] = 1
    cpus: Annotated[float, Gt(0)] = 1
    gpus: Annotated[float, Ge(0)] | Literal["auto"] = "auto"
    batch_size: Count = 32
    object_store_gb: Annotated[float, Ge(0.1)] = 1.0

    def run(
        self,
        captioner: Captioner,
        prompt: Prompt,
        items: Iterable[Item],
        record: Callable[[Caption], None],
        spent_usd: float = 0.0,
        book: RequestBook | None = None,
    ) -> None:
        """Caption every item once; each caption is recorded as soon as it comes back."""
        from evaluator.runner.recording import recording

        items = list(items)
        if isinstance(captioner, Priced):
            with (
                captioner.open(prompt) as session,
                recording(items, record, self.stop_after_failures) as recorder,
            ):
                assert isinstance(session, RemoteSession)
                self.ask(session, captioner, prompt, items, recorder, spent_usd, book)
            return
        import_ray(self.address)
        from evaluator.runner.ray_pools import captions_on_ray
        from evaluator.runner.ray_workers import Work

        pools = self.pools(captioner)
        level = logging.getLogger("evaluator").getEffectiveLevel()
        work = Work(captioner, prompt, self.batch_size, Path.cwd(), level)
        with (
            redirect_stdout(sys.stderr),  # Ray prints why a process was killed, which is no result
            recording(items, record, self.stop_after_failures) as recorder,
            closing(captions_on_ray(work, items, pools, (book or Unwritten()).used)) as batches,
        ):
            for captions in batches:
                for caption in captions:
                    recorder(caption)

    def check(self, captioner: Captioner, prompt: Prompt) -> None:
        """Raises an error for a missing package and for options that do not fit, also of remote models."""
        super().check(captioner, prompt)
        if isinstance(captioner, Priced):
            return
        if not find_spec("ray"):
            raise MissingPackage("ray", "ray")
        fewest, most = self.fewest_and_most
        if fewest > most:
            raise ConfigError(f"runner.actors: type 'runner.actors=[{most},{fewest}]', the fewest first")
        if isinstance(captioner, OnDevice) and captioner.device not in ("auto", "cpu", "cuda"):
            raise ConfigError(
                f"model.device: Ray chooses the GPU of each process, so it cannot be {captioner.device!r}. "
                "Leave model.device out, or type model.device=cpu"
            )

    @property
    def fewest_and_most(self) -> tuple[int, int]:
        return self.actors if isinstance(self.actors, tuple) else (self.actors, self.actors)

    def pools(self, captioner: Captioner) -> Pools:
        """Join or start the cluster, and divide it. Raises an error where that cannot be."""
        fewest, most = self.fewest_and_most
        if self.address:
            cluster = join(self.address)
            free = cluster.cpus - most * self.cpus
        else:
            free = allowed_cpus() - most * self.cpus
        preparing = max(1, round(free)) if self.decode_workers == "auto" else self.decode_workers
        if not self.address:
            cluster = start(most * self.cpus + preparing, self.object_store_gb)
        pools = Pools((fewest, most), self.cpus, self._gpus(captioner, cluster), (1, preparing))
        self._check_size(pools, cluster)
        logger.info("Ray: %s", pools)
        return pools

    def _gpus(self, captioner: Captioner, cluster: Resources) -> float:
        """What `auto` means for this captioner on this cluster."""
        if self.gpus != "auto":
            return self.gpus
        is_for_cpu = isinstance(captioner, OnDevice) and captioner.device == "cpu"
        return 0 if is_for_cpu or cluster.gpus == 0 else 1

    def _check_size(self, pools: Pools, cluster: Resources) -> None:
        """A cluster may grow while the run waits; this machine does not. Raises ConfigError."""
        fewest = pools.actors[0]
        needed = Resources(fewest * pools.cpus + 1, fewest * pools.gpus)
        if needed.cpus <= cluster.cpus and needed.gpus <= cluster.gpus:
            return
        message = (
            f"runner.actors: {fewest} of them and one process for pictures take {needed.cpus:g} CPUs and "
            f"{needed.gpus:g} GPUs, and there are {cluster.cpus:g} and {cluster.gpus:g}. "
        )
        advice = "Type a smaller runner.actors, runner.cpus or runner.gpus"
        if not self.address:
            raise ConfigError(message + advice)
        logger.warning("%s The run waits until the cluster grows. %s", message.strip(), advice)
