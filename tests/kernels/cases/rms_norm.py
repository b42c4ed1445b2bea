from tests.kernels.cases.arrays import Arrays
from tests.support.op_case import Case, permuted, sliced

a = Arrays(23)


def attrs(group_rows: int = 1, eps: float = 1e-6) -> dict[str, float]:
    return {"eps": eps, "group_rows": group_rows}


CASES = [
    Case("rms_norm", "plain", [a.normal(5, 64), None, None], (5, 64), attrs()),
    Case("rms_norm", "scaled", [a.normal(2, 3, 96), a.normal(1, 96), None], (2, 3, 96), attrs()),
    Case("rms_norm", "modulated", [a.normal(2, 6, 40), a.normal(4, 40), a.normal(4, 40)], (2, 6, 40), attrs(3)),
    Case("rms_norm", "shift-alone", [a.normal(4, 17), None, a.normal(1, 17)], (4, 17), attrs()),
    Case("rms_norm", "narrow", [a.normal(7, 3), None, None], (7, 3), attrs(1, 1e-5)),
    Case("rms_norm", "one-vector", [a.normal(129), None, None], (129,), attrs()),
    Case("rms_norm", "far-from-zero", [a.normal(3, 100, mean=10.0), None, None], (3, 100), attrs()),
    Case("rms_norm", "large-eps", [a.normal(3, 50), a.normal(1, 50), None], (3, 50), attrs(1, 0.5)),
    Case("rms_norm", "heads-of-a-slice", [sliced(a.normal(6, 80), 1, 8, 72), None, None], (6, 64), attrs()),
    Case("rms_norm", "permuted", [permuted(a.normal(3, 5, 32), 1, 0, 2), None, None], (5, 3, 32), attrs()),
]
