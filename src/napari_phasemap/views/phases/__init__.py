"""Docks *Data*, *Phase map* and *Spectra*.

* `data_panel`, `choices`, `arrangement_box`: from counts to pixels on the canvas.
* `phase_panel`, `fractions`: references, correlation, threshold, fractions.
* `spectra`: spectra of the pixel under the mouse, of phases and of the selection.
"""
