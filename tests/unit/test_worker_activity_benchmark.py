"""The throughput benchmark runs, and PRISM and pandas give equal rows. Sizes are small; no time is judged."""

import pytest

from benchmarks import throughput


def test_prism_and_pandas_give_equal_rows_of_records_from_files_and_from_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = throughput.main(["--records", "2000", "--repeats", "1"])

    assert set(results) == {"files", "log"}
    for result in results.values():
        assert set(result["ratios"]) == set(throughput.CONTENDERS)
    assert "ratio" in capsys.readouterr().out
