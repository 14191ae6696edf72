"""Forms and plots that know neither viewer nor workspace.

* `plot`, `quick_plot`: matplotlib in a dock; a plot that follows the mouse.
* `change_view`: a table of pixels that went from one phase to another.
* `forms`: a form made from a signature. `fitted`, `steady_label`: widgets that keep
  their size.
"""
