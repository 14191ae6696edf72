"""The same as the command: ``python -m napari_phasemap.cli``."""

from napari_phasemap.cli import main

if __name__ == "__main__":
    main()
