"""The science: functions on numpy arrays and frozen dataclasses.

Nothing here knows a window, a file format or a plotting library. The rooms, each
importing only from those below it:

* `simulate`, `latent`, `eels`: specimens with a known truth; the latent space and what
  is decided in it; the steps of an energy-loss edge.
* `phases`, `bonds`, `planning`: which reference a pixel resembles; which classes share
  pixels; which energies to measure next.
* `prepare`, `learn`: from counts to pixels worth analyzing; components, clusters, UMAP.
* `data`: what everything else is about: stacks, references, phase maps.
"""
