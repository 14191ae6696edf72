"""Dock *Latent space*: a model is trained, and ambiguous pixels are resolved.

* `latent_panel`: the dock. `model_box`, `resolve_box`, `loss_curve`: its parts.
"""
