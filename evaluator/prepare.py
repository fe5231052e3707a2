"""What happens before the first caption: each run gets its folder and its images, and is checked.

    prepared = prepare(run_configs(["model=gemini,git", "data=coco"], sweep=True))

A key, package, folder or file that only the last run of a sweep lacks is reported before the first run is
paid for, together with all other problems. Nothing is written.
"""

from __future__ import annotations

import glob
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from evaluator.comparison.gate import DEFAULT_GATES, parse_gate
from evaluator.config.identity import IDENTITY_GROUPS, dataset_digest, short_hash
from evaluator.config.prompt_forms import form_warning
from evaluator.config.run_config import RunConfig
from evaluator.config.secret_options import refuse_secrets
from evaluator.config.settings import Settings
from evaluator.core import (
    AsksModel,
    Caption,
    ChecksBefore,
    CorpusDependent,
    Dataset,
    FetchesPictures,
    ForData,
    HasSource,
    Item,
    Samples,
)
from evaluator.core.errors import ConfigError, DataError, EvaluatorError, StoreError, together
from evaluator.core.perturbation import Perturbation, without_perturbation
from evaluator.data.known import dataset_name
from evaluator.data.sampling import shard, stratified
from evaluator.files.images import is_file
from evaluator.files.perturbed_pictures import perturbed_path
from evaluator.store.attempts import without_final_outcome
from evaluator.store.draws import captioned, drawn_again
from evaluator.store.fingerprint import fingerprint
from evaluator.store.kept_scores import kept_scores
from evaluator.store.manifest import Manifest
from evaluator.store.run import Run
from evaluator.store.run_folder import RunFolder

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PreparedRun:
    """A run that can begin: its images, what its folder holds, and captions that another run made already."""

    config: RunConfig
    items: Sequence[Item]
    manifest: Manifest
    before: Run | None  # what the folder holds; None where there is no caption yet
    reused: Mapping[str, Caption] = field(default_factory=dict)
    origin: Manifest | None = None  # of the run that most of `reused` comes from

    @property
    def to_draw(self) -> list[Item]:
        """The further captions that have no final outcome yet, if every image gets a first one."""
        if self.config.settings.draws == 1:
            return []
        expected = [*captioned(self.items, self.known), *self.todo]
        again = drawn_again(expected, self.config.settings.draws)
        return without_final_outcome(again, self.before.drawn.captions if self.before else {})

    @property
    def todo(self) -> list[Item]:
        """The images that have no final outcome yet."""
        return without_final_outcome(self.items, self.known)

    @property
    def known(self) -> Mapping[str, Caption]:
        """The captions that are there before the run."""
        return {**self.reused, **(self.before.captions if self.before else {})}


def prepare(configs: Sequence[RunConfig], data: Sequence[Item] | None = None) -> list[PreparedRun]:
    """Name the runs, choose their images and check them; `data` is their data set, if loaded.

    Raises one error that lists every problem of every run.
    """
    refuse_secrets(sys.argv[1:])  # which the manifest holds
    prepared: list[PreparedRun] = []
    problems: list[tuple[str, EvaluatorError]] = []
    warnings: dict[str, None] = {}
    loaded: list[tuple[Dataset, Sequence[Item]]] = []  # a sweep reads its data set once
    for config in configs:
        try:
            items = data or next((items for of, items in loaded if of == config.data), None)
            if items is None:
                items = config.data.load()
                loaded.append((config.data, items))
            one = prepared_run(config, items)
            prepared.append(one)
        except EvaluatorError as error:
            problems.append((config.name, error))
            continue
        problems += [(config.name, problem) for problem in problems_of(one, warnings)]
    if problems:
        raise together(problems)
    for warning in warnings:
        logger.warning("%s", warning)
    return prepared


def prepared_run(config: RunConfig, data: Sequence[Item]) -> PreparedRun:
    """Choose the images, find the folder, and find captions of the same question in other folders.

    Raises ConfigError where the folder holds a different run.
    """
    items = perturbed_items(chosen(config.data, data, config.settings), config.perturbation)
    if isinstance(config.model, ForData):
        config = replace(config, model=config.model.for_data(config.data, data))
    manifest = Manifest(
        name=config.name,
        choices={group: config.choices[group] for group in IDENTITY_GROUPS},
        identity=config.identity,
        dataset_digest=dataset_digest(items),
        images=len(items),
        dataset=dataset_name(without_perturbation(config.choices["data"]), config.data, data),
        source=config.data.source() if isinstance(config.data, HasSource) else {},
    )
    config, before = with_its_folder(pin_document_frequencies(config, data), manifest)
    if before:
        refuse_fewer_images(before, items)
    one = PreparedRun(config, items, replace(manifest, name=config.name), before)
    return with_reused_captions(one) if one.todo and reuses_captions(config) else one


