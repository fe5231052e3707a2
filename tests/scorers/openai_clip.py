"""A small CLIP with the modules of openai/CLIP, by whose names its state dict goes, and its forward pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class QuickGELU(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(width, inner))
        self.mlp.add_module("gelu", QuickGELU())
        self.mlp.add_module("c_proj", nn.Linear(inner, width))

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        normed = self.ln_1(x)
        x = x + self.attn(normed, normed, normed, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp(self.ln_2(x))  # type: ignore[no-any-return]


class Transformer(nn.Module):
    def __init__(self, width: int, layers: int, heads: int, inner: int) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width, heads, inner) for _ in range(layers))

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        for block in self.resblocks:
            x = block(x, mask)
        return x


class Visual(nn.Module):
    def __init__(self, config: Any, projection: int) -> None:
        super().__init__()
        width, patch = config.hidden_size, config.patch_size
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(width))
        places = (config.image_size // patch) ** 2 + 1
        self.positional_embedding = nn.Parameter(torch.randn(places, width))
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Transformer(
            width, config.num_hidden_layers, config.num_attention_heads, config.intermediate_size
        )
        self.proj = nn.Parameter(torch.randn(width, projection))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        patches = self.conv1(pixels).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(len(pixels), 1, -1)
        x = self.ln_pre(torch.cat([first, patches], dim=1) + self.positional_embedding)
        return self.ln_post(self.transformer(x)[:, 0]) @ self.proj  # type: ignore[no-any-return]


class OpenAICLIP(nn.Module):
    """Of the sizes of a CLIPConfig of transformers."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        text, width = config.text_config, config.text_config.hidden_size
        self.visual = Visual(config.vision_config, config.projection_dim)
        self.token_embedding = nn.Embedding(text.vocab_size, width)
        self.positional_embedding = nn.Parameter(torch.randn(text.max_position_embeddings, width))
        self.transformer = Transformer(
            width, text.num_hidden_layers, text.num_attention_heads, text.intermediate_size
        )
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.randn(width, config.projection_dim))
        self.logit_scale = nn.Parameter(torch.ones([]))

    def encode_image(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.visual(pixels)  # type: ignore[no-any-return]

    def encode_text(self, ids: torch.Tensor) -> torch.Tensor:
        """The vector of the last token, which is the end of the text."""
        length = ids.shape[1]
        mask = torch.full((length, length), -torch.inf).triu(1)
        x = self.token_embedding(ids) + self.positional_embedding[:length]
        return self.ln_final(self.transformer(x, mask))[:, -1] @ self.text_projection  # type: ignore[no-any-return]
