"""The throughput benchmark runs, and PRISM and pandas give equal rows. Sizes are small; no time is judged."""

import pytest

from benchmarks import throughput


def test_prism_and_pandas_give_equal_rows(capsys: pytest.CaptureFixture[str]) -> None:
    result = throughput.main(["--records", "2000", "--repeats", "1"])

    assert set(result["ratios"]) == set(throughput.CONTENDERS)
    assert "ratio" in capsys.readouterr().out
