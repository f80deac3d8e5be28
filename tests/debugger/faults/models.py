"""Small networks as people write them."""

from __future__ import annotations

import torch
from torch import nn

from tests.debugger.faults.data import LENGTH, VOCABULARY

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU}


def mlp(
    inputs: int,
    classes: int,
    *,
    hidden: int = 64,
    depth: int = 2,
    activation: str = "relu",
    dropout: float = 0.0,
    norm: str = "",
) -> nn.Sequential:
    """Return a multilayer perceptron over flattened rows."""
    layers: list[nn.Module] = [nn.Flatten()]
    size = inputs
    for _ in range(depth):
        layers.append(nn.Linear(size, hidden))
        if norm:
            layers.append({"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}[norm](hidden))
        layers.append(ACTIVATIONS[activation]())
        if dropout:
            layers.append(nn.Dropout(dropout))
        size = hidden
    return nn.Sequential(*layers, nn.Linear(size, classes))


class Cnn(nn.Module):
    """Two convolutions and a classifier for images of 8 x 8."""

    def __init__(self, classes: int, *, width: int = 12, norm: bool = True) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(width) if norm else nn.Identity()
        self.conv2 = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(2 * width) if norm else nn.Identity()
        self.head = nn.Linear(2 * width * 4, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return a score for each class."""
        inner = torch.relu(self.norm1(self.conv1(images)))
        inner = torch.relu(self.norm2(self.conv2(nn.functional.max_pool2d(inner, 2))))
        return self.head(nn.functional.max_pool2d(inner, 2).flatten(1))


class Transformer(nn.Module):
    """An encoder over characters, and a classifier of the mean."""

    def __init__(self, classes: int, *, width: int = 32, layers: int = 1, dropout: float = 0.1) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, width)
        self.position = nn.Parameter(torch.randn(LENGTH, width) * 0.02)
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return a score for each class."""
        inner = self.encoder(self.embedding(tokens) + self.position)
        return self.head(self.norm(inner).mean(1))


class CharCnn(nn.Module):
    """Convolutions over characters, and a classifier of the maximum."""

    def __init__(self, classes: int, *, width: int = 32, dropout: float = 0.3) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 16)
        self.conv = nn.Conv1d(16, width, 5, padding=2)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, classes)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return a score for each class."""
        inner = torch.relu(self.conv(self.embedding(tokens).transpose(1, 2)))
        return self.head(self.dropout(inner.amax(2)))


class Recurrent(nn.Module):
    """A gated recurrent network over characters."""

    def __init__(self, classes: int, *, width: int = 32) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 16)
        self.recurrent = nn.GRU(16, width, batch_first=True)
        self.head = nn.Linear(width, classes)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return a score for each class."""
        return self.head(self.recurrent(self.embedding(tokens))[0].mean(1))
