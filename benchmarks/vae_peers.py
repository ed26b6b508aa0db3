r"""The same VAE in other hands: each peer is a function from images to `run`, one pass over them.

All have the layers 784-400-20-400-784 (or the small convolutional ones of `course_lib.vae`), ReLU,
a Bernoulli likelihood of grey pixels, batches of 128 in random order, and Adam with a rate of
0.001. Every one uses the data path and the optimiser that its package or example comes with.
"""

import os
import tempfile
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, TensorDataset

DIM, HIDDEN, LATENT, BATCH, RATE = 784, 400, 20, 128, 1e-3
CONV_LATENT, WIDTH = 16, 32
Run = Callable[[], float]  # one pass; returns the loss per image, in nats


# The basic example that comes with PyTorch: per-image PIL and ToTensor, sigmoid, default Adam


class PictureDataset(Dataset):
    r"""What torchvision's MNIST classes with `ToTensor` do for every image, without torchvision."""

    def __init__(self, images: Tensor) -> None:
        self.images = images  # uint8 (N, 28, 28)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        picture = Image.fromarray(self.images[index].numpy())
        pixels = torch.from_numpy(np.array(picture)).view(picture.size[1], picture.size[0], 1)
        return pixels.permute(2, 0, 1).contiguous().float().div(255), 0


