"""Docks *EELS classes* and *Co-occurrence*.

* `panel`, `source`, `corrections`, `edge_forms`, `table`, `windows`, `preview`,
  `following`: what is analyzed and how.
* `edges`: analyzed edges as layers. `classes`, `editing`: their classes.
* `co_occurrence`, `heat_map`: pairs of classes.
"""
