# ---
# title: A class of static methods, and names for them
# kind: correct
# base: reference
# lost: []
# ---

# %% low_rank_approximate
class Factors:
    @staticmethod
    def rank(shape, ratio):
        return max(1, round(ratio * min(shape)))

    @staticmethod
    def of(weight_matrix, rank_ratio=0.5):
        rank = Factors.rank(weight_matrix.shape, rank_ratio)
        if rank > weight_matrix.size / sum(weight_matrix.shape):
            raise ValueError("more numbers than before")
        u, s, vh = np.linalg.svd(weight_matrix)
        return u[..., :rank], s[..., :rank], vh[:rank, ...]


low_rank_approximate = Factors.of

# %% factorized
class Pair:
    @classmethod
    def of(cls, layer, rank_ratio=0.5):
        u, s, vh = low_rank_approximate(layer.weight.data, rank_ratio)
        first = Linear(layer.in_features, len(s), bias=False)
        second = Linear(len(s), layer.out_features, bias=layer.bias is not None)
        first.weight.data = np.einsum("ik,k->ik", u, np.sqrt(s))
        second.weight.data = np.einsum("k,kj->kj", np.sqrt(s), vh)
        if layer.bias is not None:
            second.bias.data[:] = layer.bias.data
        return Sequential([first, second])


factorized = Pair.of
