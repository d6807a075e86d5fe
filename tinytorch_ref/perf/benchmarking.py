# module: 19_benchmarking
"""Another name for `benchmarking.benchmark`, where newer states of the public course keep it.

>>> BenchmarkResult("answers_ms", [3.0, 1.0, 2.0]).median
2.0
"""

from ..benchmarking.benchmark import (
    Benchmark,
    BenchmarkReport,
    BenchmarkResult,
    BenchmarkSuite,
    MLPerf,
    OlympicEvent,
    TinyMLPerf,
    compare_optimization_techniques,
    pareto_frontier,
    precise_timer,
    qualifies_event,
)

__all__ = [
    "Benchmark",
    "BenchmarkReport",
    "BenchmarkResult",
    "BenchmarkSuite",
    "MLPerf",
    "OlympicEvent",
    "TinyMLPerf",
    "compare_optimization_techniques",
    "pareto_frontier",
    "precise_timer",
    "qualifies_event",
]
