"""Points of a latent space on an OpenGL canvas; knows neither docks nor layers.

* `scatter`: the widget. `scene`, `gl`, `overlay`: what is painted.
* `colors`: one number per point. `tools`: lasso and friends. `figure`: for print.
"""
