"""What ``import image_search_service`` gives to other programs."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import image_search_service
from image_search_service.core import errors

ROOT = Path(__file__).parents[2]


def test_every_public_name_can_be_imported() -> None:
    """Each name in ``__all__`` is there, is documented, and shows up in ``dir``."""
    for name in image_search_service.__all__:
        found = getattr(image_search_service, name)
        assert name == "__version__" or inspect.getdoc(found)
        assert name in dir(image_search_service)


def test_every_error_is_public() -> None:
    """Whatever the package raises on purpose can be caught by name."""
    raised = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.ImageSearchError)
    }
    assert raised <= set(image_search_service.__all__)


def test_other_names_are_an_error() -> None:
    """A name that is not public is no attribute."""
    with pytest.raises(AttributeError, match="Cluster"):
        image_search_service.Cluster  # noqa: B018 - looking it up is what fails


def test_importing_the_package_imports_nothing_else() -> None:
    """Names are imported when they are used."""
    program = "import sys, image_search_service as p; print([n for n in sys.modules if p.__name__ in n])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['image_search_service']"


def test_every_name_is_in_the_documentation() -> None:
    """``docs/library.md`` names each of them."""
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    assert [name for name in image_search_service.__all__ if f"`{name}`" not in page] == []
    assert (ROOT / "src" / "image_search_service" / "py.typed").exists()
