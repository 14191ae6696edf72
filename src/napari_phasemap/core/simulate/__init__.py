"""Specimens whose truth is known, for examples, tests and benchmarks.

* `synthetic`, `synthetic_spectra`: cathode particles and the spectra of their phases.
* `independent`, `independent_spectra`: particles that a model gets wrong: other shapes
  of spectra and domains, a phase outside the library, frames that do not match.
* `synthetic_eels`: a silicon-carbon composite, core loss and low loss.
* `embedded`, `inelastic`: particles inside a matrix, where edges are hard to see.

Only tests, benchmarks and the samples of the menu may believe them.
"""
