"""The runner: local models in batches, remote models by many requests at once, as the captioner requires."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge

from evaluator.core import Caption, Captioner, Item, OnDevice, Prompt, RemoteSession, RequestBook
from evaluator.runner.devices import AUTO, Device, devices_for, on_device
from evaluator.runner.remote_options import RemoteOptions, Unwritten

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DefaultRunner(RemoteOptions):
    """How captions are made on this machine. No option here changes a caption."""

    kind: ClassVar[str] = "default"

    batch_size: Annotated[int, Ge(1)] | Literal["auto"] = "auto"
    decode_in: Literal["auto", "threads", "processes"] = "auto"
    devices: Device | tuple[Device, ...] = AUTO

    def run(
        self,
        captioner: Captioner,
        prompt: Prompt,
        items: Iterable[Item],
        record: Callable[[Caption], None],
        spent_usd: float = 0.0,
        book: RequestBook | None = None,
    ) -> None:
        """Caption every item once; each caption is recorded as soon as it exists."""
        # A finished run needs none of these imports.
        from evaluator.runner.device_meter import DeviceMeter
        from evaluator.runner.device_processes import captions_of_devices
        from evaluator.runner.local import Batches
        from evaluator.runner.recording import recording

        items = list(items)
        devices = devices_for(captioner, self.devices)
        if len(devices) == 1:
            captioner = on_device(captioner, devices[0])
        book = book or Unwritten()
        with ExitStack() as stack:
            meter = DeviceMeter(captioner)
            session = stack.enter_context(captioner.open(prompt)) if len(devices) < 2 else None
            recorder = stack.enter_context(recording(items, record, self.stop_after_failures))
            if isinstance(session, RemoteSession):
                self.ask(session, captioner, prompt, items, recorder, spent_usd, book)
                return
            batches = Batches(self.batch_size, self.decode_workers, self.decode_in)
            if session is None:
                captions = captions_of_devices(captioner, prompt, items, devices, batches, book.used)
            else:
                seconds = meter.loaded()
                if isinstance(captioner, OnDevice):
                    logger.info("loaded in %.1f s", seconds)
                captions = batches.captions(session, items, batches.size_for(session))
            for batch in stack.enter_context(closing(captions)):
                for caption in batch:
                    recorder(caption)
                if session is not None and (use := meter.use(session)):
                    book.used(0, use)

    def check(self, captioner: Captioner, prompt: Prompt) -> None:
        """Raises ConfigError for devices that the captioner cannot have, and a budget that cannot be kept."""
        devices_for(captioner, self.devices)
        super().check(captioner, prompt)
