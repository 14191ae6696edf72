"""Structure without references: components, maps of similarity, clusters.

* `decomposition`: principal components scaled for their noise.
* `embedding`: UMAP.
* `clustering`: k-means, its stability and a number of clusters.
* `kinds`: whether classes are kinds or steps of a continuum.

The latent space of the autoencoder is in `latent` and `models`.
"""
