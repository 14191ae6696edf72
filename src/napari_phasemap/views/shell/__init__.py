"""What holds a dock, a viewer and the workspace together.

* `dock`, `job`, `children`: a dock's frame; long work in a thread or a process.
* `link`, `pointer`, `result_layers`, `label_colors`: workspace and layers.
* `regions`: pixels drawn by hand. `opening`, `saving`: files in and out.
"""
