"""The images and networks on which gradient inversion is measured."""

import numpy as np
import torch
from sklearn.datasets import load_sample_images
from torch import nn

SIDE, SHRUNK = 128, 4


def crops(n, seed=0):
    """Cut squares of 128 pixels out of two photographs and average them down to 32."""
    photographs = [image.astype(np.float32) / 255 for image in load_sample_images().images]
    rng = np.random.default_rng(seed)
    found = []
    for number in range(n):
        image = photographs[number % 2]
        top, left = (int(rng.integers(length - SIDE + 1)) for length in image.shape[:2])
        cut = image[top : top + SIDE, left : left + SIDE]
        size = SIDE // SHRUNK
        found.append(cut.reshape(size, SHRUNK, size, SHRUNK, 3).mean((1, 3)).transpose(2, 0, 1))
    return torch.tensor(np.stack(found))


def sigmoid_lenet(classes=10, seed=0):
    """Build the network of Zhu et al. (2019), weights uniform in (-0.5, 0.5)."""
    torch.manual_seed(seed)
    layers = []
    for channels, stride in ((3, 2), (12, 2), (12, 1)):
        layers += [nn.Conv2d(channels, 12, 5, stride, 2), nn.Sigmoid()]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(768, classes))
    for value in model.parameters():
        nn.init.uniform_(value, -0.5, 0.5)
    return model


def relu_network(classes=10, seed=0):
    """Build four convolutions of 3 x 3 and a linear layer, weights as torch draws them."""
    torch.manual_seed(seed)
    layers = []
    for entering, leaving, stride in ((3, 32, 1), (32, 32, 2), (32, 64, 1), (64, 64, 2)):
        layers += [nn.Conv2d(entering, leaving, 3, stride, 1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4096, classes))


NETWORKS = {"sigmoid LeNet": sigmoid_lenet, "ReLU network": relu_network}
