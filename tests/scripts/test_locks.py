"""The check of the locks finds what must not be committed."""

import pytest

from scripts.check_locks import find_addresses
from scripts.lock import CUDA_PACKAGE


@pytest.mark.parametrize("line", ["torch @ https://example.org/torch.whl", "resolution: x::__archiveUrl=abc"])
def test_an_address_in_a_lock_is_found(tmp_path, line):
    lock = tmp_path / "yarn.lock"
    lock.write_text(f"fine==1.0\n{line}\n")
    (problem,) = find_addresses(lock)
    assert f"{lock}:2:" in problem


@pytest.mark.parametrize("line", ["nvidia-cublas==13.1", "nvidia-nccl-cu13==2.29", "cuda-toolkit==13.0", "triton==3.7"])
def test_the_cuda_packages_of_pytorch_are_left_out_of_the_lock(line):
    assert CUDA_PACKAGE.match(line)


@pytest.mark.parametrize("line", ["nvidia-nccl-cu12==2.32.3", "torch==2.13.0", "tornado==6.6"])
def test_everything_else_stays_in_the_lock(line):
    assert CUDA_PACKAGE.match(line) is None
