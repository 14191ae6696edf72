"""Dock *Latent view*: the latent space linked with images and spectra.

* `view`: the dock. `tools`, `actions`, `selections`, `legend`, `look`,
  `color_choice`: its parts.
"""
