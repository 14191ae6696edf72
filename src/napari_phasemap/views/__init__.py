"""Windows: the only floor that knows Qt, vispy and napari.

* `bench`: all docks in one arrangement.
* `phases`, `training`, `latent`, `eels`: one room per dock family; none knows another.
* `scatter`: the points of a latent space on an OpenGL canvas.
* `shell`: what holds a dock, a viewer and the workspace together.
* `widgets`: forms and plots that know no workspace.
* `demo`: the whole job in one window.
"""
