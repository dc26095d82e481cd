"""A short run of the chaos suite with a fixed seed; scripts/chaos runs it for as long as one likes."""
import pytest

from director import Director


@pytest.mark.slow
def test_a_short_mix(cluster, topics, tmp_path):
    lines = []
    director = Director(cluster, topics, tmp_path, seed=10, say=lines.append)
    try:
        figures = director.run(lives=1, rounds=2, round_seconds=18)
    finally:
        print("\n".join(lines))
        print(director.figures.table(good=False))
    assert sum(figures.faults.values()) >= 5 and figures.rounds == 2 and figures.windows >= 1
