"""Everything a user sees in napari: the only place for Qt, vispy and napari."""
