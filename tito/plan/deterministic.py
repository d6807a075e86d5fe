"""What is known to come out the same wherever it is run: builtins, modules, and members of modules."""

from __future__ import annotations

from tito.plan.names import BUILTINS

FUNCTIONS = frozenset((
    "abs", "all", "any", "ascii", "bin", "bool", "bytearray", "bytes", "callable", "chr", "classmethod", "complex",
    "delattr", "dict", "divmod", "enumerate", "filter", "float", "format", "frozenset", "getattr", "hasattr", "hex",
    "int", "isinstance", "issubclass", "iter", "len", "list", "map", "max", "min", "next", "object", "oct", "ord",
    "pow", "print", "property", "range", "repr", "reversed", "round", "set", "setattr", "slice", "sorted",
    "staticmethod", "str", "sum", "super", "tuple", "type", "zip", "Ellipsis", "False", "None", "NotImplemented",
    "True", "__build_class__", "__debug__",
))  # fmt: skip
DETERMINISTIC_BUILTINS = FUNCTIONS | {
    name for name in BUILTINS if name.endswith(("Error", "Exception", "Warning", "StopIteration"))
}
BY_NAME = frozenset(("delattr", "getattr", "hasattr", "setattr"))  # name an attribute in a string

# Modules of which everything is deterministic, but for EXCEPT.
PURE = frozenset((
    "abc", "ast", "base64", "binascii", "bisect", "cmath", "collections", "collections.abc", "colorsys", "copy",
    "dataclasses", "decimal", "difflib", "enum", "fractions", "functools", "hashlib", "heapq", "html", "itertools",
    "json", "keyword", "math", "numbers", "operator", "re", "statistics", "string", "struct", "textwrap", "typing",
    "unicodedata", "zlib", "numpy.char", "numpy.fft", "numpy.linalg", "numpy.polynomial", "numpy.strings",
    "numpy.testing", "__future__",
))  # fmt: skip
EXCEPT = frozenset((
    "decimal.getcontext", "decimal.localcontext", "decimal.setcontext", "hashlib.file_digest", "json.dump",
    "json.load", "operator.attrgetter", "operator.methodcaller", "numpy.testing.measure", "numpy.testing.IS_PYPY",
    "numpy.testing.tempdir", "numpy.testing.temppath", "numpy.testing.rundocs", "numpy.testing.runstring",
    "numpy.testing.memusage", "numpy.testing.jiffies", "numpy.testing.check_support_sve", "numpy.linalg.test",
    "numpy.fft.test", "numpy.polynomial.test", "numpy.testing.test", "numpy.polynomial.set_default_printstyle",
))  # fmt: skip
NUMPY = frozenset((
    "False_", "ScalarType", "True_", "abs", "absolute", "acos", "acosh", "add", "all", "allclose", "amax", "amin",
    "angle", "any", "append", "apply_along_axis", "apply_over_axes", "arange", "arccos", "arccosh", "arcsin",
    "arcsinh", "arctan", "arctan2", "arctanh", "argmax", "argmin", "argpartition", "argsort", "argwhere", "around",
    "array", "array2string", "array_equal", "array_equiv", "array_repr", "array_split", "array_str", "asanyarray",
    "asarray", "asarray_chkfinite", "ascontiguousarray", "asfortranarray", "asin", "asinh", "asmatrix", "astype",
    "atan", "atan2", "atanh", "atleast_1d", "atleast_2d", "atleast_3d", "average", "bartlett", "base_repr",
    "binary_repr", "bincount", "bitwise_and", "bitwise_count", "bitwise_invert", "bitwise_left_shift",
    "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "blackman", "block", "bool", "bool_",
    "broadcast", "broadcast_arrays", "broadcast_shapes", "broadcast_to", "byte", "bytes_", "c_", "can_cast", "cbrt",
    "cdouble", "ceil", "character", "choose", "clip", "clongdouble", "column_stack", "common_type", "complex128",
    "complex256", "complex64", "complexfloating", "compress", "concat", "concatenate", "conj", "conjugate",
    "convolve", "copy", "copysign", "copyto", "corrcoef", "correlate", "cos", "cosh", "count_nonzero", "cov",
    "cross", "csingle", "cumprod", "cumsum", "cumulative_prod", "cumulative_sum", "deg2rad", "degrees", "delete",
    "diag", "diag_indices", "diag_indices_from", "diagflat", "diagonal", "diff", "digitize", "divide", "divmod",
    "dot", "double", "dsplit", "dstack", "dtype", "e", "ediff1d", "einsum", "einsum_path", "equal", "errstate",
    "euler_gamma", "exp", "exp2", "expand_dims", "expm1", "extract", "eye", "fabs", "fill_diagonal", "finfo", "fix",
    "flatnonzero", "flexible", "flip", "fliplr", "flipud", "float128", "float16", "float32", "float64",
    "float_power", "floating", "floor", "floor_divide", "fmax", "fmin", "fmod", "format_float_positional",
    "format_float_scientific", "frexp", "frombuffer", "fromfunction", "fromiter", "frompyfunc", "fromstring",
    "full", "full_like", "gcd", "generic", "geomspace", "gradient", "greater", "greater_equal", "half", "hamming",
    "hanning", "heaviside", "histogram", "histogram2d", "histogram_bin_edges", "histogramdd", "hsplit", "hstack",
    "hypot", "i0", "identity", "iinfo", "imag", "in1d", "index_exp", "indices", "inexact", "inf", "inner", "insert",
    "int16", "int32", "int64", "int8", "int_", "intc", "integer", "interp", "intersect1d", "intp", "invert",
    "isclose", "iscomplex", "iscomplexobj", "isdtype", "isfinite", "isfortran", "isin", "isinf", "isnan", "isnat",
    "isneginf", "isposinf", "isreal", "isrealobj", "isscalar", "issubdtype", "iterable", "ix_", "kaiser", "kron",
    "lcm", "ldexp", "left_shift", "less", "less_equal", "lexsort", "linspace", "log", "log10", "log1p", "log2",
    "logaddexp", "logaddexp2", "logical_and", "logical_not", "logical_or", "logical_xor", "logspace", "long",
    "longdouble", "longlong", "mask_indices", "matmul", "matrix", "matrix_transpose", "matvec", "max", "maximum",
    "mean", "median", "meshgrid", "mgrid", "min", "min_scalar_type", "minimum", "mod", "modf", "moveaxis",
    "multiply", "nan", "nan_to_num", "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean",
    "nanmedian", "nanmin", "nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum", "nanvar", "ndarray",
    "ndenumerate", "ndim", "ndindex", "nditer", "negative", "newaxis", "nextafter", "nonzero", "not_equal",
    "number", "object_", "ogrid", "ones", "ones_like", "outer", "packbits", "pad", "partition", "percentile",
    "permute_dims", "pi", "piecewise", "place", "poly", "poly1d", "polyadd", "polyder", "polydiv", "polyfit",
    "polyint", "polymul", "polysub", "polyval", "positive", "pow", "power", "prod", "printoptions", "promote_types",
    "ptp", "put", "put_along_axis", "putmask", "quantile", "r_", "rad2deg", "radians", "ravel", "ravel_multi_index",
    "real", "real_if_close", "reciprocal", "record", "remainder", "repeat", "require", "reshape", "resize",
    "result_type", "right_shift", "rint", "roll", "rollaxis", "roots", "rot90", "round", "row_stack", "s_",
    "searchsorted", "select", "setdiff1d", "setxor1d", "shape", "short", "sign", "signbit", "signedinteger", "sin",
    "sinc", "single", "sinh", "size", "sort", "sort_complex", "spacing", "split", "sqrt", "square", "squeeze",
    "stack", "std", "str_", "subtract", "sum", "swapaxes", "take", "take_along_axis", "tan", "tanh", "tensordot",
    "tile", "trace", "transpose", "trapezoid", "trapz", "tri", "tril", "tril_indices", "tril_indices_from",
    "trim_zeros", "triu", "triu_indices", "triu_indices_from", "true_divide", "trunc", "typecodes", "ubyte",
    "ufunc", "uint", "uint16", "uint32", "uint64", "uint8", "uintc", "uintp", "ulong", "ulonglong", "union1d",
    "unique", "unique_all", "unique_counts", "unique_inverse", "unique_values", "unpackbits", "unravel_index",
    "unsignedinteger", "unstack", "unwrap", "ushort", "vander", "var", "vdot", "vecdot", "vecmat", "vectorize",
    "void", "vsplit", "vstack", "where", "zeros", "zeros_like",
))  # fmt: skip
TYPES = ("FunctionType", "GeneratorType", "MappingProxyType", "MethodType", "NoneType", "SimpleNamespace")
SOME = {
    "contextlib": frozenset(("contextmanager", "nullcontext", "suppress")),
    "datetime": frozenset(("MAXYEAR", "MINYEAR", "UTC", "date", "datetime", "time", "timedelta", "timezone")),
    "io": frozenset(("BytesIO", "StringIO")),
    "types": frozenset(TYPES),
    "numpy": NUMPY,
    "numpy.lib.stride_tricks": frozenset(("sliding_window_view",)),
    "numpy.random": frozenset(("Generator",)),
}

