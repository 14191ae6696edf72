"""The next measurement: which energies tell the phases apart best at a given dose.

* `choosing`: the choice. `criteria`: what is best: separation, D- or A-optimal.
* `gain`: what another energy, or more dose, buys.
* `plan`: the chosen energies and what is expected of them.
"""
