"""What holds a dock, a viewer and the workspace together.

* `dock`, `job`, `children`: a dock's frame; long work in a thread or a process.
* `activity`: a job in napari's activity dock. `help`: the page of the docs of a dock.
* `placing`, `second_canvas`: where a dock goes; where a view stands that is no form.
* `link`: images of a workspace's stacks.
* `layout`, `walk`: where particles lie, one of them alone.
* `names`, `names_overlay`: their names. `inserting`: many layers at once.
* `kinds`, `result_layers`, `result_layer`, `label_colors`: results as layers.
* `pointer`, `status`: the pixel under the mouse. `registry`: what a viewer owns.
* `warm`: what is loaded before somebody waits for it.
* `regions`: pixels drawn by hand. `opening`, `saving`: files in and out.
"""
