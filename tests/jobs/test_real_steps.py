"""The real steps in real processes: killed in the middle, and the same bytes all the same."""

import hashlib

import numpy as np
import pytest

from app.jobs import State
from app.storage import PART_SUFFIX

TENSORS = 4_200  # three steps of `real_steps_in_small`


@pytest.fixture(scope="module")
def weights():
    values = np.random.default_rng(7).standard_normal((TENSORS, 8, 8), dtype=np.float32)
    return {f"layer.{index:04}.weight": values[index] for index in range(TENSORS)}


def test_a_real_file_survives_a_killed_worker(place, weights):
    from safetensors.numpy import load, save

    worker = place.start_worker("real_steps_in_small")
    file = place.upload(save(weights))
    calm, disturbed = (place.start_job(file, scheme="float16") for _ in range(2))
    assert place.wait_for(calm.id).state is State.DONE
    part = place.storage.path(disturbed.result_key + PART_SUFFIX)
    place.wait_until(part.exists, "the first byte")
    worker.kill()
    worker.wait()
    assert not place.storage.exists(disturbed.result_key)
    place.start_worker("real_steps_in_small")
    state = place.wait_for(disturbed.id)
    assert (state.state, state.done, state.steps) == (State.DONE, state.total, 3)

    results = [place.storage.path(job.result_key).read_bytes() for job in (calm, disturbed)]
    assert results[0] == results[1]
    report = place.records.report(disturbed.id)
    assert report["sha256"] == hashlib.sha256(results[1]).hexdigest()
    assert [row["name"] for row in report["tensors"]] == list(weights)
    for name, array in load(results[1]).items():
        assert array.dtype == np.float16, name
        assert np.array_equal(array, weights[name].astype(np.float16)), name
