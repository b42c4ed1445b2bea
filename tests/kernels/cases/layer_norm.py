from tests.kernels.cases.arrays import Arrays
from tests.support.op_case import Case, permuted, sliced

a = Arrays(6)


def attrs(group_rows: int = 1, eps: float = 1e-6) -> dict[str, float]:
    return {"eps": eps, "group_rows": group_rows}


CASES = [
    Case("layer_norm", "plain", [a.normal(5, 64), None, None], (5, 64), attrs()),
    Case("layer_norm", "affine", [a.normal(2, 3, 96), a.normal(1, 96), a.normal(1, 96)], (2, 3, 96), attrs()),
    Case("layer_norm", "modulated", [a.normal(2, 6, 40), a.normal(4, 40), a.normal(4, 40)], (2, 6, 40), attrs(3)),
    Case("layer_norm", "groups-repeat", [a.normal(12, 33), a.normal(2, 33), a.normal(2, 33)], (12, 33), attrs(2)),
    Case("layer_norm", "scale-alone", [a.normal(4, 17), a.normal(1, 17), None], (4, 17), attrs()),
    Case("layer_norm", "shift-alone", [a.normal(4, 17), None, a.normal(1, 17)], (4, 17), attrs()),
    Case("layer_norm", "narrow", [a.normal(7, 3), None, None], (7, 3), attrs(1, 1e-5)),
    Case("layer_norm", "one-vector", [a.normal(129), None, None], (129,), attrs()),
    Case("layer_norm", "far-from-zero", [a.normal(3, 100, mean=10.0), None, None], (3, 100), attrs()),
    Case("layer_norm", "large-eps", [a.normal(3, 50), None, None], (3, 50), attrs(1, 0.5)),
    Case("layer_norm", "rows-of-a-slice", [sliced(a.normal(6, 80), 1, 8, 72), None, None], (6, 64), attrs()),
    Case("layer_norm", "permuted", [permuted(a.normal(3, 5, 32), 1, 0, 2), None, None], (5, 3, 32), attrs()),
    Case("layer_norm", "many-rows", [a.normal(130, 72), a.normal(130, 72), a.normal(130, 72)], (130, 72), attrs()),
]
