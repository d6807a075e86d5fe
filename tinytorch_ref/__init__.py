"""A small deep-learning library on numpy alone: the reference of every module of the course.

Staged for students under the name `tinytorch`, with the modules below the one that they work on. Nothing is imported
here: a class lives where its module put it, for instance `from tinytorch.core.tensor import Tensor`.

Reading order: the number of its module, the file, what it adds, and in brackets the files that it imports, all of
which stand above it. Four files are the heart: `tensor`, `tape` and the two with gradients.

Of no module: what every notebook may use.

    00  notebook.py                  pictures, refusals and stand-ins, for notebooks and their tests  []

Foundation: from an array to a model that learns.

    01  core/tensor.py               arrays with a dtype rule, arithmetic, shapes; `_result`, where operations end  []
    02  core/activations.py          what bends a line: ReLU, GELU, Softmax, and others  [tensor]
    03  core/layers.py               parameters: Layer, Linear, Dropout, Sequential  [tensor]
    04  core/losses.py               one number to lower: squared error, cross-entropy  [tensor]
    05  core/tape.py                 operations are recorded, and backward walks them  [tensor]
    05  core/tensor_gradients.py     the chain rule for each operation of a tensor  [tape tensor]
    05  core/model_gradients.py      and for look-ups, activations, losses  [activations losses tape tensor]
    05  core/autograd.py             all names of module 05  [model_gradients tape tensor_gradients]
    06  core/optimizers.py           parameters follow their gradients: SGD, Adam, AdamW  [autograd tensor]
    07  core/training.py             the loop, its schedule, checkpoints  [autograd layers losses optimizers tensor]

Architecture: images, then text.

    08  data/loader.py               examples in shuffled batches  [tensor]
    08  data/digits.py               handwritten digits to learn from  [tensor]
    09  core/windows.py              windows over images, as views of their memory  [tensor]
    09  core/spatial.py              convolution, pooling, normalisation  [activations autograd layers tensor windows]
    10  text/tokenization.py         text as numbers: characters, byte pairs  []
    10  text/dialogues/grammar.py    what the dialogues are made of; nothing depends on it  []
    10  text/corpus.py               dialogues to learn from  []
    11  text/embeddings.py           vectors for tokens and positions  [autograd layers tensor]
    12  core/attention.py            vectors that look at each other  [autograd layers tensor]
    13  models/transformer.py        GPT  [activations attention autograd embeddings layers tensor]
    13  models/zoo.py                a GPT that is trained, and random ones  [corpus tokenization transformer]
    13  models/weights/train.py      its training  [corpus losses optimizers tensor tokenization training transformer]

Optimization: what a model costs, and how to make it cheaper.

    14  profiling/costs.py           rules by which operations are counted, given  [tensor]
    14  profiling/machine.py         what this machine can do at best  []
    14  profiling/runs.py            a pass, a training step, a clock and a trace, given  [autograd tensor]
    14  profiling/profiler.py        what a model costs, and what holds it back  [costs machine runs tensor]
    15  optimization/memoization.py  keys and values that are computed once  [attention layers tensor transformer]
    16  optimization/quantization.py weights as 8-bit integers  [layers tensor]
    17  optimization/compression.py  prune  [activations autograd layers losses optimizers profiler quantization tensor]
    18  optimization/acceleration.py calls [activations autograd layers optimizers profiler spatial tensor windows]
    19  benchmarking/benchmark.py    compare models, and say how sure that is  [digits notebook profiler runs tensor]

Other files hand on names of these under paths of the public course. The project's
`book/explanation/tinytorch-core.md` walks through the core with examples.
"""

__version__ = "0.1.0"
