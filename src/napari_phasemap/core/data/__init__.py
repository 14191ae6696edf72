"""What everything else is about: stacks, references, phase maps, their pixel order.

* `stack`, `stack_set`: one particle; all particles in the pixel order of the program.
* `noise`: what the variance of every value follows from.
* `references`, `phasemap`: spectra of known phases; one phase per pixel with scores.
* `net_edge`, `pixel_spectra`: an edge without background; rows to learn from.
* `subset`, `mosaic`: some of the pixels; all particles as one stack.
* `layout`: where particles lie on a canvas; `pixel_grid`: one array over all of them.
* `errors`, `frozen`: what a user can cause; arrays that refuse writing.
* `history`, `progress`, `describe`, `parameters`, `text_table`: undo, how far a step
  is, a pixel in words, what a signature says of its parameters, tables as text.

Steps that change data are in `prepare`; what compares spectra is in `phases`.
"""