def problems_of(one: PreparedRun, warnings: dict[str, None]) -> Iterator[EvaluatorError]:
    """What would stop the run; what is only worth knowing is added to `warnings`."""
    config = one.config
    try:
        if one.todo or one.to_draw:
            for warning in model_warnings(config, one.items):
                warnings[warning] = None
        if one.to_draw:
            check_draws(config, one.items)
    except EvaluatorError as error:
        yield error
    for name, judge in judges_to_ask(one).items():
        try:
            for warning in judge.check(config.runner):
                warnings[warning] = None
        except EvaluatorError as error:
            yield type(error)(f"scorer.{name}: {error}") if isinstance(error, ConfigError) else error
    try:
        check_gates(config.settings)
    except EvaluatorError as error:
        yield error
    if message := unwritable(config.folder):
        yield StoreError(message)


def judges_to_ask(one: PreparedRun) -> dict[str, AsksModel]:
    """The judges by their scorers' names, without those whose scores in the run folder are up to date."""
    judges = {name: scorer for name, scorer in one.config.scorers.items() if isinstance(scorer, AsksModel)}
    if one.todo or not one.before or not judges:
        return judges
    run = one.before
    captions = {**run.captions_of_items, **run.drawn.captions}
    now = fingerprint(one.items, captions, judges, one.config.settings)
    kept = kept_scores(run, now).scorers
    return {name: judge for name, judge in judges.items() if kept.get(name) != now.scorers[name]}


def check_draws(config: RunConfig, items: Sequence[Item]) -> None:
    """Raises ConfigError for a model that gives one and the same caption each time."""
    draws, model = config.settings.draws, config.choices["model"]
    if not isinstance(config.model, Samples):
        raise ConfigError(f"draws={draws}: model={model} has one caption per image. Leave draws out")
    if fixed_by := config.model.fixed_by():
        raise ConfigError(
            f"draws={draws}: with {fixed_by} model={model} gives the same caption each time. "
            "Type model.temperature=1, or leave draws out"
        )
    ids = {item.id for item in items}
    if same := [one.id for one in drawn_again(items, draws) if one.id in ids]:
        raise ConfigError(f"draws={draws}: {same[0]!r} is an image of the data set; rename it")


def model_warnings(config: RunConfig, items: Sequence[Item]) -> list[str]:
    """What is worth knowing before the model is asked. Raises an error for what cannot work at all."""
    warnings = list(config.model.check(config.prompt, items))
    if isinstance(config.runner, ChecksBefore):
        config.runner.check(config.model, config.prompt)
    if warning := form_warning(config.choices["model"], config.model, config.prompt):
        warnings.append(warning)
    return warnings


def check_gates(settings: Settings) -> None:
    """Raises an error for a baseline that is not there, and for a gate that cannot be read."""
    if settings.baseline:
        RunFolder.existing(settings.baseline)
        for gate in settings.gates or DEFAULT_GATES:
            parse_gate(gate)


def unwritable(folder: Path) -> str | None:
    """Why no run folder can be written there; None where one can."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        return f"cannot write to {folder}: {there} is not a folder. Type runs=... or name=..."
    if not os.access(there, os.W_OK):
        return f"cannot write to {folder}: {there} is write-protected. Type runs=DIR for another folder"
    return None


def chosen(dataset: Dataset, items: Sequence[Item], settings: Settings) -> list[Item]:
    """The items that this run is about, with their pictures fetched."""
    if not isinstance(dataset, FetchesPictures):
        return select(items, settings)
    if settings.only_with_images:  # which are known only afterwards
        dataset.fetch(items)
        return select(items, settings)
    selected = select(items, settings)
    dataset.fetch(selected)
    return selected


def perturbed_items(items: Sequence[Item], perturbation: Perturbation | None) -> list[Item]:
    """The same items with pictures that are made harder."""
    if perturbation is None:
        return list(items)
    return [replace(item, image=item.image and perturbed_path(item.image, perturbation)) for item in items]


def select(items: Sequence[Item], settings: Settings) -> list[Item]:
    """The items that this run is about."""
    if settings.only_with_images:
        items = [item for item in items if item.image and is_file(item.image)]
    if not items:
        raise DataError("there is no image to caption: the data set is empty, or only_with_images left none")
    if settings.sample:
        items = stratified(items, settings.sample, settings.sample_seed)
    items = items[: settings.limit]
    if settings.shard_index is None:
        return list(items)
    if not (part := shard(items, *settings.shard_index)):
        raise DataError(
            f"shard={settings.shard}: there are only {len(items):,} images, too few for this part"
        )
    return part


def pin_document_frequencies(config: RunConfig, items: Sequence[Item]) -> RunConfig:
    """Give scorers of a sample the weights of the whole data set, such as CIDEr's document frequencies."""
    if not config.settings.sample:
        return config
    pinned = {
        name: scorer.pinned_to(items, without_perturbation(config.choices["data"]))
        for name, scorer in config.scorers.items()
        if isinstance(scorer, CorpusDependent) and scorer.depends_on_corpus
    }
    recorded = dict(config.document["scorer"])
    for name, scorer in pinned.items():
        recorded[name] = recorded[name] | {
            option: getattr(scorer, option) for option in recorded[name] if option != "_target_"
        }
    return replace(
        config, scorers={**config.scorers, **pinned}, document={**config.document, "scorer": recorded}
    )


