"""Docks *Data*, *Phase map* and *Spectra*.

* `data_panel`, `choices`: from counts to pixels.
* `phase_panel`, `fractions`: references, correlation, threshold, fractions.
* `spectra`: spectra of the pixel under the mouse, of phases and of the selection.
"""
