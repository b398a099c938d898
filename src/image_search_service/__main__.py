"""``python -m image_search_service`` is the same as ``image-search``."""

from image_search_service.cli.app import main

if __name__ == "__main__":
    main()