# The folder of a run.


def with_its_folder(config: RunConfig, manifest: Manifest) -> tuple[RunConfig, Run | None]:
    """The run and what its folder holds. Where that is a run with other options, it gets another folder.

    So a changed YAML file, prompt or data set makes a new run. Raises ConfigError where the name was typed.
    """
    before = run_in(config.folder)
    if before is None or not (changed := before.manifest.changed_options(manifest)):
        return config, before
    if config.settings.name:
        raise ConfigError(
            f"{before.path} holds a run with other options:\n"
            + "\n".join(f"  {option}: {there!r} there, {now!r} now" for option, there, now in changed)
            + "\nType another name=..., or leave name out, or delete that folder"
        )
    renamed = replace(config, name=f"{config.name}-{short_hash(config.identity)}")
    there = run_in(renamed.folder)
    if there is None:
        options = ", ".join(option for option, _, _ in changed)
        logger.info("%s is a new run: its %s is not that of %s", renamed.folder, options, before.path)
    return renamed, there


def run_in(folder: Path) -> Run | None:
    """The run in a folder; None where it holds no caption yet."""
    run = Run(folder)
    return run if run.captions else None


def refuse_fewer_images(before: Run, items: Sequence[Item]) -> None:
    """A run keeps its images: a smaller selection must not replace it."""
    selected = {item.id for item in items}
    if left_out := [item_id for item_id in before.captions if item_id not in selected]:
        raise ConfigError(
            f"{before.path} holds captions of {len(left_out):,} images that are not among the {len(items):,} "
            f"of this command, such as {left_out[0]!r}. Type another name=... to keep both"
        )


# Captions that another run made.


def reuses_captions(config: RunConfig) -> bool:
    """A run with a name of its own is one of its own, and cache=refresh asks for new answers."""
    return config.settings.name is None and config.document.get("cache") != "refresh"


def with_reused_captions(one: PreparedRun) -> PreparedRun:
    """With captions of other subsets of the same run: the same data, model and prompt."""
    wanted = {item.id for item in one.todo}
    reused: dict[str, Caption] = {}
    origin: Manifest | None = None
    other_prompt: Run | None = None
    for run in runs_of_the_same_model(one.config):
        if changed := run.manifest.changed_options(one.manifest):
            if all(option.startswith("prompt.") for option, _, _ in changed):
                other_prompt = run
            continue
        captions = {
            item_id: not_paid_again(caption)
            for item_id, caption in run.captions.items()
            if item_id in wanted - reused.keys() and not caption.can_be_retried
        }
        if captions:
            logger.info("%s: %d captions are those of %s", one.config.folder, len(captions), run.path)
            origin = origin or run.manifest
            reused |= captions
    if other_prompt and not reused and not one.before:
        logger.info("%s is a new run: its prompt is not that of %s", one.config.folder, other_prompt.path)
    return replace(one, reused=reused, origin=origin)


def runs_of_the_same_model(config: RunConfig) -> Iterator[Run]:
    """The other runs over the same data set whose folders are named by what they are of."""
    start = "-".join(config.choices[group].replace("/", "-") for group in ("data", "model"))
    for path in sorted(config.settings.runs.glob(f"{glob.escape(start)}-*/manifest.json")):
        run = Run(path.parent)
        try:
            is_another = run.name != config.name and run.manifest.name == run.name and bool(run.captions)
        except StoreError:  # a damaged folder is no reason to stop another run
            continue
        if is_another:
            yield run


def not_paid_again(caption: Caption) -> Caption:
    """The caption as a line of another run, which paid nothing for it."""
    return replace(caption, cost_usd=None if caption.cost_usd is None else 0.0, requests=())
