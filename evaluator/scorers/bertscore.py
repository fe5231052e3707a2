"""BERTScore: how near the words of a caption are to those of a reference, by a language model's vectors.

Zhang et al. 2020, https://arxiv.org/abs/1904.09675. A language model gives each token a vector at one of its
layers. Precision is the mean, over the caption's tokens, of the largest cosine with a token of the reference;
recall is the mean over the reference's tokens; F1 is their harmonic mean. With several references the best
one counts, for each of the three by itself. All as in github.com/Tiiiger/bert_score 0.3.13: the start and end
tokens can be matched, but are not averaged over. An empty caption scores 0.

    >>> import torch
    >>> caption, reference = torch.eye(2), torch.tensor([[0.6, 0.8]])
    >>> scores = matched(caption, torch.ones(2), [reference], [torch.ones(1)])
    >>> [round(score, 2) for score in scores.tolist()]  # precision, recall, F1
    [0.7, 0.8, 0.75]
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from annotated_types import Ge

from evaluator.core import RUNTIME_ONLY, TYPED_ONLY, Array, Item, Measurement
from evaluator.core.cut_off import cut_off_notes
from evaluator.core.errors import MetricError
from evaluator.models.checkpoints import is_out_of_memory
from evaluator.scorers.checkpoint_options import open_checkpoint
from evaluator.scorers.clip.checkpoint import digest_of_files
from evaluator.scorers.references import rows_of_mean
from evaluator.scorers.signature import checkpoint_name, signature

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)

IMAGES_AT_ONCE = 64  # whose texts have their vectors in memory: 0.3 GB at 1,024 numbers and 200 tokens a text


class Tuned(NamedTuple):
    """What the authors chose for a checkpoint: the layer, and the scores of sentences paired by chance."""

    layer: int
    precision: float
    recall: float
    f1: float


# By the last part of the checkpoint's name; from bert_score 0.3.13, its baselines for English.
TUNED: Mapping[str, Tuned] = MappingProxyType(
    {
        "roberta-large": Tuned(17, 0.83150584, 0.8314941, 0.83122575),
        "roberta-base": Tuned(10, 0.8146725, 0.8146619, 0.814463),
        "roberta-large-mnli": Tuned(19, 0.6901594, 0.69018, 0.6896288),
        "bert-base-uncased": Tuned(9, 0.35375935, 0.3537393, 0.35219112),
        "bert-large-uncased": Tuned(18, 0.4278576, 0.42786714, 0.42646673),
        "bert-base-multilingual-cased": Tuned(9, 0.6320527, 0.6320019, 0.63146895),
        "distilbert-base-uncased": Tuned(5, 0.6666034, 0.66660464, 0.66620487),
        "distilroberta-base": Tuned(5, 0.84732, 0.84759504, 0.8473319),
        "deberta-large-mnli": Tuned(18, 0.45358238, 0.45362508, 0.45173016),
        "deberta-xlarge-mnli": Tuned(40, 0.5169066, 0.5170288, 0.5150192),
        "xlm-roberta-base": Tuned(9, 0.81658614, 0.8165717, 0.81639785),
        "xlm-roberta-large": Tuned(17, 0.85291016, 0.8529066, 0.8525485),
    }
)


@dataclass(frozen=True)
class BERTScore:
    """Scores captions against their references with the vectors of a language model."""

    kind: ClassVar[str] = "bertscore"
    group: ClassVar[str] = "scorer.bertscore"  # where its options stand

    checkpoint: str = field(default="FacebookAI/roberta-large", metadata=TYPED_ONLY)
    revision: str | None = field(default=None, metadata=TYPED_ONLY)
    layer: Annotated[int, Ge(1)] | None = None
    idf: bool = False
    rescaled: bool = False
    device: str = field(default="auto", metadata=RUNTIME_ONLY)
    dtype: Literal["float32", "float16", "bfloat16"] = "float32"
    batch_size: Annotated[int, Ge(1)] = field(default=64, metadata=RUNTIME_ONLY)
    safetensors_only: bool = field(default=True, metadata=TYPED_ONLY)

    @property
    def names(self) -> tuple[str, ...]:
        return ("BERTScore", "BERTScore-P", "BERTScore-R")

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """F1, precision and recall of each caption. Raises MetricError with the reason."""
        if not any(item.references for item in items):
            raise MetricError("BERTScore needs references, and no image has any")
        layer, baseline = self.tuned_layer, self.baseline
        model = self.language_model(layer)
        weight_of = model.idf(items) if self.idf else model.equal_weights
        precision, recall, f1 = scores_of(model, items, captions, weight_of).T
        scores = np.stack([f1, precision, recall])
        scores = (scores - baseline) / (1.0 - baseline)
        notes = notes_on(model, items, captions)
        return [
            self._measurement(name, row, items, layer, model.version, notes)
            for name, row in zip(self.names, scores, strict=True)
        ]

    @property
    def tuned_layer(self) -> int:
        """The layer that was typed, or the one that the authors chose. Raises MetricError for neither."""
        if self.layer:
            return self.layer
        if tuned := self._tuned:
            return tuned.layer
        raise MetricError(
            f"scorer.bertscore.layer: no layer is known to be best for {self.checkpoint!r}. "
            "Type scorer.bertscore.layer=9, or another number"
        )

    @property
    def baseline(self) -> Array:
        """What F1, precision and recall are by chance, (3, 1); zeros where scores are not rescaled.

        Raises MetricError where that is not known.
        """
        if not self.rescaled:
            return np.zeros((3, 1))
        tuned = self._tuned
        if tuned is None or self.layer not in (None, tuned.layer):
            raise MetricError(
                f"scorer.bertscore.rescaled: the scores by chance are not known for {self.checkpoint!r} "
                "and this layer. Type scorer.bertscore.rescaled=false"
            )
        return np.array([[tuned.f1], [tuned.precision], [tuned.recall]])

    @property
    def _tuned(self) -> Tuned | None:
        return TUNED.get(Path(self.checkpoint).name)

    def language_model(self, layer: int) -> LanguageModel:
        """The checkpoint up to the layer. Raises MetricError with the reason and what to type."""
        opened = open_checkpoint(
            self,
            "BERTScore",
            "FacebookAI/roberta-large",
            model_types=None,
            model_class="AutoModel",
            open_processor=tokenizer_alone,
            unused_weights=frozenset({"pooler.dense.weight", "pooler.dense.bias"}),
        )
        keep_layers(opened.model, layer)
        version = opened.commit or digest_of_files(opened.folder)
        return LanguageModel(opened.model, opened.tokenizer, self.batch_size, version)

    def _measurement(
        self, name: str, scores: Array, items: Sequence[Item], layer: int, version: str, notes: Sequence[str]
    ) -> Measurement:
        return Measurement(
            name,
            rows_of_mean(scores),
            "mean",
            signature(
                name,
                items,
                checkpoint=checkpoint_name(self.checkpoint),
                version=version[:8],
                dtype=self.dtype,
                layer=layer,
                **({"rescaled": "yes"} if self.rescaled else {}),
                **({"idf": "corpus"} if self.idf else {}),
            ),
            notes=notes,
        )


@dataclass(frozen=True)
class LanguageModel:
    """A loaded encoder whose last layer is the one that counts."""

    model: Any
    tokenizer: Any
    batch_size: int
    version: str

    @property
    def longest(self) -> int:
        """How many tokens of a text are read, with the start and end tokens."""
        config = self.model.config
        positions = int(config.max_position_embeddings)
        if "roberta" in config.model_type:  # it counts positions from behind its padding token
            positions -= config.pad_token_id + 1
        return min(int(self.tokenizer.model_max_length), positions)

    def token_ids(self, texts: Sequence[str], whole: bool = False) -> list[list[int]]:
        """The tokens of each text, cut off at `longest` unless `whole`."""
        # Half of a surrogate pair is legal in JSON; the tokenizer refuses it.
        readable = [text.strip().encode(errors="replace").decode() for text in texts]
        if type(self.tokenizer).__name__.startswith(("Roberta", "GPT2")):
            # To these, a word at the beginning is another token than within a text.
            readable = [f" {text}" if text else "" for text in readable]
        length = {} if whole else {"truncation": True, "max_length": self.longest}
        ids: list[list[int]] = self.tokenizer(readable, verbose=False, **length)["input_ids"]
        return ids

    def equal_weights(self, ids: Iterable[int]) -> list[float]:
        """1 for each token, 0 for the start and end tokens."""
        ends = (self.tokenizer.cls_token_id, self.tokenizer.sep_token_id)
        return [float(token not in ends) for token in ids]

    def idf(self, items: Iterable[Item]) -> Callable[[Iterable[int]], list[float]]:
        """Weights by how few references have a token: log((references + 1) / (references with it + 1))."""
        references = [reference for item in items for reference in item.references]
        counts = Counter(token for ids in self.token_ids(references) for token in set(ids))
        return lambda ids: [math.log((len(references) + 1) / (counts[token] + 1)) for token in ids]

    def vectors(self, texts: Mapping[str, Sequence[int]]) -> dict[str, torch.Tensor]:
        """The tokens of each text as rows of length 1, (tokens, D). Raises MetricError for lack of memory."""
        import torch

        vectors: dict[str, torch.Tensor] = {}
        # Texts of similar length share a batch, since a batch is as long as its longest text.
        ordered = sorted(texts, key=lambda text: len(texts[text]))
        for start in range(0, len(ordered), self.batch_size):
            batch = ordered[start : start + self.batch_size]
            rows = {"input_ids": [texts[text] for text in batch]}
            padded = self.tokenizer.pad(rows, padding_side="right", return_tensors="pt").to(self.model.device)
            try:
                with torch.inference_mode():
                    states = self.model(
                        input_ids=padded["input_ids"], attention_mask=padded["attention_mask"]
                    ).last_hidden_state
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                raise MetricError(
                    f"there is no memory for a batch of {self.batch_size} texts. "
                    "Type scorer.bertscore.batch_size=8"
                ) from None
            unit = torch.nn.functional.normalize(states.float(), dim=-1)
            vectors |= {text: row[: len(texts[text])] for text, row in zip(batch, unit, strict=True)}
        return vectors


def scores_of(
    model: LanguageModel,
    items: Sequence[Item],
    captions: Sequence[str],
    weight_of: Callable[[Iterable[int]], list[float]],
) -> Array:
    """Precision, recall and F1 of each caption, (N, 3); NaN where there is no reference."""
    import torch

    rows = np.full((len(items), 3), np.nan)
    for start in range(0, len(items), IMAGES_AT_ONCE):
        part = range(start, min(start + IMAGES_AT_ONCE, len(items)))
        texts = list(dict.fromkeys(text for row in part for text in (captions[row], *items[row].references)))
        ids = dict(zip(texts, model.token_ids(texts), strict=True))
        vectors = model.vectors(ids)
        device = model.model.device
        weights = {text: torch.tensor(weight_of(ids[text]), device=device) for text in texts}
        for row in part:
            if references := items[row].references:
                rows[row] = matched(
                    vectors[captions[row]],
                    weights[captions[row]],
                    [vectors[reference] for reference in references],
                    [weights[reference] for reference in references],
                ).numpy(force=True)
    return rows


def matched(
    caption: torch.Tensor,
    caption_weights: torch.Tensor,
    references: Sequence[torch.Tensor],
    reference_weights: Sequence[torch.Tensor],
) -> torch.Tensor:
    """Precision, recall and F1, each with the best reference, (3,).

    Rows of length 1 for each token, (tokens, D), and the weight of each token, (tokens,). The score is 0
    where a text has no token of any weight.
    """
    import torch

    scores = []
    whole = caption @ torch.cat(list(references)).T
    cosines = torch.split(whole, [len(each) for each in references], dim=1)
    for cosine, weights in zip(cosines, reference_weights, strict=True):
        if not (caption_weights.any() and weights.any()):
            scores.append(cosine.new_zeros(3))
            continue
        precision = (cosine.amax(dim=1) * caption_weights).sum() / caption_weights.sum()
        recall = (cosine.amax(dim=0) * weights).sum() / weights.sum()
        scores.append(torch.stack([precision, recall, 2 * precision * recall / (precision + recall)]))
    return torch.stack(scores).nan_to_num(0.0).amax(dim=0)


def notes_on(model: LanguageModel, items: Sequence[Item], captions: Sequence[str]) -> Sequence[str]:
    """A note for each caption whose end was not read, which is logged; empty where all were read."""
    counts = [len(ids) for ids in model.token_ids(captions, whole=True)]
    notes = cut_off_notes(model.longest, counts, [bool(item.references) for item in items])
    if notes:
        logger.warning(
            "%s captions are longer than the %d tokens that the model reads: their ends are cut off",
            f"{sum(map(bool, notes)):,}",
            model.longest,
        )
    return notes


def keep_layers(model: Any, number: int) -> None:
    """Remove the layers behind the one that counts. Raises MetricError where there are not so many."""
    layers = next(
        (
            part
            for name, part in model.named_modules()
            if name in ("encoder.layer", "transformer.layer")  # BERT, RoBERTa, DeBERTa; DistilBERT
        ),
        None,
    )
    if layers is None:
        raise MetricError(
            "scorer.bertscore.checkpoint: its layers are not those of a BERT, a RoBERTa, a DeBERTa or a "
            "DistilBERT. Type scorer.bertscore.checkpoint=FacebookAI/roberta-large"
        )
    if number > len(layers):
        raise MetricError(f"scorer.bertscore.layer={number}: the checkpoint has {len(layers)} layers")
    del layers[number:]


def tokenizer_alone(name: str, source: Mapping[str, Any]) -> tuple[None, Any]:
    from transformers import AutoTokenizer

    return None, AutoTokenizer.from_pretrained(name, **source)
