"""Does a text fit a picture, as a BLIP or a BLIP-2 with a matching head judges it.

The head (ITM) reads picture and text together and gives the probability that they match. The contrastive
features (ITC) of both give a cosine. Both are computed as transformers' BlipForImageTextRetrieval and
Blip2ForImageTextRetrieval do.

    load_matcher(ITM("Salesforce/blip-itm-base-coco")).matches([(picture, "a dog")])
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from evaluator.core.arrays import Array
from evaluator.core.errors import ImageError, MetricError
from evaluator.files.images import read_picture
from evaluator.models.checkpoints import Checkpoint, is_out_of_memory
from evaluator.scorers.checkpoint_options import FromCheckpoint, open_checkpoint

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

CLASSES = {"blip": "BlipForImageTextRetrieval", "blip-2": "Blip2ForImageTextRetrieval"}


class Matches(NamedTuple):
    """For each pair the probability that it matches, from 0 to 1, and the cosine, from -1 to 1; each (N,)."""

    probabilities: Array
    cosines: Array


@dataclass(frozen=True)
class Matcher:
    """A loaded model with a matching head."""

    checkpoint: Checkpoint
    batch_size: int

    @property
    def version(self) -> str:
        return self.checkpoint.commit or "local"

    def matches(self, pairs: Sequence[tuple[Path | None, str]]) -> Matches:
        """Pairs of one picture stand next to each other. NaN where the picture cannot be read."""
        import torch

        probabilities, cosines = np.full(len(pairs), np.nan), np.full(len(pairs), np.nan)
        errors: dict[Path | None, str] = {}
        compute = {"blip": self._blip, "blip-2": self._blip2}[self.checkpoint.config.model_type]
        for rows, pictures, of_row in self._batches(pairs, errors):
            try:
                with torch.inference_mode():
                    matching, cosine = compute(pictures, of_row, [pairs[row][1] for row in rows])
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                raise MetricError(
                    f"there is no memory for a batch of {self.batch_size}. Type scorer.itm.batch_size=4"
                ) from None
            probabilities[rows] = matching.float().softmax(dim=1)[:, 1].cpu().numpy()
            cosines[rows] = cosine.float().cpu().numpy()
        if errors:
            report = f"{len(errors):,} pictures cannot be read, for example {next(iter(errors.values()))}"
            if np.isnan(probabilities).all():
                raise MetricError(f"{report}. Say where they are with --images DIR, or data.images=DIR")
            logger.warning("%s; they are not scored", report)
        return Matches(probabilities, cosines)

    def _batches(
        self, pairs: Sequence[tuple[Path | None, str]], errors: dict[Path | None, str]
    ) -> Iterator[tuple[list[int], torch.Tensor, list[int]]]:
        """The rows of each batch, their pictures, each once, and which of them each row has."""
        import torch

        for start in range(0, len(pairs), self.batch_size):
            pixels: dict[Path, Any] = {}
            rows: list[int] = []
            for row in range(start, min(start + self.batch_size, len(pairs))):
                path = pairs[row][0]
                if path is not None and path not in pixels and path not in errors:
                    try:
                        pixels[path] = self._pixels(path)
                    except ImageError as error:
                        errors[path] = str(error)
                if path in pixels:
                    rows.append(row)
                elif path is None:
                    errors[None] = "an image without a picture"
            if rows:
                places = {path: place for place, path in enumerate(pixels)}
                model = self.checkpoint.model
                pictures = torch.stack(list(pixels.values())).to(model.device, model.dtype)
                yield rows, pictures, [places[path] for row in rows if (path := pairs[row][0])]

    def _pixels(self, path: Path) -> Any:
        return self.checkpoint.processor(read_picture(path), return_tensors="pt")["pixel_values"][0]

    def _tokens(self, texts: Sequence[str]) -> Any:
        """The texts as padded ids, cut off at what the model reads."""
        config = self.checkpoint.config
        text_config = config.text_config if config.model_type == "blip" else config.qformer_config
        longest = min(self.checkpoint.tokenizer.model_max_length, text_config.max_position_embeddings)
        # Half of a surrogate pair is legal in JSON; the tokenizer refuses it.
        readable = [text.encode(errors="replace").decode() for text in texts]
        return self.checkpoint.tokenizer(
            readable, return_tensors="pt", padding=True, truncation=True, max_length=longest
        ).to(self.checkpoint.model.device)

    def _blip(
        self, pictures: torch.Tensor, of_row: Sequence[int], texts: Sequence[str]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """A picture with several texts is encoded once."""
        from torch.nn.functional import normalize

        model, text = self.checkpoint.model, self._tokens(texts)
        images = model.vision_model(pixel_values=pictures).last_hidden_state[list(of_row)]
        inputs = {"input_ids": text.input_ids, "attention_mask": text.attention_mask}
        together = model.text_encoder(
            **inputs,
            encoder_hidden_states=images,
            encoder_attention_mask=images.new_ones(images.shape[:2]).long(),
        ).last_hidden_state[:, 0]
        alone = model.text_encoder(**inputs).last_hidden_state[:, 0]
        image_features = normalize(model.vision_proj(images[:, 0]), dim=-1)
        text_features = normalize(model.text_proj(alone), dim=-1)
        return model.itm_head(together), (image_features * text_features).sum(dim=1)

    def _blip2(
        self, pictures: torch.Tensor, of_row: Sequence[int], texts: Sequence[str]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The Q-Former reads the text behind places for its queries, if the checkpoint names their token."""
        import torch

        model, text = self.checkpoint.model, self._tokens(texts)
        ids, mask = text.input_ids, text.attention_mask
        if (place := model.config.image_token_index) is not None:
            places = ids.new_full((len(ids), model.config.num_query_tokens), place)
            ids = torch.cat([places, ids], dim=1)
            mask = torch.cat([torch.ones_like(places), mask], dim=1)
        inputs = {"pixel_values": pictures[list(of_row)], "input_ids": ids, "attention_mask": mask}
        matching = model(**inputs, use_image_text_matching_head=True).logits_per_image
        cosines = model(**inputs, use_image_text_matching_head=False).logits_per_image
        return matching, cosines.diagonal()


def load_matcher(scorer: FromCheckpoint) -> Matcher:
    """The BLIP or BLIP-2 with a matching head that the options name. Raises MetricError."""
    checkpoint = open_checkpoint(
        scorer,
        "ITM",
        "Salesforce/blip-itm-base-coco",
        model_types=tuple(CLASSES),
        model_class=CLASSES,
        # A buffer that BLIP-2's older files lack; a captioning checkpoint lacks whole layers.
        tolerated_missing_share=0.002,
    )
    return Matcher(checkpoint, scorer.batch_size)
