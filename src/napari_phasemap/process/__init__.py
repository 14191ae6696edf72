"""Work in child processes, so that a window stays free and libraries stay apart.

A child is ``python -m MODULE FOLDER``: one JSON object per line on standard input and
output, arrays as memory-mapped files in a temporary folder.

* `child`: the parent's side; `conversation` is what it is made of.
* `serving`: the child's side.
* `embedder`, `embedding_worker`: UMAP in a child.
"""
