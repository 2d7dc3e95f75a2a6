"""Numba kernels: arrays in, arrays out; compiled once, serial, no options."""