class SigmoidVAE(nn.Module):
    r"""Two heads, and probabilities instead of logits."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.loc = nn.Linear(DIM, HIDDEN), nn.Linear(HIDDEN, LATENT)
        self.log_var = nn.Linear(HIDDEN, LATENT)
        self.decoder = nn.Sequential(
            nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, DIM), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = functional.relu(self.body(x))
        loc, log_var = self.loc(hidden), self.log_var(hidden)
        z = loc + (0.5 * log_var).exp() * torch.randn_like(loc)
        return self.decoder(z), loc, log_var


def pytorch_example(images: Tensor) -> Run:
    torch.manual_seed(0)
    model = SigmoidVAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    loader = DataLoader(PictureDataset(images), batch_size=BATCH, shuffle=True)

    def run() -> float:
        model.train()
        total = 0.0
        for x, _ in loader:
            optimizer.zero_grad()
            flat = x.view(-1, DIM)
            output, loc, log_var = model(flat)
            cross_entropy = functional.binary_cross_entropy(output, flat, reduction="sum")
            loss = cross_entropy - 0.5 * torch.sum(1 + log_var - loc.pow(2) - log_var.exp())
            loss.backward()
            total += loss.item()
            optimizer.step()
        return total / len(images)

    return run


# pythae: its VAE and the training step of its BaseTrainer


def pythae(images: Tensor, conv: bool = False) -> Run:
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    torch.manual_seed(0)
    latent = CONV_LATENT if conv else LATENT
    body, features, decoder = _conv_layers() if conv else _dense_layers()

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.body = body
            self.loc, self.log_var = nn.Linear(features, latent), nn.Linear(features, latent)

        def forward(self, x: Tensor) -> ModelOutput:
            hidden = self.body(x)
            return ModelOutput(embedding=self.loc(hidden), log_covariance=self.log_var(hidden))

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.body = decoder

        def forward(self, z: Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=self.body(z))

    x = images.float() / 255
    x = x[:, None] if conv else x.flatten(1)
    config = VAEConfig(input_dim=tuple(x.shape[1:]), latent_dim=latent, reconstruction_loss="bce")
    settings = BaseTrainerConfig(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=BATCH,
        optimizer_cls="Adam",
        learning_rate=RATE,
        no_cuda=True,
    )
    model = VAE(config, Encoder(), Decoder())
    trainer = BaseTrainer(model, BaseDataset(x, torch.ones(len(x))), training_config=settings)
    trainer.prepare_training()
    shown = [one for one in trainer.callback_handler.callbacks if "ProgressBar" in str(type(one))]
    for callback in shown:  # its bar is the only thing taken away
        trainer.callback_handler.callbacks.remove(callback)
    epochs = iter(range(1, 10**6))
    return lambda: float(trainer.train_step(next(epochs)))


def _dense_layers() -> tuple[nn.Module, int, nn.Module]:
    body = nn.Sequential(nn.Linear(DIM, HIDDEN), nn.ReLU())
    decoder = nn.Sequential(
        nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, DIM), nn.Sigmoid()
    )
    return body, HIDDEN, decoder


def _conv_layers() -> tuple[nn.Module, int, nn.Module]:
    features = 2 * WIDTH * 7 * 7
    body = nn.Sequential(
        nn.Conv2d(1, WIDTH, 4, 2, 1),
        nn.ReLU(),
        nn.Conv2d(WIDTH, 2 * WIDTH, 4, 2, 1),
        nn.ReLU(),
        nn.Flatten(),
    )
    decoder = nn.Sequential(
        nn.Linear(CONV_LATENT, features),
        nn.ReLU(),
        nn.Unflatten(1, (2 * WIDTH, 7, 7)),
        nn.ConvTranspose2d(2 * WIDTH, WIDTH, 4, 2, 1),
        nn.ReLU(),
        nn.ConvTranspose2d(WIDTH, 1, 4, 2, 1),
        nn.Sigmoid(),
    )
    return body, features, decoder


# Pyro: SVI with Trace_ELBO and a DataLoader


def pyro_svi(images: Tensor) -> Run:
    import pyro
    from pyro.distributions import Bernoulli, Normal
    from pyro.infer import SVI, Trace_ELBO

    torch.manual_seed(0)
    pyro.clear_param_store()
    encoder = nn.Sequential(nn.Linear(DIM, HIDDEN), nn.ReLU())
    loc, log_var = nn.Linear(HIDDEN, LATENT), nn.Linear(HIDDEN, LATENT)
    heads = nn.ModuleDict({"body": encoder, "loc": loc, "log_var": log_var})
    decoder = nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, DIM))

    def model(x: Tensor) -> None:
        pyro.module("decoder", decoder)
        with pyro.plate("images", len(x)):
            zeros = x.new_zeros(len(x), LATENT)
            z = pyro.sample("z", Normal(zeros, torch.ones_like(zeros)).to_event(1))
            pixels = Bernoulli(logits=decoder(z), validate_args=False)  # grey levels
            pyro.sample("x", pixels.to_event(1), obs=x)

    def guide(x: Tensor) -> None:
        pyro.module("encoder", heads)
        with pyro.plate("images", len(x)):
            hidden = encoder(x)
            scale = (0.5 * log_var(hidden)).exp()
            pyro.sample("z", Normal(loc(hidden), scale).to_event(1))

    svi = SVI(model, guide, pyro.optim.Adam({"lr": RATE}), Trace_ELBO())
    data = TensorDataset(images.float().flatten(1) / 255)
    loader = DataLoader(data, batch_size=BATCH, shuffle=True)
    return lambda: sum(svi.step(x) for (x,) in loader) / len(images)


# Keras: `fit`, with the back-end that KERAS_BACKEND names when the process starts


def keras_fit(images: Tensor) -> Run:
    import keras

    keras.utils.set_random_seed(0)

    class KerasVAE(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.body = keras.layers.Dense(HIDDEN, activation="relu")
            self.heads = keras.layers.Dense(2 * LATENT)
            self.hidden = keras.layers.Dense(HIDDEN, activation="relu")
            self.logits = keras.layers.Dense(DIM)
            self.seeds = keras.random.SeedGenerator(0)

        def call(self, x: Tensor) -> Tensor:
            loc, log_var = keras.ops.split(self.heads(self.body(x)), 2, axis=-1)
            noise = keras.random.normal(keras.ops.shape(loc), seed=self.seeds)
            rate = 0.5 * (keras.ops.square(loc) + keras.ops.exp(log_var) - 1 - log_var)
            self.add_loss(keras.ops.mean(keras.ops.sum(rate, -1)))
            return self.logits(self.hidden(loc + keras.ops.exp(0.5 * log_var) * noise))

    def distortion(x: Tensor, logits: Tensor) -> Tensor:
        per_pixel = keras.ops.binary_crossentropy(x, logits, from_logits=True)
        return keras.ops.sum(per_pixel, -1)

    model = KerasVAE()
    model.compile(keras.optimizers.Adam(RATE), distortion)
    x = (images.float().flatten(1) / 255).numpy()
    return lambda: model.fit(x, x, batch_size=BATCH, verbose=0).history["loss"][0]


def keras_backend() -> str:
    r"""The back-end of this process."""
    return os.environ.get("KERAS_BACKEND", "tensorflow")
