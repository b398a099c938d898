"""What all tests share: the photos and models to test with, and the rule that CI skips nothing."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.databases import drop_schemas
from tests.support.made_once import folder_of_run, made_once
from tests.support.no_skips import NoSkips
from tests.support.temporary_files import keep_in_memory

SHARED = Path(os.environ.get("IMAGE_SEARCH_TEST_SHARED") or Path(__file__).parents[2] / "shared")
"""Photos and models that are no part of the project; beside the repository unless the variable says where."""


settings.register_profile(
    "tests",
    deadline=None,
    # Both checks look at the clock; that examples share a fixture's folder or store is meant.
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
settings.load_profile("tests")


def pytest_configure(config: pytest.Config) -> None:
    keep_in_memory()
    _hear_interrupts()
    gc.set_threshold(100_000, 50, 100)  # an eighth of the tests' time was spent on looking for garbage
    if os.environ.get("IMAGE_SEARCH_CI"):
        config.pluginmanager.register(NoSkips(allowed=() if SHARED.is_dir() else (str(SHARED),)), "no-skips")


def _hear_interrupts() -> None:
    """As in a terminal: what a shell runs in the background ignores Ctrl-C, and so does what it starts, for
    which tests that interrupt it would wait for ever."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    drop_schemas()


def _shared(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(
            f"there is no {folder}: put the {name} there, or set IMAGE_SEARCH_TEST_SHARED to the folder "
            f"that has a folder {name}"
        )
    return folder


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sixty drawn faces and some bad files; not to be changed."""
    from image_search_service.demo.library import make_demo_library

    return made_once(
        folder_of_run(tmp_path_factory) / "drawn", lambda folder: make_demo_library(folder, faces=60)
    )


@pytest.fixture(scope="session")
def photos() -> Path:
    """Folder with real photos: ``lfw/PERSON/*.jpg`` and ``groups/PERSON_N.*``."""
    return _shared("photos")


@pytest.fixture(scope="session")
def models() -> Path:
    """Folder with real models: ``face_detection_yunet_2023mar.onnx`` and ``mobilefacenet.onnx``."""
    return _shared("models")


@pytest.fixture(scope="session")
def default_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the default engine's files: from the shared models, or else fetched as a user gets them."""
    from image_search_service.core.errors import UnavailableError
    from image_search_service.recognition.engines import known_models as known
    from image_search_service.recognition.engines.model_store import ModelStore
    from tests.support.models import unseen

    store = ModelStore(tmp_path_factory.mktemp("models"), source=str(SHARED / "models"))
    try:
        store.require(known.YUNET, known.SFACE, watch=unseen)
    except UnavailableError as error:
        pytest.skip(f"the default engine's models cannot be had here: {error.message}")
    return store.folder
