"""Who takes part, in what words each is started, and with which Python."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peers.environments import peer_python

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]

TRAINING = {
    "usual": "usual loop: DataLoader, eager Adam, `.item()`",
    "pythae": "pythae's trainer",
    "lightning": "PyTorch Lightning",
    "tight": "tight loop: tensor in memory, fused Adam, no `.item()`",
    "compiled": "tight loop, loss under torch.compile",
    "ours": "**ELBOFlow**, one process of {cores} threads",
    "ours_ranks": "**ELBOFlow**, {cores} ranks of one thread",
    "products": "the matrix products alone",
}
LOG_LIKELIHOOD = {
    "pythae": "pythae's get_nll",
    "image": "by hand, image by image",
    "chunks": "by hand, chunks of 20 images x 50 samples",
    "ours": "**ELBOFlow**, one process of {cores} threads",
    "ours_ranks": "**ELBOFlow**, {cores} ranks of one thread",
    "ours_thread": "**ELBOFlow**, one process of one thread",
    "products": "the matrix products alone",
}


@dataclass(frozen=True)
class Start:
    """How contenders are started: on how many cores, in which training environment, and where.

    Args:
        folder: with train.npy, test_binary.npy and the weights to begin with.
    """

    cores: int
    environment: Path
    folder: Path

    @property
    def variables(self) -> Mapping[str, str]:
        """No GPU, no pool of compiling processes, and no mistaking of those who wait for stuck."""
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(self.cores))
        hidden = {"CUDA_VISIBLE_DEVICES": "", "ELBOFLOW_GPU": "none"}
        stopped = {"TORCHINDUCTOR_COMPILE_THREADS": "1", "ELBOFLOW_STALL_SECONDS": "86400"}
        return threads | hidden | stopped

    def training(self, name: str, batch: int) -> list[Any]:
        if name.startswith("ours"):
            return self._launched(name, "training", batch)
        if name == "lightning":
            return self._started(name, "lightning_trainer.py", batch)
        if name == "pythae":
            return self._started(name, "pythae_parts.py", "training", batch)
        return self._started("", "training_loops.py", name, batch)

    def log_likelihood(self, name: str, images: int) -> list[Any]:
        """`images` at a time, but for ours, whose default decides."""
        if name.startswith("ours"):
            return self._launched(name, "log_likelihood", images)
        if name == "pythae":
            return self._started(name, "pythae_parts.py", "log_likelihood", images)
        return self._started("", "log_likelihood_loops.py", name, images)

    def _started(self, peer: str, script: str, *words: object) -> list[Any]:
        python = peer_python(peer) if peer else self.environment / "bin" / "python"
        return [python, HERE / script, *words, self.folder]

    def _launched(self, name: str, *words: object) -> list[Any]:
        ranks = self.cores if name == "ours_ranks" else 1
        threads = self.cores if name == "ours" else 1
        return [
            *(ROOT / "workflow/scripts/launch.sh", "--nodes", 1, "--tasks-per-node", ranks),
            *("--threads-per-rank", threads, "--mpi", "mpirun", "--venv", self.environment),
            *("--", HERE / "ours.py", *words, self.folder),
        ]
