"""Which classes of two maps share their pixels, and whether by chance.

* `mutual_information`, `label_shifts`: the measure, and what chance alone would give.
* `co_occurrence`: pixels of two classes at once. `pair_order`: rows and columns sorted.
"""
