r"""Reference implementations for the course on latent variable models.

One idea per module. Every function takes its device and its precision from its inputs, so the same
code runs on a CPU and on a GPU.
"""

__version__ = "0.1.0"
