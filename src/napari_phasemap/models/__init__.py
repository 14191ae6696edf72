"""Networks: numpy in, numpy out."""