# Generators: deterministic where they are made with a seed.
SEEDED = frozenset((
    "numpy.random.default_rng", "numpy.random.RandomState", "numpy.random.SeedSequence", "numpy.random.PCG64",
    "numpy.random.PCG64DXSM", "numpy.random.MT19937", "numpy.random.Philox", "numpy.random.SFC64", "random.Random",
))  # fmt: skip

# Functions that draw from global random state.
NUMPY_DRAWS = frozenset((
    "beta", "binomial", "bytes", "chisquare", "choice", "dirichlet", "exponential", "f", "gamma", "geometric",
    "gumbel", "hypergeometric", "laplace", "logistic", "lognormal", "logseries", "multinomial",
    "multivariate_normal", "negative_binomial", "noncentral_chisquare", "noncentral_f", "normal", "pareto",
    "permutation", "poisson", "power", "rand", "randint", "randn", "random", "random_integers", "random_sample",
    "ranf", "rayleigh", "sample", "shuffle", "standard_cauchy", "standard_exponential", "standard_gamma",
    "standard_normal", "standard_t", "triangular", "uniform", "vonmises", "wald", "weibull", "zipf",
))  # fmt: skip
PYTHON_DRAWS = frozenset((
    "betavariate", "binomialvariate", "choice", "choices", "expovariate", "gammavariate", "gauss", "getrandbits",
    "lognormvariate", "normalvariate", "paretovariate", "randbytes", "randint", "random", "randrange", "sample",
    "shuffle", "triangular", "uniform", "vonmisesvariate", "weibullvariate",
))  # fmt: skip
