"""Energy-loss edges: from counts to classes with names.

* `recipe`: windows and settings of an edge.
* `axis`: zero loss, calibration, spikes. `thickness`: from the low loss.
* `background`, `power_law`, `plain_edge`: what lies under an edge.
* `null_jump`, `presence`, `jump_ratio`: which pixels have the edge, and how sure.
* `edge_preview`: what a window would give.
* `edge`, `workflow`: all steps of an edge; of several edges.
* `naming`, `class_edits`, `shown`: classes against references, merged, split, shown.

Which classes of two edges belong together is in `bonds`.
"""
