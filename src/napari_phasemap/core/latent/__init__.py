"""The latent space of all particles, and what is decided and selected in it.

* `latent`, `components`: coordinates and what they mean; principal components.
* `clusters`, `ranking`, `assignment`: phases as Gaussians; ambiguous pixels assigned.
* `methods`: the table of assignments; a further one is one function and one row.
* `comparison`: several methods on the same pixels.
* `camera`, `projection`, `frame`, `selection`: what is seen; axes around it; points
  inside a lasso, a rectangle or a ball.

Networks are in `models`; drawing points is in `views.scatter`.
"""
