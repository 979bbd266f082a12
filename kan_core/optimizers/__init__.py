"""Optimizers over one flat parameter vector: Adam, L-BFGS and Levenberg-Marquardt."""
