"""The types that every other folder uses: values, errors, protocols, measurements and results."""

from evaluator.core.aggregates import AGGREGATES
from evaluator.core.arrays import Array
from evaluator.core.errors import (
    CaptionError,
    ConfigError,
    DataError,
    EvaluatorError,
    ImageError,
    MissingPackage,
    ModelError,
    OutOfMemory,
    RetryableError,
    StoreError,
)
from evaluator.core.measurement import Measurement
from evaluator.core.protocols import (
    AsksModel,
    Captioner,
    ChecksBefore,
    Closing,
    CorpusDependent,
    Dataset,
    FetchesPictures,
    ForData,
    HasShapes,
    HasSource,
    InParts,
    OnDevice,
    PreparesApart,
    PreparesElsewhere,
    Priced,
    Questionnaire,
    RemoteSession,
    RequestBook,
    RowScorer,
    Runner,
    RunsHere,
    Samples,
    Scorer,
    Session,
    Splits,
    Weighted,
)
from evaluator.core.results import DrawSpread, Finding, NotComputed, Results, Score, Style
from evaluator.core.signature import Signature
from evaluator.core.values import (
    LEFT_OUT_BY_DEFAULT,
    RUNTIME_ONLY,
    TYPED_ONLY,
    Caption,
    DeviceUse,
    Item,
    Outcome,
    Placement,
    Prompt,
    PromptForm,
    Question,
    Reply,
    Shot,
    Source,
    TokenChoice,
    Usage,
    WeightsSize,
    choice_of,
)
