"""A small deep-learning library on numpy alone: the reference of every module of the course.

Staged for students under the name `tinytorch`. Nothing is imported here: a class lives where its module
put it, for instance `from tinytorch.core.tensor import Tensor`.
"""

__version__ = "0.1.0"
