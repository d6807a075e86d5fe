# module: 14_profiling
"""Another name for `profiling.profiler`, where newer states of the public course keep it.

>>> Profiler().count_parameters(lambda x: x)
0
"""

from ..profiling.profiler import Profiler, analyze_weight_distribution, model_parameters, quick_profile

__all__ = ["Profiler", "analyze_weight_distribution", "model_parameters", "quick_profile"]
