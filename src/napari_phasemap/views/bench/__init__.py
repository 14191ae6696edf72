"""All docks in one arrangement: images, latent view, spectra, and one form.

* `workbench`: the form, whose pages are the docks that stand alone elsewhere.
* `pages`: which pages an arrangement has, and which step is where.
* `step_row`: the steps as buttons, and what is to be done; `undo_buttons`: back and on.
* `start`: what to drop or press while nothing is open. `figure_page`: figures to files.
* `error_box`: the last error, to read and to copy.
* `session`: what is open, saved and opened again.
"""
